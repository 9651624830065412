"""Real programmes: their public files mapped to contracts and years."""

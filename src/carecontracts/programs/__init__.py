"""Real programs: their public files mapped to contracts and years."""

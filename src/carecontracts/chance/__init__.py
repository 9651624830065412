"""Chance: what luck alone pays, and when a result is more than luck."""

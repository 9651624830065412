"""Measurement: the terms by which a contract turns people into the facts of a year."""

"""Parties: what a program costs each side, and what it must bring."""

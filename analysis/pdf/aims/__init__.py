"""The aim "be this structure": targets, distances of curves, and what a structure would show."""

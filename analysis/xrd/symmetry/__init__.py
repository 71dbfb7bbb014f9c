"""Symmetry: what peaks and cells say of the crystal system, and crystals to learn it from."""

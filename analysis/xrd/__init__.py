"""Powder diffraction."""

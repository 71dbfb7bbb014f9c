"""Agents of powder diffraction, each named by the question it answers."""

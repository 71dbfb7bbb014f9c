"""Recipes by which the agents of powder diffraction are trained."""

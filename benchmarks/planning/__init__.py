"""Recorded pools, planners that replay them, and the files of what they chose."""

"""Planner and agents at work, and who stands in when one of them fails."""

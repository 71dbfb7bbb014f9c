"""Twins that make structure matter, and twins that would make it mislead."""

"""Worlds and readings with which trust is judged."""

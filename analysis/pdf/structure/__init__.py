"""Structures for a curve: sites, shapes, a network that proposes, a search that disposes."""

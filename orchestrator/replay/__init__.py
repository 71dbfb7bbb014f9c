"""Decisions made again from the stored raw data."""

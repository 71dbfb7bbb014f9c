"""Agents of total scattering, one file a question."""

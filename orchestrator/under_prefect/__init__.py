"""Prefect as engine room and window; nothing outside this room knows it."""

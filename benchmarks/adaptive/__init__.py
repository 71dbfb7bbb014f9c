"""Scanners and strategies that compare ways to spend a diffractometer's time."""

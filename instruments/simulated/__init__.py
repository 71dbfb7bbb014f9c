"""Simulated instruments: same interface, same faults, no matter moved."""

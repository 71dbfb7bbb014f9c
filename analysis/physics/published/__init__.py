"""Structures written from published cells and positions, at room temperature unless told."""

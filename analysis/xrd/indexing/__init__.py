"""Indexing: from the positions of peaks to candidate cells of each crystal system."""

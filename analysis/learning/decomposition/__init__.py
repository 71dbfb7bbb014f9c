"""Demixing of many curves into few patterns, blind to the technique that measured them."""

"""A map of phases over the settings, learnt from what agents read, and a property beside it."""

"""Stock, and who holds which thing."""

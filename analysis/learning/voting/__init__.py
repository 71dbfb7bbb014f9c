"""Several statements on one thing, each of which may be wrong: who is right, and what follows."""

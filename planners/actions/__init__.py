"""Actions: what may be done next besides a new experiment, and what each is worth per cost."""

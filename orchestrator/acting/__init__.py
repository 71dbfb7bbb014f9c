"""Actions besides a new experiment: what is offered, how it is carried out, what then stands."""

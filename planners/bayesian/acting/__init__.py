"""What the Bayesian planner believes, as a choice among actions needs it."""

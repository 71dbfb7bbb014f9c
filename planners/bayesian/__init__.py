"""Bayesian optimisation on BoTorch and GPyTorch."""

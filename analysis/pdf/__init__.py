"""Total scattering and the pair distribution function."""

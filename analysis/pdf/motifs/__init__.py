"""Which atoms of a starting model explain a measured pair distribution function."""

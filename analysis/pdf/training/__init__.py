"""Training of what total scattering learns."""

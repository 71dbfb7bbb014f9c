"""What is done when a step fails, an analysis is unclear, or a device hangs."""

"""What techniques share to learn from data: blind to any of them."""

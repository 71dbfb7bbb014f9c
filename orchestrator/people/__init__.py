"""What people are asked, what they wish, and what they are told."""

"""What invented people are worth, and what they cost."""

"""What the learnt methods reach, and what their codes hold."""

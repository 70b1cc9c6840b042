"""What edits of films reach."""

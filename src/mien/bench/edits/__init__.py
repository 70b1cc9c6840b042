"""What edits of photographs reach, seen by outsiders."""

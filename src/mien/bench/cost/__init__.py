"""What edits take: time, processor, memory."""

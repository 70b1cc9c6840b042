"""Whether the HTTP API and the studio bear a crowd, and how soon they answer."""

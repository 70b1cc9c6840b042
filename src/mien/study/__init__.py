"""Studies with people: a page of two-alternative trials, and the rates that its answers give."""

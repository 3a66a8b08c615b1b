"""Matter, as a controller holds its nodes."""

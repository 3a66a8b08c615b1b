"""Taking events in with all that follows from them: orders and refunds of a source that may make some."""

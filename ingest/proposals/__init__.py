"""A profile proposed from recorded messages: what was said, what it probably is, and what is to be decided."""

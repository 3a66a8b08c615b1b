"""What readings say of the parts that are in a device: how much is left, what was replaced, and what is in doubt."""

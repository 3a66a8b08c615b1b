"""What goes out to the broker: who may speak there, and what devices and households are told."""

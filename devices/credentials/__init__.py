"""By what devices, production lines and hubs prove who they are, and how a device gets what it proves itself by."""

"""IKEA's gateways."""

"""Simulated devices at their broker: what they send, keep, lose and repeat."""

"""Households that do not exist, the appliances in them, and what wears out."""

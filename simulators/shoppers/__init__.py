"""Shoppers that do not exist: who they are, what they like and do in app, web and shop, and the truth of all that."""

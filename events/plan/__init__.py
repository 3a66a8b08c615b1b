"""The tracking plan: which events there are, what their properties are like, and where a SKU or an order stands."""

"""What customers have in common: segments and their members, and models of what customers are worth and will want."""

"""Who may see what: one rule for each noun. Nothing else in the API decides it, and a test looks for what does.

What a caller may not see is answered exactly like what does not exist (404), so that nobody learns what there is.
Each function takes the caller and the id that they sent, and returns the thing, or raises NotFound.
"""

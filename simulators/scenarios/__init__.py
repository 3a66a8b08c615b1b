"""Runs with expectations: scenario files, what the platform should have made of them, and reports."""

"""One person over all packages: what they did and what was done for them, on one line of time."""

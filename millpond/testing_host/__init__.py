"""A whole platform in one process, for the test suites of other projects: `millpond platform`.

It owns the clock, the servers and the simulated devices; whoever started it talks to it in JSON lines. Its other end is
`millpond.testing`, which the project under test imports.
"""

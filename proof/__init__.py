"""The proof that nothing is lost and nothing is counted twice: real processes, real faults, devices that remember.

`scripts/faults --help` says how to run it; docs/durability.md says what it proves.
"""

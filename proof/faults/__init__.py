"""The faults, one function each: it stages, strikes, watches the recovery, and settles the account."""

"""`python -m proof`: see `scripts/faults --help`."""

from proof.cli import main

main()

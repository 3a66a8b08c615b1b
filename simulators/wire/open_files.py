"""How many connections the machine lets one process have."""

import resource

from millpond.kernel.errors import InvalidInput

_SPARE_FILES = 64


def require_open_files(connections: int) -> None:
    """Let this process open so many connections; InvalidInput with the limit when it may not."""
    needed = connections + _SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise InvalidInput(
            f"{connections:,} connections need {needed:,} open files, and this machine allows {hard:,} (ulimit -n):"
            f" {hard - _SPARE_FILES:,} connections at most, or share them with --connections 8"
        )
    if soft != resource.RLIM_INFINITY and needed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))

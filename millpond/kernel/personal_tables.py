"""What the kernel's own tables have of a person."""

from millpond.kernel.db import load_queries
from millpond.kernel.personal import Table, kept, nobodys, plain, pseudonym, worded

_Q = load_queries("millpond.kernel")


def kernel_personal() -> list[Table]:
    """Kept answers say what was said to somebody; all else is how the program runs."""
    return [
        Table(
            "idempotency_key",
            (
                *pseudonym("subject"),
                *plain("request_hash status created_at"),
                *kept("key", because="a caller's own text, so that nothing is done twice; it goes within days"),
                *worded("response"),
            ),
            erase=(_Q["erase_answers"],),
            withheld=dict.fromkeys(("key", "response"), "what was answered is in the other parts"),
        ),
        nobodys(
            "job_run",
            "job scheduled_for state epoch holder lease_until started_at finished_at summary error",
            because="a run of a job",
        ),
        nobodys("schema_version", "name checksum applied_at", because="what the database is"),
    ]

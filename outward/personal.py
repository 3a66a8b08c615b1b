"""What is kept of messages that go out: nothing of a person."""

from millpond.kernel.personal import Table, machines


def outward_personal() -> list[Table]:
    """Digests of what devices were told."""
    return [machines("told_topic", "topic device_id content_sha256 told_at")]

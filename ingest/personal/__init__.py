"""What ingest has of a person: bytes that nobody could read, and what a household's hub calls things."""

from millpond.kernel.db import load_queries
from millpond.kernel.personal import Table, gone, machines, nobodys

_Q = load_queries("ingest.personal")


def ingest_personal() -> list[Table]:
    """Refused messages of a person's devices go with their bytes, their items, and what they were mended to."""
    return [*_refused(), *_machines(), *_counts()]


def _refused() -> list[Table]:
    return [
        _gone("quarantine_edit", "digest edited topic payload note edited_at edited_by"),
        _gone("quarantine", "quarantine_id digest item serial code reason received_at items boot stored_at again"),
        _gone("quarantined_message", "digest topic payload received_at size_bytes retained", "erase_messages"),
        _gone(
            "lobby",
            "name lobby_id format identity by_serial state first_heard_at last_heard_at topic messages bytes dropped"
            " decided_at decided_by trouble said_model other_names",
            "erase_lobby",
        ),
        _gone("format_description", "format key owner body described_at", "erase_descriptions"),
    ]


def _gone(name: str, columns: str, erase: str | None = None) -> Table:
    """A table that goes by a statement, or with the messages that it belongs to."""
    withheld = dict.fromkeys(columns.split(), "bytes of a machine that nobody could read")
    return Table(name, gone(columns), erase=(_Q[erase],) if erase else (), withheld=withheld)


def _machines() -> list[Table]:
    return [
        machines("reading_conflict", "device_id metric_id measured_at value state received_at"),
        machines("sequence", "serial boot received given_up first_seen_at last_seen_at unread overflow_at began_at"),
        machines("watched_gap", "serial boot from_seq to_seq since asks asked_at ask_at awaits_answer answered"),
        machines("effective_time", "serial boot seq effective_at came_at"),
        machines("clock_doubt", "device_id made_up_to samples first_at last_at last_offset_s"),
        machines(
            "live_name",
            "serial kind name since before returned_at shared_names shared_first_at shared_last_at shared_returns",
        ),
        machines("ingest_drop", "serial day allowance messages items bytes last_at"),
        machines("untimed_message", "consumer lane packet_id digest received_at came"),
    ]


def _counts() -> list[Table]:
    because = "how ingest works"
    return [
        nobodys(
            "ingest_minute",
            "consumer minute messages received stored duplicate conflict quarantined dropped waiting",
            because=because,
        ),
        nobodys(
            "ingest_consumer",
            "consumer epoch connected in_flight lag_s beat_at gaps devices_with_gaps overflowing_boots numbers_given_up"
            " trouble",
            because=because,
        ),
        nobodys(
            "lobby_rule", "rule_id format pattern model region made_at made_by admitted", because="an operator's word"
        ),
    ]

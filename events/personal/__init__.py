"""What events have of a person: all of it."""

from millpond.kernel.db import load_queries
from millpond.kernel.personal import Export, Table, gone, nobodys

_Q = load_queries("events.personal")


def events_personal() -> list[Table]:
    """An event goes whole: its properties and context are free text, and its message id was chosen by who sent it."""
    ours = dict.fromkeys(("event_id", "source_id", "subject_id", "anonymous_id"), "a number of ours")
    columns = "event_id source_id message_id call name happened_at received_at subject_id anonymous_id session_id sku"
    return [
        Table(
            "event",
            gone(f"{columns} properties context"),
            export=Export("events", _Q["export_events"]),
            erase=(_Q["erase_events"], _Q["erase_anonymous_ids"]),
            withheld=ours,
        ),
        nobodys("source", "source_id name kind scopes created_at origins", because="a site, an app, a till"),
        nobodys("source_key", "key_id source_id digest hint valid_from ended_at", because="how a source proves itself"),
        nobodys("source_hour", "source_id hour slot taken repeated latest_at lateness", because="counts"),
        nobodys("source_refusal", "source_id hour reason slot calls", because="counts"),
    ]

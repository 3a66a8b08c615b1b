"""What events have of a person: all of it."""

from millpond.kernel.db import load_queries
from millpond.kernel.personal import Export, Table, gone, nobodys

_Q = load_queries("events.personal")
_SET_ASIDE = "quarantine_id source_id known_as call name reason detail size_bytes first_at last_at times replayed_at"


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
        Table(
            "event_quarantine",
            gone(f"{_SET_ASIDE} raw event subject_id anonymous_id"),
            export=Export("events_set_aside", _Q["export_set_aside"]),
            erase=(_Q["erase_set_aside"], _Q["erase_unread"]),
            withheld=ours | {"quarantine_id": "a number of ours", "raw": "in the column event, as it was read"},
        ),
        nobodys("unknown_event", "source_id name events first_at last_at", because="counts"),
        nobodys("source", "source_id name kind scopes created_at origins", because="a site, an app, a till"),
        nobodys(
            "source_key", "key_id source_id digest hint valid_from ended_at shown", because="how a source proves itself"
        ),
        nobodys("source_hour", "source_id hour slot taken repeated latest_at lateness", because="counts"),
        nobodys("source_refusal", "source_id hour reason slot calls", because="counts"),
    ]

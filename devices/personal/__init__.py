"""What devices have of a person: whose they were, and what a household called them. Readings are a machine's."""

from typing import LiteralString

from millpond.kernel.db import load_queries
from millpond.kernel.personal import Export, Table, gone, kept, machines, nobodys, nulled, plain, pseudonym, worded

_Q = load_queries("devices.personal")
_PERIOD = "the next owner sees nothing from before it ended"


def devices_personal() -> list[Table]:
    """Aliases go while it is known whose devices they are; then the ownership."""
    return [*_owned(), *_measured(), *_kept_of_machines(), *_models()]


def _owned() -> list[Table]:
    return [
        Table(
            "device_alias",
            gone("format external_id device_id aliased_at"),
            erase=(_Q["erase_aliases"],),
            withheld=dict.fromkeys(
                ("format", "external_id", "device_id", "aliased_at"), "how a hub of theirs calls it"
            ),
        ),
        Table(
            "claim_failures",
            gone("customer_id began_at failures"),
            erase=(_Q["erase_claim_failures"],),
            withheld=dict.fromkeys(("customer_id", "began_at", "failures"), "it keeps them from guessing codes"),
        ),
        Table(
            "claim_code",
            (*plain("device_id kind code_sha256 issued_at expires_at"), *pseudonym("issued_by")),
            because="a label's stays with its device; a transfer's goes with the owner who asked for it",
            erase=(_Q["erase_transfer_codes"],),
        ),
        *_ownership(),
    ]


def _ownership() -> list[Table]:
    return [
        Table(
            "device",
            (*plain("device_id serial model region installed_at registered_at"), *nulled("customer_id")),
            because="a machine; the household that has it is in device_owner",
            erase=(_Q["erase_owner_of_now"],),
            withheld={"customer_id": "in the profile"},
        ),
        Table(
            "device_owner",
            (
                *pseudonym("device_id"),
                *nulled("customer_id"),
                *kept("owned_from owned_until", because=_PERIOD),
                *worded("granted_by"),
            ),
            export=Export("devices", _Q["export_devices"]),
            erase=(_Q["erase_ownership"],),
            withheld={"customer_id": "in the profile", "granted_by": "who registered it, perhaps another customer"},
        ),
    ]


def _measured() -> list[Table]:
    """Readings: the export has them by the day."""
    values = "first_value last_value min_value max_value avg_value readings first_at last_at"
    states = "first_state last_state min_state max_state readings first_at last_at"
    return [
        machines("reading", "device_id measured_at value received_at metric_id corrected state"),
        machines("device_latest", "device_id newest_at received_at metric_ids measured_ats values states"),
        machines("reading_hour_kept", "device_id hour min_value max_value avg_value metric_id readings"),
        _exported(
            machines("reading_day_kept", f"device_id metric_id day {values}"), "reading_days", _Q["export_reading_days"]
        ),
        _exported(
            machines("state_day_kept", f"device_id metric_id day {states}"), "state_days", _Q["export_state_days"]
        ),
        machines("reading_late", "device_id day step"),
        nobodys("reading_horizon", "only_one live_from marked_to rolled_to", because="up to where days are kept"),
        _exported(
            machines(
                "installation",
                "installation_id device_id part consumable installed_at ended_at ended_by undone_because",
            ),
            "parts",
            _Q["export_parts"],
        ),
    ]


def _exported(table: Table, name: str, statement: LiteralString) -> Table:
    return Table(table.name, table.columns, table.because, Export(name, statement))


def _kept_of_machines() -> list[Table]:
    credential = "credential_id device_id slot kind key_id salt issued_at expires_at used_at ended_at ended_because"
    return [
        machines("device_status", "device_id state session changed_at"),
        machines("reporting_interval", "device_id interval_s learnt_at"),
        Table("device_credential", (*plain(credential), *pseudonym("issued_by ended_by")), because="a machine's"),
        machines("line_proof", "line nonce device_id proved_at"),
        nobodys(
            "line_key",
            "line model key_id salt devices_max issued_at issued_by expires_at revoked_at revoked_by",
            because="of a production line",
        ),
        nobodys("hub_account", "name topics key_id salt issued_at issued_by", because="an operator's word for a hub"),
    ]


def _models() -> list[Table]:
    because = "what a model is"
    return [
        nobodys("device_model", "model name category sku speaks also", because=because),
        nobodys("model_part", "model part consumable threshold_pct prior_life_days", because=because),
        nobodys("part_limit", "model part metric_id measure capacity quantum most_per_day due", because=because),
        nobodys("metric", "metric_id model name kind unit min_value max_value states", because=because),
        nobodys("consumable", "consumable name sku", because=because),
        nobodys("registry_changes", "changes only_one", because="how often the registry changed"),
    ]

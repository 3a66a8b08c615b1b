"""The registry of personal columns: what every package says of its own tables."""

from attribution.personal import attribution_personal
from catalogue.personal import catalogue_personal
from customers.personal import customers_personal
from devices.personal import devices_personal
from events.personal import events_personal
from forecasting.personal import forecasting_personal
from ingest.personal import ingest_personal
from millpond.kernel.personal import Table, nobodys
from millpond.kernel.personal_tables import kernel_personal
from offers.personal import offers_personal
from outward.personal import outward_personal
from segments.personal import segments_personal


def personal_tables() -> list[Table]:
    """All tables, in the order in which they are erased: what refers to another before that one, who it was last."""
    return [
        nobodys(
            "dam_day",
            "day source_id events known nameless late incomplete newest_at counted_at",
            because="counts of all that came on a day",
        ),
        *outward_personal(),
        *segments_personal(),
        *attribution_personal(),
        *offers_personal(),
        *forecasting_personal(),
        *ingest_personal(),
        *events_personal(),
        *devices_personal(),
        *catalogue_personal(),
        *kernel_personal(),
        *customers_personal(),
    ]

"""When a part will be down to its threshold: the three dates that forecasts, offers and pages speak of."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DepletionDates:
    """When a part is down to its threshold: of ten such parts one is by `p10`, five are by `p50`, nine by `p90`."""

    p10: datetime
    p50: datetime
    p90: datetime


def read_dates(p10: datetime | None, p50: datetime | None, p90: datetime | None) -> DepletionDates | None:
    """The dates in a row of the database, which has all three or (with a reason instead) none."""
    return None if p10 is None or p50 is None or p90 is None else DepletionDates(p10, p50, p90)


def name_dates(dates: DepletionDates | None) -> dict[str, datetime | None]:
    """The dates by the names that they have in tables and in what is printed; each None where there are none."""
    p10, p50, p90 = (dates.p10, dates.p50, dates.p90) if dates else (None, None, None)
    return {"depletes_p10": p10, "depletes_p50": p50, "depletes_p90": p90}

"""The dam's report, as operators are told."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from api.models import Out
from dam.report.nouns import DamReport, Flow, Share
from dam.report.speech import say_lost, say_stop


class PlaceOut(Out):
    """How many there are of a place, and how many of them are tied to a known customer."""

    channel: Annotated[str, Field(description="app, web, store, or the kind of a source; empty for devices.")]
    place: Annotated[str, Field(description="A shop, a source, or a model of devices; empty for all of a channel.")]
    total: int
    known: int
    known_pct: Annotated[float | None, Field(description="Null where there is nothing.")]


class FlowOut(PlaceOut):
    """All places of one flow together, and each."""

    flow: Flow
    places: list[PlaceOut]


class DayOut(Out):
    """The events that came on one day (UTC): of known customers, and of nobody known."""

    day: date
    known: int
    lost: int


class SourceHealthOut(Out):
    """One source over the window; `late` is more than an hour after it happened."""

    source: str
    kind: str
    events: int
    newest_at: datetime | None
    late: int
    incomplete: Annotated[int, Field(description="Without what the name of the event asks for.")]
    orders: int
    orders_again: Annotated[int, Field(description="Orders told once more under another message id.")]
    repeated: Annotated[int, Field(description="Calls that came again under their message id, and counted once.")]
    set_aside: Annotated[int, Field(description="Calls that could not be taken; they are in the quarantine of events.")]


class LeakOut(Out):
    """Where knowledge is lost, and what it would take to stop it."""

    code: str
    channel: str
    place: str
    lost: int
    total: int
    lost_pct: float
    sentence: str
    remedy: str


class DamReportOut(Out):
    """What came in within the days before `at`, by the links to customers that were known then."""

    at: datetime
    since: datetime
    flows: list[FlowOut]
    untold: Annotated[list[Flow], Field(description="What nothing comes in of at all.")]
    days: list[DayOut]
    sources: list[SourceHealthOut]
    leaks: list[LeakOut]


def tell_dam_report(report: DamReport, language: str) -> DamReportOut:
    """The report with its leaks in the words of a language."""
    return DamReportOut(
        at=report.at,
        since=report.since,
        flows=[_tell_flow(report, flow) for flow in Flow],
        untold=report.untold(),
        days=[DayOut.model_validate(day) for day in report.days],
        sources=[SourceHealthOut.model_validate(source) for source in report.sources],
        leaks=[
            LeakOut(
                code=leak.code,
                channel=leak.channel,
                place=leak.place,
                lost=leak.lost,
                total=leak.total,
                lost_pct=round(leak.share_pct, 2),
                sentence=say_lost(leak, language),
                remedy=say_stop(leak, language),
            )
            for leak in report.leaks
        ],
    )


def _tell_flow(report: DamReport, flow: Flow) -> FlowOut:
    places = [_tell_place(share) for share in report.of(flow)]
    return FlowOut(flow=flow, places=places, **_tell_place(report.total(flow)).model_dump())


def _tell_place(share: Share) -> PlaceOut:
    known_pct = round(100 * share.known / share.total, 2) if share.total else None
    return PlaceOut(channel=share.channel, place=share.place, total=share.total, known=share.known, known_pct=known_pct)

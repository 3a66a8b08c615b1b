"""`millpond decode`: what a message would become, without a database."""

import json as jsonlib
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from millpond.cli import app
from millpond.cli.jobs import parse_at
from millpond.kernel.errors import InvalidInput, MillpondError
from millpond.kernel.settings import load_settings

if TYPE_CHECKING:
    from devices.profile import DeviceProfile
    from ingest.formats.format import Formats
    from ingest.nouns import Decoded, Delivery, Limits, Registry

Topic = Annotated[str, typer.Option(help="The topic the message was published to.", show_default=False)]
Format = Annotated[str | None, typer.Option("--format", help="The payload's format; the one that reads the topic.")]
Model = Annotated[
    str | None, typer.Option(help="A device model that ships, or a profile's path; without it the one that fits best.")
]
Received = Annotated[str | None, typer.Option("--at", help="When the message came, RFC 3339; now.")]
File = Annotated[
    typer.FileBinaryRead, typer.Argument(metavar="FILE", help="The message's payload; - is stdin.", show_default=False)
]


@app.command()
def decode(
    file: File,
    topic: Topic,
    model: Model = None,
    payload_format: Format = None,
    at: Received = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Show what a message would become: each reading with its unit and time, each rejection with its reason.

    A dry run: it needs no database and no broker, and takes the topic's device for registered. Exit 1 when all of it
    would be refused.
    """
    from ingest.nouns import Delivery, Lane, Limits

    settings = load_settings()
    formats, profiles = _find_formats(payload_format), _find_profiles(model)
    received_at = parse_at(at, settings.make_clock().now())
    delivery = Delivery(topic, file.read(), received_at, Lane.LIVE, 0, 1, 0)
    profile, results = _decode_best(profiles, formats, delivery, Limits.from_settings(settings))
    lines = [line for decoded in results for line in to_lines(profile, decoded)]
    if json:
        for line in lines:
            typer.echo(jsonlib.dumps(line, ensure_ascii=False, default=_plain))
    else:
        if len(profiles) > 1 and any(decoded.readings for decoded in results):
            typer.echo(f"read as {profile.model}, the model that fits best: name yours with --model", err=True)
        _print_table(profile.model, lines)
    _require_something(lines)


def _require_something(lines: list[dict[str, Any]]) -> None:
    """MillpondError when every item was refused, so that a script notices it."""
    if lines and all(line["kind"] == "rejection" for line in lines):
        counted = "the message was" if len(lines) == 1 else f"all {len(lines)} items were"
        raise MillpondError(f"{counted} refused, and nothing would be stored: {lines[0]['reason']}")


def _find_profiles(model: str | None) -> list["DeviceProfile"]:
    from devices.profile import load_profile, shipped_profiles

    shipped = shipped_profiles()
    if model is None:
        return list(shipped.values())
    if model in shipped:
        return [shipped[model]]
    if not model.endswith((".yaml", ".yml")):
        known = ", ".join(shipped)
        raise typer.BadParameter(f"{model!r} is no profile's path (.yaml) and none of {known}", param_hint="--model")
    try:
        return [load_profile(Path(model))]
    except OSError as error:
        raise InvalidInput(f"profile {model} cannot be read: {error.strerror}") from error


def _find_formats(name: str | None) -> "Formats":
    from ingest.formats.shipped import FORMATS

    if name is not None and name not in FORMATS.names:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(FORMATS.names)}", param_hint="--format")
    return FORMATS if name is None else FORMATS.named(name)


def _decode_best(
    profiles: list["DeviceProfile"], formats: "Formats", delivery: "Delivery", limits: "Limits"
) -> tuple["DeviceProfile", list["Decoded"]]:
    """The message as read with each profile; of several the one that leaves the most readings and the fewest metrics
    that it could have and did not."""
    tried = [(p, formats.decode(delivery, _make_registries(p, formats, delivery, limits), limits)) for p in profiles]
    return max(tried, key=lambda pair: (sum(len(d.readings) for d in pair[1]), -len(pair[0].metrics)))


def _make_registries(
    profile: "DeviceProfile", formats: "Formats", delivery: "Delivery", limits: "Limits"
) -> dict[str, "Registry"]:
    """Registries in which every device that the message speaks of is of this profile's model."""
    from ingest.formats.dry_run import make_registry

    return {
        one.name: make_registry(profile, one.language, names, delivery.received_at)
        for one, names in formats.identities([delivery], limits).items()
    }


def to_lines(profile: "DeviceProfile", decoded: "Decoded") -> Iterator[dict[str, Any]]:
    """What a message became for a device, one mapping an item; `kind` is reading, status, gone or rejection."""
    metrics = list(profile.metrics.items())
    for item in decoded.readings:
        reading, (name, metric) = item.reading, metrics[item.reading.metric_id]
        yield {
            "kind": "reading",
            "serial": decoded.serial,
            "seq": item.sample.seq if item.sample else None,
            "metric": name,
            "value": reading.state if reading.value is None else reading.value,
            "unit": metric.unit,
            "measured_at": reading.measured_at,
            "corrected": reading.corrected,
        }
    if decoded.status is not None:
        yield {"kind": "status", "serial": decoded.serial, **decoded.status.model_dump()}
    if decoded.gone is not None:
        yield {"kind": "gone", "serial": decoded.serial, **decoded.gone.model_dump(by_alias=True)}
    for rejection in decoded.rejections:
        yield {
            "kind": "rejection",
            "serial": decoded.serial,
            "item": rejection.item,
            "code": rejection.code,
            "reason": rejection.reason,
        }


def _print_table(model: str, lines: list[dict[str, Any]]) -> None:
    told = to_table(model, lines) if lines else "nothing would be stored"
    # A message may well contain what looks like markup.
    Console(file=sys.stdout, markup=False, emoji=False).print(told)


def to_table(model: str, lines: list[dict[str, Any]]) -> Table:
    """The lines for people to read; where they are of several devices, each says of which."""
    serials = list(dict.fromkeys(line["serial"] for line in lines))
    table = Table(title=f"{', '.join(serials) or 'no serial'}, {model}", title_justify="left")
    device = ["device"] if len(serials) > 1 else []
    for name in (*device, "item", "metric", "value", "unit", "measured at", "outcome"):
        table.add_column(name, overflow="fold", justify="right" if name == "value" else "left")
    for line in lines:
        table.add_row(*(line["serial"] for _ in device), *_cells(line))
    return table


def _cells(line: Mapping[str, Any]) -> tuple[str, ...]:
    match line["kind"]:
        case "reading":
            note = "stored; its time was absent or implausible" if line["corrected"] else "stored"
            value = line["value"] if isinstance(line["value"], str) else f"{line['value']:g}"
            item = "" if line["seq"] is None else str(line["seq"])
            return (item, line["metric"], value, line["unit"], line["measured_at"].isoformat(), note)
        case "rejection":
            item, _, metric = line["item"].partition("/")
            return (item or "all", metric, "", "", "", f"{line['code']}: {line['reason']}")
        case "status":
            return ("", "status", line["state"], "", "", f"the device's state, session {line['session']}")
        case _:
            return ("", "", "", "", "", f"{line['from']} to {line['to']} of boot {line['boot']} will not come")


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)

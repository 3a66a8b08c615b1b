"""`millpond decode`: what a message would become, without a database."""

import json as jsonlib
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from millpond.cli import app
from millpond.cli.jobs import parse_at
from millpond.kernel.errors import MillpondError
from millpond.kernel.settings import Settings, load_settings

if TYPE_CHECKING:
    from devices.profile import DeviceProfile
    from ingest.formats.format import Format, Formats
    from ingest.nouns import Delivery
    from millpond.cli.decode_reading import Read

_CLOSEST_SHOWN = 3
_NAMES_SHOWN = 6

Topic = Annotated[
    str, typer.Option(help="The topic the message was published to; a bridge's where it has none.", show_default=False)
]
FormatName = Annotated[
    str | None,
    typer.Option(
        "--format", help="Its format, as docs/formats.md calls it, in any spelling; else the one that reads the topic."
    ),
]
Model = Annotated[
    str | None, typer.Option(help="A device model, or a profile's path; without it the one that fits, or none.")
]
Received = Annotated[str | None, typer.Option("--at", help="When the message came, RFC 3339; now.")]
File = Annotated[
    typer.FileBinaryRead, typer.Argument(metavar="FILE", help="The message's payload; - is stdin.", show_default=False)
]


@app.command()
def decode(
    file: File,
    topic: Topic = "",
    model: Model = None,
    payload_format: FormatName = None,
    at: Received = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Show what a message would become: each reading with its unit and time, each rejection with its reason.

    A dry run: it needs no database and no broker, and takes every device for registered. Without a model, a fleet's own
    language is read as it says itself. Of a message that no format reads it says which come closest. Exit 1 when
    none reads it, or all that it says is refused.
    """
    from ingest.formats.shipped import known_formats
    from ingest.nouns import Delivery, Lane, Limits
    from millpond.cli.decode_lines import to_lines
    from millpond.cli.decode_reading import read_message

    settings = load_settings()
    profiles, named = _find_profiles(model, settings)
    formats = known_formats(settings)
    one = find_format(formats, payload_format, topic)
    received_at = parse_at(at, settings.make_clock().now())
    topic = topic or default_topic(one)
    if not topic:
        raise typer.BadParameter(
            "say the topic that the message was published to, or its format with --format", param_hint="--topic"
        )
    delivery = Delivery(topic, file.read(), received_at, Lane.LIVE, 0, 1, 0)
    one = one or formats.reading(topic)
    if one is None:
        raise _read_by_none(formats, delivery, profiles)
    read = read_message(one, delivery, Limits.from_settings(settings), profiles, named)
    lines = to_lines(read)
    _print(read, lines, json=json)
    if not lines:
        typer.echo(_why_nothing(one, topic), err=True)


def default_topic(one: "Format | None") -> str:
    """Where a bridge publishes what is in a maker's own format; empty for a format that has only its own topics."""
    from devices.wire import PREFIX

    is_bridged = one is not None and one.parse is not None and (one.by_serial or one.dialect_of)
    return f"{PREFIX}/DEVICE/raw/{one.language}" if one is not None and is_bridged else ""


def _print(read: "Read", lines: list[dict[str, Any]], *, json: bool) -> None:
    from millpond.cli.decode_lines import passed_over_sentence, to_table

    if json:
        for line in lines:
            typer.echo(jsonlib.dumps(line, ensure_ascii=False, default=_plain))
    else:
        told = [line for line in lines if line["kind"] != "passed_over"]
        table = to_table(_title(read), lines) if told else "nothing would be stored"
        # A message may well contain what looks like markup.
        Console(file=sys.stdout, markup=False, emoji=False).print(table)
        for sentence in filter(None, [passed_over_sentence(lines), _which_model(read)]):
            typer.echo(sentence, err=True)
    _require_something(lines)


def _why_nothing(one: "Format", topic: str) -> str:
    from ingest.formats.format import compile_filters

    if not compile_filters(one.subscriptions).fullmatch(topic):
        filters = " and ".join(subscription.topic_filter for subscription in one.subscriptions)
        return f"{one.name} does not read topic {topic[:200]!r}: it reads {filters}"
    return "it says nothing of a device: it is empty, a command, or a description of what others say"


def _title(read: "Read") -> str:
    return read.lens.profile.model if read.lens.is_model else f"as {read.format.language} itself says"


def _which_model(read: "Read") -> str:
    if not read.readings:
        return ""
    if not read.lens.is_model:
        return "this is what the language itself says: only a model's profile says what is stored, name it with --model"
    return (
        f"read as {read.lens.profile.model}, the model that fits best: name yours with --model" if read.guessed else ""
    )


def _require_something(lines: list[dict[str, Any]]) -> None:
    """MillpondError when every item was refused, so that a script notices it."""
    owed = [line for line in lines if line["kind"] != "passed_over"]
    if owed and all(line["kind"] == "rejection" for line in owed):
        counted = "the message was" if len(owed) == 1 else f"all {len(owed)} items were"
        raise MillpondError(f"{counted} refused, and nothing would be stored: {owed[0]['reason']}")


def _find_profiles(model: str | None, settings: Settings) -> tuple[dict[str, "DeviceProfile"], str | None]:
    """All profiles by model, one of a file among them, and the model that was asked for."""
    from devices.own_files import read_file
    from devices.profile import DeviceProfile
    from millpond.cli.profiles import known_profiles

    profiles, _ = known_profiles(settings)
    if model is None:
        return profiles, None
    if model.endswith((".yaml", ".yml")):
        profile = read_file(DeviceProfile, Path(model))
        return profiles | {profile.model: profile}, profile.model
    called = {name.casefold(): one.model for one in profiles.values() for name in (*one.also, one.model)}
    if model.casefold() not in called:
        known = ", ".join(profiles)
        raise typer.BadParameter(f"{model!r} is no profile's path (.yaml) and none of {known}", param_hint="--model")
    return profiles, called[model.casefold()]


def find_format(formats: "Formats", name: str | None, topic: str) -> "Format | None":
    """The format that is meant by a name; a usage error names those that there are."""
    one = None if name is None else formats.find(name, topic)
    if name is not None and one is None:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(formats.names)}", param_hint="--format")
    return one


def _read_by_none(formats: "Formats", delivery: "Delivery", profiles: Mapping[str, "DeviceProfile"]) -> MillpondError:
    from ingest.formats.closest import find_closest

    speaks: dict[str, set[str]] = {}
    for profile in profiles.values():
        speaks.setdefault("millpond-v1", set()).update(profile.metrics)
        for name, properties in profile.speaks.items():
            speaks.setdefault(name, set()).update(properties)
    closest = find_closest(formats, delivery, speaks)[:_CLOSEST_SHOWN]
    told = "; ".join(f"{one.name}{_would_read(one.values, one.known)}: {one.why_not}" for one in closest)
    return MillpondError(f"no format reads topic {delivery.topic[:200]!r}; these come closest: {told}")


def _would_read(values: Sequence[str], known: Sequence[str]) -> str:
    if not values:
        return ""
    names = ", ".join(known[:_NAMES_SHOWN]) + (", …" if len(known) > _NAMES_SHOWN else "")
    return f" would read {len(values)} values and know {len(known)}" + (f" ({names})" if names else "")


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)

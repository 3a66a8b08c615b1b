"""`millpond doctor`: is everything there that Millpond needs, and what to change if not."""

import os
from typing import Annotated

import typer
from rich.console import Console

from millpond.cli import app
from millpond.cli.findings import Finding, Findings, Level, bad, good, warning
from millpond.cli.own_file_checks import check_own_files
from millpond.kernel.broker import BrokerAddress
from millpond.kernel.errors import ConfigurationError, MillpondError
from millpond.kernel.settings import Settings, find_misspelled, load_settings

CHECKS = (
    "settings",
    "secret",
    "profiles",
    "database",
    "timescaledb",
    "schema",
    "permissions",
    "clock",
    "ingest",
    "scheduler",
    "fleet",
    "quarantine",
    "broker",
    "access",
)
_WINDOW_ENOUGH = 100
_COLOURS = {Level.GOOD: "green", Level.WARNING: "yellow", Level.BAD: "red"}

Only = Annotated[list[str] | None, typer.Option(help=f"Just this check, repeatable: {', '.join(CHECKS)}.")]
Strict = Annotated[bool, typer.Option("--strict", help="A warning is a failure too.")]


@app.command()
def doctor(only: Only = None, strict: Strict = False) -> None:
    """Check settings, database, schema, permissions, clock, services, fleet and broker, and say what to change.

    Each line is ✓ (good), ! (works, should be changed) or ✗ (does not work); the exit is 1 when there is any ✗.
    """
    wanted = tuple(only or CHECKS)
    if unknown := [name for name in wanted if name not in CHECKS]:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(CHECKS)}", param_hint="--only")
    findings = list(_show(examine(wanted)))
    failing = [f.check for f in findings if f.level is Level.BAD or (strict and f.level is Level.WARNING)]
    if failing:
        raise MillpondError(f"not well: {', '.join(dict.fromkeys(failing))}")


def examine(wanted: tuple[str, ...] = CHECKS) -> Findings:
    """What was found of `wanted`, and what is in the way of finding more."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        yield bad("settings", str(error), "correct the variable")
        return
    if "settings" in wanted:
        yield from _check_names()
    if "secret" in wanted:
        yield _check_secret(settings)
    if "profiles" in wanted:
        yield from check_own_files(settings)
    if set(wanted) - {"settings", "secret", "profiles", "broker", "access"}:
        yield from _check_database(settings, wanted)
    if "broker" in wanted:
        yield from _check_broker(settings)
    if "access" in wanted and settings.database_url.get_secret_value():
        from millpond.cli.access_checks import check_access

        yield from check_access(settings)


def _show(findings: Findings) -> Findings:
    console = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)
    for finding in findings:
        console.print(finding.level.value, style=_COLOURS[finding.level], end=" ")
        console.print(f"{finding.check:<12} {_sentence(finding)}")
        yield finding


def _sentence(finding: Finding) -> str:
    return f"{finding.sentence.removesuffix('.')}: {finding.change}." if finding.change else finding.sentence


def _check_names() -> Findings:
    misspelled = list(find_misspelled(os.environ))
    for name, meant in misspelled:
        yield warning("settings", f"{name} is no setting, and nothing reads it", f"write {meant}")
    if not misspelled:
        yield good("settings", "they can be read.")


def _check_secret(settings: Settings) -> Finding:
    try:
        settings.require("jwt_secret")
    except ConfigurationError as error:
        return bad("secret", str(error).partition(":")[0], "set it to the output of `openssl rand -hex 32`")
    return good("secret", "MILLPOND_JWT_SECRET is long enough.")


def _check_database(settings: Settings, wanted: tuple[str, ...]) -> Findings:
    from millpond.cli.database_checks import check_database

    if settings.database_url.get_secret_value():
        yield from check_database(settings, wanted)
    else:
        yield bad("database", "MILLPOND_DATABASE_URL is not set", "set it to postgresql://user:password@host:5432/name")


def _check_broker(settings: Settings) -> Findings:
    from millpond.cli.broker_probe import probe_broker, takes_payload

    if not settings.broker_url.get_secret_value():
        yield bad("broker", "MILLPOND_BROKER_URL is not set", "set it to mqtt://user:password@host:1883")
        return
    largest = settings.payload_max_bytes
    try:
        address = settings.broker_address()
        probe = probe_broker(address)
        takes_larger = probe.window > 0 and takes_payload(address, largest + 1)
    except MillpondError as error:
        yield bad("broker", str(error), "start the broker, or correct MILLPOND_BROKER_URL or the broker's access rules")
        return
    if probe.window == 0:
        change = "let this user read and write millpond/v1/# in the broker's access rules"
        yield bad("broker", "it takes our messages, and none of them comes back", change)
        return
    yield _judge_window(probe.window)
    yield _judge_session(probe.published, probe.kept)
    yield _judge_payloads(largest, takes_larger=takes_larger)
    yield _judge_login(address)


def _judge_window(window: int) -> Finding:
    if window < _WINDOW_ENOUGH:
        sentence = f"it answers, and sends {window} messages before it waits for us, so a batch is never larger"
        return warning("broker", sentence, "in mosquitto, set `max_inflight_messages 2000`")
    return good("broker", f"it answers, and sends {window} messages or more before it waits for us.")


def _judge_payloads(largest: int, *, takes_larger: bool) -> Finding:
    if takes_larger:
        sentence = f"it hands on payloads of more than {largest:,} bytes, which ingest refuses unread"
        return warning("payloads", sentence, f"in mosquitto, set `message_size_limit {largest}`")
    return good("payloads", f"the broker hands on no payload of more than {largest:,} bytes.")


def _judge_login(address: BrokerAddress) -> Finding:
    if not address.password:
        sentence = (
            "MILLPOND_BROKER_URL has no password, so the client ids of ingest can be guessed and its sessions taken"
        )
        change = "give ingest a user of its own at the broker and write mqtt://user:password@host:port"
        return warning("login", sentence, f"{change}; the embedded broker of tests needs none")
    return good("login", "ingest has a password, and its client ids are derived from it.")


def _judge_session(published: int, kept: int) -> Finding:
    if kept < published:
        sentence = f"of {published} messages that came while we were away it kept {kept}"
        change = "in mosquitto, set `max_queued_messages 0` and bound the memory with `max_queued_bytes`"
        return warning("broker", sentence, f"{change}; until then devices send again what is lost")
    return good("broker", "it keeps messages while we are away.")

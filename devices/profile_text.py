"""A profile as the text of a file."""

from typing import Any

import yaml

from devices.profile import DeviceProfile

_WIDTH = 120


class _Dumper(yaml.SafeDumper):
    """Which keeps a text on its line, whatever is in it."""


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"'
    ),
)


def write_profile(profile: DeviceProfile) -> str:
    """The profile in YAML, as a person would write it: short where it is short, without what is left at its default."""
    content = profile.model_dump(mode="json", exclude_defaults=True)
    for language, properties in content.get("speaks", {}).items():
        content["speaks"][language] = {said: _short(one) for said, one in properties.items()}
    lines: list[str] = []
    for key, value in content.items():
        lines += _write_key(key, value)
    return "\n".join(lines) + "\n"


def _short(spoken: dict[str, Any]) -> Any:
    return spoken["metric"] if spoken.keys() == {"metric"} else spoken


def _write_key(key: str, value: Any) -> list[str]:
    match key, value:
        case "metrics", dict():
            return [f"{key}:", *(f"  {flow(name)}: {flow(one)}" for name, one in value.items())]
        case "parts", list():
            return [f"{key}:", *(line for part in value for line in _write_part(part))]
        case "speaks", dict():
            languages = ((f"  {name}:", *_write_said(properties)) for name, properties in value.items())
            return [f"{key}:", *(line for language in languages for line in language)]
        case _:
            return [f"{key}: {flow(value)}"]


def _write_said(properties: dict[str, Any]) -> list[str]:
    return [f"    {flow(said)}: {flow(one)}" for said, one in properties.items()]


def _write_part(part: dict[str, Any]) -> list[str]:
    plain = [f"    {key}: {flow(value)}" for key, value in part.items() if key != "limits"]
    limits = [f"      - {flow(limit)}" for limit in part["limits"]]
    return [f"  - {plain[0].strip()}", *plain[1:], "    limits:", *limits]


def flow(value: Any) -> str:
    """A value on one line of YAML; what YAML would take for another kind of value is quoted."""
    text = yaml.dump(
        _plain(value), Dumper=_Dumper, default_flow_style=True, allow_unicode=True, width=100_000, sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...").strip()


def _plain(value: Any) -> Any:
    """The same with whole numbers as such."""
    match value:
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case list():
            return [_plain(one) for one in value]
        case float():
            return int(value) if value.is_integer() else value
        case _:
            return value

"""Discovery configs for Home Assistant, so that a household's own dashboard shows until when a part lasts."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from devices.wire import build_topic
from forecasting.nouns import CurrentForecast
from millpond.kernel.language import choose_language, name_in
from outward.told.nouns import Told
from outward.told.store import DeviceToTell

_PREFIX = "homeassistant/sensor"
_UNTIL = {"en": "{part} lasts until", "ko": "{part} 사용 가능 기한", "zh": "{part}可用至"}
_REMAINING = {"en": "{part} remaining", "ko": "{part} 남은 양", "zh": "{part}剩余量"}
_OTHER = re.compile(r"[^A-Za-z0-9-]")


def tell_discovery(
    device: DeviceToTell, forecasts: Sequence[CurrentForecast], names: Mapping[str, Mapping[str, str]]
) -> Iterator[Told]:
    """Two sensors a part: until when it lasts, and how much is left; `names` are those of the consumables."""
    language = choose_language(device.locale)
    for forecast in forecasts:
        name = name_in(names[forecast.consumable], language)
        part = f"value_json.parts[{json.dumps(forecast.part)}]"
        until = {"device_class": "timestamp", "value_template": f"{{{{ {part}.depletes_p50 }}}}"}
        left = {"unit_of_measurement": "%", "state_class": "measurement", "suggested_display_precision": 0}
        left |= {"value_template": f"{{{{ {part}.remaining_pct }}}}"}
        known = {"json_attributes_template": f"{{{{ {part} | tojson }}}}"}
        about = _about(device, language)
        id_ = f"millpond_{_object_id(device.serial)}_{_object_id(forecast.part)}"
        yield _sensor(device, id_, about | known | until | {"name": _UNTIL[language].format(part=name)})
        remaining = {"name": _REMAINING[language].format(part=name)}
        yield _sensor(device, f"{id_}_remaining", about | known | left | remaining)


def _about(device: DeviceToTell, language: str) -> dict[str, Any]:
    """What all sensors of a device have in common."""
    topic = build_topic(device.serial, "forecast")
    return {
        "state_topic": topic,
        "json_attributes_topic": topic,
        "qos": 1,
        "origin": {"name": "Millpond"},
        "device": {
            "identifiers": [f"millpond_{device.serial}"],
            "name": f"{name_in(device.model_name, language)} {device.serial}",
            "model": device.model,
            "serial_number": device.serial,
        },
    }


def _sensor(device: DeviceToTell, id_: str, config: dict[str, Any]) -> Told:
    whole = config | {"unique_id": id_}
    return Told(f"{_PREFIX}/{id_}/config", device.device_id, whole, whole)


def _object_id(text: str) -> str:
    """Home Assistant takes letters, digits, dashes and underscores; what else a serial has is written by its number."""
    return _OTHER.sub(lambda found: f"_{ord(found[0]):x}_", text)

"""The JSON Schema of a profile, for editors: written from the model, and published as `profile.schema.json`."""

import json
from importlib.resources import files

from devices.profile import DeviceProfile

FILE = files("devices") / "profile.schema.json"


def write_schema() -> str:
    """The schema as the text of its file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | DeviceProfile.model_json_schema()
    return json.dumps(schema | {"title": "Device profile"}, indent=2, ensure_ascii=False) + "\n"

"""The settings that say where a user's own device profiles, catalogue and tracking plan lie."""

from pathlib import Path

from pydantic import BaseModel, Field


class OwnFiles(BaseModel):
    """Folders whose files count with those that ship."""

    profiles_dir: Path | None = Field(
        default=None,
        description="Folder of your own device profiles (`*.yaml`) and consumables (`consumables.yaml`): `migrate` and "
        "`millpond profile load` take them in besides those that ship.",
    )
    catalogue_dir: Path | None = Field(
        default=None,
        description="Folder of your own products and of what fits what (`*.yaml`, as in `catalogue/catalogue.yaml`), "
        "taken in with the profiles.",
    )
    plans_dir: Path | None = Field(
        default=None,
        description="Folder of your own tracking plan (`*.yaml`, see docs/events.md): its events and parts "
        "win over those that ship. It is read when a process starts.",
    )

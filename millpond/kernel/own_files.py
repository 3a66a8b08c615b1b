"""The settings that say where a user's own device profiles and catalogue lie."""

from pathlib import Path

from pydantic import BaseModel, Field


class OwnFiles(BaseModel):
    """Folders whose files come into the database with those that ship."""

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

"""A user's own profiles, consumables and catalogue: read file by file, so that a bad one stops no other."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from catalogue.entries import Catalogue
from devices.profile import Consumables, DeviceProfile
from millpond.kernel.errors import InvalidInput
from millpond.kernel.yaml_file import read_yaml

CONSUMABLES = "consumables.yaml"
_ENDINGS = (".yaml", ".yml")
_FILE_MAX_BYTES = 4_194_304
_M = TypeVar("_M", bound=BaseModel)


@dataclass(slots=True)
class OwnFiles:
    """What was read, with the file of each, and a sentence for each file that could not be."""

    profiles: dict[str, tuple[Path, DeviceProfile]] = field(default_factory=dict)
    consumables: Consumables | None = None
    catalogues: list[tuple[Path, Catalogue]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read_own_files(profiles_dir: Path | None, catalogue_dir: Path | None) -> OwnFiles:
    """All files of the two folders. Never raises: what is wrong with a folder or a file is a fault."""
    own = OwnFiles()
    for path in _files(profiles_dir, own):
        if path.name == CONSUMABLES:
            own.consumables = _read(Consumables, path, own)
        elif profile := _read(DeviceProfile, path, own):
            _add_profile(own, path, profile)
    for path in _files(catalogue_dir, own):
        if catalogue := _read(Catalogue, path, own):
            own.catalogues.append((path, catalogue))
    return own


def read_file(kind: type[_M], path: Path) -> _M:
    """The file as a `kind`. InvalidInput with one sentence that names the file and the place."""
    return read_yaml(kind, read_text(path), str(path))


def read_text(path: Path) -> str:
    """The text of a file. InvalidInput with one sentence that names it."""
    try:
        if path.stat().st_size > _FILE_MAX_BYTES:
            raise InvalidInput(f"{path} has {path.stat().st_size:,} bytes, {_FILE_MAX_BYTES:,} are allowed")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8: byte {error.start} is not a character") from error


def _files(folder: Path | None, own: OwnFiles) -> Iterator[Path]:
    if folder is None:
        return
    try:
        yield from sorted(path for path in folder.iterdir() if path.suffix in _ENDINGS and path.name[0] != ".")
    except OSError as error:
        own.faults.append(f"folder {folder} cannot be read: {error.strerror}")


def _read(kind: type[_M], path: Path, own: OwnFiles) -> _M | None:
    try:
        return read_file(kind, path)
    except InvalidInput as error:
        own.faults.append(str(error))
        return None


def _add_profile(own: OwnFiles, path: Path, profile: DeviceProfile) -> None:
    if profile.model in own.profiles:
        other = own.profiles[profile.model][0]
        own.faults.append(f"{path} is of model {profile.model}, which {other.name} has already: give it another name")
    else:
        own.profiles[profile.model] = (path, profile)

"""The plan's files: those that ship, and those of the user's own folder."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from devices.own_files import read_file
from events.plan.entries import PlanFile
from events.plan.plan import Plan
from millpond.kernel.errors import InvalidInput
from millpond.kernel.yaml_file import read_yaml

_SHIPPED = ("words.yaml", "shop.yaml", "ours.yaml")
_ENDINGS = (".yaml", ".yml")


@cache
def shipped_files() -> tuple[PlanFile, ...]:
    """The plan that ships, file by file."""
    folder = files("events.plan")
    return tuple(read_yaml(PlanFile, (folder / name).read_text(encoding="utf-8"), name) for name in _SHIPPED)


@cache
def load_plan(own: Path | None = None) -> Plan:
    """The plan in force: what ships, and over it the files of a folder of the user's own, in the order of their names.

    It is read once by each process. Raises InvalidInput with one sentence that names the file and the place.
    """
    plan = Plan(shipped_files())
    taken = list(shipped_files())
    for path in own_plans(own):
        taken.append(read_file(PlanFile, path))
        plan = _join(taken, path)
    return plan


def check_plan(path: Path, own: Path | None = None) -> Plan:
    """The plan as it would be with this file in the folder, too. Raises InvalidInput with one sentence."""
    before = [read_file(PlanFile, each) for each in own_plans(own) if each.resolve() != path.resolve()]
    return _join([*shipped_files(), *before, read_file(PlanFile, path)], path)


def own_plans(folder: Path | None) -> list[Path]:
    """The plan's files in a folder, by name. Raises InvalidInput for a folder that cannot be read."""
    if folder is None:
        return []
    try:
        return sorted(path for path in folder.iterdir() if path.suffix in _ENDINGS and path.name[0] != ".")
    except OSError as error:
        raise InvalidInput(f"folder {folder} cannot be read: {error.strerror}") from error


def _join(taken: list[PlanFile], last: Path) -> Plan:
    try:
        return Plan(taken)
    except InvalidInput as error:
        raise InvalidInput(f"{last}: {error}") from error

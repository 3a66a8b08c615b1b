"""Errors are made when they are raised."""

import functools
import importlib
from collections.abc import Iterable, Mapping
from enum import Enum
from types import FunctionType

from tests.rules.source import PRODUCT, files

MODULES = [file.removesuffix(".py").replace("/", ".") for file in files(*PRODUCT) if "/__" not in file]


def test_no_module_keeps_an_error() -> None:
    """An error that is raised twice holds the frames of both: only what makes one may be kept."""
    modules = [importlib.import_module(name) for name in MODULES]
    kept = [
        f"{module.__name__}.{name}"
        for module in modules
        for name, value in vars(module).items()
        if not name.startswith("__") and _holds_error(value, module.__name__)
    ]
    assert len(modules) > 100
    assert kept == []


def test_an_error_is_found_wherever_a_module_keeps_it() -> None:
    error = ValueError()

    class Keeper:
        refusal = error

    def refuse(with_: Exception = error) -> None: ...

    kept = [error, {"a": [error]}, (1, {error}), functools.partial(refuse, error), Keeper, refuse]
    assert all(_holds_error(value, __name__) for value in kept)
    assert not _holds_error({"a": functools.partial(ValueError, "sentence")}, __name__)


def _holds_error(value: object, module: str) -> bool:
    if isinstance(value, BaseException):
        return True
    return any(_holds_error(part, module) for part in _parts_of(value, module))


def _parts_of(value: object, module: str) -> Iterable[object]:
    """What a value of a module keeps: items, bound arguments, defaults, and the attributes of a class made there."""
    if isinstance(value, Mapping):
        return value.values()
    if isinstance(value, list | tuple | set | frozenset):
        return value
    if isinstance(value, functools.partial):
        return (*value.args, *value.keywords.values())
    if isinstance(value, FunctionType) and value.__module__ == module:
        return (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values())
    if isinstance(value, type) and value.__module__ == module and not issubclass(value, Enum):
        return [part for name, part in vars(value).items() if not name.startswith("__")]
    return ()

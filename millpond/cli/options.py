"""A command whose options are the fields of a dataclass, so that they are stated once."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

T = TypeVar("T")


def command_of(options: Callable[..., T], act: Callable[[T], None]) -> Callable[..., None]:
    """What typer makes a command of: it takes the fields of `options`, and `act` gets them as one object.

    The command has the name and the help of `act`.
    """

    def command(**given: Any) -> None:
        act(options(**given))

    command.__name__, command.__doc__ = act.__name__, act.__doc__
    command.__annotations__ = get_type_hints(options, include_extras=True)
    # What inspect.signature looks for first; the type checker knows no such attribute of a function.
    vars(command)["__signature__"] = inspect.signature(options)
    return command

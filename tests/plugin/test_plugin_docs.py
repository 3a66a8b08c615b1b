"""The examples in the documentation are tests, so they are run."""

import re
from datetime import timedelta
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "simulators.md"
EXAMPLES = [block for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL) if "def test_" in block]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize("example", EXAMPLES, ids=[re.findall(r"def (\w+)", block)[0] for block in EXAMPLES])
def test_the_example_passes(example: str, request: pytest.FixtureRequest) -> None:
    names: dict[str, Any] = {"timedelta": timedelta}
    exec(compile(example, str(PAGE), "exec"), names)
    [test] = [value for name, value in names.items() if name.startswith("test_")]
    test(**{name: request.getfixturevalue(name) for name in signature(test).parameters})

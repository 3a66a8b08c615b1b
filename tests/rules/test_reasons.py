"""Who silences a tool says why: beside the silence, in the source and in pyproject.toml."""

import io
import re
import tokenize

import pytest

from tests.rules.source import INSTRUMENTS, PRODUCT, ROOT, files

_SILENCE = re.compile(r"#\s*(type: ignore|noqa|pragma|fmt:|isort:|ruff:)")
_WITH_REASON = re.compile(r"# (type: ignore|noqa: )\[?[\w, -]+\]?  # \w.{5,}")


def silences_without_reason(text: str) -> list[str]:
    """The comments of some code that silence a tool and do not say why, by line."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]
    return [
        f"{line}: {comment}"
        for line, comment in comments
        if _SILENCE.match(comment) and not _WITH_REASON.fullmatch(comment)
    ]


def test_whoever_silences_a_tool_in_the_source_says_why() -> None:
    sources = files(*PRODUCT, *INSTRUMENTS, "tests", "scripts", "examples")
    found = {file: silent for file, path in sources.items() if (silent := silences_without_reason(path.read_text()))}
    assert found == {}, "write the code in [], and after two spaces `# why`"


@pytest.mark.parametrize(
    "comment",
    ["# type: ignore", "# type: ignore[misc]", "# noqa", "# noqa: E501", "# fmt: skip", "# type: ignore[misc]  # ok"],
)
def test_a_silence_without_code_or_reason_is_found(comment: str) -> None:
    assert silences_without_reason(f"a = 1  {comment}\n") == [f"1: {comment}"]
    assert silences_without_reason("a = 1  # type: ignore[misc]  # it is frozen, and that is what is tried\n") == []


def test_every_rule_that_is_left_out_says_why() -> None:
    """In `ignore` a comment on the same line, in the per-file table one above."""
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    ignored = _table(lines, "ignore = [", "]")
    assert all(re.search(r"\",? # \w+", line) for line in ignored), "a reason beside each"
    by_file = _table(lines, "[tool.ruff.lint.per-file-ignores]", "")
    assert by_file
    assert all(line.startswith("#") for line in by_file[::2]), "a comment before each"
    assert not any(line.startswith("#") for line in by_file[1::2])


def _table(lines: list[str], first: str, last: str) -> list[str]:
    start = lines.index(first) + 1
    return lines[start : lines.index(last, start)]

"""Small: no file over 300 lines, no function over 45."""

import ast

from tests.rules.source import INSTRUMENTS, PRODUCT, files, parse

FILE_LINES, FUNCTION_LINES = 300, 45
FOLDERS = [*PRODUCT, *INSTRUMENTS, "tests", "examples"]
SOURCES = files(*FOLDERS)


def test_no_file_is_long() -> None:
    texts = SOURCES | files(*FOLDERS, ending=".sql")
    lines = {file: len(path.read_text().splitlines()) for file, path in texts.items()}
    assert len(lines) > 400
    assert {file: count for file, count in lines.items() if count > FILE_LINES} == {}


def test_no_function_is_long() -> None:
    long = {
        f"{file}:{node.lineno} {node.name}": lines
        for file, path in SOURCES.items()
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES
    }
    assert long == {}

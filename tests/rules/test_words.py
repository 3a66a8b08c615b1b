"""One word for one thing: the product is about households, so nothing of its code is called a house."""

import re

from tests.rules.source import INSTRUMENTS, PRODUCT, ROOT, files


def test_no_code_is_called_a_house() -> None:
    folders = [*PRODUCT, *INSTRUMENTS, "docs", "examples", "scripts"]
    texts = {
        file: path
        for ending in (".py", ".sql", ".md", ".yaml")
        for file, path in files(*folders, ending=ending).items()
    }
    texts |= {name: ROOT / name for name in ("README.md", "CONTRIBUTING.md", "pyproject.toml")}
    word = re.compile(r"house(?!hold)", re.IGNORECASE)
    found = {file: [m[0] for m in word.finditer(path.read_text())] for file, path in texts.items()}
    assert {file: words for file, words in found.items() if words} == {}

"""What we tell people to install is what we mean: our own name on a public registry is not ours."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_ASKS_THE_REGISTRY = re.compile(r"pip install [^\n`]*?\bmillpond(\[[a-z,]*\])?['\"]?(?! @|[\w./[-])")


def test_no_hint_asks_a_registry_for_our_name() -> None:
    command = ["git", "ls-files", "*.py", "*.md", "*.html"]
    tracked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT / name for name in tracked.stdout.splitlines() if not name.startswith("tests/")]
    assert len(files) > 100
    asking = [
        f"{file.relative_to(ROOT)}: {hit[0]}"
        for file in files
        if file.exists()
        for hit in _ASKS_THE_REGISTRY.finditer(file.read_text())
    ]
    assert asking == []


def test_a_hint_that_would_is_recognised() -> None:
    assert _ASKS_THE_REGISTRY.search("pip install 'millpond[parquet]'")
    assert _ASKS_THE_REGISTRY.search("pip install millpond")
    assert not _ASKS_THE_REGISTRY.search("pip install 'millpond[embedded] @ git+https://git.example.com/millpond.git'")

"""Who imports whom: the contracts in pyproject.toml are kept, and leave nobody out."""

import subprocess
import sys
from typing import Any

from tests.rules.source import INSTRUMENTS, PRODUCT, ROOT, project, tool

LINTER: dict[str, Any] = project()["tool"]["importlinter"]
CONTRACTS: list[dict[str, Any]] = LINTER["contracts"]
[LAYERS] = [contract["layers"] for contract in CONTRACTS if contract["name"] == "Who may import whom"]


def test_imports_keep_their_direction() -> None:
    done = subprocess.run([tool("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_package_and_every_part_of_millpond_stands_in_a_layer() -> None:
    parts = [path for path in (ROOT / "millpond").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    expected = {f"millpond.{path.stem}" for path in parts if path.stem != "__init__"}
    expected |= {*PRODUCT, *INSTRUMENTS} - {"millpond"}
    assert {name.strip() for layer in LAYERS for name in layer.split("|")} == expected


def test_a_library_that_has_its_place_is_looked_for_everywhere_else() -> None:
    everybody = {*PRODUCT, *INSTRUMENTS}
    assert set(LINTER["root_packages"]) == everybody
    confined = [contract for contract in CONTRACTS if "ignore_imports" in contract]
    assert len(confined) >= 4
    for contract in confined:
        owners = {"api"} if contract["forbidden_modules"][0] == "fastapi" else set()
        assert set(contract["source_modules"]) == everybody - owners, contract["name"]


def test_importing_services_does_not_import_prophet_or_pandas() -> None:
    script = (
        "import sys, api.app, ingest.service, millpond.scheduler, millpond.cli.services, millpond.cli.jobs;"
        "print([name for name in ('prophet', 'pandas', 'cmdstanpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

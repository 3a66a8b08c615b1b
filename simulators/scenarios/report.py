"""What came of a run, for a machine to read: JSON, or JUnit's XML, by the file's suffix."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from millpond.kernel.errors import InvalidInput, Unavailable
from simulators.runs.summary import FleetSummary
from simulators.scenarios.expectations import Outcome, Verdict


def require_reports(paths: Sequence[Path]) -> None:
    """InvalidInput unless reports can be written there: it is told before a run rather than after."""
    for path in paths:
        if path.suffix not in (".json", ".xml"):
            raise InvalidInput(f"report {path.name} needs the suffix .json, or .xml for JUnit")
        if not path.parent.is_dir():
            raise InvalidInput(f"report {path} needs a folder that exists")


def write_reports(
    paths: Sequence[Path],
    summary: FleetSummary,
    began_at: datetime,
    verdicts: Sequence[Verdict],
    *,
    name: str = "simulate",
) -> None:
    """Write a run to each path: `.json` as one object, `.xml` as a JUnit suite with a case for each verdict.

    Unavailable when it cannot be written there.
    """
    for path in paths:
        try:
            _write(path, summary, began_at, verdicts, name)
        except OSError as error:
            raise Unavailable(f"report {path} cannot be written: {error.strerror}") from error


def _write(path: Path, summary: FleetSummary, began_at: datetime, verdicts: Sequence[Verdict], name: str) -> None:
    if path.suffix == ".json":
        cases = [asdict(verdict) for verdict in verdicts]
        report = {"name": name, "began_at": began_at.isoformat(), **asdict(summary), "expectations": cases}
        path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    else:
        tree = ET.ElementTree(_junit(summary, began_at, verdicts, name))
        ET.indent(tree)
        tree.write(path, encoding="utf-8", xml_declaration=True)


def _junit(summary: FleetSummary, began_at: datetime, verdicts: Sequence[Verdict], name: str) -> ET.Element:
    count = {outcome: sum(verdict.outcome is outcome for verdict in verdicts) for outcome in Outcome}
    counts = {"failures": str(count[Outcome.FAILED]), "skipped": str(count[Outcome.NOT_CHECKED]), "errors": "0"}
    times = {"time": str(summary.seconds), "timestamp": began_at.isoformat()}
    suite = ET.Element("testsuite", {"name": f"millpond {name}", "tests": str(len(verdicts)), **counts, **times})
    properties = ET.SubElement(suite, "properties")
    for key, value in asdict(summary).items():
        ET.SubElement(properties, "property", {"name": key, "value": str(value)})
    for verdict in verdicts:
        case = ET.SubElement(suite, "testcase", {"name": verdict.name, "classname": f"millpond.{name}"})
        if verdict.outcome is not Outcome.PASSED:
            tag = "failure" if verdict.outcome is Outcome.FAILED else "skipped"
            ET.SubElement(case, tag, {"message": f"expected {verdict.expected}, found: {verdict.found}"})
    return suite

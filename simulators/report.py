"""What came of a run, for a machine to read: JSON, or JUnit's XML, by the file's suffix."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from simulators.fleet_run import FleetSummary


def write_report(path: Path, summary: FleetSummary, began_at: datetime) -> None:
    """Write `summary` to `path`: `.json` as one object, anything else as a JUnit test suite."""
    if path.suffix == ".json":
        report = {"began_at": began_at.isoformat(), **asdict(summary)}
        path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    else:
        tree = ET.ElementTree(_junit(summary, began_at))
        ET.indent(tree)
        tree.write(path, encoding="utf-8", xml_declaration=True)


def _junit(summary: FleetSummary, began_at: datetime) -> ET.Element:
    cases = list(_expectations(summary))
    failed = sum(complaint is not None for _, complaint in cases)
    attributes = {"name": "millpond simulate", "tests": str(len(cases)), "failures": str(failed)}
    suite = ET.Element("testsuite", {**attributes, "time": str(summary.seconds), "timestamp": began_at.isoformat()})
    properties = ET.SubElement(suite, "properties")
    for name, value in asdict(summary).items():
        ET.SubElement(properties, "property", {"name": name, "value": str(value)})
    for name, complaint in cases:
        case = ET.SubElement(suite, "testcase", {"name": name, "classname": "millpond.simulate"})
        if complaint is not None:
            ET.SubElement(case, "failure", {"message": complaint})
    return suite


def _expectations(summary: FleetSummary) -> Iterator[tuple[str, str | None]]:
    """What has to hold for a run to be called good, each with what is wrong when it does not."""
    sent = summary.messages_published > 0
    yield "something was published", None if sent else "no message was published"
    unacked = f"{summary.unacked} samples were sent and not acknowledged"
    yield "everything sent was acknowledged", unacked if summary.unacked else None
    dropped = f"{summary.dropped} samples were given up because the outbox was full"
    yield "no sample was given up", dropped if summary.dropped else None

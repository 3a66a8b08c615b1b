"""`millpond doctor` and `millpond broker sync` where devices have credentials."""

from pathlib import Path

from pydantic import SecretStr

from devices.credentials.nouns import IssuedCredential
from millpond.cli.access_checks import check_access
from millpond.cli.findings import Level
from millpond.embedded.broker import Broker
from tests.cli.conftest import Run, assert_one_sentence, millpond
from tests.outward.conftest import Guarded

__all__ = ["millpond"]


def environment(guarded: Guarded) -> dict[str, str]:
    names = ("database_url", "broker_url", "broker_admin_url", "device_secret")
    return {f"MILLPOND_{name.upper()}": getattr(guarded.settings, name).get_secret_value() for name in names}


def test_the_doctor_sees_users_that_are_missing_and_sync_adds_them(guarded: Guarded, millpond: Run) -> None:
    guarded.issue("AIR-1")
    ill = millpond("doctor", "--only", "access", **environment(guarded))
    assert ill.returncode == 1
    assert "✗ access       2 of the broker's users and roles are not as they should be" in ill.stdout
    done = millpond("broker", "sync", **environment(guarded))
    assert done.stdout == "users added: 1; removed: 0; roles added: 1; removed: 0\n"
    well = millpond("doctor", "--only", "access", **environment(guarded))
    assert well.returncode == 0, well.stdout
    assert "knows 2 users" in well.stdout
    assert "lets in nobody without a name" in well.stdout


def test_the_doctor_sees_credentials_that_no_broker_is_told_of(guarded: Guarded, air: IssuedCredential) -> None:
    [found] = check_access(guarded.settings.model_copy(update={"broker_admin_url": SecretStr("")}))
    assert (found.level, "2 devices have credentials" in found.sentence) == (Level.WARNING, True)


def test_the_doctor_sees_a_broker_that_lets_in_everybody(guarded: Guarded, tmp_path: Path) -> None:
    with Broker(tmp_path / "open") as broker:
        url = SecretStr(f"mqtt://keeper:x@127.0.0.1:{broker.port}")
        findings = list(check_access(guarded.settings.model_copy(update={"broker_admin_url": url})))
    assert [found.level for found in findings] == [Level.BAD, Level.BAD]
    assert "whoever has no name" in findings[1].sentence


def test_a_secret_that_is_missing_is_one_sentence(guarded: Guarded, millpond: Run) -> None:
    without = environment(guarded) | {"MILLPOND_DEVICE_SECRET": ""}
    assert_one_sentence(millpond("broker", "sync", **without), "MILLPOND_DEVICE_SECRET is not set")


def test_commands_issue_list_and_revoke(guarded: Guarded, millpond: Run, tmp_path: Path) -> None:
    guarded.device("AIR-1")
    fleet, output = tmp_path / "fleet.csv", tmp_path / "out.csv"
    fleet.write_text("serial\nAIR-1\n")
    known = environment(guarded)
    assert "credentials written to" in millpond("provision", fleet, "--output", output, **known).stdout
    assert output.read_text().startswith("serial,username,password,expires_at\nAIR-1,AIR-1,")
    assert millpond("credentials", "issue", "AIR-1", **known).stdout.startswith("username AIR-1~2\npassword ")
    assert millpond("credentials", "list", "AIR-1", **known).stdout.count("good") == 2
    assert millpond("credentials", "revoke", "AIR-1", **known).stdout == "AIR-1: 2 credentials ended\n"
    assert len(millpond("credentials", "code", "AIR-1", **known).stdout.strip()) == 19
    line = ("line", "add", "line-1", "--model", "reed-air-2", "--devices", 5)
    assert len(millpond(*line, **known).stdout.strip()) == 43
    assert millpond("line", "list", **known).stdout.startswith("line-1  reed-air-2  0 of 5")
    assert millpond("line", "revoke", "line-1", **known).returncode == 0
    assert "client id hub/z2m" in millpond("hub", "add", "z2m", "zigbee2mqtt/#", **known).stdout
    assert millpond("hub", "list", **known).stdout.startswith("z2m  zigbee2mqtt/#")
    assert millpond("hub", "remove", "z2m", **known).returncode == 0

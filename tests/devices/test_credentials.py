"""Devices that are who they say: what they are given once, what is kept of it, and when it ends."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devices.credentials.hubs import end_hub_account, issue_hub_account, select_hub_accounts
from devices.credentials.issuing import (
    end_credentials,
    end_expired_credentials,
    issue_credential,
    prove_password,
    record_credential_used,
    select_access,
    select_credentials,
)
from devices.credentials.lines import LineProof, compute_proof, issue_line_key, provision_by_line, revoke_line_key
from devices.credentials.nouns import CredentialKind, EndedBecause
from devices.credentials.provisioning import provision_by_code, provision_devices, provision_file
from devices.nouns import Device
from devices.owners import ClaimKind, find_claim_kind, issue_claim_code
from devices.registry import register_device
from devices.store import select_device
from millpond.kernel.db import WriteConnection
from millpond.kernel.device_keys import DeviceKeys
from millpond.kernel.errors import ConfigurationError, Conflict, InvalidInput, MillpondError, NotFound
from millpond.kernel.settings import load_settings

AT = datetime(2026, 2, 16, 12, tzinfo=UTC)
KEYS = load_settings(device_secret="9d1c7be0a24f4c55b1a8e6f30d7729ce4b5a").device_keys()
LINE = "shenzhen-3"


def registered(conn: WriteConnection, serial: str = "AIR-1") -> Device:
    return register_device(conn, serial=serial, model="reed-air-2", installed_at=AT, at=AT)


def test_a_password_stands_nowhere_and_is_derived_again(conn: WriteConnection) -> None:
    issued = issue_credential(conn, KEYS, registered(conn), at=AT, by="operator:o")
    assert issued.password is not None
    [kept] = conn.execute("select row_to_json(c)::text from device_credential c").fetchall()
    assert issued.password not in kept[0]
    access = prove_password(conn, KEYS, "AIR-1", issued.password, AT)
    assert access is not None
    assert prove_password(conn, KEYS, "AIR-1", issued.password + "x", AT) is None
    assert prove_password(conn, KEYS, "AIR-1~2", issued.password, AT) is None


def test_the_new_credential_is_good_beside_the_old_until_it_is_used(conn: WriteConnection) -> None:
    device = registered(conn)
    old, new = (issue_credential(conn, KEYS, device, at=AT, by="operator:o") for _ in range(2))
    assert (old.username, new.username) == ("AIR-1", "AIR-1~2")
    assert [access.slot for access in select_access(conn, AT)] == [1, 2]
    access = prove_password(conn, KEYS, new.username, str(new.password), AT)
    assert access is not None
    record_credential_used(conn, access, at=AT)
    assert [access.slot for access in select_access(conn, AT)] == [2]
    assert prove_password(conn, KEYS, old.username, str(old.password), AT) is None
    assert [row.ended_because for row in select_credentials(conn, device.device_id)] == [None, EndedBecause.REPLACED]
    assert issue_credential(conn, KEYS, device, at=AT, by="operator:o").slot == 1


def test_a_third_credential_waits_until_one_of_two_is_retired(conn: WriteConnection) -> None:
    device = registered(conn)
    for _ in range(2):
        issue_credential(conn, KEYS, device, at=AT, by="operator:o")
    with pytest.raises(Conflict, match="retire one of them first"):
        issue_credential(conn, KEYS, device, at=AT, by="operator:o")
    end_credentials(conn, device, at=AT, by="operator:o", because=EndedBecause.RETIRED, slot=1)
    assert issue_credential(conn, KEYS, device, at=AT, by="operator:o").slot == 1


def test_what_is_revoked_or_expired_gives_no_access(conn: WriteConnection) -> None:
    device = registered(conn)
    issued = issue_credential(conn, KEYS, device, at=AT, by="operator:o", life=timedelta(days=1))
    later = AT + timedelta(days=1)
    assert prove_password(conn, KEYS, "AIR-1", str(issued.password), later) is None
    assert end_expired_credentials(conn, later) == 1
    issue_credential(conn, KEYS, device, at=later, by="operator:o")
    assert end_credentials(conn, device, at=later, by="operator:o", because=EndedBecause.REVOKED) == 1
    assert select_access(conn, later) == []
    with pytest.raises(NotFound, match="no credential that is good"):
        end_credentials(conn, device, at=later, by="operator:o", because=EndedBecause.REVOKED)


def test_a_certificate_takes_the_name_that_it_says(conn: WriteConnection) -> None:
    device = registered(conn)
    issued = issue_credential(conn, KEYS, device, at=AT, by="operator:o", kind=CredentialKind.CERTIFICATE)
    assert (issued.username, issued.password) == ("AIR-1", None)
    assert issue_credential(conn, KEYS, device, at=AT, by="operator:o").username == "AIR-1~2"
    other = registered(conn, "AIR-2")
    issue_credential(conn, KEYS, other, at=AT, by="operator:o")
    with pytest.raises(Conflict, match="retire that one first"):
        issue_credential(conn, KEYS, other, at=AT, by="operator:o", kind=CredentialKind.CERTIFICATE)


def test_another_secret_derives_other_passwords_and_the_one_before_still_works(conn: WriteConnection) -> None:
    issued = issue_credential(conn, KEYS, registered(conn), at=AT, by="operator:o")
    former = KEYS.by_id[KEYS.current]
    new = load_settings(device_secret="0f6ad3b2c4e1975886e2a01bd4c3f7e9aa12", device_secret_previous=former.decode())
    assert prove_password(conn, new.device_keys(), "AIR-1", str(issued.password), AT) is not None
    alone = DeviceKeys({"another": b"key"})
    with pytest.raises(ConfigurationError, match="MILLPOND_DEVICE_SECRET_PREVIOUS"):
        prove_password(conn, alone, "AIR-1", str(issued.password), AT)


def test_a_code_gives_a_credential_once_and_makes_nobody_an_owner(conn: WriteConnection) -> None:
    device = registered(conn)
    code = issue_claim_code(conn, device, ClaimKind.PROVISION, at=AT, issued_by="operator:o", life=timedelta(days=1))
    assert find_claim_kind(conn, device.serial, code, at=AT) is None
    for serial, said, at in (("AIR-2", code, AT), ("AIR-1", "0" * 16, AT), ("AIR-1", code, AT + timedelta(days=1))):
        with pytest.raises(NotFound):
            provision_by_code(conn, KEYS, serial, said, at=at)
    issued = provision_by_code(conn, KEYS, device.serial, code.lower().replace("-", " "), at=AT)
    assert prove_password(conn, KEYS, issued.username, str(issued.password), AT) is not None
    with pytest.raises(NotFound):
        provision_by_code(conn, KEYS, device.serial, code, at=AT)


def test_a_label_is_no_code_for_a_credential(conn: WriteConnection) -> None:
    code = issue_claim_code(conn, registered(conn), ClaimKind.LABEL, at=AT, issued_by="operator:o")
    with pytest.raises(NotFound):
        provision_by_code(conn, KEYS, "AIR-1", code, at=AT)


@pytest.fixture
def line_key(conn: WriteConnection) -> str:
    issue = {"model": "reed-air-2", "devices_max": 2, "at": AT, "by": "operator:o", "life": timedelta(days=30)}
    return issue_line_key(conn, KEYS, LINE, **issue)  # type: ignore[arg-type]  # each is of its own type


def said(key: str, serial: str, nonce: str, line: str = LINE) -> LineProof:
    return LineProof(serial, line, nonce, compute_proof(key, serial, nonce))


def test_a_line_registers_its_devices_and_gives_each_a_credential(conn: WriteConnection, line_key: str) -> None:
    issued = provision_by_line(conn, KEYS, said(line_key, "NEW-1", "nonce-01"), at=AT)
    device = select_device(conn, "NEW-1")
    assert device is not None
    assert device.model == "reed-air-2"
    assert prove_password(conn, KEYS, issued.username, str(issued.password), AT) is not None


def test_a_proof_that_was_heard_is_worth_nothing(conn: WriteConnection, line_key: str) -> None:
    proof = said(line_key, "NEW-1", "nonce-01")
    provision_by_line(conn, KEYS, proof, at=AT)
    with pytest.raises(Conflict, match="said before"):
        provision_by_line(conn, KEYS, proof, at=AT)
    with pytest.raises(NotFound):
        provision_by_line(conn, KEYS, LineProof("NEW-1", LINE, "nonce-02", proof.proof), at=AT)


def test_the_key_of_another_line_proves_nothing(conn: WriteConnection, line_key: str) -> None:
    other = issue_line_key(
        conn, KEYS, "other", model="reed-air-2", devices_max=9, at=AT, by="operator:o", life=timedelta(days=1)
    )
    with pytest.raises(NotFound):
        provision_by_line(conn, KEYS, said(other, "NEW-1", "nonce-01"), at=AT)
    provision_by_line(conn, KEYS, said(line_key, "NEW-1", "nonce-02"), at=AT)
    with pytest.raises(NotFound):
        provision_by_line(conn, KEYS, said(other, "NEW-1", "nonce-03", "other"), at=AT)


def test_a_line_proves_no_device_that_is_not_its_own_or_has_long_been_out(conn: WriteConnection, line_key: str) -> None:
    registered(conn)
    with pytest.raises(NotFound):
        provision_by_line(conn, KEYS, said(line_key, "AIR-1", "nonce-01"), at=AT)
    provision_by_line(conn, KEYS, said(line_key, "NEW-1", "nonce-02"), at=AT)
    provision_by_line(conn, KEYS, said(line_key, "NEW-1", "nonce-03"), at=AT + timedelta(hours=1))
    with pytest.raises(NotFound):
        provision_by_line(conn, KEYS, said(line_key, "NEW-1", "nonce-04"), at=AT + timedelta(hours=2))


def test_a_line_makes_no_more_than_its_key_is_for(conn: WriteConnection, line_key: str) -> None:
    for serial in ("NEW-1", "NEW-2"):
        provision_by_line(conn, KEYS, said(line_key, serial, f"nonce-{serial}"), at=AT)
    with pytest.raises(Conflict, match="as many as its key is for"):
        provision_by_line(conn, KEYS, said(line_key, "NEW-3", "nonce-03"), at=AT)
    assert select_device(conn, "NEW-3") is None


def test_a_line_that_ended_proves_nothing(conn: WriteConnection, line_key: str) -> None:
    with pytest.raises(NotFound):
        provision_by_line(conn, KEYS, said(line_key, "NEW-1", "nonce-01"), at=AT + timedelta(days=30))
    revoke_line_key(conn, LINE, at=AT, by="operator:o")
    with pytest.raises(NotFound):
        provision_by_line(conn, KEYS, said(line_key, "NEW-1", "nonce-01"), at=AT)


def test_a_file_of_devices_is_provisioned_once(conn: WriteConnection, tmp_path: Path) -> None:
    for serial in ("AIR-1", "AIR-2"):
        registered(conn, serial)
    fleet, output = tmp_path / "fleet.csv", tmp_path / "out.csv"
    fleet.write_text("serial\nAIR-1\nAIR-2\nAIR-9\n")
    for expected in ((2, 0), (0, 2)):
        *counts, faults = provision_file(conn, KEYS, fleet, output, at=AT, by="operator:o", life=None)
        assert tuple(counts) == expected
        assert faults == [f"{fleet}:4: AIR-9 is not registered"]
    rows = list(csv.DictReader(output.open()))
    assert [row["serial"] for row in rows] == ["AIR-1", "AIR-2"]
    assert all(prove_password(conn, KEYS, row["username"], row["password"], AT) for row in rows)


def test_provisioning_again_leaves_out_what_is_provisioned(conn: WriteConnection, tmp_path: Path) -> None:
    first, second = registered(conn), registered(conn, "AIR-2")
    assert provision_devices(conn, KEYS, [first], tmp_path / "a.csv", at=AT, by="operator:o") == 1
    assert provision_devices(conn, KEYS, [first, second], tmp_path / "a.csv", at=AT, by="operator:o") == 1


@pytest.mark.parametrize("topic", ["#", "$SYS/#", "millpond/v1/#", "+/v1/x", "a/#/b", "", "a/b#"])
def test_a_hub_gets_no_topics_that_are_not_its_own(conn: WriteConnection, topic: str) -> None:
    with pytest.raises(InvalidInput, match="not a hub's own"):
        issue_hub_account(conn, KEYS, "z2m", [topic], at=AT, by="operator:o")


def test_a_hub_has_an_account_until_it_is_taken_away(conn: WriteConnection) -> None:
    issue_hub_account(conn, KEYS, "z2m", ["zigbee2mqtt/#", "tele/+/SENSOR"], at=AT, by="operator:o")
    with pytest.raises(Conflict):
        issue_hub_account(conn, KEYS, "z2m", ["other/#"], at=AT, by="operator:o")
    assert [hub.topics for hub in select_hub_accounts(conn)] == [["zigbee2mqtt/#", "tele/+/SENSOR"]]
    end_hub_account(conn, "z2m")
    assert select_hub_accounts(conn) == []


@pytest.mark.parametrize(("secret", "words"), [("", "is not set"), ("short", "too short")])
def test_without_a_good_secret_nothing_is_issued(secret: str, words: str) -> None:
    with pytest.raises(MillpondError, match=words):
        load_settings(device_secret=secret).device_keys()

"""The broker is brought to what is wanted, whatever it knows: nothing, too much, or something else."""

import json
from pathlib import Path

import pytest

from devices.credentials.issuing import end_credentials
from devices.credentials.nouns import EndedBecause, IssuedCredential
from millpond.kernel.broker import parse_broker_url
from millpond.kernel.errors import Unavailable
from outward.access.control import control_of
from outward.access.keeping import ours_of, write_file
from tests.outward.conftest import AT, Guarded


def test_a_second_time_changes_nothing(guarded: Guarded, air: IssuedCredential) -> None:
    assert guarded.sync().count == 0
    assert guarded.sync(device_ids=[guarded.device("AIR-1").device_id]).count == 0


def test_a_few_devices_are_looked_at_alone(guarded: Guarded, air: IssuedCredential) -> None:
    guarded.issue("AIR-3")
    new = guarded.issue("AIR-4")
    changes = guarded.sync(device_ids=[guarded.device("AIR-4").device_id])
    assert [user.username for user in changes.add_users] == ["AIR-4"]
    with guarded.client(new) as device:
        assert device.let_in


def test_a_broker_that_lost_its_file_is_told_all_again(guarded: Guarded, air: IssuedCredential, tmp_path: Path) -> None:
    guarded.broker.kill()
    whole = json.loads((tmp_path / "access.json").read_text())
    keeper = [client for client in whole["clients"] if client["username"] == "keeper"]
    admin = [role for role in whole["roles"] if role["rolename"] == "admin"]
    (tmp_path / "access.json").write_text(json.dumps({"clients": keeper, "roles": admin}))
    guarded.broker.start()
    with guarded.client(air) as device:
        assert not device.let_in
    changes = guarded.sync()
    assert sorted(user.username for user in changes.add_users) == ["AIR-1", "AIR-2", "millpond"]
    with guarded.client(air) as device:
        assert device.may_publish("millpond/v1/AIR-1/telemetry")
        assert not device.may_subscribe("#")


def test_the_file_that_is_written_whole_leaves_nothing_to_do(
    guarded: Guarded, air: IssuedCredential, tmp_path: Path
) -> None:
    guarded.broker.stop()
    text = (tmp_path / "access.json").read_text()
    assert write_file(guarded.conn, guarded.settings, tmp_path / "access.json", AT) == 3
    assert (tmp_path / "access.json").stat().st_mode & 0o777 == 0o600
    assert str(air.password) not in text + (tmp_path / "access.json").read_text()
    guarded.broker.start()
    assert guarded.sync().count == 0
    with guarded.client(air) as device:
        assert device.let_in


def test_what_others_made_stays_and_what_of_ours_was_changed_is_mended(guarded: Guarded, air: IssuedCredential) -> None:
    with control_of(ours_of(guarded.settings).admin) as control:
        control.run(
            [
                {"command": "createClient", "username": "cameras", "password": "theirs"},
                {"command": "modifyClient", "username": "AIR-1", "textname": "millpond:another"},
                {"command": "setDefaultACLAccess", "acls": [{"acltype": "subscribe", "allow": True}]},
            ]
        )
        changes = guarded.sync()
        assert [user.username for user in changes.add_users] == ["AIR-1"]
        assert control.user("cameras") is not None
        assert control.defaults()["subscribe"] is False


def test_what_is_no_device_of_ours_any_more_goes_with_its_role(guarded: Guarded, air: IssuedCredential) -> None:
    end_credentials(guarded.conn, guarded.device("AIR-1"), at=AT, by="operator:o", because=EndedBecause.REVOKED)
    guarded.sync()
    with control_of(ours_of(guarded.settings).admin) as control:
        assert [name.partition("@")[0] for name in control.roles()] == ["admin", "device/AIR-2", "millpond/services"]


def test_many_changes_are_made_in_pieces(guarded: Guarded) -> None:
    serials = [f"AIR-{number}" for number in range(40)]
    for serial in serials:
        guarded.issue(serial)
    assert len(guarded.sync().add_users) == len(serials)
    assert guarded.sync().count == 0


def test_who_may_not_keep_the_users_is_told_so(guarded: Guarded) -> None:
    with (
        pytest.raises(Unavailable, match="may millpond keep it"),
        control_of(guarded.settings.broker_address(), patience_s=1),
    ):
        pass


def test_a_broker_without_the_plugin_is_told_so(own_broker: str) -> None:
    with pytest.raises(Unavailable, match="is mosquitto_dynamic_security loaded there"):
        with control_of(parse_broker_url(own_broker), patience_s=1):
            pass

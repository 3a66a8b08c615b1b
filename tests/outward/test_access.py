"""Devices at a mosquitto that keeps the users we tell it: what each may do, and what nobody may."""

from datetime import timedelta
from functools import partial

import pytest

from devices.credentials.hubs import end_hub_account, issue_hub_account
from devices.credentials.issuing import end_credentials, prove_password, record_credential_used
from devices.credentials.nouns import EndedBecause, IssuedCredential
from tests.outward.clients import Client
from tests.outward.conftest import AT, LIMIT_BYTES, Guarded

OWN, OTHER = "millpond/v1/AIR-1", "millpond/v1/AIR-2"


def test_a_device_says_what_it_has_to_say(guarded: Guarded, air: IssuedCredential) -> None:
    channels = ("telemetry", "backfill", "status", "events", "command/7/result", "raw/miot")
    with guarded.client(air) as device:
        assert [channel for channel in channels if not device.may_publish(f"{OWN}/{channel}")] == []


def test_a_device_hears_what_it_is_told(guarded: Guarded, air: IssuedCredential) -> None:
    with guarded.client(air) as device, guarded.services() as ours:
        for channel in ("ack", "command", "forecast"):
            told = (f"{OWN}/{channel}", b"told")
            assert device.may_subscribe(told[0])
            assert ours.may_publish(*told)
            device.wait(partial(device.has_heard, *told))


@pytest.mark.parametrize(
    "topic",
    [
        f"{OTHER}/telemetry",
        f"{OTHER}/status",
        f"{OWN}/ack",
        f"{OWN}/command",
        f"{OWN}/forecast",
        f"{OWN}/telemetry/x",
        "zigbee2mqtt/x",
        "$SYS/x",
        "$CONTROL/dynamic-security/v1",
    ],
)
def test_a_device_publishes_nothing_else(guarded: Guarded, air: IssuedCredential, topic: str) -> None:
    with guarded.client(air) as device:
        assert not device.may_publish(topic)


def test_a_device_subscribes_to_nothing_else(guarded: Guarded, air: IssuedCredential) -> None:
    topics = (
        f"{OTHER}/command",
        "millpond/v1/+/command",
        f"{OWN}/#",
        f"{OWN}/telemetry",
        "#",
        "+/#",
        "$SYS/#",
        "$CONTROL/dynamic-security/v1/response",
        f"$share/g/{OTHER}/command",
    )
    with guarded.client(air) as device:
        assert [topic for topic in topics if device.may_subscribe(topic)] == []
        assert not device.ended


@pytest.mark.parametrize("topic", [f"{OTHER}/status", "zigbee2mqtt/x"])
def test_the_will_of_a_device_is_heard_on_its_own_topics_alone(
    guarded: Guarded, air: IssuedCredential, topic: str
) -> None:
    with guarded.services() as ours:
        ours.may_subscribe("#")
        for will in (topic, f"{OWN}/status"):
            with guarded.client(air, will=(will, b"gone")) as device:
                sock = device.client.socket()
                if sock is not None:
                    sock.close()
        ours.wait(lambda: bool(ours.heard))
        assert ours.heard == [(f"{OWN}/status", b"gone")]


def test_a_wrong_password_and_a_name_that_nobody_has_are_refused(guarded: Guarded, air: IssuedCredential) -> None:
    for name, password in (("AIR-1", "wrong"), ("AIR-1", ""), ("AIR-3", air.password), ("AIR-1~2", air.password)):
        with Client(guarded.broker.port, "AIR-1", name, password) as device:
            assert not device.let_in


def test_a_stolen_client_id_takes_over_nothing(guarded: Guarded, air: IssuedCredential) -> None:
    thief = guarded.issue("AIR-9")
    guarded.sync()
    with guarded.client(air) as device:
        with guarded.client(thief, client_id="AIR-1") as other:
            assert not other.let_in
        assert device.may_publish(f"{OWN}/telemetry")
        assert not device.ended


def test_who_is_revoked_is_disconnected_and_refused(guarded: Guarded, air: IssuedCredential) -> None:
    with guarded.client(air) as device:
        assert device.let_in
        end_credentials(guarded.conn, guarded.device("AIR-1"), at=AT, by="operator:o", because=EndedBecause.REVOKED)
        guarded.sync(device_ids=[guarded.device("AIR-1").device_id])
        device.wait(lambda: device.ended)
    with guarded.client(air) as device:
        assert not device.let_in


def test_whose_time_is_over_is_disconnected_and_refused(guarded: Guarded) -> None:
    issued = guarded.issue("AIR-1", life=timedelta(days=1))
    guarded.sync()
    with guarded.client(issued) as device:
        assert device.let_in
        guarded.sync(at=AT + timedelta(days=1))
        device.wait(lambda: device.ended)
    with guarded.client(issued) as device:
        assert not device.let_in


def test_both_credentials_are_good_until_the_new_one_is_used(guarded: Guarded, air: IssuedCredential) -> None:
    with guarded.client(air) as device:
        new = guarded.issue("AIR-1")
        guarded.sync()
        assert device.may_publish(f"{OWN}/telemetry"), "a new credential disconnects nobody"
    with guarded.client(new) as device:
        assert device.may_publish(f"{OWN}/telemetry")
        access = prove_password(guarded.conn, guarded.settings.device_keys(), new.username, str(new.password), AT)
        assert access is not None
        record_credential_used(guarded.conn, access, at=AT)
        guarded.sync()
        assert device.may_publish(f"{OWN}/telemetry")
    with guarded.client(air) as device:
        assert not device.let_in


def test_a_packet_that_is_too_large_reaches_nobody(guarded: Guarded, air: IssuedCredential) -> None:
    with guarded.services() as ours, guarded.client(air) as device:
        ours.may_subscribe("millpond/v1/#")
        device.may_publish(f"{OWN}/telemetry", b"x" * (LIMIT_BYTES + 1))
        with guarded.client(air) as again:
            assert again.may_publish(f"{OWN}/telemetry", b"last")
        ours.wait(lambda: bool(ours.heard))
        assert ours.heard == [(f"{OWN}/telemetry", b"last")]


def test_a_hub_speaks_in_its_own_corner_alone(guarded: Guarded) -> None:
    keys = guarded.settings.device_keys()
    password = issue_hub_account(guarded.conn, keys, "z2m", ["zigbee2mqtt/#"], at=AT, by="operator:o")
    guarded.sync()
    with Client(guarded.broker.port, "hub/z2m", "hub/z2m", password) as hub:
        assert hub.may_publish("zigbee2mqtt/Living room")
        assert hub.may_subscribe("zigbee2mqtt/+/set")
        assert not hub.may_subscribe("#")
        end_hub_account(guarded.conn, "z2m")
        guarded.sync()
        hub.wait(lambda: hub.ended)


def test_a_hub_publishes_under_no_serial(guarded: Guarded) -> None:
    keys = guarded.settings.device_keys()
    password = issue_hub_account(guarded.conn, keys, "z2m", ["zigbee2mqtt/#"], at=AT, by="operator:o")
    guarded.sync()
    with Client(guarded.broker.port, "hub/z2m", "hub/z2m", password) as hub:
        assert not hub.may_publish(f"{OWN}/telemetry")


def test_a_serial_with_colons_needs_no_other_spelling(guarded: Guarded) -> None:
    issued = guarded.issue("aa:bb:cc:01")
    guarded.sync()
    with guarded.client(issued) as device:
        assert device.may_publish("millpond/v1/aa:bb:cc:01/telemetry")


def test_a_device_with_the_name_of_a_user_of_ours_gets_no_access(guarded: Guarded) -> None:
    for serial in ("keeper", "millpond"):
        guarded.issue(serial)
        guarded.sync(device_ids=[guarded.device(serial).device_id])
    guarded.sync()
    with guarded.services() as ours:
        assert ours.may_subscribe("millpond/v1/#")

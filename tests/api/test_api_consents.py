"""A customer sees and changes for what we may use what we know of them, by the API, as easily either way."""

from datetime import timedelta
from typing import Any

import pytest

from customers.audit.entries import select_entries
from customers.nouns import Purpose
from tests.api.world import World, make_offer


def address(world: World, *more: str) -> str:
    return "/".join([f"/v1/customers/{world.ann.customer_id}/consents", *more])


def put(world: World, purpose: str, body: dict[str, Any], *, who: str = "as_ann") -> Any:
    world.clock.at += timedelta(minutes=1)
    return getattr(world, who).put(address(world, purpose), json=body, headers=world.key())


def read(world: World, purpose: str) -> dict[str, Any]:
    told: list[dict[str, Any]] = world.as_ann.get(address(world)).json()["consents"]
    return next(each for each in told if each["purpose"] == purpose)


def test_the_answer_says_what_holds_in_which_words_since_when_and_what_it_means(world: World) -> None:
    told = world.as_ann.get(address(world)).json()
    assert (told["customer_id"], told["region"]) == (world.ann.customer_id, "EU")
    assert [each["purpose"] for each in told["consents"]] == list(Purpose)
    sms = read(world, "marketing_sms")
    assert (sms["holds"], sms["given"], sms["since"], sms["shown"], sms["meaning"]) == (
        False,
        None,
        None,
        None,
        "silent_off",
    )
    assert sms["words"] == "We send you offers by text message."
    assert all(sms[text] for text in ("uses", "keeps", "means"))
    answer = put(world, "marketing_sms", {"given": True})
    assert answer.status_code == 200
    said = read(world, "marketing_sms")
    assert answer.json() == said
    assert (said["holds"], said["given"], said["meaning"], said["source"]) == (True, True, "yes", "app")
    assert (said["shown_version"], said["shown"]) == (1, sms["words"])
    assert said["since"] == world.clock.at.isoformat().replace("+00:00", "Z")


def test_who_reads_korean_reads_it_in_korean_and_when_a_yes_has_to_be_renewed(world: World) -> None:
    at = f"/v1/customers/{world.ben.customer_id}/consents"
    answer = world.as_ben.put(f"{at}/marketing_sms", json={"given": True}, headers=world.key()).json()
    assert answer["words"] == "문자 메시지로 제안을 보내 드립니다."
    assert answer["renew_by"] == (world.clock.at + timedelta(days=730)).isoformat().replace("+00:00", "Z")
    assert world.as_ben.get(at).json()["region"] == "KR"
    world.clock.at += timedelta(days=730)
    told = {each["purpose"]: each for each in world.as_ben.get(at).json()["consents"]}
    assert told["marketing_sms"]["meaning"] == "too_old"


def test_a_no_is_as_easy_as_a_yes_and_both_stay_in_the_history_with_their_words(world: World) -> None:
    for given in (True, False, True):
        assert put(world, "research", {"given": given}).json()["holds"] is given
    history = world.as_ann.get(address(world, "history"), params={"limit": 2}).json()
    assert [each["given"] for each in history["items"]] == [True, False]
    rest = world.as_ann.get(address(world, "history"), params={"cursor": history["next_cursor"]}).json()
    # She scanned a badge before, which is a yes too.
    assert [(each["given"], each["purpose"], each["version"]) for each in rest["items"]] == [
        (True, "research", 1),
        (True, "staff_contact", 1),
    ]
    assert rest["items"][0]["words"].startswith("We use your data, without your name")


def test_the_same_wish_sent_twice_is_one_word(world: World) -> None:
    key = world.key()
    for _ in range(2):
        assert world.as_ann.put(address(world, "research"), json={"given": True}, headers=key).status_code == 200
    history = world.as_ann.get(address(world, "history")).json()["items"]
    assert [each["purpose"] for each in history] == ["research", "staff_contact"]


def test_all_off_is_a_no_to_everything_but_the_account(world: World) -> None:
    put(world, "marketing_email", {"given": True})
    put(world, "research", {"given": False})
    world.clock.at += timedelta(minutes=1)
    told = world.as_ann.post(address(world, "off"), headers=world.key()).json()["consents"]
    assert {each["purpose"] for each in told if each["holds"]} == {"service"}
    assert {each["purpose"] for each in told if each["given"] is False} == set(Purpose) - {Purpose.SERVICE}
    assert len(world.as_ann.get(address(world, "history")).json()["items"]) == 3 + len(Purpose) - 2


def test_only_the_customers_own_yes_brings_back_what_they_objected_to(world: World) -> None:
    put(world, "personalisation", {"given": False})
    refused = put(world, "personalisation", {"given": True}, who="as_operator")
    assert refused.status_code == 422
    assert "say how the customer said yes" in refused.json()["detail"]
    assert put(world, "personalisation", {"given": True}, who="as_mina").status_code == 404
    assert not read(world, "personalisation")["holds"]
    evidence = {"how": "letter", "reference": "folder 12, page 3"}
    written = put(world, "personalisation", {"given": True, "evidence": evidence}, who="as_operator")
    assert (written.status_code, written.json()["holds"], written.json()["source"]) == (200, True, "operator")
    with world.connect() as conn:
        [kept] = conn.execute("select evidence from consent where source = 'operator'").fetchall()
    assert kept[0] == evidence | {"operator": "ops"}


def test_every_change_is_in_the_audit_log_without_what_somebody_wrote(world: World) -> None:
    put(world, "research", {"given": True})
    evidence = {"how": "telephone", "reference": "Ann of 12 Mill Lane"}
    put(world, "research", {"given": False, "evidence": evidence}, who="as_operator")
    with world.connect() as conn:
        entries = select_entries(conn, customer_ids=[world.ann.customer_id])
    assert [(each.actor, each.action) for each in entries[:2]] == [
        ("operator:ops", "consent_withdrawn"),
        (f"customer:{world.ann.customer_id}", "consent_given"),
    ]
    assert entries[0].detail == {"purpose": "research", "version": 1, "source": "operator"}


def test_the_account_itself_cannot_be_switched_off(world: World) -> None:
    answer = put(world, "service", {"given": False})
    assert answer.status_code == 409
    assert "ends when the account is erased" in answer.json()["detail"]


def test_a_yes_to_words_that_changed_meanwhile_is_refused_and_a_no_is_taken(world: World) -> None:
    with world.connect() as conn:
        conn.execute(
            "insert into purpose (purpose, version, basis, words, valid_from)"
            " select purpose, 2, basis, words, %s from purpose where purpose = 'research'",
            [world.clock.at],
        )
    answer = put(world, "research", {"given": True, "version": 1})
    assert answer.status_code == 409
    assert "show version 2" in answer.json()["detail"]
    assert put(world, "research", {"given": False, "version": 1}).json()["shown_version"] == 1
    assert put(world, "research", {"given": True, "version": 2}).json()["holds"]


def test_a_purpose_that_is_none_is_not_there(world: World) -> None:
    assert put(world, "everything", {"given": True}).status_code == 404


@pytest.mark.parametrize("purpose", ["personalisation", "marketing_app", "device_profiling"])
def test_a_no_takes_back_at_once_what_was_offered_on_the_strength_of_it(world: World, purpose: str) -> None:
    offer = make_offer(world)
    put(world, purpose, {"given": False})
    with world.connect() as conn:
        rows = conn.execute("select state, actor, reason from offer_event where offer_id = %s", [offer.offer_id])
        assert ("withdrawn", f"customer:{world.ann.customer_id}", "consent_withdrawn") in rows.fetchall()


def test_an_operator_says_where_a_customer_lives_and_nobody_takes_a_country_that_is_none(world: World) -> None:
    country = f"/v1/customers/{world.ann.customer_id}/country"
    assert world.as_operator.put(country, json={"country": "KR"}, headers=world.key()).status_code == 200
    assert world.as_ann.get(address(world)).json()["region"] == "KR"
    assert world.as_operator.put(country, json={"country": "XX"}, headers=world.key()).status_code == 422
    assert world.as_operator.put(country, json={"country": None}, headers=world.key()).status_code == 200
    assert world.as_ann.get(address(world)).json()["region"] == "EU"

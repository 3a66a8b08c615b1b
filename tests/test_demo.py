"""`millpond demo` as a person starts it: the command, its pages in a browser, its end by Ctrl-C."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import httpx
import jwt
import psutil
import pytest
from playwright.sync_api import Page

from attribution.tokens import derive_staff_keys
from millpond.demo.loop import select_customers_with_offers
from millpond.demo.people import credited_to, register_people
from millpond.kernel.db import WriteConnection
from simulators.runs.fleet import FleetPlan, build_fleet
from tests.browser import open_browser, open_page, shoot
from tests.household import DAY, current_part, forecast, make_device, run_job
from tests.people import AT, make_customer

SMALL = ["--devices", "24", "--days", "120", "--port", "0"]


def millpond(*arguments: str, **options: Any) -> "subprocess.Popen[str]":
    command = [sys.executable, "-P", "-m", "millpond", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, **options
    )


def test_the_demo_closes_the_loop_once() -> None:
    demo = millpond("demo", "--once", "--json", *SMALL)
    out, err = demo.communicate(timeout=100)
    assert demo.returncode == 0, err
    summary = json.loads(out)
    assert summary["devices"] == 24
    for stage in (
        "messages_published",
        "readings_stored",
        "installations",
        "forecasts",
        "offers_issued",
        "offers_credited",
        "events",
        "orders",
        "commission_minor",
        "seconds",
    ):
        assert summary[stage] > 0, stage
    assert (summary["readings_quarantined"], summary["ledger_balance_minor"], summary["currency"]) == (0, 0, "EUR")


@dataclass
class Demo:
    """A running demo: its address, its logins, and every process it has started."""

    process: "subprocess.Popen[str]"
    address: str
    logins: list[str]
    folder: Path
    children: list[psutil.Process]
    told: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A live demo with kept data; the last test of this module ends it."""
    folder = tmp_path_factory.mktemp("demo") / "kept by me"
    os.chmod(folder.parent.parent.parent, 0o755)
    process = millpond("demo", *SMALL, "--data", str(folder))
    assert process.stdout is not None
    logins: list[str] = []
    told = ""
    for line in process.stdout:
        told += line
        logins += re.findall(r"http://\S+/sign-in\?token=\S+", line)
        if "Ctrl-C" in line:
            break
    assert len(logins) == 3, "the demo ended before it showed its logins"
    address = logins[0].split("/sign-in")[0]
    yield Demo(process, address, logins, folder, psutil.Process(process.pid).children(recursive=True), told)
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def test_a_login_is_one_link_and_one_click_and_no_login_for_years(demo: Demo) -> None:
    for login, home in zip(demo.logins, ("/me", "/staff", "/ops"), strict=True):
        claims = jwt.decode(login.partition("token=")[2], options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] <= 12 * 3600 * 600
        browser = httpx.Client(base_url=demo.address, follow_redirects=True)
        page = browser.get(login).text
        (link,) = re.findall(r'name="link" value="(\w+)"', page)
        assert str(browser.post("/sign-in", data={"link": link}).url).endswith(home)


def test_results_and_logins_are_on_stdout_and_tell_one_story(demo: Demo) -> None:
    assert "The loop closed in" in demo.told
    customer, staff = (re.findall(r"/sign-in\?token=(\S+)", login)[0] for login in demo.logins[:2])
    customer_id = jwt.decode(customer, options={"verify_signature": False})["sub"]
    headers = {"Authorization": f"Bearer {customer}"}
    offers = httpx.get(f"{demo.address}/v1/customers/{customer_id}/offers", headers=headers).json()["items"]
    member_id = jwt.decode(staff, options={"verify_signature": False})["sub"]
    assert {offer["credited_to"]["staff_id"] for offer in offers} == {member_id}
    named = re.search(r"^customer (.+)$", demo.told, re.MULTILINE)
    assert named is not None
    assert named[1].isascii(), "the customer who is shown reads English"


def test_the_households_of_the_default_fleet_have_names_of_their_own(conn: WriteConnection) -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    fleet = build_fleet(FleetPlan(devices=60, seed=7, start=since))
    people = register_people(conn, fleet.manifest, derive_staff_keys(b"s" * 40), since=since)
    names = [customer.name for customer in people.customers]
    assert len(names) == len(set(names)) == 24
    bound = {credited_to(conn, people, customer.customer_id, since).staff_id for customer in people.customers}
    assert bound == {member.staff_id for member in people.staff}


def test_the_best_story_is_a_part_that_runs_out_told_in_english(conn: WriteConnection) -> None:
    at = AT + DAY
    told = {}
    for locale, model in (("ko", "reed-air-2"), ("en", "reed-tv-55"), ("en", "reed-air-2"), ("zh", "reed-tv-55")):
        customer = make_customer(conn, locale=locale)
        told[customer.customer_id] = (locale, model)
        device = make_device(conn, f"D-{len(told)}", model, customer.customer_id, AT)
        if model == "reed-air-2":
            forecast(conn, current_part(conn, device), at + 9 * DAY, at=AT)
    run_job(conn, at)
    found = [told[customer_id] for customer_id in select_customers_with_offers(conn)]
    assert found == [("en", "reed-air-2"), ("ko", "reed-air-2"), ("en", "reed-tv-55"), ("zh", "reed-tv-55")]


class Visit(Protocol):
    """Signs in with one of the demo's logins: a page, and the list in which its console's errors gather."""

    def __call__(self, login: int, **context: Any) -> tuple[Page, list[str]]: ...


@pytest.fixture(scope="module")
def visit(demo: Demo) -> Iterator[Visit]:
    with open_browser() as browser:

        def open_as(login: int, **context: Any) -> tuple[Page, list[str]]:
            page, errors = open_page(browser, **context)
            page.goto(demo.logins[login])
            page.locator("main button.primary").click()
            page.wait_for_load_state("networkidle")
            return page, errors

        yield open_as


CUSTOMER, STAFF, OPERATOR = 0, 1, 2


@pytest.mark.browser
def test_the_customer_sees_devices_with_forecasts_and_accepts_an_offer(visit: Visit) -> None:
    page, errors = visit(CUSTOMER)
    assert page.locator(".device").count() >= 1
    page.locator(".chart canvas").first.wait_for()
    offer = page.locator(".offer").first
    offer_id = offer.get_attribute("id")
    shoot(page, "customer")
    offer.locator("button.primary").click()
    settled = page.locator(".offer.settled").first
    settled.wait_for()
    order = re.search(r"ord_[0-9a-f]+", settled.inner_text())
    assert order is not None
    shoot(page, "customer-accepted")
    page.reload()
    assert order[0] in page.locator("#orders").inner_text()
    assert page.locator(f"#{offer_id}").count() == 0
    assert errors == []


@pytest.mark.browser
@pytest.mark.parametrize(("language", "word"), [("ko", "기기"), ("zh", "设备"), ("en", "devices")])
def test_the_customer_reads_their_language_on_a_phone(visit: Visit, language: str, word: str) -> None:
    page, errors = visit(CUSTOMER, viewport={"width": 390, "height": 844}, color_scheme="dark")
    page.goto(f"{page.url}?lang={language}")
    page.locator(".chart canvas").first.wait_for()
    assert word in page.locator("main").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "the page scrolls sideways on a phone"
    shoot(page, f"customer-phone-{language}")
    assert errors == []


@pytest.mark.browser
def test_the_staff_member_sees_code_customers_and_statement(visit: Visit) -> None:
    page, errors = visit(STAFF)
    code = page.locator("img[src*='code'], svg.qr, .code svg").first
    code.wait_for()
    shoot(page, "staff")
    assert "€" in page.locator("main").inner_text()
    page.locator("[hx-post='/staff/fresh-code'] button, button[hx-post='/staff/fresh-code']").first.click()
    page.wait_for_load_state("networkidle")
    shoot(page, "staff-fresh-code")
    assert errors == []


@pytest.mark.browser
def test_the_operator_sees_fleet_rates_forecasts_and_the_ledger(visit: Visit, demo: Demo) -> None:
    page, errors = visit(OPERATOR)
    page.locator("canvas").first.wait_for()
    shoot(page, "operator")
    for part in ("fleet", "quarantine", "forecasts"):
        page.goto(f"{demo.address}/ops/{part}")
        page.wait_for_load_state("networkidle")
        assert page.locator("main").inner_text().strip()
        shoot(page, f"operator-{part}")
    assert errors == []


@pytest.mark.browser
def test_a_households_story_across_app_shop_and_messenger_is_on_one_page(visit: Visit, demo: Demo) -> None:
    page, errors = visit(OPERATOR)
    operator = re.findall(r"/sign-in\?token=(\S+)", demo.logins[OPERATOR])[0]
    headers = {"Authorization": f"Bearer {operator}"}
    customers = httpx.get(f"{demo.address}/v1/customers", headers=headers).json()["items"]
    channels = {each["customer_id"]: _channels(demo, each["customer_id"], headers) for each in customers}
    everywhere = [customer for customer, found in channels.items() if {"app", "store"} <= found]
    assert everywhere, channels
    page.goto(f"{demo.address}/ops/customers/{everywhere[0]}")
    shown = page.locator("#journey").inner_text()
    assert "app" in shown
    assert "store" in shown
    shoot(page, "operator-customer")
    assert errors == []


def _channels(demo: Demo, customer_id: str, headers: dict[str, str]) -> set[str]:
    path = f"{demo.address}/v1/customers/{customer_id}/timeline"
    return {item["channel"] for item in httpx.get(path, params={"limit": 100}, headers=headers).json()["items"]}


def test_the_platform_says_it_is_ready_and_counts_every_reading(demo: Demo) -> None:
    ready = httpx.get(f"{demo.address}/readyz")
    assert ready.status_code == 200, ready.text
    text = httpx.get(f"{demo.address}/metrics").text
    values = {
        line.split()[0]: float(line.split()[1]) for line in text.splitlines() if line.startswith("millpond_ingest")
    }
    outcomes = sum(value for name, value in values.items() if name.startswith("millpond_ingest_readings_total"))
    assert outcomes > 0
    assert values["millpond_ingest_received_total"] == outcomes + values["millpond_ingest_in_flight"]


def test_a_second_demo_in_the_same_folder_is_refused_in_one_sentence(demo: Demo) -> None:
    refused = millpond("demo", *SMALL, "--data", str(demo.folder))
    _, err = refused.communicate(timeout=30)
    assert refused.returncode == 1
    assert err.splitlines() == [
        f"millpond: another demo runs in --data {demo.folder.resolve()}: end it first, or name another folder"
    ]


def test_ctrl_c_leaves_no_process_and_a_second_run_goes_on_with_the_data(demo: Demo) -> None:
    servers = {child.name() for child in demo.children if child.ppid() == demo.process.pid}
    assert len(servers) == 2, servers
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(30) == 0
    _, alive = psutil.wait_procs(demo.children, timeout=10)
    assert alive == []
    again = millpond("demo", *SMALL, "--data", str(demo.folder), "--once", "--json")
    out, err = again.communicate(timeout=100)
    assert again.returncode == 0, err
    summary = json.loads(out)
    assert summary["readings_quarantined"] == 0
    assert summary["orders"] >= 4


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = millpond("demo", "--devices", "3", "--days", "30", "--port", str(port))
        _, err = refused.communicate(timeout=60)
    assert refused.returncode == 1
    assert err.splitlines() == [
        f"millpond: cannot listen on 127.0.0.1:{port}: Address already in use; choose another port"
    ], "it is noticed before anything is started"


def test_a_folder_that_cannot_be_one_is_one_sentence() -> None:
    refused = millpond("demo", "--port", "0", "--data", "/dev/null/x")
    _, err = refused.communicate(timeout=60)
    assert refused.returncode == 1
    assert err.splitlines() == ["millpond: --data /dev/null/x cannot be a folder: Not a directory"]

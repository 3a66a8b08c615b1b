"""A database of before devices had credentials comes along with its codes."""

from datetime import timedelta

from devices.credentials.issuing import issue_credential, select_access
from devices.owners import ClaimKind, find_claim_kind, issue_claim_code
from devices.store import read_device
from millpond.kernel.migrate import migrate
from millpond.kernel.settings import load_settings
from tests.old_database import OLD_AT, old_database

KEYS = load_settings(device_secret="9d1c7be0a24f4c55b1a8e6f30d7729ce4b5a").device_keys()


def test_the_codes_of_an_old_database_are_good_still(server_dsn: str) -> None:
    with old_database(server_dsn, before="0200") as conn:
        conn.execute("insert into device_model (model, name, category) values ('m', '{\"en\": \"M\"}', 'c')")
        conn.execute(
            "insert into device (serial, model, installed_at, registered_at) values ('A', 'm', %s, %s)", [OLD_AT] * 2
        )
        device = read_device(conn, "A")
        code = issue_claim_code(conn, device, ClaimKind.LABEL, at=OLD_AT, issued_by="operator:o")
        migrate(conn, at=OLD_AT)
        assert find_claim_kind(conn, "A", code, at=OLD_AT) is ClaimKind.LABEL
        life = timedelta(days=1)
        issue_claim_code(conn, device, ClaimKind.PROVISION, at=OLD_AT, issued_by="operator:o", life=life)
        issue_credential(conn, KEYS, device, at=OLD_AT, by="operator:o")
        assert [access.serial for access in select_access(conn, OLD_AT)] == ["A"]

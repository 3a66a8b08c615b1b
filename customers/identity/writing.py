"""Writing what was decided of claims, by one statement a table."""

from collections import Counter
from datetime import datetime

import orjson

from customers.identity.deciding import Decided, Refusal
from millpond.kernel.db import WriteConnection, load_queries

_Q = load_queries("customers.identity")


def write_decided(conn: WriteConnection, decided: Decided) -> None:
    """Open customers, end links, link, and block; merges and what was refused are written by who decided."""
    if decided.opened:
        customer_ids, names, ats = zip(*decided.opened, strict=True)
        conn.execute(_Q["open_customers"], {"customer_ids": list(customer_ids), "names": list(names), "ats": list(ats)})
    if decided.ended:
        ends = {"link_ids": [link.link_id for link in decided.ended], "ats": [link.until for link in decided.ended]}
        conn.execute(_Q["end_links"], ends)
    if decided.links:
        _insert_links(conn, decided)
    if decided.blocked:
        blocks = {
            "identifier_ids": [known.identifier_id for known, _, _ in decided.blocked],
            "reasons": [reason for _, reason, _ in decided.blocked],
            "ats": [at for _, _, at in decided.blocked],
        }
        conn.execute(_Q["block_identifiers"], blocks)


def _insert_links(conn: WriteConnection, decided: Decided) -> None:
    links = decided.links
    values = {
        "identifier_ids": [link.identifier_id for link in links],
        "customer_ids": [link.customer_id for link in links],
        "sinces": [link.since for link in links],
        "untils": [link.until for link in links],
        "becauses": [link.because for link in links],
        "evidences": [orjson.dumps(dict(link.evidence)).decode() for link in links],
    }
    conn.execute(_Q["insert_links"], values)


def count_refused(conn: WriteConnection, refused: Counter[Refusal], *, at: datetime) -> None:
    """Count claims that were not believed, in the table that operators look at."""
    if not refused:
        return
    values = {
        "identifier_ids": [refusal.identifier_id for refusal in refused],
        "customer_ids": [refusal.customer_id for refusal in refused],
        "becauses": [refusal.because for refusal in refused],
        "reasons": [refusal.reason for refusal in refused],
        "times": list(refused.values()),
        "at": at,
    }
    conn.execute(_Q["count_refused"], values)

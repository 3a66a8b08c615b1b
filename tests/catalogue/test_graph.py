"""The compatibility graph: what fits what, and that a no outweighs every yes."""

import psycopg
import pytest

from millpond.kernel.db import WriteConnection


def joining(conn: WriteConnection, sku: str) -> list[str]:
    """What may be offered to who has `sku`, heaviest first."""
    rows = conn.execute(
        "select to_sku from compatibility e where from_sku = %s and not exists"
        " (select from incompatible i where (i.sku, i.with_sku) = (e.from_sku, e.to_sku)) order by weight desc",
        [sku],
    )
    return [row[0] for row in rows]


def relate(conn: WriteConnection, from_sku: str, to_sku: str, relation: str) -> None:
    conn.execute(
        "insert into compatibility (from_sku, to_sku, relation, weight, evidence) values (%s, %s, %s, 1, 'tested')",
        [from_sku, to_sku, relation],
    )


def test_the_soundbar_and_the_lamp_fit_one_tv_and_not_the_other(conn: WriteConnection) -> None:
    assert joining(conn, "REED-TV-55") == ["REED-SOUNDBAR-3", "REED-GLOW-STRIP-55"]
    assert joining(conn, "REED-TV-43") == []


@pytest.mark.parametrize("pair", [("REED-TV-55", "REED-SOUNDBAR-3"), ("REED-SOUNDBAR-3", "REED-TV-55")])
def test_a_no_outweighs_a_yes_whichever_way_round_it_stands(conn: WriteConnection, pair: tuple[str, str]) -> None:
    relate(conn, *pair, "incompatible")
    assert joining(conn, "REED-TV-55") == ["REED-GLOW-STRIP-55"]
    told = conn.execute("select sku, with_sku, evidence from incompatible where 'REED-TV-55' in (sku, with_sku)")
    assert {row for row in told if "REED-SOUNDBAR-3" in row} == {(*pair, "tested"), (*reversed(pair), "tested")}


def test_nothing_is_joined_to_itself(conn: WriteConnection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="compatibility_joins_two"):
        relate(conn, "REED-TV-55", "REED-TV-55", "accessory")

"""`millpond import compatibility` and `millpond graph check`: what fits what, and what cannot be."""

from pathlib import Path

import pytest

from catalogue.edge_file import import_compatibility
from catalogue.graph import remove_edge, select_edges
from catalogue.importing import FileImport
from catalogue.nouns import CompatibilityEdge, Relation
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import Conflict, InvalidInput, NotFound
from millpond.kernel.ids import Sku
from tests.cli.conftest import Run

HEADER = "from,to,relation,evidence,weight,condition\n"
TV, LAMP, AIR = Sku("REED-TV-55"), Sku("REED-GLOW-STRIP-55"), Sku("REED-AIR-2")
GOOD = f'{TV},{AIR},accessory,"measured, in a lab",0.25,same room\n{AIR},{LAMP},substitute,a guess,,\n'


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "edges.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def load(conn: WriteConnection, folder: Path, text: str | bytes) -> FileImport:
    return import_compatibility(conn, write(folder, text))


def counts(result: FileImport) -> tuple[int, int, int, int]:
    """Added, changed, unchanged and refused."""
    return (result.added, result.changed, result.unchanged, len(result.faults))


def test_edges_have_their_evidence_weight_and_condition(conn: WriteConnection, tmp_path: Path) -> None:
    before = select_edges(conn)
    assert counts(load(conn, tmp_path, HEADER + GOOD)) == (2, 0, 0, 0)
    assert [edge for edge in select_edges(conn) if edge not in before] == [
        CompatibilityEdge(AIR, LAMP, Relation.SUBSTITUTE, 1.0, None, "a guess"),
        CompatibilityEdge(TV, AIR, Relation.ACCESSORY, 0.25, "same room", "measured, in a lab"),
    ]


def test_a_second_run_leaves_everything_alone(conn: WriteConnection, tmp_path: Path) -> None:
    load(conn, tmp_path, HEADER + GOOD)
    before = select_edges(conn)
    assert counts(load(conn, tmp_path, HEADER + GOOD + GOOD)) == (0, 0, 4, 0)
    assert select_edges(conn) == before
    assert counts(load(conn, tmp_path, HEADER + GOOD.replace("0.25", "0.5"))) == (0, 1, 1, 0)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"REED-TV-55,NOPE,accessory,x,1,", "product NOPE is not known: import it first"),
        (b"NOPE,REED-TV-55,accessory,x,1,", "product NOPE is not known"),
        (b"REED-TV-55,A B,accessory,x,1,", "to: SKU 'A B' is not 1 to 64 letters"),
        (b"REED-TV-55,REED-TV-55,accessory,x,1,", "an edge joins two products, this one joins REED-TV-55 to itself"),
        (b"REED-TV-55,REED-AIR-2,fits,x,1,", "relation 'fits' is none of consumable_for, required_part, accessory"),
        (b"REED-TV-55,REED-AIR-2,accessory,x,1.01,", "weight '1.01' is not a number from 0 to 1"),
        (b"REED-TV-55,REED-AIR-2,accessory,x,-0.1,", "weight '-0.1' is not a number from 0 to 1"),
        (b"REED-TV-55,REED-AIR-2,accessory,x,nan,", "weight 'nan' is not a number from 0 to 1"),
        (b"REED-TV-55,REED-AIR-2,accessory,x,1e400,", "weight '1e400' is not"),
        (b"REED-TV-55,REED-AIR-2,accessory,,1,", "evidence: text cannot be blank"),
        (b"REED-TV-55,REED-AIR-2,accessory," + b"x" * 501 + b",1,", "evidence has 501 characters, 500 are the most"),
        (b"REED-TV-55,REED-AIR-2,accessory,x,1,a\x07b", "condition: text cannot hold the character U+0007"),
        (b"REED-TV-55,REED-AIR-2,accessory,x\x00,1,", "the line has a NUL character"),
        (b"REED-TV-55,REED-AIR-2,accessory,\xff,1,", "the line is not UTF-8"),
        (
            b"REED-TV-43,REED-AIR-2,accessory,x,0.5,",
            "line 2 says something else of REED-TV-43 accessory REED-AIR-2: leave one of the two",
        ),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_stored(
    conn: WriteConnection, tmp_path: Path, line: bytes, sentence: str
) -> None:
    first, last = b"REED-TV-43,REED-AIR-2,accessory,x,1,\r\n", b"\r\nREED-AIR-2,REED-TV-43,accessory,x,1,\r\n"
    result = load(conn, tmp_path, b"\xef\xbb\xbf" + HEADER.encode() + first + line + last)
    assert counts(result) == (2, 0, 0, 1)
    assert result.faults[0].startswith(f"{tmp_path / 'edges.csv'}:3: ")
    assert sentence in result.faults[0]


def test_faults_come_in_the_order_of_their_lines(conn: WriteConnection, tmp_path: Path) -> None:
    result = load(
        conn, tmp_path, HEADER + f"{TV},NOPE,accessory,x,1,\n{TV},{AIR},fits,x,1,\n{TV},NOPE-2,accessory,x,1,\n"
    )
    assert [fault.split(":")[1] for fault in result.faults] == ["2", "3", "4"]


def test_a_file_without_evidence_is_refused(conn: WriteConnection, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="has no column evidence: it needs from,to,relation,evidence"):
        load(conn, tmp_path, "from,to,relation\n")


def test_the_commands_say_what_they_did_and_found(database: str, tmp_path: Path, millpond: Run) -> None:
    settings = {"MILLPOND_DATABASE_URL": database, "COLUMNS": "250"}
    checked = millpond("graph", "check", **settings)
    assert (checked.returncode, checked.stdout) == (0, "11 edges, and nothing contradicts itself\n")
    path = write(tmp_path, "from,to,relation,evidence\n" + f"{LAMP},{TV},incompatible,it burns\n{TV},X,accessory,x\n")
    done = millpond("import", "compatibility", path, **settings)
    assert done.returncode == 1
    assert done.stdout == "edges added: 1; changed: 0; there already: 0; rows refused: 1\n"
    assert done.stderr == f"{path}:3: product X is not known: import it first\n"
    checked = millpond("graph", "check", **settings)
    assert checked.returncode == 1
    sentence = (
        "REED-TV-55 to REED-GLOW-STRIP-55 is accessory (strip length 2.9 m fits the 55-inch frame), yet the two are"
        " incompatible (it burns)"
    )
    assert sentence in checked.stdout
    assert checked.stderr == "millpond: contradictions: 1 in 12 edges; import or remove one side of each\n"
    with connect(database) as conn:
        assert (LAMP, TV) in conn.execute("select sku, with_sku from incompatible").fetchall()


def test_an_imported_edge_can_be_removed_and_a_shipped_one_comes_back(conn: WriteConnection, tmp_path: Path) -> None:
    before = select_edges(conn)
    load(conn, tmp_path, HEADER + GOOD)
    remove_edge(conn, TV, Relation.ACCESSORY, AIR)
    remove_edge(conn, AIR, Relation.SUBSTITUTE, LAMP)
    assert select_edges(conn) == before
    with pytest.raises(NotFound, match="there is no edge from REED-TV-55 to REED-AIR-2 as accessory"):
        remove_edge(conn, TV, Relation.ACCESSORY, AIR)
    with pytest.raises(Conflict, match="REED-TV-55 to REED-GLOW-STRIP-55 as accessory ships with Millpond"):
        remove_edge(conn, TV, Relation.ACCESSORY, LAMP)


def test_the_command_removes_what_was_found(database: str, tmp_path: Path, millpond: Run) -> None:
    settings = {"MILLPOND_DATABASE_URL": database}
    path = write(tmp_path, f"from,to,relation,evidence\n{LAMP},{TV},incompatible,it burns\n")
    assert millpond("import", "compatibility", path, **settings).returncode == 0
    done = millpond("graph", "remove", LAMP, "incompatible", TV, **settings)
    assert (done.returncode, done.stdout) == (0, f"removed: {LAMP} to {TV} as incompatible\n")
    assert millpond("graph", "check", **settings).returncode == 0
    assert millpond("graph", "remove", LAMP, "burns", TV, **settings).returncode == 2


@pytest.mark.parametrize(
    ("command", "columns"),
    [
        ("products", ["sku", "name_en", "name_ko", "category", "price_minor", "currency", "stock", "attr.colour"]),
        ("compatibility", ["from", "to", "relation", "evidence", "weight", "condition"]),
    ],
)
def test_the_help_tells_the_columns(millpond: Run, command: str, columns: list[str]) -> None:
    told = millpond("import", command, "--help", COLUMNS="200").stdout
    assert [column for column in columns if column not in told] == []

"""`millpond import products`: the good rows are stored, the bad ones named, and a second run changes nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from catalogue.importing import FileImport
from catalogue.nouns import Product
from catalogue.product_file import import_products
from catalogue.store import select_prices, select_product
from millpond.kernel.clock import SystemClock
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import Conflict, InvalidInput
from millpond.kernel.ids import Sku
from millpond.kernel.money import Money
from tests.cli.conftest import Run

AT = datetime(2026, 2, 16, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HEADER = "sku,name_en,category,price_minor,currency\n"
GOOD = "LAMP-1,Lamp,lamp,4990,EUR\nKR.fan:2,Fan,Fans > Small,52000,KRW\n"


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "products.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def load(conn: WriteConnection, folder: Path, text: str | bytes, at: datetime = AT) -> FileImport:
    return import_products(conn, write(folder, text), at=at)


def counts(result: FileImport) -> tuple[int, int, int, int]:
    """Added, changed, unchanged and refused."""
    return (result.added, result.changed, result.unchanged, len(result.faults))


def product(conn: WriteConnection, sku: str, at: datetime = AT) -> Product:
    found = select_product(conn, Sku(sku), at=at)
    assert found is not None
    return found


def stock(conn: WriteConnection) -> dict[str, int | None]:
    return dict(conn.execute("select sku, units from product_stock").fetchall())


def test_products_get_their_name_category_and_price(conn: WriteConnection, tmp_path: Path) -> None:
    assert counts(load(conn, tmp_path, HEADER + GOOD)) == (2, 0, 0, 0)
    lamp, fan = product(conn, "LAMP-1"), product(conn, "KR.fan:2")
    assert (lamp.name, lamp.category, lamp.price) == ({"en": "Lamp"}, "lamp", Money(4990, "EUR"))
    assert (fan.category, fan.price) == ("Fans > Small", Money(52_000, "KRW"))


def test_a_second_run_leaves_everything_alone(conn: WriteConnection, tmp_path: Path) -> None:
    header = HEADER.strip() + ",name_ko,stock,attr.colour,attr.height_cm:number,attr.wireless:boolean\n"
    row = "LAMP-1,Lamp,lamp,4990,EUR,램프,12,white,58.5,TRUE\n"
    assert counts(load(conn, tmp_path, header + row)) == (1, 0, 0, 0)
    assert counts(load(conn, tmp_path, header + row, AT + DAY)) == (0, 0, 1, 0)
    lamp = product(conn, "LAMP-1")
    assert lamp.name == {"en": "Lamp", "ko": "램프"}
    assert lamp.attributes == {"colour": "white", "height_cm": 58.5, "wireless": True}
    assert stock(conn) == {"LAMP-1": 12}
    assert conn.execute("select count(*) from product_price where sku = 'LAMP-1'").fetchone() == (1,)


def test_a_price_that_changed_is_a_new_entry_in_the_history(conn: WriteConnection, tmp_path: Path) -> None:
    load(conn, tmp_path, HEADER + GOOD)
    result = load(conn, tmp_path, HEADER + GOOD.replace("4990", "3990"), AT + DAY)
    assert (counts(result), result.repriced) == ((0, 1, 1, 0), 1)
    told = [product(conn, "LAMP-1", at).price.amount_minor for at in (AT, AT + DAY)]
    assert told == [4990, 3990]


def test_a_clock_that_went_back_changes_no_price(conn: WriteConnection, tmp_path: Path) -> None:
    load(conn, tmp_path, HEADER + GOOD)
    load(conn, tmp_path, HEADER + GOOD.replace("4990", "3990"), AT + DAY)
    with pytest.raises(Conflict, match="set the clock right, and import again"):
        load(conn, tmp_path, HEADER + GOOD, AT)


def test_an_empty_cell_takes_away_and_a_missing_column_leaves_alone(conn: WriteConnection, tmp_path: Path) -> None:
    full = HEADER.strip() + ",name_ko,stock,attr.colour,attr.size\n"
    load(conn, tmp_path, full + "LAMP-1,Lamp,lamp,4990,EUR,램프,12,white,L\n")
    load(conn, tmp_path, HEADER + "LAMP-1,Lamp,lamp,4990,EUR\n")
    assert product(conn, "LAMP-1").attributes == {"colour": "white", "size": "L"}
    result = load(conn, tmp_path, full.replace(",attr.size", "") + "LAMP-1,Lamp,lamp,4990,EUR,,,\n")
    assert counts(result) == (0, 1, 0, 0)
    lamp = product(conn, "LAMP-1")
    assert (lamp.name, lamp.attributes, stock(conn)) == ({"en": "Lamp"}, {"size": "L"}, {})


def test_stock_is_a_number_or_unknown_or_not_counted(conn: WriteConnection, tmp_path: Path) -> None:
    header = HEADER.strip() + ",stock\n"
    rows = "A,A,x,1,EUR,0\nB,B,x,1,EUR,unknown\nC,C,x,1,EUR,\n"
    load(conn, tmp_path, header + rows)
    assert stock(conn) == {"A": 0, "B": None}
    assert counts(load(conn, tmp_path, header + rows.replace("EUR,0", "EUR,7"))) == (0, 1, 2, 0)
    assert stock(conn) == {"A": 7, "B": None}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"A B,Lamp,lamp,4990,EUR", "SKU 'A B' is not 1 to 64 letters, digits, dots, colons, dashes or underscores"),
        (b",Lamp,lamp,4990,EUR", "SKU '' is not 1 to 64 letters"),
        (b"X-1,,lamp,4990,EUR", "name_en is empty: every product has a name in English"),
        (b"X-1,La\x07mp,lamp,4990,EUR", "name_en: text cannot hold the character U+0007"),
        (b"X-1," + b"x" * 201 + b",lamp,4990,EUR", "name_en has 201 characters, 200 are the most"),
        (b"X-1,Lamp,,4990,EUR", "category: text cannot be blank"),
        (b"X-1,Lamp," + b"x" * 101 + b",4990,EUR", "category has 101 characters, 100 are the most"),
        (
            b"X-1,Lamp,lamp,39.90,EUR",
            "price_minor '39.90' is not a whole number from 1 to 999,999,999,999,999: write 3990",
        ),
        (b"X-1,Lamp,lamp,-4990,EUR", "price_minor '-4990' is not a whole number"),
        (b"X-1,Lamp,lamp,0,EUR", "price_minor '0' is not a whole number from 1"),
        (b"X-1,Lamp,lamp,1000000000000000,EUR", "price_minor '1000000000000000' is not a whole number"),
        (b"X-1,Lamp,lamp," + b"9" * 5000 + b",EUR", "is not a whole number"),
        ("X-1,Lamp,lamp,４９９０,EUR".encode(), "is not a whole number"),  # noqa: RUF001  # digits, but not ours
        (b"X-1,Lamp,lamp,4990,EURO", "'EURO' is not a currency in use: take its ISO 4217 code"),
        (b"X-1,Lamp,lamp,4990,eur", "'eur' is not a currency in use"),
        (b"X-1,Lamp,lamp,4990", "the line has 4 columns, the first line has 5"),
        (b'X-1,"Lamp,lamp,4990,EUR', "the line has a quote that does not end"),
        (b"X-1,L\x00amp,lamp,4990,EUR", "the line has a NUL character"),
        (b"X-1,L\xe4mp,lamp,4990,EUR", "the line is not UTF-8"),
        (b"LAMP-1,Lamp,lamp,3990,EUR", "line 2 says something else of SKU LAMP-1: leave one of the two"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_stored(
    conn: WriteConnection, tmp_path: Path, line: bytes, sentence: str
) -> None:
    first, last = b"LAMP-1,Lamp,lamp,4990,EUR\n", b"\nFAN-2,Fan,fan,52000,KRW\n"
    result = load(conn, tmp_path, HEADER.encode() + first + line + last)
    assert counts(result) == (2, 0, 0, 1)
    assert result.faults[0].startswith(f"{tmp_path / 'products.csv'}:3: ")
    assert sentence in result.faults[0]
    assert select_prices(conn, [Sku("LAMP-1"), Sku("X-1")], at=AT) == {"LAMP-1": Money(4990, "EUR")}


@pytest.mark.parametrize(
    ("column", "cell", "sentence"),
    [
        ("attr.height_cm:number", "58 cm", "attr.height_cm:number: '58 cm' is not a number"),
        ("attr.height_cm:number", "1e999", "'1e999' is not a number"),
        ("attr.height_cm:number", "nan", "'nan' is not a number"),
        ("attr.wireless:boolean", "yes", "attr.wireless:boolean: 'yes' is neither true nor false"),
        ("attr.colour", "x" * 201, "attr.colour has 201 characters"),
        ("stock", "-1", "stock '-1' is neither a number of units nor unknown, and not empty"),
        ("stock", "12.5", "stock '12.5' is neither"),
        ("stock", "1" * 16, "is neither a number of units"),
    ],
)
def test_a_bad_attribute_or_stock_is_named(
    conn: WriteConnection, tmp_path: Path, column: str, cell: str, sentence: str
) -> None:
    result = load(conn, tmp_path, f"{HEADER.strip()},{column}\nLAMP-1,Lamp,lamp,4990,EUR,{cell}\n")
    assert counts(result) == (0, 0, 0, 1)
    assert sentence in result.faults[0]


def test_a_parquet_file_has_numbers_and_nulls_where_csv_has_text(conn: WriteConnection, tmp_path: Path) -> None:
    rows = {
        "sku": ["LAMP-1", "FAN-2"],
        "name_en": ["Lamp", "Fan"],
        "category": ["lamp", "fan"],
        "price_minor": [4990.0, 52_000.0],
        "currency": ["EUR", "KRW"],
        "stock": [12, None],
        "attr.height_cm:number": [58.5, None],
        "attr.wireless:boolean": [True, False],
    }
    path = tmp_path / "products.parquet"
    pyarrow.parquet.write_table(pyarrow.table(rows), path)
    assert counts(import_products(conn, path, at=AT)) == (2, 0, 0, 0)
    lamp, fan = product(conn, "LAMP-1"), product(conn, "FAN-2")
    assert (lamp.price, fan.price) == (Money(4990, "EUR"), Money(52_000, "KRW"))
    assert (lamp.attributes, fan.attributes) == ({"height_cm": 58.5, "wireless": True}, {"wireless": False})
    assert stock(conn) == {"LAMP-1": 12}


def test_a_line_that_comes_twice_is_one_product(conn: WriteConnection, tmp_path: Path) -> None:
    assert counts(load(conn, tmp_path, HEADER + GOOD + GOOD)) == (2, 0, 2, 0)


def test_what_a_later_chunk_says_otherwise_is_named_too(conn: WriteConnection, tmp_path: Path) -> None:
    rows = "".join(f"P-{number},Product,thing,{number + 1},EUR\n" for number in range(1_200))
    result = load(conn, tmp_path, HEADER + rows + "P-7,Product,thing,9,EUR\n")
    assert counts(result) == (1_200, 0, 0, 1)
    assert result.faults == [
        f"{tmp_path / 'products.csv'}:1202: line 9 says something else of SKU P-7: leave one of the two"
    ]


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (
            "sku,name_en,price_minor\n",
            "has no column category, currency: it needs sku,name_en,category,price_minor,currency",
        ),
        ("", "has no column sku"),
        ("sku;name_en;category;price_minor;currency\n", "has no column sku"),
        (HEADER.strip() + ",sku\n", "has the column sku twice: leave one of the two"),
        (HEADER.strip() + ",attr.size,attr.size:number\n", "has the attribute size twice, as two kinds"),
        (HEADER.strip() + ",attr.Größe\n", r"column 'attr.Größe': an attribute is attr.NAME, attr.NAME:number"),
        (HEADER.strip() + "," + "x" * 70_000 + "\n", "the first line has more than 65,536 bytes: is it a CSV file"),
    ],
)
def test_a_file_with_other_columns_is_refused(
    conn: WriteConnection, tmp_path: Path, header: str, sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        load(conn, tmp_path, header)


def test_a_file_of_another_encoding_is_refused(conn: WriteConnection, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="has no column sku"):
        load(conn, tmp_path, (HEADER + GOOD).encode("utf-16"))


def test_the_columns_may_come_in_another_order_and_with_others(conn: WriteConnection, tmp_path: Path) -> None:
    text = '\ufeffcurrency,price_minor,"name_kr",category,name_en,sku\r\nEUR,4990,"a, b",lamp, Lamp ,LAMP-1\r\n\r\n'
    result = load(conn, tmp_path, text)
    assert (counts(result), result.unread) == ((1, 0, 0, 0), ["name_kr"])
    assert product(conn, "LAMP-1").name == {"en": "Lamp"}


def test_the_command_says_what_it_did(database: str, tmp_path: Path, millpond: Run) -> None:
    path = write(tmp_path, HEADER + GOOD)
    done = millpond("import", "products", path, MILLPOND_DATABASE_URL=database)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "products added: 2; changed: 0; there already: 0; rows refused: 0\n"
    path = write(
        tmp_path, HEADER.strip() + ",note\n" + GOOD.replace("\n", ",x\n").replace("4990", "3990") + "X,,a,1,EUR,x\n"
    )
    done = millpond("import", "products", path, MILLPOND_DATABASE_URL=database)
    assert done.returncode == 1
    assert done.stderr == (
        f"{path}:4: name_en is empty: every product has a name in English\ncolumns that were not read: note\n"
    )
    assert done.stdout == "products added: 0; changed: 1 (their price: 1); there already: 1; rows refused: 1\n"
    with connect(database) as conn:
        assert conn.execute("select count(*) from product_price where sku = 'LAMP-1'").fetchone() == (2,)


def test_a_migration_leaves_alone_what_was_imported(database: str, tmp_path: Path, millpond: Run) -> None:
    path, tv = write(tmp_path, HEADER + "REED-TV-55,Our TV,tv,59900,EUR\n"), Sku("REED-TV-55")
    assert millpond("import", "products", path, MILLPOND_DATABASE_URL=database).returncode == 0
    assert millpond("migrate", MILLPOND_DATABASE_URL=database).returncode == 0
    with connect(database) as conn:
        later = SystemClock().now() + DAY
        assert product(conn, tv, later).price == Money(59_900, "EUR")
        assert product(conn, tv, later).name["en"] == "Our TV"

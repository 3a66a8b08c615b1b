"""Commands for the catalogue: `millpond import products`, `millpond import compatibility`, and `millpond graph`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from catalogue.nouns import Relation
from millpond.cli import app
from millpond.cli.files import File, imports
from millpond.cli.progress import CountedProgress
from millpond.cli.services import start
from millpond.kernel.errors import MillpondError

if TYPE_CHECKING:
    from catalogue.contradictions import Contradiction
    from catalogue.importing import FileImport
    from devices.replacements import NamedReplacement

_FITS = (Relation.CONSUMABLE_FOR, Relation.REQUIRED_PART)

graph = typer.Typer(no_args_is_help=True, help="Look at what fits what.")
app.add_typer(graph, name="graph")


@imports.command()
def products(file: File) -> None:
    """Add or renew the products of a file with the columns sku, name_en, category, price_minor, currency.

    A price is in minor units (3990 for 39.90 euros); one that changed holds from now on, and the one before it is kept.
    There may also be name_ko and name_zh; stock (a number of units, unknown, or empty where nobody counts them); and
    attributes: attr.colour is a text, attr.height_cm:number a number, attr.wireless:boolean true or false. An empty
    cell takes away what is stored, and what has no column stays. Running it again changes nothing. Bad rows are named
    one by one, the good ones are stored, and then the exit is 1.
    """
    from catalogue.product_file import import_products
    from millpond.kernel.db import connect
    from millpond.services import require_schema

    settings = start("database_url")
    require_schema(settings)
    with connect(settings.database_url.get_secret_value()) as conn, CountedProgress("products") as advance:
        result = import_products(conn, file, at=settings.make_clock().now(), progress=advance)
    _tell("products", result, f" (their price: {result.repriced:,})" if result.repriced else "")


@imports.command()
def compatibility(file: File) -> None:
    """Add or renew what fits what, from a file with the columns from, to, relation, evidence.

    From is the product that a household has, to what would join it, both by SKU. The relation is consumable_for,
    required_part, accessory, part_of_set, often_bought_with, substitute, or incompatible: a no, which outweighs every
    other edge between the two. There may also be weight (0 to 1, else 1) and condition (a few words). Running it again
    changes nothing. Bad rows are named one by one, the good ones are stored, and then the exit is 1. Afterwards,
    `millpond graph check` finds what contradicts itself.
    """
    from catalogue.edge_file import import_compatibility
    from millpond.kernel.db import connect
    from millpond.services import require_schema

    settings = start("database_url")
    require_schema(settings)
    with connect(settings.database_url.get_secret_value()) as conn, CountedProgress("edges") as advance:
        result = import_compatibility(conn, file, progress=advance)
    _tell("edges", result)


def _tell(what: str, result: "FileImport", of_the_changed: str = "") -> None:
    for fault in result.faults:
        typer.echo(fault, err=True)
    if result.unread:
        typer.echo(f"columns that were not read: {', '.join(result.unread)}", err=True)
    typer.echo(
        f"{what} added: {result.added:,}; changed: {result.changed:,}{of_the_changed};"
        f" there already: {result.unchanged:,}; rows refused: {len(result.faults):,}"
    )
    if result.faults:
        raise typer.Exit(1)


@graph.command()
def check() -> None:
    """Find what cannot be in the compatibility graph, one sentence each; the exit is 1 when there is any.

    Two products that are incompatible and are said to fit, in either direction; a product joined to itself; required
    parts in a circle; products in one set that do not go together; consumables that no device model has a place for;
    and device models with a place for what is incompatible with them.
    """
    from catalogue.contradictions import find_contradictions
    from catalogue.graph import select_edges
    from devices.store import select_used_consumables
    from millpond.kernel.db import connect
    from millpond.services import require_schema

    settings = start("database_url")
    require_schema(settings)
    with connect(settings.database_url.get_secret_value()) as conn:
        edges, used = select_edges(conn), select_used_consumables(conn)
    if found := find_contradictions(edges, used):
        _show(found)
        raise MillpondError(
            f"contradictions: {len(found):,} in {len(edges):,} edges; import or remove one side of each"
        )
    typer.echo(f"{len(edges):,} edges, and nothing contradicts itself")


@graph.command()
def proposals() -> None:
    """Print what devices say that replaces their parts, as edges for a person to look at: nothing is stored.

    Matter's devices name such products by their numbers (UPC, EAN, GTIN, the maker's own). What is printed is a file
    for `millpond import compatibility`: leave in it what is right. A product is found by its attribute upc, ean, gtin,
    oem or mpn, or by its SKU; numbers that no product has, and models that are no product, are named on stderr.
    """
    from catalogue.graph import select_edges
    from catalogue.store import select_products_of_numbers
    from devices.replacements import select_named_replacements
    from millpond.kernel.db import connect
    from millpond.services import require_schema

    settings = start("database_url")
    require_schema(settings)
    with connect(settings.database_url.get_secret_value()) as conn:
        named = select_named_replacements(conn)
        products = select_products_of_numbers(conn, {each.number for each in named})
        there = {(edge.from_sku, edge.to_sku) for edge in select_edges(conn) if edge.relation in _FITS}
    typer.echo("from,to,relation,evidence")
    for each in named:
        for sku in products.get(each.number, []):
            if each.sku is not None and (each.sku, sku) not in there:
                typer.echo(f"{each.sku},{sku},{Relation.CONSUMABLE_FOR},{_evidence(each)}")
        if each.sku is None or each.number not in products:
            missing = "the model has no product" if each.sku is None else "no product has this number"
            typer.echo(f"{each.model}, {each.part}, {each.kind.upper()} {each.number}: {missing}", err=True)


def _evidence(each: "NamedReplacement") -> str:
    counted = "a device says" if each.devices == 1 else f"{each.devices:,} devices say"
    return f"{counted} that {each.kind.upper()} {each.number} replaces its {each.part}"


@graph.command()
def remove(
    from_sku: Annotated[str, typer.Argument(metavar="FROM", show_default=False, help="What a household has, by SKU.")],
    relation: Annotated[Relation, typer.Argument(show_default=False, help="What joining the two means.")],
    to_sku: Annotated[str, typer.Argument(metavar="TO", show_default=False, help="What would join it, by SKU.")],
) -> None:
    """Take an imported edge out of the compatibility graph. Leave it out of the file too, which would bring it back."""
    from catalogue.graph import remove_edge
    from millpond.kernel.db import connect
    from millpond.services import require_schema

    settings = start("database_url")
    require_schema(settings)
    with connect(settings.database_url.get_secret_value()) as conn:
        remove_edge(conn, from_sku, relation, to_sku)
    typer.echo(f"removed: {from_sku} to {to_sku} as {relation}")


def _show(found: "Sequence[Contradiction]") -> None:
    table = Table(title="What cannot be", title_justify="left")
    table.add_column("kind", no_wrap=True)
    table.add_column("what the graph says", overflow="fold")
    for each in found:
        table.add_row(each.kind, escape(each.sentence))
    Console().print(table)

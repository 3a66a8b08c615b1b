"""The shape of the API that a machine can keep: who decides what is visible, and where a route or page is found."""

import ast
import pkgutil
from importlib import import_module

import pytest
from fastapi.routing import APIRoute

import api.routes
import api.web.pages
from tests.rules.source import files, parse

FILES = files("api")

DECIDES = "api/visible/"
MAY_LOOK_AT_THE_CALLER = {
    "api/edge.py": {"find_caller"},  # It finds whose token it is.
    "api/routes/orders.py": {"_find_buyer", "_require_seller"},  # Who sells, and to whom: not who sees.
    "api/web/pages/scan.py": {"_step_for"},  # What to ask, where nothing is shown yet.
    "api/web/pages/sign_in.py": {"get_start", "_ask", "_name"},  # What to call who signs in, and where to lead them.
}
"""The functions outside `api/visible/` that may look at a caller's role or id, and what for."""
MAY_SAY_NOT_FOUND = {
    "api/problems.py",  # Which status it is.
    "api/web/pages/ops_holds.py",  # A word in the address that is neither yes nor no.
}


@pytest.mark.parametrize("file", sorted(file for file in FILES if not file.startswith(DECIDES)))
def test_one_package_decides_who_may_see_what(file: str) -> None:
    tree = parse(FILES[file])
    looks = set(_functions_that_look_at_the_caller(tree)) - MAY_LOOK_AT_THE_CALLER.get(file, set())
    assert looks == set(), f"{file}: ask a function of {DECIDES} instead of looking at the caller"
    refusals = [text for text in _texts(tree) if "that you may " in text]
    assert refusals == [], f"{file}: the sentence for what may not be seen is said by {DECIDES}"
    if file not in MAY_SAY_NOT_FOUND:
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert "NotFound" not in names, f"{file}: what may not be seen is refused by {DECIDES}"


def test_every_exception_from_that_rule_is_needed() -> None:
    trees = {file: parse(FILES[file]) for file in MAY_LOOK_AT_THE_CALLER}
    assert {file: set(_functions_that_look_at_the_caller(tree)) for file, tree in trees.items()} == (
        MAY_LOOK_AT_THE_CALLER
    )


@pytest.mark.parametrize(
    "code",
    [
        "def get(caller): return caller.role is Role.STAFF",
        "def get(view): return view.caller.subject == 'cus'",
        "def get(caller, order): return order.customer_id == caller.customer_id",
        "def get(caller, order): return caller.is_customer(order.customer_id)",
        "def get(caller, staff_id): return caller != Caller(Role.STAFF, staff_id)",
        "def get(caller):\n    match caller:\n        case Caller(role=Role.STAFF): pass",
    ],
)
def test_looking_at_a_caller_is_found_however_it_is_written(code: str) -> None:
    assert _functions_that_look_at_the_caller(ast.parse(code)) == ["get"]


@pytest.mark.parametrize(
    "code",
    [
        "def get(caller): return caller.actor",
        "def get(self): return self.subject",
        "def get(order, binding): return order.customer_id == binding.customer_id",
        "def get(caller): return caller is None",
    ],
)
def test_what_looks_at_no_caller_is_left_alone(code: str) -> None:
    assert _functions_that_look_at_the_caller(ast.parse(code)) == []


def _functions_that_look_at_the_caller(tree: ast.AST) -> list[str]:
    """The functions in which a caller's role or id is read, or a whole caller is compared."""
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [function.name for function in functions if any(_looks(node) for node in ast.walk(function))]


def _looks(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute) and node.attr in ("role", "subject", "customer_id", "staff_id", "is_customer"):
        return _is_caller(node.value)
    if isinstance(node, ast.Compare) and any(_is_caller(side) for side in (node.left, *node.comparators)):
        return not all(isinstance(op, ast.Is | ast.IsNot) for op in node.ops)
    return isinstance(node, ast.Match) and _is_caller(node.subject)


def _is_caller(node: ast.AST) -> bool:
    return (isinstance(node, ast.Name) and node.id == "caller") or (
        isinstance(node, ast.Attribute) and node.attr == "caller"
    )


def _texts(tree: ast.AST) -> list[str]:
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [value for value in constants if isinstance(value, str)]


MAY_SPEAK_SQL = {"api/idempotency.py"}
"""Keys and their answers are written by the API itself, with the kernel's statements."""


@pytest.mark.parametrize("file", sorted(file for file in FILES if not file.startswith("api/reads/")))
def test_the_statements_of_the_api_stand_in_one_place(file: str) -> None:
    calls = [node.func for node in ast.walk(parse(FILES[file])) if isinstance(node, ast.Call)]
    names = {getattr(function, "attr", getattr(function, "id", "")) for function in calls}
    if file not in MAY_SPEAK_SQL:
        assert not names & {"load_queries", "execute", "executemany", "copy"}, (
            f"{file}: put the statement into api/reads"
        )


ROUTES = [name for _, name, _ in pkgutil.iter_modules(api.routes.__path__) if name != "health"]
PAGES = [name for _, name, _ in pkgutil.iter_modules(api.web.pages.__path__) if name != "sign_in"]


@pytest.mark.parametrize("name", ROUTES)
def test_a_file_of_routes_is_named_as_their_addresses(name: str) -> None:
    """`/v1/devices/…` stands in `devices.py`, or in `device_….py` when one file would be too long."""
    for path in _paths(f"api.routes.{name}"):
        version, noun = path.strip("/").split("/")[:2]
        assert version == "v1"
        plural = noun.replace("-", "_")
        assert name == plural or name.startswith(plural.removesuffix("s") + "_"), f"{path} stands in {name}.py"


@pytest.mark.parametrize("name", ROUTES)
def test_an_answer_is_defined_where_pages_find_it_too(name: str) -> None:
    """What a call answers stands in `api/told/`: a page may want to show the same."""
    answers = [
        node.name
        for node in ast.walk(parse(FILES[f"api/routes/{name}.py"]))
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id == "Out" for base in node.bases)
    ]
    assert answers == [], f"move {', '.join(answers)} to api/told/"


@pytest.mark.parametrize("name", PAGES)
def test_a_file_of_pages_is_named_as_their_addresses(name: str) -> None:
    """`/ops/holds` stands in `ops_holds.py`, or in `ops.py`."""
    for path in _paths(f"api.web.pages.{name}"):
        words = path.strip("/").replace("-", "_").split("/")
        assert "_".join(words).startswith(name), f"{path} stands in {name}.py"


def _paths(module: str) -> list[str]:
    routes = [route for route in import_module(module).router.routes if isinstance(route, APIRoute)]
    assert routes, f"{module} has no route"
    return [route.path for route in routes]

"""`/v1/lobby-rules`: what those are who will speak, said in advance by an operator."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.auth import Role
from api.edge import At, CallerDep, EdgeDep, Reads, WriteDep, answer_write
from api.models import Body, Out, Region, Text
from api.paging import Page
from api.told.lobby import LobbyRuleOut
from api.visible.roles import require_role
from ingest.formats.shipped import language_named
from ingest.lobby.admission import end_rule, make_rule
from ingest.lobby.store import select_rules
from millpond.kernel.db import WriteConnection

router = APIRouter(prefix="/v1/lobby-rules", tags=["ingest"])


class NewLobbyRule(Body):
    """Whoever a format calls by `pattern` (* is any characters, ? is one) is of this model."""

    format: Text
    pattern: Text
    model: Text
    region: Region = ""


@router.get("", response_model=Page[LobbyRuleOut])
def get_rules(reads: Reads, caller: CallerDep) -> Page[LobbyRuleOut]:
    """All rules, by format and pattern."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        rules = select_rules(conn)
    return Page(items=[LobbyRuleOut.model_validate(rule) for rule in rules])


@router.post("", status_code=201, response_model=LobbyRuleOut)
def post_rule(body: NewLobbyRule, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Admit whoever is called so: those who wait, and those who come."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        rule = make_rule(
            conn,
            format_name=language_named(edge.settings, body.format),
            pattern=body.pattern,
            model=body.model,
            region=body.region,
            at=at,
            by=caller.actor,
        )
        return 201, LobbyRuleOut.model_validate(rule)

    return answer_write(write, act)


@router.post("/{rule_id}/removal", response_model=LobbyRuleOut)
def post_removal(rule_id: str, caller: CallerDep, write: WriteDep) -> JSONResponse:
    """Admit nobody by this rule any more; who was admitted stays. The answer is what it was."""
    require_role(caller, Role.OPERATOR)
    return answer_write(write, lambda conn: (200, LobbyRuleOut.model_validate(end_rule(conn, rule_id))))

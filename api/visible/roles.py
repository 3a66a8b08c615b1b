"""What depends on the caller's role alone, and the one sentence for what may not be seen."""

from typing import NoReturn

from api.auth import Caller, Role
from millpond.kernel.errors import NotFound

# No more of an id that somebody made up is said back to them.
SAID_BACK = 80


def require_role(caller: Caller, *roles: Role) -> None:
    """Let one of `roles` pass; for all others the call does not exist."""
    if caller.role not in roles:
        raise NotFound("there is nothing here that you may see")


def require_page(caller: Caller, *roles: Role) -> None:
    """Let one of `roles` pass; for all others the page does not exist, and they are told who could see it."""
    if caller.role not in roles:
        raise NotFound("there is no page here that you may see: sign in as someone else")


def may_see_workings(caller: Caller) -> bool:
    """Are they told how something came about inside: a device's doubts, a decision's gates? Operators alone are."""
    return caller.role is Role.OPERATOR


def owns_nothing(caller: Caller) -> bool:
    """Is it a customer's token under which nobody is registered? Their lists are empty, and all else is not there."""
    return caller.role is Role.CUSTOMER and caller.customer_id is None


def refuse(noun: str, named: str, what: str = "that you may see") -> NoReturn:
    """Raise NotFound: what does not exist and what the caller may not see is answered alike."""
    raise NotFound(f"there is no {noun} {named[:SAID_BACK]} {what}")

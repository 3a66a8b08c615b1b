"""Commission becomes payable when the return window has passed, and is paid out."""

from datetime import datetime

from attribution.nouns import Payout
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import StaffId
from millpond.kernel.jobs import Claim


def release_commissions(conn: WriteConnection, at: datetime, *, claim: Claim | None = None) -> int:
    """Make pending commission available for every order whose return window has passed; how many orders that were."""
    raise NotImplementedError


def pay_out(conn: WriteConnection, staff_id: StaffId, *, at: datetime) -> list[Payout]:
    """Pay all that is available, one payout per currency; nothing where the balance is not positive."""
    raise NotImplementedError

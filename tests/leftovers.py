"""What is left in memory of that which was refused."""

import gc
from types import FrameType, TracebackType

from millpond.kernel.errors import MillpondError


def count_traces() -> int:
    """Errors, tracebacks and frames that something still holds."""
    gc.collect()
    return sum(isinstance(each, MillpondError | TracebackType | FrameType) for each in gc.get_objects())

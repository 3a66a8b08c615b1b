"""A short way into a thread, for a call that is asked more often than all others."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# As many as the pool of connections has: more would only wait for one.
_THREADS = ThreadPoolExecutor(8, thread_name_prefix="api")


async def run_in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` returns or raises, from a thread that knows the request's id as well.

    An endpoint that is a plain function runs in a thread too, by a way that counts and can be cancelled: it takes two
    or three times as long as this one. Work that is given up by the caller still runs to its end.
    """
    run = copy_context().run
    return await asyncio.get_running_loop().run_in_executor(_THREADS, lambda: run(work, *args, **kwargs))

"""Cutting a batch into its calls, where one of them is written so badly that no JSON reader gets past it."""

import re

_TOKENS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},]', re.DOTALL)
_BATCH = re.compile(rb'"batch"\s*:\s*\[')


def cut_batch(body: bytes) -> tuple[bytes, list[bytes]] | None:
    """The body with an empty `batch`, and the bytes of each call in it; None where its end cannot be found.

    It looks at brackets, commas and where texts end, and at nothing else, so the work is linear in the body.
    """
    opening = _BATCH.search(body)
    if opening is None:
        return None
    depth, start, calls = 0, opening.end(), list[bytes]()
    for token in _TOKENS.finditer(body, opening.end()):
        mark = token.group()
        if mark in b"[{":
            depth += 1
        elif mark in b"]}" and depth:
            depth -= 1
        elif mark in b",]}" and not depth:
            calls.append(body[start : token.start()].strip())
            start = token.end()
            if mark != b",":
                return body[: opening.end()] + body[token.start() :], [call for call in calls if call]
    return None

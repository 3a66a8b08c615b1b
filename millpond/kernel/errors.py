"""Errors of the domain: one sentence each, nothing about HTTP. `api/problems.py` maps them to problems."""


class MillpondError(Exception):
    """Base of all errors we raise on purpose; `str(error)` is one clear sentence for a person."""


class ConfigurationError(MillpondError):
    """A setting is missing or wrong; raised at start-up, before anything is touched."""


class InvalidInput(MillpondError):
    """What the caller sent is wrong; sending it again will not help."""


class NotFound(MillpondError):
    """It does not exist, or the caller may not know that it does."""


class Conflict(MillpondError):
    """It is well-formed, but what is already stored stands against it."""


class TooManyTries(MillpondError):
    """It was tried too often in too short a time; trying again after `retry_after_s` seconds may help."""

    def __init__(self, sentence: str, *, retry_after_s: float = 3600) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


class Unauthenticated(MillpondError):
    """The caller did not prove who they are."""


class Unavailable(MillpondError):
    """A part we depend on does not answer; trying again later may help."""


class LeaseLost(MillpondError):
    """Another scheduler took over this period; whoever sees this must write nothing more."""

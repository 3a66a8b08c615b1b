"""What a device sent too much of, in words for the operator's page."""

from ingest.storing.allowance import Allowance


def allowance_words(allowance: str) -> str:
    """An allowance as a few words; one that this version does not know, as it is kept."""
    return _WORDS.get(allowance, allowance.replace("_", " "))


_WORDS: dict[str, str] = {
    Allowance.MESSAGES: "messages a second",
    Allowance.BOOTS: "boots an hour",
    Allowance.QUARANTINE: "refused bytes a day",
    Allowance.VALUES: "values an hour",
    Allowance.TIMES: "samples without a good time a day",
    Allowance.CONFLICTS: "values that disagree a day",
    Allowance.LOBBY: "no room in the lobby",
}

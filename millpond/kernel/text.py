"""Text that people read: what may stand in a name, so that it shows as what it is."""

import unicodedata

# Two characters that nobody sees and that scripts need: they part and join letters in Persian and Hindi, and emoji.
_JOINERS = "\u200c\u200d"
# Letters by their class, which show as nothing.
_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"


def find_fault(text: str) -> str | None:
    """What keeps `text` from being shown as a name, in one sentence; None when nothing does.

    Control characters break lines and logs, and characters that turn the direction of writing or show as nothing let
    one name look like another.
    """
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in _JOINERS:
            return f"text cannot hold the character U+{ord(character):04X}, which nobody can see"
    if not any(_shows(character) for character in text):
        return "text cannot be blank"
    return None


def _shows(character: str) -> bool:
    return not character.isspace() and character not in _BLANKS + _JOINERS and unicodedata.category(character)[0] != "M"

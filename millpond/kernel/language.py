"""The languages that Millpond speaks."""

from millpond.kernel.yaml_file import Strict


class Words(Strict):
    """The same words for readers of three languages."""

    en: str
    ko: str
    zh: str

"""Staff codes as pictures: a link to the page that binds, with a signed token in it."""

import io
from urllib.parse import quote

import segno


def build_scan_url(public_url: str, token: str) -> str:
    """Where a scanned code leads."""
    return f"{public_url.rstrip('/')}/scan?token={quote(token, safe='')}"


def draw_svg(url: str) -> bytes:
    """The code as an SVG of its own, with the quiet zone that scanners need; scales to any size."""
    picture = io.BytesIO()
    _make(url).save(picture, kind="svg", scale=8, border=4, dark="#10222b", light="#ffffff")
    return picture.getvalue()


def draw_png(url: str) -> bytes:
    """The code as a PNG, large enough to print on a badge."""
    picture = io.BytesIO()
    _make(url).save(picture, kind="png", scale=12, border=4)
    return picture.getvalue()


def _make(url: str) -> segno.QRCode:
    # A signed token makes a large code already: less correction keeps its squares large enough for any camera.
    return segno.make_qr(url, error="l", boost_error=False)

"""Rendering: one Jinja environment that escapes everything, and how one request is answered."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from api.auth import Caller
from api.edge import find_caller, get_at, get_edge
from api.web.urgency import urgency_of
from api.web.words import Speech, accepted_languages, find_zone, load_words
from millpond.kernel.errors import Unauthenticated
from millpond.kernel.ids import new_id
from millpond.kernel.language import LANGUAGES, choose_language

COOKIE = "millpond_session"
LANGUAGE_COOKIE = "millpond_language"
_YEAR_S = 365 * 24 * 3600


def static_url(name: str) -> str:
    """Address of one of our static files; it changes with the file's bytes, so that caches may keep it."""
    return f"/static/{name}?v={_digest(name)}"


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(files("api.web").joinpath("static", *name.split("/")).read_bytes()).hexdigest()[:12]


_JINJA = Environment(
    loader=PackageLoader("api.web"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_JINJA.globals.update(
    static=static_url, new_key=lambda: new_id("form"), languages=LANGUAGES, words_of=load_words, urgency_of=urgency_of
)


def render_part(template: str, **values: Any) -> Markup:
    """A part of pages that is the same for everybody, to be made once."""
    return Markup(_JINJA.get_template(template).render(**values))


@dataclass(frozen=True, slots=True)
class View:
    """How one request is answered: to whom, in which language and zone, at what time."""

    request: Request
    caller: Caller | None
    speech: Speech
    at: datetime

    def render(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """The page; the speech's functions are there under short names, `text` as `t`."""
        speech = self.speech
        spoken = {
            "t": speech.text,
            "day": lambda moment: speech.day(moment, self.at),
            "time_or_day": lambda moment: speech.time_or_day(moment, self.at),
            "last_day": lambda end: speech.last_day(end, self.at),
            "moment": speech.moment,
            "money": speech.money,
            "percent": speech.percent,
            "number": speech.number,
            "name": speech.name,
        }
        page = _JINJA.get_template(template).render(view=self, **spoken, **values)
        response = HTMLResponse(page, status)
        remember_language(self.request, response)
        return response

    @property
    def path(self) -> str:
        return self.request.url.path

    def in_language(self, language: str) -> str:
        """This page's address in another language."""
        return str(self.request.url.include_query_params(lang=language).replace(scheme="", netloc=""))


def remember_language(request: Request, response: Response) -> None:
    """Let the language that an address asks for count from now on, on every page and in every part of one."""
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, asked, max_age=_YEAR_S, samesite="lax", httponly=True)


def make_view(request: Request, own_locale: str | None = None, own_zone: str = "UTC") -> View:
    """The view of a request, in the language that was asked for last, or the person's own, or the browser's."""
    at = get_at(request)
    asked = request.query_params.get("lang")
    asked = asked if asked in LANGUAGES else request.cookies.get(LANGUAGE_COOKIE)
    accepted = accepted_languages(request.headers.get("accept-language", ""))
    language = choose_language(asked, own_locale, *accepted)
    return View(request, _find_caller(request, at), Speech(language, find_zone(own_zone)), at)


def make_english_view(request: Request, zone: ZoneInfo | None = None) -> View:
    """The view of the pages for people who work here."""
    view = make_view(request)
    return View(request, view.caller, Speech("en", zone or ZoneInfo("UTC")), view.at)


def _find_caller(request: Request, at: datetime) -> Caller | None:
    """Who is signed in. It is found out once a request, and before a page takes a connection, as it may need one."""
    if not hasattr(request.state, "caller"):
        request.state.caller = _read_caller(request, at)
    caller: Caller | None = request.state.caller
    return caller


def _read_caller(request: Request, at: datetime) -> Caller | None:
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    try:
        return find_caller(get_edge(request), token, at)
    except Unauthenticated:
        return None


def render_problem(request: Request, status: HTTPStatus, detail: str) -> HTMLResponse:
    """What a person sees when something went wrong: a page, or a card inside the page they are on."""
    # Asking who it is may be what went wrong, and would go wrong again.
    request.state.caller = getattr(request.state, "caller", None)
    template = "problem_card.html" if "hx-request" in request.headers else "problem.html"
    view = make_view(request)
    return view.render(template, status.value, sentence=detail, code=status.value, told=_told(view, status))


def _told(view: View, status: HTTPStatus) -> str | None:
    """What went wrong in the reader's language, more coarsely than our English sentence; None where that is theirs."""
    if view.speech.language == "en":
        return None
    key = f"problem_{status.value}"
    return view.speech.text(key if key in load_words(view.speech.language) else "problem_other")


def sign_in_address(request: Request) -> str:
    """Where to sign in and come back from."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/sign-in?next={quote(here, safe='')}"

"""Signing in with a key on a page, for browsers; programs send their key with each request."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from app import links
from app.access.callers import COOKIE, SESSION_H
from app.access.gate import Access
from app.access.needs import is_own
from app.access.rates import CHALLENGE
from app.access.scopes import NONE, UNTOLD, Caller
from app.maps import login
from app.maps.login import LoginView
from app.maps.view import LOCAL, Choice
from app.pages import LANGUAGE_NAMES, language
from geo.errors import AccessError, Fault
from tiles.text import Text

router = APIRouter(tags=["pages"])
HTML = "text/html; charset=utf-8"
NEXT_MAX = 2000
Lang = Annotated[str, Query(description="Language of the page: zh or en (default: the reader's).", max_length=10)]
Next = Annotated[str, Query(description="Where to go after (a path of this service).", max_length=NEXT_MAX)]


AGAIN: dict[int | str, dict[str, Any]] = {
    401: {
        "description": "The page again: the key is not good.",
        "content": {"text/html": {"schema": {"type": "string"}}},
    }
}


@router.get("/login", summary="Sign in with a key", response_class=Response)
async def page(request: Request, lang: Lang = "", after: Annotated[Next, Query(alias="next")] = "") -> Response:
    """A page that takes a key."""
    return await _page(request, lang, after)


@router.post("/login", summary="Sign in", response_class=Response, status_code=303, responses=AGAIN)
async def sign_in(
    request: Request,
    key: Annotated[str, Form(max_length=100, description="A key of this service.")],
    lang: Annotated[str, Form(max_length=10, description="Language of the page: zh or en.")] = "",
    after: Annotated[str, Form(alias="next", max_length=NEXT_MAX, description="Where to go after (a path).")] = "",
) -> Response:
    """A session of some hours in this browser, as a cookie that no script reads; 401 for a key that is not good."""
    _only_from_here(request)
    session = await _access(request).callers.session(key.strip())
    if session is None:
        return await _page(request, lang, after, wrong=True, status=401)
    answer = RedirectResponse(_local(after), 303, headers={"Cache-Control": "no-store"})
    _set_cookie(request, answer, session, SESSION_H * 3600)
    return answer


@router.post("/logout", summary="Sign out", response_class=Response, status_code=303)
async def sign_out(request: Request) -> Response:
    """The browser forgets the session."""
    _only_from_here(request)
    answer = RedirectResponse(links.here().path("/login"), 303, headers={"Cache-Control": "no-store"})
    _set_cookie(request, answer, "", 0)
    return answer


async def challenge(request: Request) -> Response:
    """401 as the page to sign in on, which leads back to where one wanted to go."""
    query = f"?{request.url.query}" if request.url.query else ""
    return await _page(request, request.query_params.get("lang", ""), f"{request.url.path}{query}", status=401)


async def _page(request: Request, lang: str, after: str, *, wrong: bool = False, status: int = 200) -> Response:
    here, spoken = links.here(), language(lang, request.headers.get("accept-language", ""))
    goal = _local(after)
    cookie = request.cookies.get(COOKIE, "")
    known = await _access(request).callers.in_session(cookie, "") if cookie else None
    view = LoginView(
        lang=spoken, next=goal, send=here.path("/login"), leave=here.path("/logout"), static=here.path("/static"),
        languages=tuple(
            Choice(Text(said, said), here.path(f"/login?{urlencode({'lang': code, 'next': goal})}"), code == spoken)
            for code, said in LANGUAGE_NAMES.items()
        ),
        name=known.name if known else "", wrong=wrong,
    )  # fmt: skip
    drawn = login.render(view)
    beside = {"WWW-Authenticate": CHALLENGE} if status == 401 else {}
    return Response(
        drawn.html, status, drawn.headers | beside | {"Cache-Control": "no-store", "Vary": "Accept"}, media_type=HTML
    )


def _local(after: str) -> str:
    """A path of this service to go on to; the start page for anything else."""
    root = links.here().root
    fits = len(after) <= NEXT_MAX and LOCAL.fullmatch(after) and after.isascii() and after.startswith(f"{root}/")
    return after if fits else links.here().path("/")


def _only_from_here(request: Request) -> None:
    """AccessError when a page of another site sent the form: nobody is signed in by others."""
    if not is_own(request.scope, Caller(None, UNTOLD, NONE, "")):
        raise AccessError(Fault("a form of this service's own page", "one of another site", "Origin, Sec-Fetch-Site"))


def _set_cookie(request: Request, answer: Response, value: str, seconds: int) -> None:
    # Not "strict": links on sandboxed pages are those of another site for a browser, and would lead to no session.
    # With "lax" a cookie comes along when a page is opened, and never with a form, a script or a picture of others.
    answer.set_cookie(
        COOKIE, value, max_age=seconds, path=links.here().root or "/", secure=request.url.scheme == "https",
        httponly=True, samesite="lax",
    )  # fmt: skip


def _access(request: Request) -> Access:
    access = request.app.state.access
    assert isinstance(access, Access)
    return access

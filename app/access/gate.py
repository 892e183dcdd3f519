"""The step of a request at which it is known who asks: callers are named, counted, and turned away.

Routes say with ``needs`` what a caller must be allowed; here is what holds for every path, whether a route says
anything or not: with ``keys`` nothing but the open paths is answered without a key.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal

from fastapi import Request, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import links
from app.access.addresses import Place, is_local_name, plain
from app.access.callers import COOKIE, TICKET, TICKET_H, Callers
from app.access.described import Operations
from app.access.edge import Answer, inner_path, private
from app.access.needs import own_origin, require
from app.access.rates import Rates
from app.access.scopes import ALL, NONE, READ, UNTOLD, Caller
from app.access.scopes import Scope as Allowed
from app.access.signing import until
from app.settings import Settings
from geo.errors import RenxingError, UnknownCallerError

log = logging.getLogger("renxing")
Mode = Literal["auto", "open", "public", "keys"]
WATCHED = frozenset({"/healthz", "/readyz", "/favicon.ico"})
"""Asked by whoever watches over processes, or by a browser by itself: answered without knowing anybody."""
OPEN_PATHS = WATCHED | {"/login", "/logout", "/metrics"}
"""Answered to everybody (or they ask for more themselves), as are the program's own files under /static/."""
READS = frozenset({"GET", "HEAD"})
SignIn = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Access:
    """Who may do what in one service."""

    mode: Mode
    place: Place
    rates: Rates
    callers: Callers

    @classmethod
    def of(cls, settings: Settings, callers: Callers) -> Access:
        """As the settings say; ``auto`` is ``public`` but for a service that only this machine can reach."""
        place, mode = Place.of(settings), settings.access
        if mode == "auto" and (not is_local_name(_bracketed(settings.host)) or place.is_behind_a_proxy):
            mode = "public"
        if mode == "open" and not is_local_name(_bracketed(settings.host)):
            log.warning("RENXING_ACCESS=open: everybody who reaches %s may change everything", settings.host)
        return cls(mode, place, Rates.of(settings), callers)

    async def unnamed(self, scope: Scope) -> frozenset[Allowed]:
        """What may be done without a key. On this machine everything until the first key was made, then reading."""
        mode = self.mode
        if mode == "auto":
            mode = "open" if is_from_here(scope) and not await self.callers.are_there_keys() else "public"
        return {"open": ALL, "public": READ, "keys": NONE}[mode]

    def hides(self, scope: Scope) -> bool:
        """Whether the page of another site that asks must not read the answer.

        What is open only to this machine is none of the sites' that its user looks at, though the browser asks here.
        """
        origin = Headers(scope=scope).get("origin", "null")
        if origin == "null" or self.mode not in ("auto", "open"):  # map pages of ours are sandboxed: null
            return False
        return is_from_here(scope) and origin.lower() != own_origin(scope)

    async def caller(self, scope: Scope, free: frozenset[Allowed]) -> Caller:
        """Who asks, with what is ``free`` beside what a key allows.

        UnknownCallerError for a key that is not good; a ticket or session that is not good is none.
        """
        headers, address = Headers(scope=scope), scope["client"][0]
        known = await self.callers.known(headers, address) or await self._reader(scope, headers, address)
        if known is None:
            return Caller(None, UNTOLD, free, address)
        return known if known.by == "ticket" else replace(known, scopes=known.scopes | free)

    async def _reader(self, scope: Scope, headers: Headers, address: str) -> Caller | None:
        """Who asks with what a browser was given: a ticket to read, or the cookie of a session."""
        ticket = scope["state"].get("ticket", "") if self.mode == "keys" and scope["method"] in READS else ""
        if ticket and (known := await self.callers.with_ticket(ticket, address)):
            return known
        cookie = cookie_parser(headers["cookie"]).get(COOKIE, "") if COOKIE in headers.get("cookie", "") else ""
        return await self.callers.in_session(cookie, address) if cookie else None

    async def tickets(self, caller: Caller, scope: Scope, now: float) -> Callable[[str], str] | None:
        """What makes the tickets that pages name for a caller; None where everybody may read."""
        if self.mode != "keys" or caller.key_id is None:
            return None
        if caller.by == "ticket":  # it opens what it opens for as long as it does, and no longer
            same = scope["state"]["ticket"]
            return lambda study_id: same if study_id == caller.study_id else ""
        signer, key_id = await self.callers.signer(), caller.key_id
        return lambda study_id: signer.sign(TICKET, key_id, study_id, until=until(now, hours=TICKET_H))


class Gate:
    """Names the caller of each request, counts it, and turns away whom nothing is answered.

    What changes something is turned away before its body is read: ``operations`` says what each operation needs.
    """

    def __init__(
        self, app: ASGIApp, *, access: Access, operations: Callable[[], Operations], answer: Answer, sign_in: SignIn
    ) -> None:
        self.app, self.access, self.operations, self.answer, self.sign_in = app, access, operations, answer, sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Name, count, pass on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = _kept_private(send) if self.access.mode == "keys" else send
        try:
            await self._admit(scope, inner_path(scope))
        except RenxingError as error:
            await (await self._refusal(scope, error))(scope, receive, sent)
            return
        await self.app(scope, receive, sent)

    async def _admit(self, scope: Scope, path: str) -> None:
        """Note the caller in the scope's state; AccessError turns it away."""
        access = self.access
        aside = path in WATCHED or path.startswith("/static/")  # answered even where no register can be asked
        free = Caller(None, UNTOLD, NONE if aside else await access.unnamed(scope), scope["client"][0])
        caller = scope["state"]["caller"] = free if aside else await self._counted(scope, free, path)
        if aside or path in OPEN_PATHS:
            return
        require(caller, Allowed.read)
        if scope["method"] not in READS and caller.scopes != ALL:
            for wanted in self.operations().needed(scope["method"], path):
                require(caller, wanted)
        if tickets := await access.tickets(caller, scope, time.time()):
            links.now.set(replace(links.here(), ticket=tickets))

    async def _counted(self, scope: Scope, free: Caller, path: str) -> Caller:
        """Who asks, counted: who brings a key that is not good as an address. What all may do is not counted."""
        try:
            caller = await self.access.caller(scope, free.scopes)
        except UnknownCallerError:
            if free.scopes != ALL:
                self.access.rates.charge(free, path)
            raise
        if free.scopes != ALL:
            self.access.rates.charge(caller, path)
        return caller

    async def _refusal(self, scope: Scope, error: RenxingError) -> Response:
        """A page to sign in for who looks at pages, a problem document for others."""
        request = Request(scope)
        looks = scope["method"] == "GET" and "text/html" in request.headers.get("accept", "")
        if isinstance(error, UnknownCallerError) and looks:
            return await self.sign_in(request)
        return await self.answer(request, error)


def is_from_here(scope: Scope) -> bool:
    """Whether a request was made on this machine, to this machine, by no way round.

    A proxy on the same machine tells of itself by its headers, by the name of the host that its readers use, or by
    HTTP/1.0, which nginx speaks where it is told nothing else; a page of another site that was led here under a name
    of its own (DNS rebinding) by that name.
    """
    client = scope["client"][0]
    if not plain(client):
        return bool(client)  # no address at all: this very process asks
    if scope.get("http_version") == "1.0":
        return False
    host = Headers(scope=scope).get("host", "")
    return is_local_name(_bracketed(client)) and is_local_name(host) and not scope["state"]["forwarded"]


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _kept_private(send: Send) -> Send:
    """``send`` that lets no shared cache keep what only key holders may read."""

    async def kept(message: Message) -> None:
        if message["type"] == "http.response.start":
            private(MutableHeaders(scope=message))
        await send(message)

    return kept

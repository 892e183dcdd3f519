"""The outermost step of a request: is it one at all, where does it come from, and under which address is it seen.

After it the scope says the truth: ``client`` is who asked, ``scheme`` and ``Host`` are what the reader used,
``root_path`` is the path the proxy shows, ``path`` begins with it. Tickets and keys are taken out of the query, so
nothing that logs the address of a request can tell them.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import links
from app.access.addresses import HOST, Place, Told, by_forwarded, by_x_forwarded, plain
from app.links import Links

HEADERS_MOST = 100
QUERY_MOST = 8_192
"""Bytes of a path with its query."""
UNCHECKED = ("/healthz", "/readyz")
"""Paths that may be asked under any Host: whoever watches over processes asks by address."""
SAID_BY_PROXIES = frozenset(
    {
        *(b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-prefix"),
        *(b"x-real-ip", b"via"),
    }
)  # fmt: skip
TICKET = re.compile(rb"(?:^|&)ticket=([^&]*)")
KEY = re.compile(rb"rx_[0-9a-f]{12}_[A-Za-z0-9_-]*")
Answer = Callable[[Request, Exception], Awaitable[Response]]


class Edge:
    """Settles the address of each request; refuses what is too long or sent to another host."""

    def __init__(self, app: ASGIApp, *, place: Place, header_bytes: int, answer: Answer) -> None:
        self.app, self.place, self.header_bytes, self.answer = app, place, header_bytes, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Settle, then pass on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})
        scope["query_string"] = without_secrets(scope)
        told = self._told(scope)
        wrong = self._wrong(scope, told)
        self._settle(scope, told)
        mine = self._links(scope, told)
        before = links.now.set(mine)
        try:
            if wrong is None:
                await self.app(scope, receive, _finishing(send, scope, mine))
            else:
                await (await self.answer(Request(scope), wrong))(scope, receive, send)
        finally:
            links.now.reset(before)

    def _told(self, scope: Scope) -> Told:
        """What the proxies before us say, where they are believed."""
        headers = {name: _joined(scope, name) for name, _ in scope["headers"] if name in SAID_BY_PROXIES}
        scope["state"]["forwarded"] = bool(headers)
        if headers and self.place.trusts(_peer(scope)):
            return (by_forwarded if self.place.forwarded else by_x_forwarded)(headers, self.place)
        return Told()

    def _wrong(self, scope: Scope, told: Told) -> HTTPException | None:
        """Why a request is none that is answered."""
        headers = scope["headers"]
        if len(headers) > HEADERS_MOST or sum(len(name) + len(value) for name, value in headers) > self.header_bytes:
            return HTTPException(431, f"At most {HEADERS_MOST} headers of {self.header_bytes} bytes are read.")
        if len(scope["path"]) + len(scope["query_string"]) > QUERY_MOST:
            return HTTPException(414, f"At most {QUERY_MOST} bytes of address are read.")
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        if len(hosts) > 1 or not all(HOST.fullmatch(host) for host in hosts):
            return HTTPException(400, "Send one Host, a name or an address with or without a port.")
        seen = told.host or (hosts[0] if hosts else "")
        if not self.place.knows(seen) and scope["path"].removeprefix(self.place.root) not in UNCHECKED:
            return HTTPException(421, "This service is not known under that Host (RENXING_ALLOWED_HOSTS).")
        return None

    def _settle(self, scope: Scope, told: Told) -> None:
        """Write into the scope what the settings and the proxies say."""
        peer = _peer(scope)
        scope["client"] = (told.address or plain(peer) or peer, 0)
        scheme, _, host = self.place.origin.partition("://")
        scope["scheme"] = scheme or told.scheme or scope.get("scheme", "http")
        if seen := host or told.host:
            scope["headers"] = [(b"host", seen.encode()), *((n, v) for n, v in scope["headers"] if n != b"host")]
        _rooted(scope, self.place.root or told.root)

    def _links(self, scope: Scope, told: Told) -> Links:
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        only_told = {"root"} if told.root and not self.place.root else set()
        if not self.place.origin and not self.place.hosts:
            only_told.add("origin")
        return Links(scope["root_path"], f"{scope['scheme']}://{host}" if host else "", frozenset(only_told))


def without_secrets(scope: Scope) -> bytes:
    """The query without its ticket, which is noted in the scope's state, and without what looks like a key."""
    query: bytes = scope["query_string"]
    if b"ticket=" in query and (found := TICKET.search(query)):
        scope["state"]["ticket"] = found[1].decode("latin-1")
        query = TICKET.sub(b"", query).removeprefix(b"&")
    return KEY.sub(b"rx_withheld", query) if b"rx_" in query else query


def _peer(scope: Scope) -> str:
    return str(scope["client"][0]) if scope.get("client") else ""


def inner_path(scope: Scope) -> str:
    """The path of a settled request beneath the root path; a mount changes both while it is answered."""
    return str(scope["state"]["path"])


def _rooted(scope: Scope, root: str) -> None:
    scope["root_path"] = root
    if root and scope["path"] != root and not scope["path"].startswith(f"{root}/"):
        scope["path"] = root + scope["path"]
    scope["state"]["path"] = scope["path"].removeprefix(root) or "/"


def _joined(scope: Scope, wanted: bytes) -> str:
    """All values of a header, in the order they came."""
    return ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == wanted)


def _finishing(send: Send, scope: Scope, mine: Links) -> Send:
    """``send`` that keeps answers with an address only the request told of out of shared caches."""

    async def finished(message: Message) -> None:
        if message["type"] == "http.response.start":
            if 300 <= message["status"] < 400:
                _stay_here(MutableHeaders(scope=message), scope)
            if mine.used:
                headers = MutableHeaders(scope=message)
                private(headers)
                headers.add_vary_header("Host, X-Forwarded-Host, X-Forwarded-Prefix, X-Forwarded-Proto")
        await send(message)

    return finished


def _stay_here(headers: MutableHeaders, scope: Scope) -> None:
    """Take the host out of where one is sent on to: the framework makes it of the Host."""
    own = f"{scope['scheme']}://{_joined(scope, b'host')}"
    if headers.get("location", "").startswith(f"{own}/"):
        headers["location"] = headers["location"].removeprefix(own)


def private(headers: MutableHeaders) -> None:
    """Let only the reader's own cache keep an answer."""
    told = headers.get("cache-control", "")
    rest = [part for part in (part.strip() for part in told.split(",")) if part and part not in ("public", "private")]
    headers["cache-control"] = ", ".join(rest if "no-store" in rest else ["private", *(rest or ["no-cache"])])

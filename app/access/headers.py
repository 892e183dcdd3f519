"""The headers that keep a browser from doing more with an answer than it should."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.edge import inner_path

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""Sent with every answer that does not say otherwise; pages bring their own policy."""
SHARED = ("/static/", "/tiles/", "/favicon.ico")
"""What a map page puts in as script, style and picture (a browser asks for its icon unasked).

Its origin is none, so for a browser it is another site's.
"""
HSTS = b"max-age=31536000"
RAW = {name.lower().encode(): value.encode() for name, value in HEADERS.items()}
POLICY, RESOURCE = b"content-security-policy", b"cross-origin-resource-policy"
OPENER, OWN, SHARED_BY_ALL = b"cross-origin-opener-policy", b"same-origin", b"cross-origin"


class SafeHeaders:
    """Completes the headers of every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; complete the answer's headers."""

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                _complete(message, scope)
            await send(message)

        await self.app(scope, receive, complete if scope["type"] == "http" else send)


def _complete(message: Message, scope: Scope) -> None:
    given = dict(message["headers"])
    wanted = {**RAW, RESOURCE: SHARED_BY_ALL if inner_path(scope).startswith(SHARED) else OWN}
    # A sandboxed page with a policy on its opener is not shown at all (HTML, "navigate").
    if b"sandbox" not in given.get(POLICY, b""):
        wanted[OPENER] = OWN
    if scope["scheme"] == "https":
        wanted[b"strict-transport-security"] = HSTS
    message["headers"] = [*message["headers"], *((name, value) for name, value in wanted.items() if name not in given)]

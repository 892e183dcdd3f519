"""Which pages of other sites may read answers."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.gate import Access


class Origins(CORSMiddleware):
    """Lets pages of every site read, but not what is open to this machine alone."""

    def __init__(self, app: ASGIApp, access: Access, expose_headers: Sequence[str] = ()) -> None:
        super().__init__(app, allow_origins=["*"], allow_methods=["GET", "HEAD"], expose_headers=expose_headers)
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; a browser keeps an answer that no header allows to be read from the page that asked for it."""
        if scope["type"] == "http" and self.access.hides(scope):
            await self.app(scope, receive, _varied(send))
        else:
            await super().__call__(scope, receive, send)


def _varied(send: Send) -> Send:
    async def varied(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).add_vary_header("Origin")
        await send(message)

    return varied

"""What an operator sees of every request: an id, a line in the log, and counts. Nothing of what was sent."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import logs, metrics

HEADER = "X-Request-ID"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
CONVERTED = re.compile(r":\w+}")
"""How a route says what a part of its path is made of, as ``{feature:path}``; its description does not."""
OTHER = "other"
"""Stands for every method and path there is none of: names that come from outside are no labels."""


class Observed:
    """Gives each request an id, which its answer carries, then logs and counts it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name = logs.named(Headers(scope=scope).get(HEADER, ""))
        told = logs.request_id.set(name)
        seen = _Seen(scope, name)
        try:
            with metrics.IN_FLIGHT.track_inprogress():
                await self.app(scope, receive, seen.through(send))
        finally:
            logs.request_id.reset(told)
            seen.tell()


class _Seen:
    """One request, while it is answered."""

    def __init__(self, scope: Scope, name: str) -> None:
        self.scope, self.name = scope, name
        self.began = time.perf_counter()
        self.status = 0

    def through(self, send: Send) -> Send:
        """``send`` that notes the status, and names the request in the answer."""

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                MutableHeaders(scope=message)[HEADER] = self.name
            await send(message)

        return noted

    def tell(self) -> None:
        """Log and count it, by the form of its path: ids in a path are nobody's but the reader's."""
        took_s = time.perf_counter() - self.began
        method = self.scope["method"] if self.scope["method"] in METHODS else OTHER
        route = template(self.scope)
        metrics.answered(method, route, self.status, took_s)
        caller, address = self.scope.get("state", {}).get("caller"), self.scope.get("client")
        logs.requests.info(
            "%s %s", method, route,
            extra={
                "request_id": self.name, "method": method, "route": route, "status": self.status,
                "seconds": round(took_s, 4), "client": address[0] if address else "",
                "key": getattr(caller, "key_id", None) or "",
            },
        )  # fmt: skip


def template(scope: Scope) -> str:
    """The form of the path that was asked for, such as ``/api/v1/runs/{run}``."""
    path = getattr(scope.get("route"), "path", None)
    if isinstance(path, str):
        return CONVERTED.sub("}", path)
    endpoint: Callable[..., object] | None = scope.get("endpoint")
    return OTHER if endpoint is None else "/static/{file}"

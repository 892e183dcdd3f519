"""How long what is sent may be: a body that is too long is refused before it is read whole."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geo.errors import Fault, LimitError

TOO_LARGE = 413
Answer = Callable[[Request, Exception], Awaitable[Response]]


class BodyTooLong(HTTPException):
    """More was sent than is taken; an HTTPException, so that whoever reads the body passes it on."""

    def __init__(self, most: int, found: str) -> None:
        super().__init__(TOO_LARGE)
        self.limit = LimitError(Fault(f"at most {most} bytes", found, "body"), limit="body")


class BodyLimit:
    """Refuses bodies of more than ``most`` bytes, by what they say of themselves and by what comes."""

    def __init__(self, app: ASGIApp, most: int, answer: Answer) -> None:
        self.app, self.most, self.answer = app, most, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, its body up to the limit."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if told.isdigit() and int(told[:20]) > self.most:
            refused = BodyTooLong(self.most, f"{int(told[:20])}")
            await (await self.answer(Request(scope), refused.limit))(scope, receive, send)
            return
        await self.app(scope, self._counted(receive), send)

    def _counted(self, receive: Receive) -> Receive:
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self.most:
                raise BodyTooLong(self.most, "more")
            return message

        return counted

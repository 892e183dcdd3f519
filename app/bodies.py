"""How long what is sent may be: a body that is too long is refused before it is read whole."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geo.errors import Fault, LimitError

TOO_LARGE = 413
UPLOADS = re.compile(r"/api/v1/studies(/[^/]+/layers/[^/]+)?/?$")
"""Paths to which files are sent, by POST and PUT as forms."""
Answer = Callable[[Request, Exception], Awaitable[Response]]


class BodyTooLong(HTTPException):
    """More was sent than is taken; an HTTPException, so that whoever reads the body passes it on."""

    def __init__(self, most: int, found: str) -> None:
        super().__init__(TOO_LARGE)
        self.limit = LimitError(Fault(f"at most {most} bytes", found, "body"), limit="body")


class BodyLimit:
    """Refuses bodies of more than ``most`` bytes, forms with files of more than ``upload``, by what they say of
    themselves and by what comes."""

    def __init__(self, app: ASGIApp, most: int, answer: Answer, upload: int = 0) -> None:
        self.app, self.most, self.answer, self.upload = app, most, answer, max(upload, most)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, its body up to the limit."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        told, most = headers.get(b"content-length", b"0"), self._most(scope, headers.get(b"content-type", b""))
        if told.isdigit() and int(told[:20]) > most:
            refused = BodyTooLong(most, f"{int(told[:20])}")
            await (await self.answer(Request(scope), refused.limit))(scope, receive, send)
            return
        await self.app(scope, self._counted(receive, most), send)

    def _most(self, scope: Scope, form: bytes) -> int:
        """How long the body of a request may be."""
        caller = scope.get("state", {}).get("caller")
        if caller is not None and not caller.may("edit"):
            return self.most
        sent = scope["method"] in ("POST", "PUT") and form.lower().startswith(b"multipart/form-data")
        return self.upload + self.most if sent and UPLOADS.search(scope["path"]) else self.most

    def _counted(self, receive: Receive, most: int) -> Receive:
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
                raise BodyTooLong(most, "more")
            return message

        return counted

"""Answers that a reader may keep: strong ETags, 304 where nothing changed, gzip where it is understood."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable

from fastapi import Request, Response

from app import __version__

GZIP_LEVEL = 5
GZIP_FROM_BYTES = 1000
WHILE_LOOKED_AT = "public, max-age=3600"
REVALIDATE = "public, no-cache"


def tag(*parts: object) -> str:
    """The name of one state of a resource, made of what decides its bytes; the program's version is one of these."""
    named = "\n".join(map(str, (__version__, *parts)))
    return hashlib.sha256(named.encode()).hexdigest()[:24]


def kept(
    request: Request, build: Callable[[], bytes], *, media_type: str, state: str, cache: str = REVALIDATE,
    headers: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    """Answer with ``build()``, or 304 without building when the reader has this ``state`` already.

    The ETag names the state and the coding, since the same state gzipped is other bytes.
    """
    zipped = "gzip" in request.headers.get("accept-encoding", "") and not media_type.startswith("image/png")
    etag = f'"{state}{"-gz" if zipped else ""}"'
    shown = {"ETag": etag, "Cache-Control": cache, "Vary": "Accept-Encoding, Accept-Language", **(headers or {})}
    if _has(request, state):
        return Response(status_code=304, headers=shown)
    body = build()
    if zipped and len(body) >= GZIP_FROM_BYTES:
        body = gzip.compress(body, GZIP_LEVEL, mtime=0)
        shown["Content-Encoding"] = "gzip"
    return Response(body, media_type=media_type, headers=shown)


def _has(request: Request, state: str) -> bool:
    """Whether If-None-Match names this state in either coding; weak marks are set by proxies and compare equal."""
    given = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")}
    return bool(given & {f'"{state}"', f'"{state}-gz"', "*"})

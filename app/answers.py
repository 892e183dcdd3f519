"""Answers that a reader may keep: strong ETags, 304 where nothing changed, gzip where it is understood."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable

from fastapi import Request, Response
from pydantic import BaseModel

from app import __version__
from app.links import here
from tiles.cache import Packed, TileMemory

JSON = "application/json"
GZIP_LEVEL = 5
GZIP_FROM_BYTES = 1000
REMEMBERED_MOST = 2 * 2**20
"""Larger bodies are made each time, bytes."""
WHILE_LOOKED_AT = "public, max-age=3600"
REVALIDATE = "public, no-cache"
PRIVATE = "private, no-cache"
"""Of what not everybody may read."""
WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")


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
    zipped = takes_gzip(request) and not media_type.startswith("image/png")
    shown = {**labels(state, cache=cache, zipped=zipped), **(headers or {})}
    if has(request, state):
        return Response(status_code=304, headers=shown)
    packed = _remembered(request, build, state, zipped=zipped)
    if packed.zipped:
        shown["Content-Encoding"] = "gzip"
    return Response(packed.body, media_type=media_type, headers=shown)


def sent(
    request: Request, body: bytes | BaseModel, *, cache: str = REVALIDATE, headers: dict[str, str] | None = None
) -> Response:  # fmt: skip
    """Answer with JSON that is made already, gzipped for who takes that.

    What was asked for by GET has the ETag of its bytes, and is 304 for who has them; what was sent for is not kept.
    """
    made = body if isinstance(body, bytes) else body.model_dump_json().encode()
    if request.method in ("GET", "HEAD"):
        return kept(request, lambda: made, media_type=JSON, state=tag(made), cache=cache, headers=headers)
    packed = _packed(made, zipped=takes_gzip(request))
    coding = {"Content-Encoding": "gzip"} if packed.zipped else {}
    shown = {"Cache-Control": "no-store", "Vary": "Accept-Encoding", **coding, **(headers or {})}
    return Response(packed.body, media_type=JSON, headers=shown)


def _remembered(request: Request, build: Callable[[], bytes], state: str, *, zipped: bool) -> Packed:
    """The body, out of the service's memory when it was sent before: its address and its state decide it whole.

    A body that was made with an address only this request tells of, or with its ticket, is not kept.
    """
    memory: TileMemory = request.app.state.service.answers
    links = here()
    name = tag(state, zipped, links.root, links.origin, request.scope["path"], request.scope["query_string"])
    if (found := memory.get(name)) is not None:
        return found
    before = len(links.used)
    packed = _packed(build(), zipped=zipped)
    if len(packed.body) <= REMEMBERED_MOST and len(links.used) == before and links.ticket is None:
        memory.put(name, packed)
    return packed


def _packed(body: bytes, *, zipped: bool) -> Packed:
    if not zipped or len(body) < GZIP_FROM_BYTES:
        return Packed(body, zipped=False)
    return Packed(gzip.compress(body, GZIP_LEVEL, mtime=0), zipped=True)


def takes_gzip(request: Request) -> bool:
    """Whether who asks understands gzip (RFC 9110 §12.5.3): it or ``*`` is named, with a weight above nothing."""
    weights = {}
    for part in ",".join(request.headers.getlist("accept-encoding")).lower().split(","):
        coding, *said = (word.strip() for word in part.split(";"))
        weights[coding] = next((word.removeprefix("q=") for word in said if word.startswith("q=")), "1")
    weight = weights.get("gzip", weights.get("*", "0"))
    return bool(WEIGHT.fullmatch(weight)) and float(weight) > 0


def labels(state: str, *, cache: str, zipped: bool) -> dict[str, str]:
    """The headers of an answer that may be kept."""
    etag = f'"{state}{"-gz" if zipped else ""}"'
    return {"ETag": etag, "Cache-Control": cache, "Vary": "Accept-Encoding, Accept-Language"}


def has(request: Request, state: str) -> bool:
    """Whether If-None-Match names this state in either coding; weak marks are set by proxies and compare equal."""
    given = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")}
    return bool(given & {f'"{state}"', f'"{state}-gz"', "*"})

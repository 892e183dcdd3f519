"""The service, assembled."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import __version__, assets, maps, problems
from app.answers import GZIP_LEVEL, REVALIDATE
from app.bodies import BodyLimit
from app.deps import Service
from app.routes import checks, health, pages, route, runs, site_check, studies, tiles, what_if
from app.settings import Settings

DESCRIPTION = """Studies and their runs: who reaches a safe shelter, by which streets, and who does not and why.

Errors are problem documents (RFC 9457); branch on their `code`. Coordinates are longitude, latitude on WGS 84.

Everything that belongs to a run never changes and may be kept; it carries a strong ETag."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Sent with every answer that does not say otherwise; pages bring their own policy."""
RESOURCES = (pages, studies, checks, route, what_if, site_check, runs, tiles, health)
STATIC = Path(maps.__file__).parent / "static"


def create_app(settings: Settings) -> FastAPI:
    """The application for these settings."""
    app = FastAPI(title="Renxing", version=__version__, description=DESCRIPTION, docs_url=None, redoc_url=None)
    app.state.service = Service(settings)
    # Map pages are sandboxed, so their origin is opaque: what they read must be readable from anywhere.
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET"], expose_headers=["ETag"])
    app.add_middleware(BodyLimit, most=settings.body_bytes, answer=problems.ours)
    app.add_middleware(SafeHeaders)
    problems.install(app)
    for resource in RESOURCES:
        app.include_router(resource.router)
    problems.describe(app)
    app.mount(
        "/static/assets", GZipMiddleware(Files(directory=assets.folder(), check_dir=False), compresslevel=GZIP_LEVEL)
    )
    app.mount("/static", GZipMiddleware(Files(directory=STATIC), compresslevel=GZIP_LEVEL))
    return app


def from_environment() -> FastAPI:
    """The application as the environment sets it; what server processes call."""
    return create_app(Settings.read())


class Files(StaticFiles):
    """Files that a reader asks after each time and is mostly told are unchanged."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or 304."""
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = REVALIDATE
        return answer


class SafeHeaders:
    """Adds the headers that keep a browser from doing more with an answer than it should."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; complete the answer's headers."""

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, complete if scope["type"] == "http" else send)

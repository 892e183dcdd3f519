"""The service, assembled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware

from app import __version__, problems
from app.deps import Service
from app.routes import health, runs, studies, tiles
from app.settings import Settings

DESCRIPTION = """Studies and their runs: who can reach a shelter that is safe and has room, by which streets, and why not.

Errors are problem documents (RFC 9457); branch on their `code`. Coordinates are longitude, latitude on WGS 84.
Everything that belongs to a run never changes and may be kept; it carries a strong ETag."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Sent with every answer that does not say otherwise; pages bring their own policy."""
ROUTERS = (health.router, studies.router, runs.router, tiles.router)


def create_app(settings: Settings) -> FastAPI:
    """The application for these settings."""
    app = FastAPI(title="Renxing", version=__version__, description=DESCRIPTION, docs_url=None, redoc_url=None)
    app.state.service = Service(settings)
    # Map pages are sandboxed, so their origin is opaque: what they read must be readable from anywhere.
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET", "HEAD"], expose_headers=["ETag"])
    app.middleware("http")(_with_headers)
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    return app


def from_environment() -> FastAPI:
    """The application as the environment sets it; what server processes call."""
    return create_app(Settings())


async def _with_headers(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
    answer = await call(request)
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    return answer

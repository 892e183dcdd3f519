"""The service, assembled."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope as Asked

from app import __version__, assets, maps, problems
from app.access import Scope, needs
from app.access.callers import Callers
from app.access.described import Operations
from app.access.edge import Edge
from app.access.gate import Access, Gate
from app.access.headers import SafeHeaders
from app.access.origins import Origins
from app.answers import GZIP_LEVEL, REVALIDATE
from app.bodies import BodyLimit
from app.deps import Service
from app.observed import Observed
from app.routes import (
    audit,
    checks,
    edits,
    health,
    jobs,
    login,
    ogc,
    pages,
    route,
    runs,
    site_check,
    studies,
    tiles,
    what_if,
)
from app.settings import Settings
from app.store import register

DESCRIPTION = """Studies and their runs: who reaches a safe shelter, by which streets, and who does not and why.

Errors are problem documents (RFC 9457); branch on their `code`. Coordinates are longitude, latitude on WGS 84.

Everything that belongs to a run never changes and may be kept; it carries a strong ETag."""
RESOURCES = (pages, studies, edits, checks, route, what_if, site_check, runs, jobs, tiles, ogc, audit)
"""What needs a scope: at least ``read``, and what a route asks for beyond."""
OPEN = (health, login)
EXPOSED = ["Content-Crs", "ETag", "Link", "Retry-After", "RateLimit", "RateLimit-Policy"]
"""Headers that pages of other sites may read."""
STATIC = Path(maps.__file__).parent / "static"


def create_app(settings: Settings) -> FastAPI:
    """The application for these settings."""
    app = FastAPI(title="Renxing", version=__version__, description=DESCRIPTION, docs_url=None, redoc_url=None)
    app.state.service = Service(settings)
    made = settings.workspace / register.FILE
    callers = Callers(lambda: app.state.service.register, is_there=lambda: bool(settings.database) or made.is_file())
    app.state.access = Access.of(settings, callers)
    _guard(app, settings)
    problems.install(app)
    for resource in RESOURCES:
        app.include_router(resource.router, dependencies=[needs(Scope.read)])
    for resource in OPEN:
        app.include_router(resource.router)
    problems.describe(app)
    app.mount(
        "/static/assets", GZipMiddleware(Files(directory=assets.folder(), check_dir=False), compresslevel=GZIP_LEVEL)
    )
    app.mount("/static", GZipMiddleware(Files(directory=STATIC), compresslevel=GZIP_LEVEL))
    return app


def _guard(app: FastAPI, settings: Settings) -> None:
    """What a request goes through before its route, the innermost first."""
    access: Access = app.state.access
    app.add_middleware(problems.Caught)
    app.add_middleware(BodyLimit, most=settings.body_bytes, upload=settings.upload_bytes, answer=problems.ours)
    operations = lru_cache(maxsize=1)(lambda: Operations(app.openapi()))
    app.add_middleware(
        Gate, access=access, operations=operations, answer=problems.refused, sign_in=login.challenge
    )  # fmt: skip
    # Map pages are sandboxed, so their origin is opaque: what they read must be readable from anywhere.
    app.add_middleware(Origins, access=access, expose_headers=EXPOSED)
    app.add_middleware(Edge, place=access.place, header_bytes=settings.header_bytes, answer=problems.refused)
    app.add_middleware(SafeHeaders)
    app.add_middleware(Observed)


def from_environment() -> FastAPI:
    """The application as the environment sets it; what server processes call."""
    return create_app(Settings.read())


class Files(StaticFiles):
    """Files that a reader asks after each time and is mostly told are unchanged."""

    async def get_response(self, path: str, scope: Asked) -> Response:
        """The file, or 304."""
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = REVALIDATE
        return answer

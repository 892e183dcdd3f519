"""What a route asks of its caller: ``Annotated[Caller, needs(Scope.edit)]`` or ``dependencies=[needs(Scope.read)]``."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fastapi import Request, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import Scope as Asked

from app.access.callers import CURE
from app.access.scopes import Caller, Scope
from geo.errors import AccessError, Fault, UnknownCallerError

SCHEME = "bearer"
"""Name of the security scheme; ``app.access.described`` adds the other way to send the same key."""


class Needs(SecurityBase):
    """Lets those through who have a scope."""

    model = HTTPBearer(description="A key with the scope, made by `renxing key create`.")
    scheme_name = SCHEME

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __repr__(self) -> str:
        return f"needs({self.scope})"

    async def __call__(self, request: Request) -> Caller:
        """The caller. UnknownCallerError without a key, AccessError with one that does not reach so far."""
        caller: Caller = request.state.caller
        require(caller, self.scope)
        if caller.study_id is not None:
            await _covered(request, caller)
        if self.scope is not Scope.read and caller.by != "key" and not is_own(request.scope, caller):
            fault = Fault("a request from this service's own pages, or one with a key in its headers",
                          "one that a page of another site made", "Origin, Sec-Fetch-Site")  # fmt: skip
            raise AccessError(fault)
        return caller


@lru_cache(maxsize=len(Scope))
def _needs(scope: Scope) -> Needs:
    return Needs(scope)


def needs(scope: Scope) -> Any:
    """A dependency that is the caller, who has ``scope``; said in the OpenAPI description."""
    return Security(_needs(scope), scopes=[scope.value])


def require(caller: Caller, scope: Scope) -> None:
    """UnknownCallerError for who has no key, AccessError for who has one that does not reach so far."""
    if caller.may(scope):
        return
    wanted = f"a key with the scope {scope}"
    if caller.key_id is None:
        raise UnknownCallerError(Fault(wanted, "none", "Authorization, X-API-Key", CURE))
    has = ", ".join(one for one in Scope if one in caller.scopes) or "nothing"
    raise AccessError(Fault(wanted, f"one with {has}", caller.id, f"Ask who runs the service for --scope {scope}."))


async def _covered(request: Request, caller: Caller) -> None:
    """AccessError when what a ticket holder asks for does not belong to the ticket's study."""
    named = request.path_params
    if "run" in named:
        held = request.app.state.service
        run = await run_in_threadpool(held.workspace.run, str(named["run"]))
        study_id = run.record.study_id
    else:
        study_id = named.get("study")
    if study_id != caller.study_id:
        raise AccessError(Fault(f"something of study {caller.study_id}", "something else", "ticket"))


def is_own(scope: Asked, caller: Caller) -> bool:
    """Whether a change without a key in its headers is asked for by a page of ours, or by no page at all.

    A browser says where a page is from; a session counts only with that word. Without a session what sends no such
    word is no browser.
    """
    headers = Headers(scope=scope)
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and origin.lower() != own_origin(scope):
        return False
    if site not in (None, "same-origin", "none"):
        return False
    return caller.by == "address" or origin is not None or site == "same-origin"


def own_origin(scope: Asked) -> str:
    """The origin of our own pages, as this request's reader sees them."""
    return f"{scope['scheme']}://{Headers(scope=scope).get('host', '')}".lower()

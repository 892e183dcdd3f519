"""What a caller may do, and who it is.

A key lists its scopes. Two rules beside that: whoever may do anything may also read, and ``admin`` may do everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from geo.errors import Fault, ParameterError


class Scope(StrEnum):
    """What can be allowed."""

    read = "read"
    run = "run"
    edit = "edit"
    admin = "admin"


NONE: frozenset[Scope] = frozenset()
READ = frozenset({Scope.read})
ALL = frozenset(Scope)
UNTOLD = "nobody"
"""Stands for the name of a caller without a key."""


def granted(listed: Iterable[Scope]) -> frozenset[Scope]:
    """Everything that a list of scopes allows."""
    given = frozenset(listed)
    return ALL if Scope.admin in given else given | READ if given else NONE


def scopes(text: str) -> tuple[Scope, ...]:
    """The scopes of a list such as ``read,run``, each once, in their order; ParameterError for another word or none."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    wrong = [word for word in words if word not in set(Scope)]
    if wrong or not words:
        cure = "Write --scope read,run: several with commas between."
        raise ParameterError(Fault(f"scopes out of {', '.join(Scope)}", ", ".join(wrong)[:80] or "none", "scope", cure))
    return tuple(scope for scope in Scope if scope in words)


@dataclass(frozen=True)
class Caller:
    """Who asks, by key or by address.

    ``study_id`` is set where only that study may be read, ``by`` is how the caller is known: ``key``, ``session`` (a
    cookie), ``ticket`` or ``address``. None in the numbers is the service's own rate, and no quota.
    """

    key_id: str | None
    name: str
    scopes: frozenset[Scope]
    address: str
    by: str = "address"
    study_id: str | None = None
    per_minute: int | None = None
    runs_per_day: int | None = None

    @property
    def id(self) -> str:
        """What jobs and the audit call this caller: ``key:KEY_ID`` or ``address:IP``."""
        return f"key:{self.key_id}" if self.key_id else f"address:{self.address}"

    def may(self, scope: Scope) -> bool:
        """Whether the caller has a scope."""
        return scope in self.scopes

"""What the OpenAPI description says of access: the ways to send a key, and the scope each operation needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.routing import compile_path

from app.access.needs import SCHEME
from app.access.scopes import Scope

HEADER = "apiKey"
SCHEMES = {
    SCHEME: {"type": "http", "scheme": "bearer", "description": "A key: `Authorization: Bearer rx_…`."},
    HEADER: {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key."},
}  # fmt: skip
FREE = {"open": frozenset(Scope), "auto": frozenset(Scope), "public": frozenset({Scope.read}), "keys": frozenset()}


def describe(description: dict[str, Any], mode: str) -> None:
    """Complete a description in place: each operation with a scope names it and takes a key in either header.

    Where a scope needs no key in this mode, having none is one of the ways (an empty requirement).
    """
    description.setdefault("components", {})["securitySchemes"] = SCHEMES
    for item in description["paths"].values():
        for operation in item.values():
            wanted = scopes_of(operation)
            if wanted:
                free: list[dict[str, list[str]]] = [{}] if wanted <= FREE[mode] else []
                names = [scope.value for scope in Scope if scope in wanted]
                operation["security"] = [*free, {SCHEME: names}, {HEADER: names}]
                operation["x-scope"] = names[-1]


class Operations:
    """What each operation of a description needs, found by method and path."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        self._needs = [
            (method.upper(), compile_path(path)[0], frozenset(scopes_of(operation)))
            for path, item in description["paths"].items()
            for method, operation in item.items()
        ]

    def __repr__(self) -> str:
        return f"Operations({len(self._needs)})"

    def needed(self, method: str, path: str) -> list[Scope]:
        """The scopes of an operation, the least first; none for a path there is none of."""
        found = (scopes for own, pattern, scopes in self._needs if own == method and pattern.match(path))
        wanted = next(found, frozenset())
        return [scope for scope in Scope if scope in wanted]


def scopes_of(operation: Mapping[str, Any]) -> set[Scope]:
    """The scopes that an operation asks for."""
    return {Scope(scope) for way in operation.get("security", []) for scope in way.get(SCHEME, [])}

"""The service as somebody far away reaches it, with keys of every scope."""

from __future__ import annotations

import json
import re
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response

from app.access import Scope, audit, keys
from app.main import create_app
from app.settings import Settings

FAR = "203.0.113.7"
"""An address of nobody (RFC 5737)."""
HOST = "plans.example"


class Site:
    """A service, its client, and keys by scope."""

    def __init__(self, workspace: Path, *, address: str = FAR, seen_as: str = HOST, **settings: Any) -> None:
        self.app = create_app(Settings(workspace=workspace, **settings))
        self.host, self.address = seen_as, address
        self.client = self.fresh()

    def fresh(self, *, scheme: str = "http", address: str = "") -> TestClient:
        """Another browser, without cookies; it follows no redirects."""
        came = (address or self.address, 40_000)
        base = f"{scheme}://{self.host}"
        return TestClient(self.app, base_url=base, client=came, follow_redirects=False, raise_server_exceptions=False)

    @cached_property
    def keys(self) -> dict[str, str]:
        """A key's text by the scopes it was given."""
        held = self.app.state.service.register
        given = {scope.value: (scope,) for scope in Scope}
        return {name: keys.create(held, name, scopes, by=audit.AT_HAND)[1] for name, scopes in given.items()}

    def browser(self) -> Site:
        """The same service with a client of its own."""
        other = copy(self)
        other.client = self.fresh()
        return other

    def ask(self, method: str, path: str, key: str | None = None, **more: Any) -> Response:
        """One request, with the key of a scope."""
        headers = more.pop("headers", {})
        if key is not None:
            headers = {"Authorization": f"Bearer {self.keys.get(key, key)}", **headers}
        return self.client.request(method, path, headers=headers, **more)

    def get(self, path: str, key: str | None = None, **more: Any) -> Response:
        """One page or document."""
        return self.ask("GET", path, key, **more)


def view_of(page: str) -> dict[str, Any]:
    """What a map page tells its scripts."""
    found = re.search(r'<script type="application/json" id="view">(.*?)</script>', page, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))

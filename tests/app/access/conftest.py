"""A register on either engine, and a service that others reach."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store.register import Register
from tests.app.access.site import Site
from tests.app.hand_made import saved
from tests.postgis import Server, postgis

__all__ = ["postgis"]
ENGINES = ("sqlite", "postgres")


@pytest.fixture(scope="module", params=ENGINES)
def register(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Register]:
    """A register of each engine, the same for a module."""
    server: Server | None = request.getfixturevalue("postgis") if request.param == "postgres" else None
    made = Register.open(tmp_path_factory.mktemp("register"), server.fresh() if server else "")
    yield made
    made.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a study and its run, the same for a module."""
    return saved(tmp_path_factory.mktemp("access"))[0].path


@pytest.fixture(scope="module")
def secured(folder: Path) -> Site:
    """The service with keys, as somebody far away asks it."""
    return Site(folder, access="keys", requests_per_minute=0, tiles_per_minute=0)


@pytest.fixture(scope="module")
def public(folder: Path) -> Site:
    """The service that everybody may read, as somebody far away asks it."""
    return Site(folder, access="public", requests_per_minute=0, tiles_per_minute=0)


@pytest.fixture(scope="module")
def keyless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace for which nobody ever made a key, the same for a module."""
    return saved(tmp_path_factory.mktemp("keyless"))[0].path


@pytest.fixture(scope="module")
def opened(keyless: Path) -> Site:
    """The service as it is by default, asked on its own machine."""
    return Site(keyless, address="127.0.0.1", seen_as="localhost:8000")

"""The command line, and workspaces with the drawn town."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app import drawn_town
from tests.app.command_line import Renxing, commanded


@pytest.fixture
def renxing(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Renxing:
    return Renxing(tmp_path / "workspace", capfd, monkeypatch)


@pytest.fixture
def town(renxing: Renxing, tmp_path: Path) -> Renxing:
    """A workspace with the drawn town."""
    assert renxing("new", "town", "--osm", drawn_town.extract(tmp_path), "--name", "Town").code == 0
    return renxing


@pytest.fixture
def flooded(town: Renxing, tmp_path: Path) -> Renxing:
    """The town with its flood."""
    flood = drawn_town.flood(tmp_path)
    added = town("add", "town", "hazard", flood, "--hazard", "flood", "--unit", "m", "--scenario", "flood")
    assert added.code == 0, added.err
    return town


@pytest.fixture(scope="session")
def housed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the flooded town and its hall: made once, for tests that only ask."""
    folder = tmp_path_factory.mktemp("asked")
    workspace = folder / "workspace"
    commanded(workspace, "new", "town", "--osm", drawn_town.extract(folder), "--name", "Town")
    flood = ("--hazard", "flood", "--unit", "m", "--scenario", "flood")
    commanded(workspace, "add", "town", "hazard", drawn_town.flood(folder), *flood)
    commanded(workspace, "add", "town", "shelters", drawn_town.shelters(folder))
    return workspace

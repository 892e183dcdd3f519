"""Layers made ready are kept for the next process, within their bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from app.deps import Service
from app.ready import PLACE, Ready, warm
from app.settings import Settings
from app.showing import Shown
from tests.app.hand_made import saved
from tests.tiles.test_mvt import QUARTER, table
from tiles.mvt import encode
from tiles.source import Source, prepare


def layer(name: str = "l", n: int = 3) -> Source:
    points = shapely.points(np.column_stack((np.linspace(0.6, 0.7, n), np.full(n, 0.2))))
    return prepare(name, table(list(points), people=list(range(n))), columns=["people"])


def unasked() -> list[Source]:
    raise AssertionError("made again")


def test_what_was_made_is_there_for_the_next(tmp_path: Path) -> None:
    ready = Ready(tmp_path / "cache", 10**6)
    made = ready.get("a", lambda: [layer("x"), layer("y", 5)])
    again = Ready(tmp_path / "cache", 10**6).get("a", unasked)
    assert [source.name for source in again] == ["x", "y"]
    assert encode(QUARTER, again) == encode(QUARTER, made)


def test_the_ones_opened_longest_ago_go(tmp_path: Path) -> None:
    ready = Ready(tmp_path, 40_000)
    for i in range(8):
        ready.get(f"{i}", lambda: [layer(n=200)])
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left[-1] == "7" and 1 <= len(left) < 8
    with pytest.raises(AssertionError, match="made again"):
        ready.get("0", unasked)


def test_a_folder_that_is_torn_is_made_anew(tmp_path: Path) -> None:
    ready = Ready(tmp_path, 10**6)
    ready.get("a", lambda: [layer()])
    (tmp_path / "a" / "0" / "codes.npy").write_bytes(b"")
    assert len(ready.get("a", lambda: [layer(n=7)])[0]) == 7
    assert len(Ready(tmp_path, 10**6).get("a", unasked)[0]) == 7


def test_without_room_or_rights_they_are_made_each_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for ready in (Ready(tmp_path / "file" / "x", 10**6), Ready(tmp_path / "none", 0)):
        assert len(ready.get("a", lambda: [layer()])[0]) == 3
    assert not (tmp_path / "none").exists()


def test_a_run_can_be_made_ready_before_anybody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tiles.layer.FETCHED_FEATURES", 0)
    made, run = saved(tmp_path)
    settings = Settings(workspace=made.path)
    assert warm(run, settings) == len(list((made.path / PLACE).iterdir())) > 0
    held = Service(settings)
    monkeypatch.setattr(Shown, "source", None)
    assert len(held.source(run.run_id, "communities")) == run.layer("communities").rows

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import geopandas.testing
import pandas as pd
import pytest

from data import osm
from data.osm import cache
from geo.errors import FileMissingError, UnreadableError
from geo.network import no_restrictions
from tests.data.osm.drawn import street


@pytest.fixture
def extract(tmp_path: Path) -> osm.Extract:
    town = street().box(2, 0, 10, 9, 9, building="yes", amenity="school", name="金陵中学").node(5, 9, 0, barrier="gate")
    town.way(3, [3, 5], highway="path").line(4, (0, 5), (9, 5), railway="rail")
    turn = [("w", 1, "from"), ("n", 3, "via"), ("w", 3, "to")]
    town.relation(8, turn, type="restriction", restriction__hgv="no_left_turn").way(6, [5, 1], highway="path")
    town.relation(9, [("w", 1, "from"), ("w", 3, "via"), ("w", 6, "to")], type="restriction", restriction="no_u_turn")
    return osm.read(town.write(tmp_path / "a.osm"))


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_what_is_kept_comes_back(extract: osm.Extract, tmp_path: Path) -> None:
    osm.save(extract, tmp_path / "kept")
    back = osm.load(tmp_path / "kept")
    for name in cache.TABLES:
        geopandas.testing.assert_geodataframe_equal(getattr(extract, name), getattr(back, name))
    pd.testing.assert_frame_equal(extract.ways.tags, back.ways.tags)
    pd.testing.assert_frame_equal(extract.ways.barriers, back.ways.barriers)
    pd.testing.assert_frame_equal(extract.ways.restrictions, back.ways.restrictions)
    assert back.ways.restrictions["via_ways"].tolist() == [(), (3,)]
    for name in ("start", "node", "x", "y"):
        assert (getattr(extract.ways, name) == getattr(back.ways, name)).all()
    for name in ("crs", "bounds", "date", "counts", "attribution", "licence"):
        assert getattr(extract, name) == getattr(back, name)
    assert back.buildings["name_en"].tolist() == [None]


def test_an_extract_without_restrictions_comes_back_without(tmp_path: Path) -> None:
    osm.save(osm.read(street().write(tmp_path / "a.osm")), tmp_path / "kept")
    pd.testing.assert_frame_equal(osm.load(tmp_path / "kept").ways.restrictions, no_restrictions())


def test_the_same_extract_gives_the_same_bytes(extract: osm.Extract, tmp_path: Path) -> None:
    osm.save(extract, tmp_path / "one")
    osm.save(osm.load(tmp_path / "one"), tmp_path / "two")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_who_comes_second_leaves_what_is_there(extract: osm.Extract, tmp_path: Path) -> None:
    osm.save(extract, tmp_path / "kept")
    (tmp_path / "kept" / "mark").touch()
    osm.save(extract, tmp_path / "kept")
    assert (tmp_path / "kept" / "mark").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".new-")] == []


def test_a_second_reading_needs_no_map(extract: osm.Extract, tmp_path: Path) -> None:
    path, kept = tmp_path / "a.osm", tmp_path / "cache"
    first = osm.read_through(path, kept, sha256="ab" * 32)
    path.unlink()
    assert repr(osm.read_through(path, kept, sha256="ab" * 32)) == repr(first)
    with pytest.raises(FileMissingError):
        osm.read_through(path, kept, sha256="cd" * 32)


def test_a_broken_copy_is_made_anew(extract: osm.Extract, tmp_path: Path) -> None:
    path, kept = tmp_path / "a.osm", tmp_path / "cache"
    osm.read_through(path, kept, sha256="ab" * 32)
    (folder,) = kept.iterdir()
    (folder / "buildings.parquet").write_bytes(b"torn")
    with pytest.raises(UnreadableError):
        osm.load(folder)
    assert len(osm.read_through(path, kept, sha256="ab" * 32).buildings) == 1
    assert len(osm.load(folder).buildings) == 1


def test_another_form_is_not_used(extract: osm.Extract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    osm.save(extract, tmp_path / "kept")
    monkeypatch.setattr(cache, "FORMAT", cache.FORMAT + 1)
    with pytest.raises(UnreadableError, match="another form"):
        osm.load(tmp_path / "kept")


def test_nothing_kept(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError):
        osm.load(tmp_path / "nothing")


def test_the_folder_may_go_at_any_time(extract: osm.Extract, tmp_path: Path) -> None:
    kept = tmp_path / "cache"
    osm.read_through(tmp_path / "a.osm", kept, sha256="ab" * 32)
    shutil.rmtree(kept)
    assert len(osm.read_through(tmp_path / "a.osm", kept, sha256="ab" * 32).buildings) == 1

"""What storage is made of: ids, files that are written whole, tables, inputs. Workspaces: ``tests/store``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from app.store import files, ids
from app.store.inputs import input_digest, take_in
from app.store.tables import laid_down, read_table, write_table
from geo.errors import ConflictError, FileMissingError, ParameterError
from tests.app.hand_made import CRS, EAST, NORTH
from tests.store.kinds import every_file

# ids


@given(st.text(min_size=1, max_size=80))
def test_a_title_gives_an_id_or_is_refused(title: str) -> None:
    try:
        made = ids.made_id(title, what="study")
    except ParameterError:
        assert not title.strip() or any(ord(c) < 32 or c in "/\\\x7f" or 0x80 <= ord(c) < 0xA0 for c in title)
        return
    assert ids.is_id(made)
    assert ids.made_id(made, what="study") == made


@pytest.mark.parametrize(("title", "made"), [
    ("kampen", "kampen"), ("Kampen aan de IJssel", "kampen-aan-de-ijssel"), ("Düsseldorf", "dusseldorf"),
    ("坎彭", "study-a91ac748"), ("Kampen 坎彭", "study-7b2a0341"),
])  # fmt: skip
def test_titles_by_example(title: str, made: str) -> None:
    assert ids.made_id(title, what="study") == made


def test_titles_in_chinese_stay_apart() -> None:
    assert ids.made_id("鼓楼区", what="study") != ids.made_id("玄武区", what="study")


# files


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    files.write(path, b"first")
    with pytest.raises(RuntimeError), files.replacing(path) as handle:
        handle.write(b"half")
        raise RuntimeError
    assert every_file(tmp_path) == {"study.toml": b"first"}


def test_a_copy_is_the_file_and_its_digest(tmp_path: Path) -> None:
    source = tmp_path / "a"
    source.write_bytes(os.urandom(3_000_000))
    assert files.copy(source, tmp_path / "b") == files.digest(source) == files.digest(tmp_path / "b")


def test_the_digest_of_what_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(FileMissingError):
            files.digest(path)


def test_only_what_dead_processes_left_is_swept(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    gone = tmp_path / f".new-run-00-{dead.pid}"
    (gone / "layers").mkdir(parents=True)
    (tmp_path / f".new-a.toml-00-{dead.pid}").touch()
    (tmp_path / f".new-mine-00-{os.getpid()}").mkdir()
    (tmp_path / ".new-without-a-number").touch()
    assert len(files.sweep(tmp_path)) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == [f".new-mine-00-{os.getpid()}", ".new-without-a-number"]


def test_what_a_builder_elsewhere_still_holds_is_not_swept(tmp_path: Path) -> None:
    """In another container its process id means nothing here; the lock does."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with files.building(tmp_path / "run") as fresh:
        elsewhere = fresh.rename(tmp_path / f".new-run-00-{dead.pid}")
        assert files.sweep(tmp_path) == []
        elsewhere.rename(fresh)
    assert (tmp_path / "run").is_dir()


def test_a_folder_is_built_whole_and_the_first_one_stays(tmp_path: Path) -> None:
    with files.building(tmp_path / "run") as fresh:
        (fresh / "a").write_bytes(b"1")
        assert not (tmp_path / "run").exists()
    with pytest.raises(ConflictError), files.building(tmp_path / "run") as fresh:
        (fresh / "a").write_bytes(b"2")
    assert every_file(tmp_path) == {"run/a": b"1"}


# tables


def test_coordinates_are_kept_to_a_centimetre(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"a_id": ["x"]}, geometry=[shapely.Point(703000.123, 5826000.456)], crs=CRS)
    write_table(laid_down(frame), tmp_path / "t.parquet")
    kept = read_table(tmp_path / "t.parquet")
    assert kept.geometry[0].x == round(kept.geometry[0].x, 7)
    assert kept.to_crs(CRS).geometry[0].distance(frame.geometry[0]) < 0.02
    assert frame.geometry[0].x == 703000.123


# inputs


def test_a_raster_comes_with_the_files_that_say_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "inputs").mkdir()
    source = tmp_path / "Flood.ASC"
    source.write_text("ncols 1")
    source.with_suffix(".PRJ").write_text("RD New")
    source.with_suffix(".txt").write_text("not this one")
    file, digest = take_in(source, tmp_path, "flood")
    assert sorted(p.name for p in (tmp_path / "inputs").iterdir()) == ["flood.asc", "flood.prj"]
    assert (file, digest) == ("inputs/flood.asc", input_digest(tmp_path / file))
    (tmp_path / "inputs/flood.prj").write_text("WGS 84")
    assert input_digest(tmp_path / file) != digest


def test_a_shapefile_becomes_one_zip_with_the_same_bytes_each_time(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(EAST, NORTH)], crs=CRS)
    frame.to_file(tmp_path / "places.shp")
    found = []
    for name in ("one", "other"):
        (tmp_path / name / "inputs").mkdir(parents=True)
        file, digest = take_in(tmp_path / "places.shp", tmp_path / name, "places")
        found.append((file, digest))
        assert gpd.read_file(tmp_path / name / file).geometry[0].equals(frame.geometry[0])
    assert found[0] == found[1]


@pytest.mark.parametrize(("name", "file"), [
    ("Kampen.OSM.PBF", "osm.osm.pbf"), ("a.b.c.tif", "osm.tif"), ("city.osm.xml", "osm.osm.xml"), ("plain", "osm"),
    ("odd.;rm -rf", "osm"), ("x.geo json", "osm"),
])  # fmt: skip
def test_inputs_have_safe_names_that_keep_their_ending(name: str, file: str, tmp_path: Path) -> None:
    (tmp_path / "inputs").mkdir()
    (tmp_path / name).write_bytes(b"x")
    assert take_in(tmp_path / name, tmp_path, "osm")[0] == f"inputs/{file}"

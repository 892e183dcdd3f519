"""Tiles as the service gives them: kept, made once, bounded, told of in TileJSON, all in one file."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pyogrio
import pytest
import rasterio.warp
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from app.export.tiled import as_pmtiles
from app.main import create_app
from app.settings import Settings
from app.tiling import PLACE, Tiles
from tests.app import drawn_town
from tests.app.hand_made import study_file, workspace
from tests.app.test_routes import Site
from tiles import mvt
from tiles.grid import containing


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def kept(site: Site) -> list[Path]:
    deadline = time.monotonic() + 5
    while not (found := [p for p in (site.workspace.path / PLACE).rglob("*") if p.is_file() and p.name[0] != "."]):
        assert time.monotonic() < deadline, "nothing was kept"
        time.sleep(0.01)
    return found


def test_a_tile_is_kept_on_disk_and_another_process_gives_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    first = site.get(f"{site.tile('streets', 14)}.mvt")
    kept(site)
    monkeypatch.setattr(mvt, "encode", None)
    other = TestClient(create_app(Settings(workspace=site.workspace.path)))
    assert other.get(f"{site.tile('streets', 14)}.mvt").content == first != b""


def test_a_torn_tile_is_made_anew(site: Site) -> None:
    fresh = site.get(f"{site.tile('streets', 14)}.mvt")
    (path,) = kept(site)
    path.write_bytes(path.read_bytes()[:-3])
    other = TestClient(create_app(Settings(workspace=site.workspace.path)))
    assert other.get(f"{site.tile('streets', 14)}.mvt").content == fresh


def test_kept_or_not_it_is_the_same(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with_memory = Site(tmp_path / "a")
    without = Site(tmp_path / "b", tile_memory=0, tile_disk=0)
    for site in (with_memory, without):
        twice = [site.client.get(f"{site.tile('communities', 12)}.mvt") for _ in range(2)]
        assert twice[0].content == twice[1].content
        assert twice[0].headers["etag"] == twice[1].headers["etag"]
    assert not (without.workspace.path / PLACE).exists()
    assert twice[0].content == with_memory.get(f"{with_memory.tile('communities', 12)}.mvt")


def test_who_has_a_tile_is_told_so_and_whoever_understands_gzip_gets_it(site: Site) -> None:
    path = f"{site.tile('communities', 12)}.mvt"
    zipped = site.client.get(path, headers={"accept-encoding": "gzip"})
    plain = site.client.get(path, headers={"accept-encoding": "identity"})
    assert plain.content == zipped.content
    assert "content-encoding" not in plain.headers
    assert zipped.headers["etag"] == f'{plain.headers["etag"][:-1]}-gz"'
    again = site.client.get(path, headers={"if-none-match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_where_nothing_is_there_is_no_content_and_a_clear_picture(site: Site) -> None:
    run = site.run.run_id
    empty = site.client.get(f"/tiles/{run}/streets/14/0/0.mvt")
    assert (empty.status_code, empty.content) == (204, b"")
    assert "etag" in empty.headers and "max-age" in empty.headers["cache-control"]
    clear = Image.open(io.BytesIO(site.get(f"/tiles/{run}/hazard_flood/14/0/0.png"))).convert("RGBA")
    assert clear.getextrema()[3] == (0, 0)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["streets/{}/{}/{}.mvt", "hazard_flood/{}/{}/{}.png", "none/{}/{}/{}.mvt", "streets/{}/{}/{}.png"]),
    st.integers(-1, 24), st.integers(-(2**70), 2**70), st.integers(-1, 2**24),
)  # fmt: skip
def test_any_place_is_answered_or_refused(site: Site, form: str, z: int, x: int, y: int) -> None:
    answer = site.client.get(f"/tiles/{site.run.run_id}/" + form.format(z, x, y))
    inside = 0 <= z <= 22 and 0 <= x < 2**z and 0 <= y < 2**z
    wanted = {200, 204} if inside and form.startswith(("streets/{}/{}/{}.mvt", "hazard")) else {404, 422}
    assert answer.status_code in wanted


@pytest.mark.parametrize("path", [
    "/tiles/0123456789abcdef/streets/1/0/0.mvt", "/tiles/{run}/hazard_flood/1/0/0.mvt", "/tiles/{run}/streets.pmtilez",
    "/tiles/{run}/none.json", "/tiles/{run}/none.pmtiles", "/tiles/{run}/hazard_flood.pmtiles",
    "/tiles/x/base/1/0/0.mvt", "/tiles/../base/1/0/0.mvt", "/tiles/%2e%2e/base/1/0/0.mvt", "/tiles/a%00/base/1/0/0.mvt",
])  # fmt: skip
def test_what_is_not_there_is_not_found(site: Site, path: str) -> None:
    assert site.client.get(path.format(run=site.run.run_id)).status_code in (404, 422)


def test_a_failure_is_not_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise MemoryError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(mvt, "encode", broken)
        failing = TestClient(create_app(Settings(workspace=site.workspace.path)), raise_server_exceptions=False)
        assert failing.get(f"{site.tile('streets', 14)}.mvt").status_code == 500
    assert failing.get(f"{site.tile('streets', 14)}.mvt").status_code == 200


def test_a_tile_that_many_ask_for_is_made_once(tmp_path: Path) -> None:
    tiles, made = Tiles(Settings(workspace=tmp_path)), []

    def make() -> bytes:
        made.append(threading.get_ident())
        time.sleep(0.05)
        return b"tile"

    asked = [tiles._once("a" * 24, tiles._finders, lambda: tiles._found("a" * 24, make)) for _ in range(20)]
    assert {future.result(5).body for future in asked} == {b"tile"}
    assert len(made) == 1


def test_no_more_are_drawn_at_the_same_time_than_are_set(tmp_path: Path) -> None:
    tiles, under_way, most = Tiles(Settings(workspace=tmp_path, tile_makers=3)), [0], [0]
    lock = threading.Lock()

    def make() -> bytes:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.02)
        with lock:
            under_way[0] -= 1
        return b""

    def ask(name: str) -> Callable[[], object]:
        return lambda: tiles._found(name, make)

    for future in [tiles._once(f"{i:024}", tiles._finders, ask(f"{i:024}")) for i in range(20)]:
        future.result(5)
    assert most[0] == 3


def test_what_takes_too_long_is_said_so_and_is_there_later(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, go = mvt.encode, threading.Event()

    def slow(*given: Any, **named: Any) -> mvt.Encoded:
        go.wait(10)
        return drawn(*given, **named)

    monkeypatch.setattr(mvt, "encode", slow)
    client = TestClient(create_app(Settings(workspace=site.workspace.path, tile_wait_s=0.2)))
    path = f"{site.tile('streets', 13)}.mvt"
    late = client.get(path)
    assert (late.status_code, late.json()["code"]) == (503, "service-unavailable")
    go.set()
    deadline = time.monotonic() + 10
    while client.get(path).status_code == 503:
        assert time.monotonic() < deadline
    assert client.get(path).status_code == 200


def test_many_at_once_are_all_answered(site: Site) -> None:
    with TestClient(create_app(Settings(workspace=site.workspace.path))) as client, ThreadPoolExecutor(12) as pool:
        paths = [f"{site.tile(layer, z)}.mvt" for layer in ("streets", "communities", "demand") for z in range(6, 15)]
        codes = list(pool.map(lambda path: client.get(path).status_code, paths * 4))
    assert set(codes) <= {200, 204}


# TileJSON


def test_tilejson_says_all_that_a_map_must_know(site: Site) -> None:
    told = site.json(f"/tiles/{site.run.run_id}/communities.json")
    west, south, east, north = told["bounds"]
    assert (told["tilejson"], told["scheme"], told["minzoom"], told["maxzoom"]) == ("3.0.0", "xyz", 0, 15)
    assert west <= told["center"][0] <= east and south <= told["center"][1] <= north
    assert told["minzoom"] <= told["center"][2] <= told["maxzoom"]
    (layer,) = told["vector_layers"]
    assert layer["fields"]["people"].startswith("Number") and layer["fields"]["status"].startswith("String")
    tile = containing(*told["center"][:2], 12)
    carried = mapbox_vector_tile.decode(site.get(f"/tiles/{site.run.run_id}/communities/12/{tile.x}/{tile.y}.mvt"))
    for feature in carried["communities"]["features"]:
        assert set(feature["properties"]) <= set(layer["fields"])
    flood = site.json(f"/tiles/{site.run.run_id}/hazard_flood.json")
    assert flood["vector_layers"] == [] and 8 <= flood["maxzoom"] <= 22


# archives


def test_a_layer_comes_in_one_file_that_gdal_reads(site: Site, tmp_path: Path) -> None:
    path = f"/tiles/{site.run.run_id}/streets.pmtiles"
    whole = site.client.get(path)
    assert whole.headers["content-type"] == "application/vnd.pmtiles"
    assert whole.headers["content-disposition"] == 'attachment; filename="kampen-flood-streets.pmtiles"'
    (file := tmp_path / "streets.pmtiles").write_bytes(whole.content)
    found = pyogrio.read_dataframe(file)
    assert "Oudestraat" in set(found["name"])
    box = rasterio.warp.transform_bounds("EPSG:3857", "EPSG:4326", *found.total_bounds)
    assert box == pytest.approx(site.run.layer("streets").bounds, abs=1e-4)
    part = site.client.get(path, headers={"range": "bytes=0-6"})
    assert (part.status_code, part.content) == (206, b"PMTiles")
    again = site.client.get(path, headers={"if-none-match": whole.headers["etag"]})
    assert again.status_code == 304


def test_a_whole_table_can_be_exported(site: Site, tmp_path: Path) -> None:
    (file := tmp_path / "demand.pmtiles").write_bytes(as_pmtiles(site.run, "demand"))
    found = pyogrio.read_dataframe(file)
    assert set(site.run.layer("demand").columns) - set(found.columns) <= {
        name for name in site.run.layer("demand").columns if site.run.table("demand")[name].isna().all()
    }
    assert len(found) == site.run.layer("demand").rows


def test_archives_are_not_made_where_nothing_is_kept(tmp_path: Path) -> None:
    site = Site(tmp_path, tile_disk=0)
    assert site.json(f"/tiles/{site.run.run_id}/streets.pmtiles", 404)["code"] == "not-found"


def test_the_base_map_comes_in_one_file_and_follows_the_study(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    layer = study_file().layers[0].model_copy(update={"file": "inputs/osm.osm"})
    made.create(study_file("town", layers=[layer]), {"osm": drawn_town.extract(tmp_path)})
    client = TestClient(create_app(Settings(workspace=made.path)))
    (file := tmp_path / "base.pmtiles").write_bytes(client.get("/tiles/town/base.pmtiles").content)
    layers = {name for name, _ in pyogrio.list_layers(file)}
    assert {"streets", "buildings"} <= layers
    assert len(pyogrio.read_dataframe(file, layer="buildings")) == 25
    told = client.get("/tiles/town/base.json").json()
    assert {layer["id"]: layer["minzoom"] for layer in told["vector_layers"]}["buildings"] >= 13
    assert {layer["id"]: layer["fields"].get("kind") for layer in told["vector_layers"]}["streets"] == "String"
    tile = containing(*told["center"][:2], 14)
    path = f"/tiles/town/base/14/{tile.x}/{tile.y}.mvt"
    assert mapbox_vector_tile.decode(client.get(path).content)["streets"]["features"]
    made.delete("town")
    assert client.get(path).status_code == 404


def test_a_run_that_is_gone_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.deps.LOOKED_UP_S", 0.0)
    site = Site(tmp_path)
    path = f"{site.tile('communities', 12)}.mvt"
    assert site.get(path)
    site.workspace.delete("kampen")
    site.get(path, 404)

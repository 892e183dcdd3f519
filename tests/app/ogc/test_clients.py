"""Programs that others wrote read a served study: GDAL through pyogrio, and QGIS where Debian's is there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from app.store import Run
from tests.app.ogc.awkward import ROWS, saved
from tests.app.served import serving
from tests.conftest import IN_CI

QGIS_PYTHON = Path("/usr/bin/python3")
READER = Path(__file__).with_name("qgis_reader.py")
DIRECTLY = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
GDAL_READER = """
import json, sys, pyogrio
asked = json.load(sys.stdin)
asked["bbox"] = tuple(asked["bbox"])
print(json.dumps(sorted(pyogrio.read_dataframe(asked.pop("source"), **asked)["row_id"])))
"""


@dataclass
class Study:
    """A served study with the awkward layer as its latest run."""

    address: str
    run: Run

    @property
    def gdal(self) -> str:
        return f"OAPIF:{self.address}ogc/kampen"

    @property
    def gdal_run(self) -> str:
        return f"{self.gdal}/runs/{self.run.run_id}"

    @property
    def table(self) -> gpd.GeoDataFrame:
        return self.run.table("awkward")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    folder = tmp_path_factory.mktemp("clients")
    made, run = saved(folder)
    with serving(made.path, folder / "log", job_workers=0) as served, pytest.MonkeyPatch.context() as patch:
        for name, value in DIRECTLY.items():
            patch.setenv(name, value)
        yield Study(served.address, run)


# -- GDAL ----------------------------------------------------------------------------------------------------------


def test_gdal_lists_every_layer(study: Study) -> None:
    tables = {layer.layer for layer in study.run.record.layers if layer.kind == "table"}
    assert set(pyogrio.list_layers(study.gdal)[:, 0]) == {f"flood.{name}" for name in tables}
    assert set(pyogrio.list_layers(study.gdal_run)[:, 0]) == tables
    info = pyogrio.read_info(study.gdal, layer="flood.communities")
    assert (info["features"], info["geometry_type"]) == (2, "Polygon")
    np.testing.assert_allclose(info["total_bounds"], study.run.layer("communities").bounds)


@pytest.mark.parametrize("name", ["awkward", "communities", "demand", "shelters", "streets"])
@pytest.mark.parametrize("page", [3, 1000])
def test_gdal_reads_every_feature_as_it_is_kept(study: Study, name: str, page: int) -> None:
    kept = study.run.table(name)
    found = pyogrio.read_dataframe(study.gdal, layer=f"flood.{name}", PAGE_SIZE=page)
    assert len(found) == len(kept)
    for read, shape in zip(found.geometry, kept.geometry, strict=True):
        assert read is shape is None or shapely.equals_exact(read, shape)
    for column in kept.columns.drop("geometry"):
        assert plain(found[column]) == plain(kept[column]), column


def plain(column: pd.Series) -> list[Any]:
    """Values that can be compared: dates as text, None for what is missing."""
    return [None if pd.isna(v) else str(v)[:10] if hasattr(v, "year") else v for v in column]


def asked_of_gdal(source: str, **options: Any) -> tuple[list[str], dict[str, list[str]]]:
    """The rows that GDAL reads, and what its last request asked the service for."""
    done = subprocess.run(
        [sys.executable, "-c", GDAL_READER], input=json.dumps({"source": source, **options}), text=True,
        capture_output=True, env={**os.environ, **DIRECTLY, "CPL_DEBUG": "HTTP"}, check=True, timeout=60,
    )  # fmt: skip
    fetched = re.findall(r"Fetch\((.*)\)", done.stderr)
    return json.loads(done.stdout), parse_qs(urlsplit(fetched[-1]).query)


def test_gdal_lets_the_service_look_for_boxes_and_values(study: Study) -> None:
    table = study.table
    west, south, east, north = table.total_bounds
    box = (west, south, (west + east) / 2, (south + north) / 2)
    rows, query = asked_of_gdal(
        study.gdal, layer="flood.awkward", bbox=box, where="status = 'bad' AND (people > 3 OR name LIKE '坎%')"
    )
    wanted = table.intersects(shapely.box(*box)) & (table["status"] == "bad")
    wanted &= (table["people"] > 3) | table["name"].str.startswith("坎").fillna(False)
    assert rows == sorted(table["row_id"][wanted]) and 0 < len(rows) < ROWS / 2
    np.testing.assert_allclose([float(edge) for edge in query["bbox"][0].split(",")], box)
    assert query["filter"] == ["(status = 'bad') AND ((people > 3) OR (name LIKE '坎%'))"]


@pytest.mark.parametrize("code", ["EPSG:4326", "EPSG:3857", "EPSG:32631"])
def test_gdal_reads_in_the_system_it_wants(study: Study, code: str) -> None:
    found = pyogrio.read_dataframe(study.gdal, layer="flood.communities", CRS=code)
    kept = study.run.table("communities").to_crs(code)
    for read, shape in zip(found.geometry, kept.geometry, strict=True):
        assert shapely.equals_exact(read, shape, tolerance=1e-6 if code == "EPSG:4326" else 0.002)


# -- QGIS ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seen(study: Study, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What QGIS says of: all features, those of a filter, a picture layer, a vector tile layer."""
    have = subprocess.run([QGIS_PYTHON, "-c", "import qgis.core"], capture_output=True, check=False)
    if have.returncode and IN_CI:
        pytest.fail("QGIS is missing: apt-get install python3-qgis")
    if have.returncode:
        pytest.skip("QGIS is missing: apt-get install python3-qgis")
    folder = tmp_path_factory.mktemp("qgis")
    folder.chmod(0o700)
    west, south, east, north = study.run.layer("awkward").bounds
    box = [west - 0.002, south - 0.002, east + 0.002, north + 0.002]
    features = f"url='{study.address}ogc/kampen' typename='flood.awkward' pagingEnabled='true' pageSize='20'"
    tiles = f"type=xyz&zmin=0&zmax=18&url={quote(study.address, safe=':/')}tiles/{study.run.run_id}"
    asked = [
        {"kind": "OAPIF", "uri": features, "box": box},
        {"kind": "OAPIF", "uri": features, "filter": "\"status\" = 'good'", "box": box},
        {"kind": "xyz", "uri": f"{tiles}/hazard_flood/%7Bz%7D/%7Bx%7D/%7By%7D.png", "box": box},
        {"kind": "mvt", "uri": f"{tiles}/streets/%7Bz%7D/%7Bx%7D/%7By%7D.mvt", "box": box},
    ]
    asked = [{**each, "picture": str(folder / f"{i}.png")} for i, each in enumerate(asked)]
    home = {name: str(folder) for name in ("HOME", "XDG_RUNTIME_DIR", "TMPDIR")}
    environment = {**os.environ, **DIRECTLY, **home, "QT_QPA_PLATFORM": "offscreen", "LC_ALL": "C.UTF-8"}
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
        environment.pop(name, None)
    done = subprocess.run(
        [QGIS_PYTHON, READER], input=json.dumps(asked), text=True, capture_output=True, env=environment, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def test_qgis_opens_a_layer_and_reads_every_feature(study: Study, seen: list[dict[str, Any]]) -> None:
    every = seen[0]
    assert (every["valid"], every["crs"], every["count"]) == (True, "EPSG:4326", ROWS), every["error"]
    kept = study.table.set_index("row_id")
    found = {row["row_id"]: row for row in every["rows"]}
    assert set(found) == set(kept.index)
    for name, row in found.items():
        for column in ("status", "people", "open"):
            assert row[column] == kept.loc[name, column]
    assert every["dots"] > 300


def test_qgis_filters_it(study: Study, seen: list[dict[str, Any]]) -> None:
    wanted = study.table["row_id"][study.table["status"] == "good"]
    assert sorted(row["row_id"] for row in seen[1]["rows"]) == sorted(wanted)
    assert 0 < seen[1]["dots"] <= seen[0]["dots"]


@pytest.mark.parametrize("which", [2, 3])
def test_qgis_draws_picture_tiles_and_vector_tiles(seen: list[dict[str, Any]], which: int) -> None:
    assert seen[which]["valid"], seen[which]["error"]
    assert seen[which]["dots"] > 50

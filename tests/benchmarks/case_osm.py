"""Reading a large extract: the same town 11 and 45 times side by side, 30 and 125 MB of .osm.pbf."""

from __future__ import annotations

import tempfile
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from tests import shared_data
from tests.benchmarks.bench import NotHere, Prepared, case, folder
from tests.data.osm.enlarged import enlarged

TOWN = "kampen/kampen.osm.pbf"
SMALL = 11
"""Copies of the smaller extract: the larger is left out by ways that take more memory than there is."""


def extract(copies: int | str) -> Path:
    """The enlarged extract, made once (40 s and 3 min)."""
    if why_not := shared_data.why_not(TOWN):
        raise NotHere(why_not)
    path = folder() / f"kampen-{copies}.osm.pbf"
    if not path.exists():
        enlarged(shared_data.folder() / TOWN, path.with_suffix(".draft.pbf"), copies=int(copies)).rename(path)
    return path


@case("read a large extract", unit="buildings", sizes=(SMALL, 45))
def read(copies: int | str) -> Prepared:
    import data.osm

    path = extract(copies)
    found = len(data.osm.read(extract(1)).buildings)
    return found * int(copies), lambda: data.osm.read(path)


@read.rival("GDAL (no shared nodes, no facilities)")
def read_gdal(copies: int | str) -> Prepared:
    """All points, lines and areas with all their tags, in degrees, through pyogrio."""
    import pyogrio

    path = extract(copies)

    def work() -> int:
        layers = ("points", "lines", "multipolygons")
        tables = [pyogrio.read_dataframe(path, layer=layer, on_invalid="ignore") for layer in layers]
        return int(tables[2]["building"].notna().sum())

    return len(pyogrio.read_dataframe(extract(1), layer="multipolygons", where="building IS NOT NULL",
                                      columns=["osm_id"], on_invalid="ignore")) * int(copies), work  # fmt: skip


@read.rival("pyrosm")
def read_pyrosm(copies: int | str) -> Prepared:
    """The same tables as far as pyrosm has them: streets with nodes, buildings, places of interest and land.

    pyrosm keeps what it read below the temporary folder, and a second reading opens that instead of the extract: each
    run gets an empty folder, so that reading is what is timed.
    """
    import pyrosm

    if int(copies) > SMALL:
        raise NotHere("left out beyond 30 MB for its memory")

    def work(path: Path) -> int:
        with TemporaryDirectory() as empty, mock.patch.object(tempfile, "tempdir", empty):
            osm = pyrosm.OSM(str(path))
            osm.get_network("walking", nodes=True)
            osm.get_pois({"amenity": True, "leisure": True, "emergency": True})
            osm.get_landuse()
            return len(osm.get_buildings())

    path = extract(copies)
    return work(extract(1)) * int(copies), lambda: work(path)


@read.rival("quackosm (features only, no network)")
def read_quackosm(copies: int | str) -> Prepared:
    """Streets, buildings, places of interest, land and water with their tags, in degrees, through DuckDB."""
    try:
        import quackosm
    except ImportError as error:
        raise NotHere(f"quackosm is not installed ({error})") from None
    path = extract(copies)
    wanted = dict.fromkeys(("highway", "building", "amenity", "emergency", "leisure", "landuse", "natural"), True)

    def work() -> int:
        found = quackosm.convert_pbf_to_geodataframe(
            path,
            tags_filter=wanted,
            ignore_cache=True,
            working_directory=folder() / "quackosm",
            verbosity_mode="silent",
        )
        return int(found["building"].notna().sum()) if "building" in found else len(found)

    try:
        return work(), work
    except Exception as error:
        if "extension" in str(error):
            raise NotHere("DuckDB's spatial extension is not installed, and fetched when first used") from None
        raise

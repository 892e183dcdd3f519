"""Pages of OGC API Features: a hundred features in a box, as maps ask for them; and filters."""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import shapely

from tests.benchmarks.bench import Prepared, case, folder

PAGES, LIMIT = 100, 100
CORNER = np.array([5.8, 52.5])
SPAN = 0.2
FILTER = "status = 'bad' AND people > 3 AND name LIKE '%1_'"


def layer(n: int) -> gpd.GeoDataFrame:
    """Houses with twenty columns, as a run keeps them."""
    rng = np.random.default_rng(1)
    corner = CORNER + rng.random((n, 2)) * SPAN
    numbers = {f"measure_{i}_m": rng.random(n) * 100 for i in range(12)}
    texts = {f"reason_{i}": np.array(["served", "cut off", "被隔断"])[rng.integers(0, 3, n)] for i in range(4)}
    return gpd.GeoDataFrame(
        {"building_id": [f"w{i:08d}" for i in range(n)], "name": [f"house {i}" for i in range(n)],
         "status": np.array(["good", "bad"])[rng.integers(0, 2, n)],
         "people": rng.integers(0, 9, n), **numbers, **texts},
        geometry=shapely.box(*corner.T, *(corner + 0.0001).T), crs=4326,
    )  # fmt: skip


def boxes() -> Iterator[tuple[float, float, float, float]]:
    """Where a map looks."""
    rng = np.random.default_rng(2)
    for _ in range(PAGES):
        side = rng.uniform(0.02, 0.5) * SPAN
        west, south = CORNER + rng.random(2) * (SPAN - side)
        yield float(west), float(south), float(west + side), float(south + side)


@case(f"{PAGES} pages of {LIMIT} features in a box", unit="rows", sizes=(30_000, 300_000))
def pages(size: int | str) -> Prepared:
    import orjson

    from app.ogc.crs import CRS84
    from app.ogc.matching import matching
    from app.ogc.table import opened
    from app.ogc.tree import Property, Shape, Spatial
    from app.store.tables import write_table

    path = folder() / f"ogc_{size}.parquet"
    write_table(layer(int(size)), path)
    table = opened(path)

    def work() -> int:
        length = 0
        for box in boxes():
            rows = matching(Spatial("INTERSECTS", Property("geometry"), Shape(shapely.box(*box))), table)
            length += len(orjson.dumps(table.features(rows[:LIMIT], CRS84)))
        return length

    return int(size), work


@pages.rival("geopandas: sindex, to_json")
def pages_of_frames(size: int | str) -> Prepared:
    frame = layer(int(size))
    frame.sindex  # noqa: B018

    def work() -> int:
        length = 0
        for box in boxes():
            rows = np.sort(frame.sindex.query(shapely.box(*box), predicate="intersects"))
            length += len(frame.iloc[rows[:LIMIT]].to_json())
        return length

    return int(size), work


@case("rows of a filter", unit="rows", sizes=(30_000, 300_000))
def filtered(size: int | str) -> Prepared:
    from app.ogc.matching import matching
    from app.ogc.parser import parse
    from app.ogc.table import opened
    from app.store.tables import write_table

    path = folder() / f"ogc_filter_{size}.parquet"
    write_table(layer(int(size)), path)
    table = opened(path)
    return int(size), lambda: matching(parse(FILTER), table)


@filtered.rival("pandas, text by regular expression")
def filtered_by_pandas(size: int | str) -> Prepared:
    frame = layer(int(size))

    def work() -> object:
        wanted = (frame["status"] == "bad") & (frame["people"] > 3) & frame["name"].str.fullmatch(".*1.")
        return np.flatnonzero(wanted)

    return int(size), work

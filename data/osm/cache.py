"""An extract kept as GeoParquet, so that the second run of a study reads no map.

The folder may be deleted at any time. The same extract gives the same bytes; a folder is there whole or not at all.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from data.osm.extract import Extract, read
from geo.errors import Fault, FileMissingError, UnreadableError
from geo.network import Ways

FORMAT = 5
"""Form of the folder, and of the rules by which a map is read: counted up when either changes."""
TABLES = ("buildings", "facilities", "shelters", "areas", "lines", "boundaries", "places")
_ABOUT, _TAGS, _NODES, _BARRIERS = "extract.json", "ways.parquet", "nodes.parquet", "barriers.parquet"
_RESTRICTIONS = "restrictions.parquet"


def read_through(path: Path, cache: Path, *, sha256: str, crs: str | None = None) -> Extract:
    """The extract of the file with this SHA-256, from ``cache`` when it is there, else read and kept there."""
    folder = cache / f"osm-{FORMAT}-{sha256[:16]}-{(crs or 'auto').replace(':', '')}"
    try:
        return load(folder)
    except FileMissingError:
        pass
    except UnreadableError:
        shutil.rmtree(folder, ignore_errors=True)
    extract = read(path, crs=crs)
    save(extract, folder)
    return extract


def save(extract: Extract, folder: Path) -> None:
    """Keep an extract in ``folder``; when somebody else was first, theirs stays."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _whole(folder) as fresh:
        for name in TABLES:
            getattr(extract, name).to_parquet(fresh / f"{name}.parquet", index=False, compression="zstd")
        _save_ways(extract.ways, fresh)
        about = {f.name: getattr(extract, f.name) for f in fields(extract) if f.name not in (*TABLES, "ways")}
        text = json.dumps(about | {"format": FORMAT}, ensure_ascii=False, indent=1, sort_keys=True)
        (fresh / _ABOUT).write_text(text, encoding="utf-8")


def load(folder: Path) -> Extract:
    """An extract kept by ``save``; FileMissingError when there is none, UnreadableError when it cannot be used."""
    if not (folder / _ABOUT).is_file():
        raise FileMissingError(Fault("an extract kept here", "none", str(folder)))
    try:
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        if about.pop("format") != FORMAT:
            raise ValueError("another form")
        tables = {name: _load_table(folder / f"{name}.parquet", about["crs"]) for name in TABLES}
        about["bounds"] = tuple(about["bounds"])
        return Extract(ways=_load_ways(folder, about["crs"]), **tables, **about)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableError(Fault("an extract kept here", str(error), str(folder), "Delete the folder.")) from error


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    fresh = folder.with_name(f".new-{folder.name}-{secrets.token_hex(4)}-{os.getpid()}")
    fresh.mkdir()
    try:
        yield fresh
        for file in fresh.iterdir():
            with file.open("rb") as handle:
                os.fsync(handle.fileno())
        if not folder.exists():
            fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _save_ways(ways: Ways, folder: Path) -> None:
    way = np.repeat(np.arange(len(ways)), np.diff(ways.start))
    nodes = pd.DataFrame({"way": way, "node": ways.node, "x": ways.x, "y": ways.y})
    tables = {_TAGS: ways.tags, _NODES: nodes, _BARRIERS: ways.barriers, _RESTRICTIONS: ways.restrictions}
    for name, table in tables.items():
        table.to_parquet(folder / name, index=False, compression="zstd")


def _load_table(path: Path, crs: str) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(_with_none(gpd.read_parquet(path))).set_crs(crs, allow_override=True)


def _load_ways(folder: Path, crs: str) -> Ways:
    tags, barriers, turns = (_with_none(pd.read_parquet(folder / f)) for f in (_TAGS, _BARRIERS, _RESTRICTIONS))
    turns["via_ways"] = pd.Series([tuple(map(int, ways)) for ways in turns["via_ways"]], dtype=object)
    nodes = pd.read_parquet(folder / _NODES)
    start = np.searchsorted(nodes["way"].to_numpy(), np.arange(len(tags) + 1))
    node, x, y = (nodes[name].to_numpy() for name in ("node", "x", "y"))
    return Ways(tags, start.astype(np.int64), node, x, y, barriers, crs, turns)


def _with_none(table: pd.DataFrame) -> pd.DataFrame:
    """Text as it was: Python strings, and None where it is missing."""
    for name in table.columns[table.dtypes == "str"]:
        table[name] = table[name].astype("object").where(table[name].notna(), None)
    return table

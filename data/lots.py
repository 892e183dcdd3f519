"""A file of lots to be judged, as it is: every column and row kept, laid into a study's CRS.

Read by the reader of every other table (``data.vectors``): any allowed form, any CRS, those of Chinese map services
too. Points and lines are lots like others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd

from data import headers, vectors
from data.extents import Bounds
from data.guarded import guarded
from geo.errors import ColumnError, Fault, refuse
from geo.reasons import Finding

SAID = ("use", "class", "people", "beds", "height_m")
"""What columns of lots may say of what is planned."""


@dataclass(frozen=True, eq=False)
class Lots:
    """``table`` has the file's columns and geometry in the study's CRS; ``columns`` say which is what of ``SAID``.

    ``notes`` are to be said of the file.
    """

    table: gpd.GeoDataFrame
    columns: Mapping[str, str]
    notes: tuple[Finding, ...]

    def __repr__(self) -> str:
        return f"Lots({len(self.table)} with {', '.join(self.columns) or 'nothing said of them'})"


def read(
    path: Path, *, into: str, near: Bounds | None, crs: str | None = None, columns: Mapping[str, str] | None = None
) -> Lots:
    """The lots of a file, opened in a process of its own first.

    ``crs``, ``near`` (degrees) and what ``columns`` says of places as for ``vectors.read``; else ``columns`` names the
    file's column for one of ``SAID``, which is found by its usual names otherwise. Raises what ``vectors.read`` raises,
    and ColumnError for columns that are not there.
    """
    said = dict(columns or {})
    placing = {name: column for name, column in said.items() if name in vectors.PLACING}
    guarded(counted, str(path), into, near, crs, placing, where=str(path))
    found = vectors.read(path, into=into, near=near, crs=crs, columns=placing)
    there = [str(name) for name in found.table.columns.drop(found.table.geometry.name)]
    ours = {name: column for name, column in said.items() if name not in placing}
    refuse(ColumnError, [
        Fault(f"one of {', '.join(SAID)}", repr(name), "--map") for name in ours if name not in SAID
    ] + [Fault(f"a column {column}", f"columns {', '.join(there)}", str(path)) for column in ours.values()
         if column not in there])  # fmt: skip
    return Lots(found.table, _guessed(there) | ours, found.notes)


def counted(
    path: str, into: str, near: Sequence[float] | None, crs: str | None, columns: Mapping[str, str]
) -> dict[str, int]:
    """How many lots there are: all that a child says."""
    box = None if near is None else (near[0], near[1], near[2], near[3])
    return {"rows": len(vectors.read(path, into=into, near=box, crs=crs, columns=columns).table)}


def _guessed(there: Sequence[str]) -> dict[str, str]:
    """Columns by their usual names; of several that may be one none is taken."""
    found = headers.guess(there, "lots", wanted={"use"}, fits=lambda *_: True).found
    plain = {name.strip().lower(): name for name in there}
    return {"use": found["use"]} | _named(plain) if "use" in found else _named(plain)


def _named(plain: Mapping[str, str]) -> dict[str, str]:
    return {name: plain[name] for name in SAID if name in plain}

"""Streets made where nobody has any: a right-angled lattice over the ground where something is.

::

    ┼───┼───┼───┼        A way along it is as long as along right-angled streets: 4/π = 1.27 times the straight line on
    │ · │   │   │        average, at most 1.41 times. What is found on it is an estimate of distances, not of streets:
    ┼───┼───┼───┼        nothing on it has a name, and no street of it says that there is one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from geo.errors import Fault, LimitError
from geo.network import BARRIER_TAGS, WAY_TAGS, Ways
from geo.reasons import Finding
from geo.standards import Standards

Ints = NDArray[np.int64]
Shapes = NDArray[np.object_]

NODES_MAX = 100_000
"""About so many nodes a lattice has at most: a wider one is made where the ground is larger."""
SPACING_MAX_M = 2000.0
"""A wider lattice says nothing of anybody's way, metres."""
UNKNOWN_CLASS = "road"
"""OSM's word for a street of unknown class."""


class LatticeParams(BaseModel):
    """How streets are made where nobody has any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    spacing_m: float = Field(ge=20, le=2000, description="Distance between the streets of a made lattice, metres.")
    reach_m: float = Field(ge=0, le=20_000, description="How far round people and facilities it reaches, metres.")

    @classmethod
    def of(cls, standards: Standards) -> LatticeParams:
        """The defaults as the standards give them."""
        return cls(**{key: standards.number(f"lattice.{key}") for key in cls.model_fields})


def made(things: Sequence[Shapes], *, crs: str, params: LatticeParams) -> tuple[Ways, tuple[Finding, ...]]:
    """A lattice within reach of every shape of ``things`` (metres in ``crs``), and what must be said of it.

    Its lines lie on whole multiples of the spacing, so that one more shape moves none. No shapes, no streets. Where a
    lattice of the spacing asked for would have more than ``NODES_MAX`` nodes, it is twice, four times, … as wide, and
    that is said. Raises LimitError when that takes it beyond ``SPACING_MAX_M``.
    """
    shapes = np.concatenate([np.zeros(0, dtype=object), *things])
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    ground, asked = _ground(shapes, params), params
    params = _wide_enough(ground, asked)
    if params.spacing_m > _reach_m(asked):
        ground = _ground(shapes, params)
    ij = _near(ground, params)
    start, end = _steps(ij)
    node = np.column_stack([start, end]).ravel() + 1
    xy = (ij[node - 1] * params.spacing_m).astype(np.float64)
    offsets = np.arange(0, len(node) + 1, 2, dtype=np.int64)
    ways = Ways(_tags(len(start)), offsets, node, xy[:, 0].copy(), xy[:, 1].copy(), _no_barriers(), crs)
    return ways, (_said(params, len(start)),)


def _ground(shapes: Shapes, params: LatticeParams) -> shapely.Geometry:
    """What lies within reach of a shape; empty without shapes."""
    return shapely.union_all(shapely.buffer(shapes, _reach_m(params), quad_segs=4))


def _reach_m(params: LatticeParams) -> float:
    """At least one spacing, so that there is a street near everything."""
    return max(params.reach_m, params.spacing_m)


def _near(ground: shapely.Geometry, params: LatticeParams) -> Ints:
    """Column and row of the lattice points on the ground, (n, 2), in their order."""
    if shapely.is_empty(ground):
        return np.zeros((0, 2), dtype=np.int64)
    shapely.prepare(ground)
    west, south, east, north = np.floor(shapely.bounds(ground) / params.spacing_m).astype(np.int64)
    rows = []
    for row in range(south, north + 2):
        column = np.arange(west, east + 2)
        inside = shapely.contains_xy(ground, column * params.spacing_m, np.full(len(column), row * params.spacing_m))
        rows.append(np.column_stack([column[inside], np.full(int(inside.sum()), row)]))
    return np.concatenate(rows).astype(np.int64)


def _wide_enough(ground: shapely.Geometry, params: LatticeParams) -> LatticeParams:
    """The parameters with a spacing at which the lattice is not too large."""
    spacing_m, ground_m2 = params.spacing_m, float(shapely.area(ground))
    while ground_m2 / spacing_m**2 > NODES_MAX:
        spacing_m *= 2
    if spacing_m > SPACING_MAX_M:
        cure = "Give the study a smaller outline, or make lattice.reach_m smaller (in study.toml, or --set)."
        found = f"{ground_m2 / 1e6:,.0f} km²"
        raise LimitError(Fault("ground that made streets can cover", found, "lattice", cure), limit="lattice")
    return params.model_copy(update={"spacing_m": spacing_m})


def _steps(ij: Ints) -> tuple[Ints, Ints]:
    """The pairs of neighbouring points (positions in ``ij``): each to the right and upwards."""
    key = _keys(ij)
    pairs = []
    for step in ((1, 0), (0, 1)):
        ahead = _keys(ij + np.array(step))
        place = np.minimum(np.searchsorted(key, ahead), len(key) - 1)
        there = key[place] == ahead if len(key) else np.zeros(0, dtype=bool)
        pairs.append((np.flatnonzero(there), place[there]))
    return np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs])


def _keys(ij: Ints) -> Ints:
    """One number for each lattice point, in the order of the points."""
    return ij[:, 1] * (1 << 32) + ij[:, 0]


def _tags(n: int) -> pd.DataFrame:
    columns: dict[str, object] = {"way_id": np.arange(1, n + 1, dtype=np.int64)}
    columns |= {tag: pd.Series([UNKNOWN_CLASS if tag == "highway" else None] * n, dtype=object) for tag in WAY_TAGS}
    return pd.DataFrame(columns)


def _no_barriers() -> pd.DataFrame:
    columns = {"node_id": pd.Series(dtype="int64")} | dict.fromkeys(BARRIER_TAGS, pd.Series(dtype="object"))
    return pd.DataFrame(columns)


def _said(params: LatticeParams, n: int) -> Finding:
    return Finding(
        "streets_made",
        f"The study has no streets. Ways are measured along a made lattice of {params.spacing_m:g} m ({n:,} pieces): "
        "distances are about 1.27 times the straight line, water, walls and railways stop nobody.",
        f"本研究没有街道数据：路程按{params.spacing_m:g}米的假定方格路网（{n:,}段）计算，约为直线距离的1.27倍，"
        "未考虑河流、围墙和铁路的阻隔。",
        severity="warning",
        count=n,
        do_en="Add the city's streets with renxing add STUDY streets FILE for a plan that can be relied on.",
        do_zh="请用 renxing add STUDY streets FILE 添加真实街道后再作决策。",
    )

"""Where rules of distance look for their sources: the map, what a planner gives, steep slopes, hazards.

Each layer of ``geo.rules`` is made once, of the kinds that some rule asks for, and cut into pieces (``geo.pieces``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import pieces, steep, traced
from geo.curves import LevelTables
from geo.hazards import Grid, Hazard
from geo.levels import level_grid
from geo.network import below_ground
from geo.reasons import Finding
from geo.rules import NAMES, Rule
from geo.steep import SteepParams
from geo.tables import NAMES as NAMED
from geo.windows import Extent

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shapes = NDArray[np.object_]

ANY = "any"
"""Kind of a rule that is asked of all things of its layer."""
COMBINED = "combined"
"""Kind of the combined level of all hazards."""
_IDS = {"lines": "line_id", "areas": "area_id", "facilities": "facility_id", "buildings": "building_id"}


@dataclass(frozen=True, eq=False)
class Ground:
    """A study's ground: ``extent`` (smallest x and y, largest x and y) in its metric ``crs``, and what is known of it.

    ``hazards`` are brought to levels by ``levels``, without their uncertainty; ``combined`` is the level of all
    together, ``heights`` are in metres; None where nobody has any.
    """

    crs: str
    extent: Extent
    levels: LevelTables
    hazards: Sequence[Hazard] = ()
    combined: Grid | None = None
    heights: Grid | None = None

    def around(self, metres: float) -> Extent:
        """The extent with so much more on every side."""
        west, south, east, north = self.extent
        return west - metres, south - metres, east + metres, north + metres


@dataclass(frozen=True, eq=False)
class Layer:
    """Things of a layer, (n,) each: id, kind, names, measures by name (NaN where not told), ``block`` of buildings.

    ``shapes`` (pieces,) are what they are cut into, ``of`` (pieces,) the row of the thing each is a piece of. Buildings
    that stand wall to wall share a ``block``; all else has -1.
    """

    shapes: Shapes
    of: Ints
    source_id: NDArray[np.object_]
    kind: NDArray[np.object_]
    names: pd.DataFrame
    values: Mapping[str, Floats]
    block: Ints


@dataclass(frozen=True, eq=False)
class Sources:
    """All layers of a study; ``layer`` makes each when it is first asked for; ``notes`` is what was found
    then, ``below`` how many lines of each layer were left out for running in tunnels and culverts.

    ``rules`` are those that will ask. ``reach_m`` beyond the extent, metres, sources still matter; ``intensity`` is the
    study's, degrees; buildings with gaps up to ``touching_m`` metres stand wall to wall; lines of the kinds
    ``below_ground`` count in tunnels too.
    """

    layers: Mapping[str, gpd.GeoDataFrame]
    ground: Ground
    rules: Sequence[Rule]
    steep: SteepParams
    intensity: float
    reach_m: float
    touching_m: float
    below_ground: tuple[str, ...]
    notes: list[Finding] = field(default_factory=list)
    below: list[int] = field(default_factory=list)
    _made: dict[str, Layer | None] = field(default_factory=dict)
    _traced: dict[tuple[str, float, float], Shapes] = field(default_factory=dict)

    def layer(self, rule: Rule) -> Layer | None:
        """The layer a rule looks into; None where there is no such table, hazard or heights."""
        if rule.layer == "hazards":
            return _hazards(self, rule)
        if rule.layer not in self._made:
            self._made[rule.layer] = _slopes(self) if rule.layer == "slopes" else _mapped(self, rule.layer)
        return self._made[rule.layer]

    def ground_at(self, of: Hazard | Grid, name: str, level: float, around: Extent) -> Shapes:
        """Ground at a level or worse as polygons; not known is not at it."""
        key = (name, level, around[0])
        if key not in self._traced:
            grid = level_grid(of, self.ground.levels) if isinstance(of, Hazard) else of
            worse = np.nan_to_num(grid.values, nan=-1.0) >= level
            self._traced[key] = traced.polygons(grid, worse, crs=self.ground.crs, extent=around).shapes
        return self._traced[key]


def _mapped(work: Sources, name: str) -> Layer | None:
    """A layer of the map, only kinds that some rule asks for."""
    table = work.layers.get(name)
    if table is None:
        return None
    wanted = {kind for rule in work.rules if rule.layer == name for kind in rule.kinds}
    kind = table["use"].where(table["use"].notna(), "yes") if name == "buildings" else table["kind"]
    table = table.assign(kind=kind)
    if ANY not in wanted:
        table = table[table["kind"].isin(wanted)]
    id_column = _IDS.get(name, "source_id")
    return _layered(name, _in_the_open(table, work), id_column if id_column in table else table.columns[0], work)


def _in_the_open(table: gpd.GeoDataFrame, work: Sources) -> gpd.GeoDataFrame:
    """Without what runs in tunnels and culverts, where the table tells."""
    below = below_ground(table) & ~table["kind"].isin(work.below_ground)
    if below.any():
        work.below.append(int(below.sum()))
    return table[~below]


def _layered(name: str, table: gpd.GeoDataFrame, id_column: str, work: Sources) -> Layer:
    shapes = table.geometry.to_numpy()
    told = {measure: table[measure].to_numpy(dtype=float) for measure in NAMES[name] if measure in table}
    if "area_m2" in NAMES[name]:
        told.setdefault("area_m2", shapely.area(shapes))
    strong = told.get("intensity", np.full(len(table), np.nan))
    told["intensity"] = np.where(np.isnan(strong), work.intensity, strong)
    names = pd.DataFrame({each: table[each].to_numpy() if each in table else None for each in NAMED}, range(len(table)))
    alone = np.full(len(table), -1)
    block = pieces.blocks(shapes, gap_m=work.touching_m) if name == "buildings" else alone
    ids, kind = table[id_column].astype(str).to_numpy(dtype=object), table["kind"].to_numpy(dtype=object)
    return Layer(*pieces.cut(shapes), ids, kind, names, told, block)


def _slopes(work: Sources) -> Layer | None:
    if work.ground.heights is None:
        return None
    around = work.ground.around(work.reach_m)
    table, findings = steep.slopes(work.ground.heights, extent=around, crs=work.ground.crs, params=work.steep)
    work.notes.extend(findings)
    return _layered("slopes", table, "source_id", work)


def _hazards(work: Sources, rule: Rule) -> Layer | None:
    """Ground at the rule's level or worse, in tiles; a hazard is one source."""
    faced: list[tuple[str, str, str, str, float | None, Hazard | Grid]] = [
        (h.hazard_id, h.kind, h.label_zh, h.label_en, h.return_period_y, h) for h in work.ground.hazards
        if h.kind in rule.kinds
    ]  # fmt: skip
    if COMBINED in rule.kinds and work.ground.combined is not None:
        faced.append((COMBINED, COMBINED, "综合灾害", "All hazards together", None, work.ground.combined))
    if not faced:
        return None
    ids, kinds, zh, en, period, grids = (np.array(each, dtype=object) for each in zip(*faced, strict=True))
    told = {"return_period_y": period.astype(float), "intensity": np.full(len(ids), work.intensity)}
    far = np.nanmax(rule.metres(told, len(ids)), initial=work.reach_m)
    around = work.ground.around(float(far))
    ground = [work.ground_at(grid, name, rule.level or 0.0, around) for grid, name in zip(grids, ids, strict=True)]
    shapes, of = pieces.cut(np.concatenate(ground))
    names = pd.DataFrame(
        {"name": None, "name_zh": [name or None for name in zh], "name_en": [name or None for name in en]}
    )
    which = np.repeat(np.arange(len(ids)), [len(each) for each in ground])[of]
    return Layer(shapes, which, ids, kinds, names, told, np.full(len(ids), -1))

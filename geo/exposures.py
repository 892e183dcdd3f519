"""What a scenario's hazards do to the streets, homes, shelters and stations of a city, as columns.

Water is told by its depth, every other hazard by its level (``geo.levels``). What goes with a flood (its velocity, how
long it stays, when it comes) is no hazard by itself. What comes over a whole city (shaking, wind) and what only lies
near (``geo.derived``) says how bad it is, ``level_max``, and takes no ground away, ``share_hit``: shelters are built to
stand the one (GB 51143-2015, 3.2.2-3), and nearness to a river is no flood.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import hazards, levels
from geo.curves import LevelTables
from geo.errors import Fault, InputError, refuse
from geo.hazards import ExposureParams, Hazard
from geo.levels import DERIVED, OF_WATER
from geo.network import Network
from geo.profiles import Rules
from geo.slowing import exempt, rule_of

Shapes = NDArray[np.object_]

WATER = {"max": "depth_max_m", "mean": "depth_mean_m", "share_affected": "share_wet", "share_unknown": "share_unknown"}
"""Exposure columns as they are called for water."""
OTHERS = {"max": "level_max", "share_affected": "share_hit"}
"""Exposure columns as they are called for every hazard but water; the worst of all kinds in force."""
COLUMNS = (*WATER.values(), *OTHERS.values())
"""Columns of an exposure: NaN throughout for what is not in force.

``share_unknown`` is the largest of any kind that takes ground away.
"""
FELT = ("earthquake", "earthquake_pga", "wind")
"""Kinds that come over a whole city."""
TOLD_ONLY = (*FELT, *DERIVED)
"""Kinds that say how bad it is and take no ground away."""
POINT_SITE_M = 5.0
"""Radius of ground, metres, that stands for a site known only as a point."""
OF_A_FLOOD = {
    "flood_velocity": "the velocity of its water",
    "flood_duration": "how long its water stays",
    "flood_arrival": "when its water comes",
}
Measure = Callable[[Hazard], pd.DataFrame]


@dataclass(frozen=True)
class Faced:
    """The hazards in force and how exposure to them is measured; ``tables`` for those measured in other than levels."""

    hazards: tuple[Hazard, ...]
    crs: str
    params: ExposureParams
    tables: LevelTables | None = None

    def __post_init__(self) -> None:
        kinds = [hazard.kind for hazard in self.hazards]
        refuse(InputError, [
            Fault(f"a flood beside {OF_A_FLOOD[hazard.kind]}", "none in this scenario", f"hazard {hazard.hazard_id}",
                  "Put a flood into the same scenario (hazards = [...] in study.toml).")
            for hazard in self.hazards if hazard.kind in OF_A_FLOOD and "flood" not in kinds
        ])  # fmt: skip
        refuse(InputError, [
            Fault("tables of levels", "none", f"hazard {hazard.hazard_id} in {hazard.unit}")
            for hazard in self._others() if hazard.unit != "level" and self.tables is None
        ])  # fmt: skip

    @property
    def kinds(self) -> set[str]:
        """The kinds in force that a shelter may or may not be for: not what goes with another or only lies near."""
        named = {"earthquake" if hazard.kind == "earthquake_pga" else hazard.kind for hazard in self.hazards}
        return named - {*OF_WATER, *DERIVED}

    def __bool__(self) -> bool:
        return bool(self.hazards)

    def streets(self, network: Network, *, rules: Rules) -> pd.DataFrame:
        """``COLUMNS`` of every street (edges,); bridges and tunnels as the rule of each hazard says."""

        def measure(hazard: Hazard) -> pd.DataFrame:
            found = hazards.expose_lines(
                network.px, network.py, network.start, crs=network.crs, hazard=hazard, params=self.params
            )
            return hazards.exempt(found, exempt(network, rule_of(hazard.kind, rules)))

        return self._worst(measure, len(network.u))

    def grounds(self, shapes: Shapes) -> pd.DataFrame:
        """``COLUMNS`` of areas (n,); a point has the value of the cell it lies in."""

        def measure(hazard: Hazard) -> pd.DataFrame:
            return hazards.expose_areas(shapes, crs=self.crs, hazard=hazard, params=self.params)

        return self._worst(measure, len(shapes))

    def sites(self, table: gpd.GeoDataFrame) -> pd.DataFrame:
        """``COLUMNS`` of sites; one known as a point stands for the few metres round it."""
        shapes = np.asarray(table.geometry.to_numpy(), dtype=object)
        areal = shapely.get_dimensions(shapes) == 2
        return self.grounds(np.where(areal, shapes, shapely.buffer(shapes, POINT_SITE_M)))

    def _worst(self, measure: Measure, n: int) -> pd.DataFrame:
        water = [measure(h) for h in self.hazards if h.kind in levels.WATER]
        others = [measure(self._in_levels(hazard)) for hazard in self._others()]
        reaching = [one for one, of in zip(others, self._others(), strict=True) if of.kind not in TOLD_ONLY]
        found = pd.concat([_named(water, WATER, n), _named(reaching, OTHERS, n)], axis=1)
        if reaching:
            unknown = hazards.worst(reaching)["share_unknown"].to_numpy()
            found["share_unknown"] = np.fmax(found["share_unknown"].to_numpy(), unknown)
        if others:
            found["level_max"] = hazards.worst(others)["max"].to_numpy()
        return found[list(COLUMNS)]

    def _others(self) -> list[Hazard]:
        """The hazards told by their level."""
        return [hazard for hazard in self.hazards if hazard.kind not in (*levels.WATER, *OF_WATER)]

    def _in_levels(self, hazard: Hazard) -> Hazard:
        """The hazard as it is where it comes in levels, else in levels by the tables."""
        if hazard.unit == "level" or self.tables is None:
            return hazard
        return replace(hazard, grid=levels.level_grid(hazard, self.tables), unit="level")


def _named(found: Sequence[pd.DataFrame], names: dict[str, str], n: int) -> pd.DataFrame:
    """The worst of several exposures under their names here; without a hazard nothing is known."""
    if not found:
        return pd.DataFrame(np.nan, index=range(n), columns=list(names.values()))
    return hazards.worst(found).rename(columns=names)[list(names.values())]


def hit(exposure: pd.DataFrame, *, above: float) -> NDArray[np.bool_]:
    """Whether more than a share of each shape (n,) is under water or in another hazard's reach."""
    wet, others = exposure["share_wet"].to_numpy(dtype=float), exposure["share_hit"].to_numpy(dtype=float)
    return np.asarray((wet > above) | (others > above))

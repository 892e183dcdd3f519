"""Before and after: who is at risk now, after 让, after 防 and after 避, each stage on top of those before it.

Somebody is at risk for one of four causes: ``yield``, they live on ground to yield; ``hazard``, a hazard that some rule
tells of reaches them; ``access``, a fire engine does not reach their building as it should; ``refuge``, there is no
place of refuge for them. 让 moves those on the retreat list: they are counted as moved from then on, to be housed
elsewhere, and at risk no more. 防 widens the corridors: access is audited anew with them. 避 opens the candidates for
refuge in their order, which is everybody's: who is to be moved needs refuge until then. At every stage those at risk,
those moved and those safe are everybody.

Buildings are at risk on ground to yield, in a hazard and without access, facilities for the first two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo import access_audit, fire_lanes
from geo.conversions import Conversions
from geo.land import Land, people_in_hazard, verdicts_of_people
from geo.parts import Parts
from geo.protected import ENGINE, Protected
from geo.zoning import LET

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

STAGES = ("now", "let", "prevent", "avoid")
"""As things are, and after each stage; in columns ``_now``, ``_let``, ``_prevent`` and ``_avoid``."""
CAUSES = ("yield", "hazard", "access", "refuge")
"""Why somebody is at risk."""


@dataclass(frozen=True, eq=False)
class Stages:
    """``causes`` people at each place for each cause, (stages, places), and ``moved`` (places,) who leave.

    ``people`` at risk for any cause, (stages, places); ``buildings`` and ``facilities`` (stages, n) are those at risk.
    """

    causes: Mapping[str, Ints]
    people: Ints
    moved: Ints
    buildings: Mask
    facilities: Mask

    def __repr__(self) -> str:
        return f"Stages({' → '.join(f'{people:,}' for people in self.people.sum(axis=1))} people at risk)"


def of(ground: Land, could: Conversions) -> Stages:
    """Who is at risk at each stage; ``could`` is what can be turned into refuge in the scenario."""
    base = ground.base
    people = base.people.demand["people"].to_numpy(dtype=np.int64)
    let, met = verdicts_of_people(ground) == LET, people_in_hazard(ground)
    row, built = base.building_rows, len(base.city.buildings)
    failing = ~ground.protected.buildings["passes"].to_numpy(dtype=bool)
    still = failing & ~_passes_when_widened(ground.protected)
    stay = np.where(let, 0, people)
    none = np.zeros_like(people)
    cut, cut_still = (np.where(_at(some, row), stay, 0) for some in (failing, still))
    before, after = (np.minimum(unserved, stay) for unserved in (could.order.unserved(0), could.order.unserved()))
    wet = np.where(met, stay, 0)
    causes = {
        "yield": np.array([people - stay, none, none, none]),
        "hazard": np.array([np.where(met, people, 0), wet, wet, wet]),
        "access": np.array([np.where(_at(failing, row), people, 0), cut, cut_still, cut_still]),
        "refuge": np.array([could.order.unserved(0), before, before, after]),
    }
    standing, reached = (ground.judged.table["verdict"] == LET).to_numpy(), ground.in_hazard
    lasting = [(standing | reached), *([reached & ~standing] * 3)]
    audited = [failing, *(some & ~standing[:built] for some in (failing, still, still))]
    return Stages(
        causes,
        np.maximum.reduce([*causes.values()]),
        people - stay,
        np.array([there[:built] | lacks for there, lacks in zip(lasting, audited, strict=True)]),
        np.array([there[built:] for there in lasting]),
    )


def _at(buildings: Mask, row: Ints) -> Mask:
    """What holds of the building of each place; False where it is none."""
    return np.append(buildings, False)[row]


def _passes_when_widened(found: Protected) -> Mask:
    """Which buildings pass the audit when the corridors are as wide as they are asked to be, (buildings,)."""
    lanes, params = found.lanes, found.base.params
    wider = found.lifelines.corridors
    need_m = np.zeros(len(lanes.table))
    np.maximum.at(need_m, wider["edge"].to_numpy(dtype=np.int64), wider["need_m"].to_numpy(dtype=np.float64))
    table = lanes.rubble.table
    kept = {name: np.maximum(table[name], need_m) for name in ("width_m", "clear_m")}
    then = fire_lanes.lanes(
        found.base.network, replace(lanes.rubble, table=table.assign(**kept)), found.base.usable[ENGINE],
        params=params.access, corridor=params.corridor,
    )  # fmt: skip
    told = access_audit.audit(then, found.base.city.buildings.geometry, found.hydrants, params=params.access)
    return np.asarray(told["passes"].to_numpy(dtype=bool))


def by_community(found: Stages, homes: Parts, index: pd.Index) -> pd.DataFrame:
    """``people_at_risk_<stage>``, ``people_at_risk_<cause>_now`` and ``people_moved`` of each community."""
    columns = {f"people_at_risk_{name}": homes.sums(found.people[k]) for k, name in enumerate(STAGES)}
    columns |= {f"people_at_risk_{cause}_now": homes.sums(found.causes[cause][0]) for cause in CAUSES}
    return pd.DataFrame({**columns, "people_moved": homes.sums(found.moved)}, index=index)


def headline(found: Stages) -> dict[str, float]:
    """People, buildings and facilities at risk at each stage, and people who are to be housed elsewhere.

    NaN of buildings, and of facilities, where there are none at all: not known.
    """
    counts = {"people": found.people, "buildings": found.buildings, "facilities": found.facilities}
    told = {
        f"{what}_at_risk_{name}": float(table[k].sum()) if what == "people" or table.size else np.nan
        for what, table in counts.items()
        for k, name in enumerate(STAGES)
    }
    told |= {
        f"people_at_risk_{cause}_{name}": float(table[k].sum())
        for cause, table in found.causes.items()
        for k, name in enumerate(STAGES)
    }
    return {**told, "people_moved": float(found.moved.sum())}

"""What communities come to, looked up one community after the other with pandas: slow, simple, surely right."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd

from geo import summary
from geo.coverage import Asked
from geo.evacuation import STATES, WalkParams
from geo.reasons import for_community, for_service, for_stations
from geo.services import CATEGORIES, EVERYDAY
from geo.summary import StatusParams
from geo.tables import NAMES
from geo.tallies import Told


def quantile(values: pd.Series, people: pd.Series, share: float) -> float:
    """The value that so large a share of everybody known does not exceed, everybody written out."""
    known = values.notna() & (people > 0)
    everybody = np.sort(np.repeat(values[known].to_numpy(), people[known].to_numpy()))
    return everybody[max(int(np.ceil(share * len(everybody) * (1 - 1e-12))), 1) - 1] if len(everybody) else np.nan


def community(
    homes: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, *, params: StatusParams, walk: WalkParams, known: bool
) -> dict[str, object]:
    """One row of ``summary.by_community``, from the homes and shelters of that community alone."""
    usable = sites[sites["usable"]]
    masks = {
        "people": homes["exposed"] | ~homes["exposed"], "people_exposed": homes["exposed"],
        "people_cut_off": homes["lost_way"], "people_lost_access": homes["in_reach_normal"] & ~homes["in_reach"],
    }  # fmt: skip
    row: dict[str, object] = {name: int(homes.loc[mask, "people"].sum()) for name, mask in masks.items()}
    row |= {name: int(homes[name].sum()) for name in ("people_served", "people_served_normal", "people_unserved")}
    row["people_full"] = int(homes.loc[homes["state"] == "full", "people_unserved"].sum())
    row |= {"shelters": len(sites), "shelters_usable": len(usable)}
    room, ground = (usable[name].sum(min_count=1) if len(usable) else 0.0 for name in ("capacity_people", "area_m2"))
    people = int(homes["people"].sum())
    row |= {"shelter_capacity": room, "shelter_m2_per_person": ground / people if people else np.nan}
    for name, column, share in (("walk_s_median", "walk_s", 0.5), ("walk_s_p95", "walk_s", 0.95),
                                ("walk_s_median_normal", "walk_s_normal", 0.5)):  # fmt: skip
        row[name] = quantile(homes[column], homes["people_served"], share)
    row["nearest_s_median"] = quantile(homes["nearest_s"], homes["people"], 0.5)
    said = for_community(
        people, {state: int(homes.loc[homes["state"] == state, "people"].sum()) for state in STATES},
        minutes=walk.max_minutes, median_s=float(row["walk_s_median"]),  # type: ignore[arg-type]
        lost_shelters=len(sites) - len(usable), shelters=len(sites), known=known,
    )  # fmt: skip
    stands = summary.status(homes["people_served"].sum() / people, params) if people else "empty"
    return row | {"status": stands, "reason_code": said.code, "reason_en": said.en, "reason_zh": said.zh}


def services(told: Told, label: str) -> dict[str, object]:
    """One row of ``tallies.in_communities``, from the places of that community alone."""
    here = (told.demand["community_id"] == label).to_numpy()
    people = told.demand["people"][here]
    row: dict[str, object] = {}
    for name, one in told.covered.asked.items():
        if name in EVERYDAY:
            continue
        now, known = told.coverage.now[name], bool(len(one.bound.stations))
        row[f"{name}_share"] = _share(people, now.served[here]) if known else np.nan
        row[f"{name}_share_normal"] = _share(people, one.normal.served[here]) if known else np.nan
        row[f"{name}_s_median"] = quantile(pd.Series(now.time_s[here], people.index), people, 0.5)
        row |= _engine(told, one, here, people)
    within, before = ([of[name].served[here] for name in EVERYDAY] for of in told.by_name)
    lacking = [int(people[~reached].sum()) for reached in within]
    return row | {
        "circle_share": _share(people, np.all(within, axis=0)),
        "circle_share_normal": _share(people, np.all(before, axis=0)),
        "circle_missing": CATEGORIES[lacking.index(max(lacking))] if max(lacking) else None,
    }


def _share(people: pd.Series, served: np.ndarray) -> float:
    return people[served].sum() / people.sum() if people.sum() else np.nan


def _engine(told: Told, one: Asked, here: np.ndarray, people: pd.Series) -> dict[str, object]:
    names = [f"{one.name}_{what}" for what in ("people_lost", "reason_en", "reason_zh")]
    total, losses = int(people.sum()), told.coverage.losses.get(one.name)
    if total and not len(one.bound.stations):
        said = for_stations(one.name, one.params.kinds, 0, 0)
        return dict(zip(names, (0, said.en, said.zh), strict=True))
    cost: dict[str, object] = {}
    if losses is not None:
        lost, added = losses.lost[here], losses.added_s[here]
        later = np.isfinite(added) & (added >= 1)
        cost = {
            "lost": int(people[lost].sum()), "later": int(people[later].sum()),
            "added_s": quantile(pd.Series(added[later], people[later].index), people[later], 0.5),
            "because": _because(told, one, losses.cause[here][lost], losses.edge[here][lost], people[lost]),
        }  # fmt: skip
    served = int(people[told.coverage.now[one.name].served[here]].sum())
    said = for_service(one.name, total, served, minutes=one.params.minutes, **cost)  # type: ignore[arg-type]
    return dict(zip(names, (cost.get("lost", 0), said.en, said.zh), strict=True))


def _because(
    told: Told, one: Asked, cause: np.ndarray, edge: np.ndarray, people: pd.Series
) -> list[tuple[str, Mapping[str, str | None], int]]:
    """Causes by street name, most people first, else by cause and name, those without a name last."""
    network, counted = one.streets.network, dict[tuple[str, tuple[str | None, ...]], int]()
    for why, row, n in zip(cause, edge, people, strict=True):
        key = (why, tuple(network.edge_tag(name)[row] if row >= 0 else None for name in NAMES))
        counted[key] = counted.get(key, 0) + int(n)
    ranked = sorted(counted.items(), key=lambda it: (-it[1], it[0][0], [(n is None, n or "") for n in it[0][1]]))
    return [(why, dict(zip(NAMES, called, strict=True)), n) for (why, called), n in ranked]

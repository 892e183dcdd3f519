"""A run's headline numbers for docs/plans.md, from its record and its layers; what the record lacks is counted here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from app.store.runs import Run
from geo.evacuation import STATES

UNSERVED = STATES[1:]
"""Why somebody is not served."""
HEADLINE = (
    "people", "people_served", "people_unserved", "shelters", "shelters_usable", "shelter_capacity",
    "shelter_street_share", "people_displaced", "people_housed", "people_unhoused", "walk_s_median", "walk_s_p95",
    "clearance_s",
)  # fmt: skip
"""What the record says as it is."""
STATUS = ("good", "watch", "bad", "empty")


def numbers(run: Run) -> dict[str, float]:
    """Everything that is counted in a run, by name; NaN where it is not known."""
    headline = run.record.headline
    return {
        **{name: _number(headline.get(name)) for name in HEADLINE},
        **by_state(run.table("demand")),
        **of_shelters(run.table("shelters")),
        **of_communities(run.table("communities")),
        **of_streets(run),
    }


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else np.nan


def by_state(demand: pd.DataFrame) -> dict[str, float]:
    """People not served by their reason, people whose place sends them to several shelters, and the walking in all.

    ``person_min`` takes everybody of a place by the way of most of them, which the layer has.
    """
    left = demand.groupby("state")["people_unserved"].sum()
    served = demand["people_served"]
    return {
        **{state: float(left.get(state, 0)) for state in UNSERVED},
        "people_divided": float(demand["people"][demand["shelters_used"] > 1].sum()),
        "person_min": float((served * demand["walk_s"].fillna(0)).sum() / 60),
    }


def of_shelters(shelters: pd.DataFrame) -> dict[str, float]:
    """How many are full, how many people are led to room nobody knows, and those not usable by their reason."""
    unknown = ~shelters["capacity_limits"].astype(bool)
    usable = shelters["usable"].astype(bool)
    why = shelters["reason_code"][~usable].value_counts()
    return {
        "stay_room": float(shelters["stay_capacity_people"][usable].sum()),
        "shelters_full": float((shelters["load_share"] >= 1).sum()),
        "people_in_unknown_room": float(shelters["people"][unknown].sum()),
        "shelters_unknown_room": float((unknown & usable).sum()),
        **{f"not_usable_{code}": float(count) for code, count in why.items()},
    }


def of_communities(communities: pd.DataFrame) -> dict[str, float]:
    """Communities by status, and the share of people with two shelters in reach."""
    status = communities["status"].value_counts()
    people = communities["people"].astype(np.float64)
    share = communities["shelter_two_share"] * people
    return {
        "communities": float(len(communities)),
        **{f"communities_{name}": float(status.get(name, 0)) for name in STATUS},
        "two_share": float(share.sum() / people.sum()) if people.sum() > 0 else np.nan,
    }


def of_streets(run: Run) -> dict[str, float]:
    """What the street whose loss costs most would cost, and the waiting in all narrow streets."""
    worst, flows = critical(run), run.table("street_flows")
    return {
        "critical_people": _number(worst.get("people")),
        "critical_lost": _number(worst.get("people_lost")),
        "critical_person_min": _number(worst.get("people_minutes")),
        "waiting_person_h": float(flows["wait_person_s"].sum() / 3600),
        "busiest_people": float(flows["people"].max()) if len(flows) else np.nan,
    }


def critical(run: Run) -> Mapping[str, Any]:
    """The street whose loss costs most people-minutes; empty where there is none."""
    table = run.table("critical_streets")
    return {} if table.empty else dict(table.sort_values("rank").iloc[0])


def too_late(run: Run) -> pd.DataFrame:
    """When each community must be left at the latest, and metres of street (or people) too late at each hour known."""
    units = run.table("communities")
    late = [name for name in units if name.startswith(("people_too_late_", "street_m_too_late_"))]
    if not late:
        return pd.DataFrame()
    return units.set_index("name")[["leave_by_h", *late]].sort_values("leave_by_h")


def compared(best: Mapping[str, float], nearest: Mapping[str, float]) -> dict[str, float]:
    """The best assignment beside nearest-first: people served more, person-minutes saved, minutes each."""
    each = {name: of["person_min"] / of["people_served"] if of["people_served"] else np.nan
            for name, of in (("best_min", best), ("nearest_min", nearest))}  # fmt: skip
    return {
        "best_served": best["people_served"],
        "nearest_served": nearest["people_served"],
        "more_served": best["people_served"] - nearest["people_served"],
        "saved_person_min": nearest["person_min"] - best["person_min"],
        **each,
    }


def weakest(run: Run, count: int) -> pd.DataFrame:
    """The communities with most people not served; where nobody's number is known, those with least street covered.

    ``above`` is the unit above it, where its name alone does not tell it from others.
    """
    units = run.table("communities")
    repeated = units["name"].duplicated(keep=False) | units["name"].isna()
    parents = run.table("districts").set_index("community_id")["name"] if "districts" in run.layers else {}
    units["above"] = units["parent_id"].map(parents).where(repeated)
    units = units[units["status"].isin(["bad", "watch"])]
    by, rising = ("people_unserved", False) if units["people"].sum() > 0 else ("shelter_street_share", True)
    return units.sort_values(by, ascending=rising, kind="stable").head(count)

"""The numbers of docs/land.md, from what a run kept; NaN where nothing is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from app.store.runs import Run
from geo.stages import STAGES

ZONES = ("let_m2", "prevent_m2", "avoid_m2")
COUNTED = ("people", "buildings", "facilities")
FIRST = 3
"""Rows of a list that are shown."""


def numbers(run: Run) -> dict[str, float]:
    """Everything of the land that is counted in a run."""
    head = {name: _number(value) for name, value in run.record.headline.items()}
    built = len(run.table("buildings"))
    told = {**head, **_corridors(run), "buildings": float(built), "facilities": float(len(run.table("facilities")))}
    told["ground_m2"] = float(run.table("regions")["area_m2"].sum())
    for name in ("candidates", "proposed"):
        told[name] = float(len(candidates(run, proposed=name == "proposed")))
    told |= {f"lots_{name}": float(count) for name, count in _lots(run).items()}
    return told


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else np.nan


def _lots(run: Run) -> dict[str, int]:
    if "lots" not in run.layers:
        return {}
    found = run.table("lots")["verdict"].value_counts()
    return {name: int(found.get(name, 0)) for name in ("let", "prevent", "avoid", "none")}


def _corridors(run: Run) -> dict[str, float]:
    """Kilometres of corridor, of those to widen, and by how much the network may cost more than the cheapest."""
    table = run.table("corridors")
    asked = table[table["class"] != "trunk"]
    cost, least = (_number(run.record.headline.get(name)) for name in ("corridors_cost", "corridors_cost_least"))
    return {
        "corridor_km": float(asked["length_m"].sum()) / 1000,
        "widen_km": float(asked["length_m"][asked["state"] == "widen"].sum()) / 1000,
        "trunk_km": float(table["length_m"][table["class"] == "trunk"].sum()) / 1000,
        "gap": 1 - least / cost if cost > 0 else np.nan,
    }


def candidates(run: Run, *, proposed: bool) -> pd.DataFrame:
    """What could be turned into refuge; only what has a place in the order, in it."""
    table: pd.DataFrame = run.table("refuge_candidates")
    ordered: pd.DataFrame = table[table["order"].notna()].sort_values("order")
    return ordered if proposed else table


def phases(told: Mapping[str, float]) -> list[tuple[int, float]]:
    """Phase and people newly sheltered by its end beside all before it; phase 0 is what no budget reaches."""
    left, found, phase = told["people_unserved_existing"], list[tuple[int, float]](), 1
    while f"people_unserved_phase_{phase}" in told:
        then = told[f"people_unserved_phase_{phase}"]
        found.append((phase, left - then))
        left, phase = then, phase + 1
    return [*found, (0, left - told["people_unserved_converted"])]


def at_risk(told: Mapping[str, float], what: str) -> list[float]:
    """Those at risk now and after each stage."""
    return [told[f"{what}_at_risk_{stage}"] for stage in STAGES]


def retreat(run: Run) -> pd.DataFrame:
    """The first of the retreat list."""
    table: pd.DataFrame = run.table("conflicts").sort_values("order").head(FIRST)
    return table

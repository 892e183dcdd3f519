"""One community from rule to verdict: the numbers of docs/worked-example.md, from the land of a study that was run.

They are kept in ``worked.json``; tests/real/test_worked_example.py works them out again from the map alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from app import held
from app.store import Workspace
from app.store.runs import Run
from data import standards
from geo import land, setbacks, uses
from geo.land import Land
from geo.overlays import cut
from geo.site_check import BROKEN, KEPT
from tests.real import cities
from tests.real.plans import FullPlan

FILE = Path(__file__).with_suffix(".json")
Facts = dict[str, Any]
HIT = ("rule_id", "source_id", "distance_m", "required_m", "share")


def facts(plan: FullPlan, about: Mapping[str, Any], workspace: Path) -> Facts:
    """Every number of the example, and kept in ``FILE``."""
    study = Workspace.open(workspace).study(plan.name)
    found = land.of(held.prepared(study, held.scenario_of(study, "").time))
    run, unit = plan.runs[about["scenario"]], about["community"]
    told = {
        "study": plan.name, "crs": found.crs, "community": _community(run, unit),
        "things": [_thing(found, name) for name in about["things"]],
        "kept": _kept(found, about["things"][-1]),
        "spot": _spot(found, plan.name, about["spot"], workspace),
        "regions": _regions(run, found, unit), "region": about["region"],
        "lots": _lots(run, about["region"]),
        "access": _access(found, about["access"]), "order": _order(run, about["order"]),
        "params": {name: getattr(found.params.reserve, name) for name in ("share", "open_share", "m2_per_person")},
    }  # fmt: skip
    names = {hit["rule_id"] for each in (*told["things"], *told["spot"]["asked"]) for hit in each["hits"]}
    told["rules"] = {name: rule_text(name) for name in sorted(names)}
    kept: Facts = json.loads(json.dumps(told, default=float))
    FILE.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return kept


def rule_text(name: str) -> str:
    """A rule as its file has it."""
    folder = Path(standards.__file__).parent / "setback_rules"
    for file in sorted(folder.glob("*.toml")):
        found = re.search(rf"^\[{name}\]\n(?:.+\n)+", file.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return found[0].strip()
    raise KeyError(name)


def _community(run: Run, unit: str) -> Facts:
    units = run.table("communities").set_index("community_id")
    names = ["name", "people", "let_m2", "prevent_m2", "avoid_m2", "buildings_in_let", "people_in_let",
             "reserve_required_m2", "reserve_found_m2", "reserve_short_m2"]  # fmt: skip
    return {"community_id": unit, **_plain(units.loc[unit, names])}


# -- verdicts ----------------------------------------------------------------------------------------------------------


def _thing(found: Land, name: str) -> Facts:
    """A building that stands, with each rule that holds for it there."""
    row = int(np.flatnonzero(found.standing["object_id"] == name)[0])
    judged, standing = found.judged.table.iloc[row], found.standing.iloc[row]
    hits = found.judged.hits[found.judged.hits["thing"] == row]
    ids = found.claims.reasons["reason_id"].to_numpy(dtype=object)
    told = [{"rule_id": ids[hit["reason"]], **{key: hit[key] for key in HIT[1:]}} for hit in hits.to_dict("records")]
    return {
        "object_id": name, "use": standing["use"], "class": standing["building_class"],
        "area_m2": float(shapely.area(standing["geometry"])),
        **_plain(judged[["verdict", "let_share", "prevent_share", "reason_en", "reason_zh"]]), "hits": told,
    }  # fmt: skip


def _kept(found: Land, name: str) -> list[Facts]:
    """The rules that a building keeps, with their nearest sources."""
    row = int(np.flatnonzero(found.standing["object_id"] == name)[0])
    what = uses.of([found.standing["use"].iloc[row]], params=found.params.uses)
    near = setbacks.asked_of(found.setbacks, found.standing.geometry.iloc[row], what, on="standing")
    rows = []
    for each in (each for each in near if each.applies and not each.hit and each.source >= 0):
        kept = found.setbacks.kept[each.rule]
        rows.append(
            {
                "rule_id": kept.rule_id,
                "source_id": kept.source_id[each.source],
                "en": kept.rule.en,
                "zh": kept.rule.zh,
                "distance_m": each.distance_m,
                "required_m": each.required_m,
            }
        )
    return sorted(rows, key=lambda row: float(row["distance_m"]))


def _spot(found: Land, study: str, about: Mapping[str, Any], workspace: Path) -> Facts:
    """The same spot asked for different plans, by the command."""
    place = f"{about['lon']},{about['lat']}"
    asked = []
    for words in about["asked"]:
        done = cities.said(["check-site", study, "--at", place, *words, "--json"], workspace)
        told = json.loads(done.out)
        hits = [{key: row[key] for key in HIT} for row in told["rules"] if row["standing"] == BROKEN]
        kept = [{key: row[key] for key in HIT} for row in told["rules"] if row["standing"] == KEPT]
        asked.append({"words": words, "verdict": told["verdict"], "reason_en": told["said_en"],
                      "reason_zh": told["said_zh"], "class": told["planned"].get("class"), "hits": hits,
                      "kept": kept[:3]})  # fmt: skip
    return {"lon": about["lon"], "lat": about["lat"], "asked": asked}


# -- reserve -----------------------------------------------------------------------------------------------------------


def _regions(run: Run, found: Land, unit: str) -> list[Facts]:
    """The regions of which some lies in the community, with what of each is dealt to it."""
    table = found.layers["regions"]
    shapes, here = (np.asarray(t.geometry.to_numpy(), dtype=object) for t in (table, found.communities))
    row, community, parts = cut(shapes, here)
    area = pd.DataFrame({"row": row, "unit": found.communities["community_id"].to_numpy()[community],
                         "m2": shapely.area(parts)})  # fmt: skip
    mine = area[area["unit"] == unit].set_index("row")["m2"]
    whole = area.groupby("row")["m2"].sum()
    columns = ["region_id", "name", "kind", "land_m2", "people", "reserve_required_m2", "reserve_found_m2",
               "reserve_short_m2"]  # fmt: skip
    return [{**_plain(table.iloc[at][columns]), "here_m2": float(mine[at]), "dealt_m2": float(whole[at])}
            for at in mine.index]  # fmt: skip


def _lots(run: Run, region: str) -> list[Facts]:
    """What is reserved in one region."""
    lots = run.table("reserve")
    mine = lots[(lots["region_id"] == region) & lots["chosen"]]
    return [_plain(row) for _, row in mine[["candidate_id", "source_id", "kind", "usable_m2", "taken_m2", "score",
                                            "rank"]].iterrows()]  # fmt: skip


# -- access and refuge -------------------------------------------------------------------------------------------------


def _access(found: Land, name: str) -> Facts:
    """The audit of one building, and what the collapse leaves of its street."""
    kept, rubble = found.protected, found.protected.lanes.rubble
    row = int(np.flatnonzero(found.base.city.buildings["building_id"] == name)[0])
    told = kept.buildings.iloc[row]
    street = rubble.table.iloc[int(told["street"])]
    wall = rubble.buildings.iloc[int(street["blocked_by"])]
    trunk = bool(rubble.trunk[int(told["street"])])
    factor = found.params.rubble.trunk_factor if trunk else found.params.rubble.other_factor
    lost = max(float(street["rubble_left_m"]), float(street["rubble_right_m"]))
    return {
        "building_id": name, "street_id": told["street_id"], "wall_id": wall["building_id"],
        "height_m": float(wall["height_m"]), "assumed": bool(wall["height_assumed"]), "factor": factor,
        "width_m": float(street["width_m"]), "left_m": float(street["rubble_left_m"]),
        "right_m": float(street["rubble_right_m"]), "clear_m": float(street["clear_m"]),
        "wall_m": float(wall["height_m"] * factor + street["width_m"] / 2 - lost),
        "street_m": float(told["street_m"]), "lane_m": found.params.access.lane_m,
        **_plain(told[["reason", "reason_en", "reason_zh", "passes", "passes_after"]]),
    }  # fmt: skip


def _order(run: Run, places: list[int]) -> list[Facts]:
    table = run.table("refuge_candidates")
    columns = ["order", "candidate_id", "name", "kind", "usable_m2", "capacity_people", "gain_people",
               "gain_alone_people", "cumulative_people", "cost", "phase", "reason_en", "reason_zh"]  # fmt: skip
    return [_plain(table[table["order"] == place].iloc[0][columns]) for place in places]


def _plain(row: pd.Series) -> Facts:
    """Values as JSON has them."""
    return {str(name): value.item() if isinstance(value, np.generic) else value for name, value in row.items()}

"""The page of full plans: its numbers are those of the runs, and it has a section for every plan.

One city is made and run, once for all tests (``tests.real.kept``); ``python -m tests.real.plans`` does all.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from app.store import Workspace
from geo.shelters import REASONS
from tests import shared_data
from tests.real import kept, plan_numbers, plans
from tests.real.plan_page import Words, section
from tests.real.plans import FullPlan

LIGHT = "kampen"


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> FullPlan:
    if reason := shared_data.why_not(LIGHT):
        pytest.skip(reason)
    workspace, _ = kept.plan(tmp_path_factory, LIGHT, folder="plans")
    return plans.run(LIGHT, workspace, {**plans.listed()["plan"][LIGHT], "also": [plans.NEAREST]})


def test_every_person_has_one_row(plan: FullPlan) -> None:
    for run in plan.runs.values():
        n, demand = plan_numbers.numbers(run), run.table("demand")
        assert n["people"] == demand["people"].sum() == n["people_served"] + n["people_unserved"]
        assert sum(n[state] for state in plan_numbers.UNSERVED) == n["people_unserved"]
        gone = sum(value for name, value in n.items() if name.startswith("not_usable_"))
        assert n["shelters"] == n["shelters_usable"] + gone
        assert n["communities"] == sum(n[f"communities_{status}"] for status in plan_numbers.STATUS)


def test_the_best_assignment_serves_as_many_in_less_walking(plan: FullPlan) -> None:
    for scenario, run in plan.ways[plans.NEAREST].runs.items():
        best, nearest = (plan_numbers.numbers(one) for one in (plan.runs[scenario], run))
        found = plan_numbers.compared(best, nearest)
        assert found["more_served"] >= 0
        assert found["more_served"] > 0 or found["saved_person_min"] >= -0.001 * nearest["person_min"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_section_says_what_the_runs_hold(plan: FullPlan, lang: str) -> None:
    words = Words(plans.listed()["words"], lang)
    lines = list(section(plan, words))
    of = {line.split(" | ")[0].removeprefix("| "): line for line in lines if line.startswith("| ")}
    for name in ("people", "people_served"):
        said = re.findall(r"[\d,]+", re.sub(r"\(.*?\)", "", of[words(name)].removeprefix(f"| {words(name)} |")))
        found = [f"{run.record.headline[name]:,}" for run in plan.runs.values()]
        assert said == found
    walked = [run.record.headline["walk_s_median"] / 60 for run in plan.runs.values()]
    assert [float(m) for m in re.findall(r"([\d.]+) / ", of[words("walk_min")].split("|", 2)[2])] == pytest.approx(
        walked, abs=0.051
    )
    assert plan.ways[""].processor_s > 1 and plan.ways[""].memory_gb < 4
    assert not any("nan" in line.lower().split() or "{" in line for line in lines)


def test_what_a_plan_took_is_kept_with_its_runs(plan: FullPlan) -> None:
    workspace = next(iter(plan.runs.values())).folder.parents[3]
    assert Workspace.open(workspace).studies() == [LIGHT]
    again = plans.kept(LIGHT, workspace, plan.about)
    assert list(again.ways) == ["", plans.NEAREST]
    assert again.ways[""].processor_s == plan.ways[""].processor_s > 1
    assert [run.run_id for run in again.runs.values()] == [run.run_id for run in plan.runs.values()]


def test_the_best_beside_nearest_first() -> None:
    best = {"person_min": 1200.0, "people_served": 300.0}
    found = plan_numbers.compared(best, {"person_min": 1000.0, "people_served": 200.0})
    assert found["more_served"] == 100
    assert found["saved_person_min"] == -200
    assert (found["best_min"], found["nearest_min"]) == (4, 5)
    assert np.isnan(plan_numbers.compared(best, {"person_min": 0.0, "people_served": 0.0})["nearest_min"])


def test_every_reason_has_its_words() -> None:
    assert {f"why_{code}" for code in REASONS if code != "usable"} <= set(plans.listed()["words"])


@pytest.mark.parametrize("lang", plans.DOCS)
def test_the_page_has_a_section_for_every_plan(lang: str) -> None:
    text, listed = plans.DOCS[lang].read_text(encoding="utf-8"), plans.listed()
    shown = [line for line in text.splitlines() if line.startswith("## ")]
    assert shown == [f"## {about[lang]}" for about in listed["plan"].values()]
    for picture in re.findall(r"\]\((plans/\S+\.png)\)", text):
        assert (plans.DOCS[lang].parent / picture).is_file(), picture


def test_pictures_are_light() -> None:
    folder: Path = plans.DOCS["en"].parent / "plans"
    assert all(file.stat().st_size <= 200_000 for file in folder.glob("*.png"))

"""Real cities made by nothing but their commands, and the page that shows every one of them.

Two light ones are made here (a minute of computing); ``python -m tests.real.cities`` makes all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import shared_data
from tests.real import cities

LIGHT = ("chengdu", "tacloban")
"""A lattice, GCJ-02, day and night; classes of two hazards and a refusal. Each has a folder of its own name."""


@pytest.mark.parametrize("name", LIGHT)
def test_a_city_is_made_checked_and_run_as_listed(name: str, tmp_path: Path) -> None:
    if reason := shared_data.why_not(name):
        pytest.skip(reason)
    city = cities.made(name, cities.listed()[name], tmp_path)
    print(f"{name}: {city.seconds:.1f} s")
    assert cities.faults(city) == []


def test_the_page_has_a_section_for_every_city() -> None:
    shown = [line for line in cities.DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("## ")]
    assert shown == [f"## {about['title']}" for about in cities.listed().values()]

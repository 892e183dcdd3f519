"""Land plans 让 / 防 / 避 of real places: each place of ``lands.toml`` made by its commands, run, and told on a page.

``python -m tests.real.lands [PLACE ...]`` makes the studies that are not there yet, runs them, and writes docs/land.md,
docs/worked-example.md, both in Chinese too, and their pictures; places that are named it only makes and runs. With
``--page`` it writes them of the runs that are there. ``RENXING_WORKSPACE`` is a workspace kept between tries (default:
a temporary one).
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd

from data import osm
from tests import shared_data
from tests.real import cities, longmen, plans
from tests.real.plans import FullPlan

LISTED = Path(__file__).with_suffix(".toml")
DOCS = shared_data.ROOT / "docs"
PAGES = {"en": "{name}.md", "zh": "{name}.zh-CN.md"}
FILES = "{files}"
"""In a command, the folder of the files that are made for the place."""


def listed() -> dict[str, Any]:
    """The words of the page (``words``), the places in its order (``place``) and the example (``worked``)."""
    return tomllib.loads(LISTED.read_text(encoding="utf-8"))


def commands(name: str) -> list[str]:
    """The commands that make a place's study."""
    about = listed()["place"][name]
    own: list[str] = about.get("commands") or cities.listed()[name]["commands"]
    return [*own, *about.get("more", [])]


def made(name: str, workspace: Path) -> None:
    """Make a study by its commands, unless it is there; SystemExit says what was refused."""
    if (workspace / "studies" / name / "study.toml").is_file():
        return
    folder = workspace / "files" / name
    folder.mkdir(parents=True, exist_ok=True)
    MADE.get(name, _nothing)(folder)
    for line in commands(name):
        for words in cities.commands(line.replace(FILES, str(folder))):
            done = cities.said(words, workspace)
            if done.code:
                sys.exit(f"{line}\n{done.err[-3000:]}")


def _nothing(folder: Path) -> None:
    """Most places come as they are."""


def _longmen(folder: Path) -> None:
    longmen.files(folder, shared_data.folder() / longmen.FILE)


def _lots_of(extract: str) -> Callable[[Path], None]:
    """Outlines of land use on the map, which stand for the lots of a plan that nobody has."""

    def write(folder: Path) -> None:
        areas = osm.read(shared_data.folder() / extract).areas
        lots = areas[~areas["kind"].isin(["water", "river"])]
        table = {"lot_id": lots["area_id"], "name": lots["name"], "use": lots["kind"]}
        gpd.GeoDataFrame(table, geometry=lots.geometry, crs=lots.crs).to_file(folder / "lots.gpkg")

    return write


MADE = {
    "haidian": _lots_of("osm/beijing-haidian-tsinghua.osm"),
    "nanjing": _lots_of("osm/nanjing-hongtao45_bbox.osm.xml"),
    "longmen": _longmen,
}
"""What is made for a place before its commands, in their folder ``{files}``."""


def written(told: Sequence[FullPlan], workspace: Path) -> None:
    """Write both pages in both languages, and take the pictures."""
    from tests.real import land_page, worked, worked_page

    words = listed()
    facts = worked.facts(
        next(plan for plan in told if plan.name == words["worked"]["study"]), words["worked"], workspace
    )
    for lang, named in PAGES.items():
        (DOCS / named.format(name="land")).write_text(land_page.page(told, words["words"], lang), encoding="utf-8")
        text = worked_page.page(facts, words["example"], lang)
        (DOCS / named.format(name="worked-example")).write_text(text, encoding="utf-8")
    from tests.real.plan_pictures import taken

    taken(workspace, words["place"], DOCS / "land")


def _about(name: str, place: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"also": [], **place[name]}


def main() -> None:
    """Make and run the places that are named, else all; write the pages when it was all."""
    asked, place = sys.argv[1:], listed()["place"]
    with plans.workspace() as workspace:
        told = []
        for name in [word for word in asked if word != "--page"] or place:
            about = _about(name, place)
            if "--page" in asked:
                told.append(plans.kept(name, workspace, about))
            else:
                made(name, workspace)
                told.append(plans.run(name, workspace, about))
        if len(told) == len(place):
            written(told, workspace)


if __name__ == "__main__":
    main()

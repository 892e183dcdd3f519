"""What the pages for people show of a study: put together here, drawn by ``app.maps``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from app import __version__, views
from app.checking import Checked
from app.export import Format
from app.links import here as links
from app.maps.check import CheckView
from app.maps.index import IndexView, StudyCard
from app.maps.view import Choice, MapView, Urls
from app.showing import Shown
from app.store import Run, Study, Workspace
from app.store.runs import credit
from app.texts import words
from data.study import Scenario
from geo.errors import Fault, NotFoundError
from tiles.text import LANGUAGES, NOTHING, Text

LANGUAGE_NAMES = {"zh": "中文", "en": "English"}
FORMAT_NAMES = {Format.csv: "CSV", Format.geojson: "GeoJSON", Format.gpkg: "GeoPackage"}


@dataclass(frozen=True)
class MapAsked:
    """All that decides a map page: ``state`` names the study's definition and the runs; ``root`` begins its addresses.

    A page with ``tickets`` is one reader's own.
    """

    run_id: str
    lang: str
    root: str
    tickets: bool
    state: tuple[str, ...]
    study: Study = field(compare=False, repr=False)
    latest: Mapping[str, Run] = field(compare=False, repr=False)

    @classmethod
    def of(cls, run_id: str, study: Study, latest: Mapping[str, Run], lang: str) -> MapAsked:
        """The page of a run, with the ways to the others that are the latest, in the request that is answered."""
        others = tuple(f"{scenario} {run.run_id}" for scenario, run in latest.items())
        root, tickets = links().path(""), links().ticket is not None
        return cls(run_id, lang, root, tickets, (study.study_id, study.digest, *others), study, latest)


def language(asked: str, accepted: str) -> str:
    """The language of a page: the one asked for, else the reader's first that there is, else English.

    ``accepted`` is the header Accept-Language.
    """
    if asked in LANGUAGES:
        return asked
    wanted = [part.split(";")[0].strip().lower().partition("-")[0] for part in accepted.split(",")]
    return next((lang for lang in wanted if lang in LANGUAGES), "en")


def chosen(study: Study, latest: Mapping[str, Run], scenario: str) -> Run:
    """The run to show: of the scenario asked for, else of the first that is not an ordinary day, else the first."""
    if scenario and scenario in latest:
        return latest[scenario]
    if scenario or not latest:
        cure = f"Compute it: renxing run {study.study_id}"
        there = ", ".join(latest) or "none"
        raise NotFoundError(Fault("a scenario that was computed", repr(scenario[:80] or there), study.study_id, cure))
    states = {s.scenario_id: s.state for s in study.file.scenarios}
    return next((run for name, run in latest.items() if states[name] != "normal"), next(iter(latest.values())))


def map_view(shown: Shown, study: Study, latest: Mapping[str, Run], lang: str) -> MapView:
    """The map page of one run, with the ways to the other scenarios and the other language."""
    run, record = shown.run, shown.run.record
    page = links().path(f"/studies/{study.study_id}")
    names = {s.scenario_id: scenario_name(s) for s in study.file.scenarios}
    here = record.scenario_id
    shown_now = names.get(here) or scenario_name(Scenario.model_validate(record.recipe.scenario))
    return MapView(
        lang=lang,
        title=study_name(study),
        scenario=shown_now,
        layers=tuple(layer.bare() for layer in shown.layers),
        urls=urls(run),
        bounds=views.bounds(shown),
        numbers=views.numbers(shown),
        communities=views.standings(shown),
        scenarios=tuple(
            Choice(names[name], f"{page}?scenario={name}&lang={lang}", current=other.run_id == run.run_id)
            for name, other in latest.items()
        ),
        languages=tuple(
            Choice(Text(said, said), f"{page}?scenario={here}&lang={code}", current=code == lang)
            for code, said in LANGUAGE_NAMES.items()
        ),
        notes=tuple(Text(note.zh, note.en) for note in record.notes),
        attribution=tuple(record.attribution),
        home=links().path(f"/?lang={lang}"),
        check=f"{page}/check?lang={lang}",
        version=__version__,
    )


def check_view(found: Checked, study: Study, latest: Mapping[str, Run], lang: str) -> CheckView:
    """The page of a study's check, with the way to its map when there is one."""
    own = f"/studies/{study.study_id}"
    page = links().path(own)
    named = [said for layer in study.file.layers if (said := credit(layer.model_dump()))]
    return CheckView(
        lang=lang,
        report=found.report,
        sketch=found.sketch,
        languages=tuple(
            Choice(Text(said, said), f"{page}/check?lang={code}", current=code == lang)
            for code, said in LANGUAGE_NAMES.items()
        ),
        home=links().path(f"/?lang={lang}"),
        data=links().data(f"/api/v1{own}/check", study.study_id),
        static=links().path("/static"),
        open_map=f"{page}?lang={lang}" if latest else "",
        attribution=tuple(dict.fromkeys(named)),
        version=__version__,
    )


def index_view(workspace: Workspace, lang: str) -> IndexView:
    """The start page: every study with what its latest run says."""
    studies, broken = workspace.readable()
    found = [(study, workspace.latest(study.study_id)) for study in studies]
    named = [name for _, latest in found for run in latest.values() for name in run.record.attribution]
    unreadable = [_broken_card(name, workspace.hidden(str(error))) for name, error in broken.items()]
    return IndexView(
        lang=lang,
        studies=(*(_card(study, latest, lang) for study, latest in found), *unreadable),
        languages=tuple(
            Choice(Text(said, said), links().path(f"/?lang={code}"), current=code == lang)
            for code, said in LANGUAGE_NAMES.items()
        ),
        attribution=tuple(dict.fromkeys(named)),
        api=links().path("/docs"),
        static=links().path("/static"),
        version=__version__,
    )


def _card(study: Study, latest: Mapping[str, Run], lang: str) -> StudyCard:
    """A study that was computed shows its numbers and the ways to its maps; one that was not says so."""
    page = links().path(f"/studies/{study.study_id}")
    run = chosen(study, latest, "") if latest else None
    return StudyCard(
        title=study_name(study),
        url=f"{page}?lang={lang}" if run else "",
        about=_told_of(study, run) if run else NOTHING,
        numbers=views.numbers(Shown(run)) if run else (),
        scenarios=tuple(
            Choice(scenario_name(s), f"{page}?scenario={s.scenario_id}&lang={lang}" if s.scenario_id in latest else "")
            for s in study.file.scenarios
        ),
        downloads=tuple(_downloads(run)) if run else (),
        check=Choice(words("check.link"), f"{page}/check?lang={lang}"),
    )


def _told_of(study: Study, run: Run) -> Text:
    """Which scenario the numbers of a card are of."""
    name = next((scenario_name(s) for s in study.file.scenarios if s.scenario_id == run.record.scenario_id), NOTHING)
    return Text(**{lang: words("index.of_scenario", name=name.of(lang)).of(lang) for lang in LANGUAGES})


def _broken_card(name: str, error: str) -> StudyCard:
    """A study whose definition cannot be read: its id, and what is wrong."""
    return StudyCard(Text(name, name), "", Text(error, error))


def _downloads(run: Run) -> Iterator[Choice]:
    base = f"/api/v1/runs/{run.run_id}/layers/communities"
    for format, name in FORMAT_NAMES.items():
        yield Choice(Text(name, name), links().data(f"{base}.{format}", run.record.study_id))


def urls(run: Run) -> Urls:
    """Where a map page finds the data of a run."""
    study_id = run.record.study_id
    tiles = f"/tiles/{run.run_id}/{{table}}/{{z}}/{{x}}/{{y}}"
    return Urls(
        geojson=links().data(f"/api/v1/runs/{run.run_id}/layers/{{table}}.geojson", study_id),
        mvt=links().data(f"{tiles}.mvt", study_id),
        png=links().data(f"{tiles}.png", study_id),
        base=links().data(f"/tiles/{study_id}/base/{{z}}/{{x}}/{{y}}.mvt", study_id),
        static=links().path("/static"),
    )


def study_name(study: Study) -> Text:
    """A study's name in both languages."""
    return Text(study.file.name_zh or study.file.name, study.file.name)


def scenario_name(scenario: Scenario) -> Text:
    """A scenario's name in both languages."""
    return Text(scenario.name_zh or scenario.name, scenario.name)

"""The collections of a study or of one run: their ids, titles in both languages, and the run each stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from app.drawings import DRAWINGS
from app.ogc.crs import Crs, offered
from app.ogc.table import Described, described
from app.pages import scenario_name, study_name
from app.store import Run, Study
from app.store.runs import LayerRecord
from data.study import Scenario
from geo.errors import Fault, NotFoundError
from tiles.text import LANGUAGES, Text

SPOKEN = {"_zh": "中文", "_en": "English"}
"""Endings of columns in one language, and what that language is called."""


@dataclass(frozen=True)
class Collection:
    """A table layer of a run under the id it has here."""

    collection_id: str
    title: Text
    run: Run
    layer: LayerRecord

    @property
    def described(self) -> Described:
        """Its columns with what they hold."""
        return described(self.run.file(self.layer.layer, "table"))

    @property
    def within_run(self) -> str:
        """Its address among the collections of its run, which never change."""
        return f"{run_path(self.run)}/collections/{self.layer.layer}"


@dataclass(frozen=True)
class Catalogue:
    """The collections below one address; ``run`` when they are those of one run, which never changes."""

    path: str
    title: Text
    study: Study
    collections: Mapping[str, Collection]
    runs: tuple[Run, ...]
    run: Run | None = None

    def __repr__(self) -> str:
        return f"Catalogue({self.path}: {len(self.collections)} collections)"

    @property
    def crs(self) -> tuple[Crs, ...]:
        """The systems that can be asked for."""
        return offered(self.study.file.crs)

    @property
    def attribution(self) -> str:
        """Whom to name when any of it is shown."""
        return credits(self.runs)

    def collection(self, collection_id: str) -> Collection:
        """One collection; NotFoundError when there is none."""
        if collection_id not in self.collections:
            raise NotFoundError(Fault(f"a collection of {self.path}/collections", repr(collection_id[:80])))
        return self.collections[collection_id]


def credits(runs: Iterable[Run]) -> str:
    """Whom to name for these runs."""
    return "; ".join(dict.fromkeys(name for run in runs for name in run.record.attribution))


def run_path(run: Run) -> str:
    """The address of one run's collections."""
    return f"/ogc/{run.record.study_id}/runs/{run.run_id}"


def of_study(study: Study, latest: Mapping[str, Run]) -> Catalogue:
    """Every table layer of the run computed last for each scenario, as ``scenario.layer``."""
    names = {scenario.scenario_id: scenario_name(scenario) for scenario in study.file.scenarios}
    found = [
        Collection(f"{scenario}.{layer.layer}", _both(names[scenario], layer_title(layer.layer)), run, layer)
        for scenario, run in latest.items() for layer in _tables(run)
    ]  # fmt: skip
    whole = {collection.collection_id: collection for collection in found}
    return Catalogue(f"/ogc/{study.study_id}", study_name(study), study, whole, tuple(latest.values()))


def of_run(study: Study, run: Run) -> Catalogue:
    """Every table layer of one run under its own name."""
    named = scenario_name(Scenario.model_validate(run.record.recipe.scenario))
    found = {
        layer.layer: Collection(layer.layer, layer_title(layer.layer), run, layer) for layer in _tables(run)
    }  # fmt: skip
    return Catalogue(run_path(run), _both(study_name(study), named), study, found, (run,), run)


def _tables(run: Run) -> list[LayerRecord]:
    return [layer for layer in run.record.layers if layer.kind == "table"]


def _both(first: Text, second: Text) -> Text:
    return Text(**{lang: f"{first.of(lang)} · {second.of(lang)}" for lang in LANGUAGES})


@lru_cache(maxsize=1024)
def layer_title(table: str) -> Text:
    """What a table is called where it is drawn; its own name where it is not."""
    drawn = sorted((drawing for drawing in DRAWINGS if drawing.table == table), key=lambda d: d.layer_id != table)
    return drawn[0].title if drawn else Text(table, table)


@lru_cache(maxsize=1024)
def column_title(table: str, column: str) -> Text:
    """What a column of a table is called where it is shown; its own name where it is not."""
    shown = {f.column: f.label for drawing in DRAWINGS if drawing.table == table for f in drawing.fields}
    if column in shown:
        return shown[column]
    plain, ending = column[:-3], column[-3:]
    if plain in shown and ending in SPOKEN:
        return Text(**{lang: f"{shown[plain].of(lang)} ({SPOKEN[ending]})" for lang in LANGUAGES})
    return Text(column, column)

"""What the readers say and refuse as findings, and the findings made here: one form for all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from app.checks.report import FindingModel
from app.errors import answer
from app.legible import PART_MAX, legible
from app.texts import catalogue
from app.texts.phrases import in_chinese
from geo.errors import Fault, RenxingError
from geo.reasons import Finding, Sentence, Severity
from tiles.text import NOTHING, Text

WEIGHT: Mapping[str, Severity] = {
    **dict.fromkeys(
        (
            *("no_shelters", "no_everyday_facilities", "no_stations_fire", "no_stations_medical", "no_stations_police"),
            *("stations_not_joined_fire", "stations_not_joined_medical", "stations_not_joined_police"),
            *("communities_gaps", "communities_overlap", "people_outside", "kinds_not_known", "values_not_understood"),
            *("raster_classes", "raster_whole_metres", "raster_all_dry", "rows_without_geometry", "streets_crossings"),
            *("map_boundaries_left_out", "map_water_cut_off", "hazard_partly_unknown"),
        ),
        "warning",
    ),
    **dict.fromkeys(
        (
            *("outlines_repaired", "streets_ends_joined", "streets_drawn_twice", "streets_without_length"),
            *("map_boundaries_by_edge", "map_water_by_edge"),
        ),
        "repaired",
    ),
}
"""How much a plain sentence matters, by its code; others are good to know."""
NO_LAYERS: Mapping[str, str] = {}


def told(
    notes: Iterable[Sentence], *, layer_id: str = "", layers: Mapping[str, str] = NO_LAYERS
) -> tuple[FindingModel, ...]:
    """Notes as findings of a layer, else of the one of ``layers`` (what it is called -> id) whose name stands in front;
    said without the name."""
    return tuple(_told(note, layer_id, layers) for note in notes)


def _told(note: Sentence, layer_id: str, layers: Mapping[str, str]) -> FindingModel:
    said = note if isinstance(note, Finding) else Finding(note.code, note.en, note.zh, WEIGHT.get(note.code, "info"))
    begun = next((name for name in layers if said.en.startswith(f"{name}: ")), "")
    named = layer_id or said.layer_id or layers.get(begun, "")
    fields = _legible(dataclasses.asdict(said)) | {"layer_id": named}
    for name in filter(None, (begun or named,)):
        fields |= {"en": said.en.removeprefix(f"{name}: "), "zh": said.zh.removeprefix(f"{name}：")}
    return FindingModel(**fields)


def _legible(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with every text such that it steers nothing where it is shown."""
    return {name: legible(value, PART_MAX) if isinstance(value, str) else value for name, value in fields.items()}


def refused(error: RenxingError, *, folder: Path, layer_id: str = "") -> tuple[FindingModel, ...]:
    """Everything an error says is wrong, each a finding of severity ``error``; places are told from ``folder``."""
    faults = error.faults or (Fault("", str(error)),)
    return tuple(_fault(fault, error, folder, layer_id) for fault in faults)


def _fault(fault: Fault, error: RenxingError, folder: Path, layer_id: str) -> FindingModel:
    row = answer(error)
    expected, found, where, fix = (
        legible(text.replace(f"{folder}/", ""), PART_MAX) for text in dataclasses.astuple(fault)
    )
    if not expected:
        return FindingModel(
            severity="error",
            code=error.code.replace("-", "_"),
            layer_id=layer_id,
            en=found,
            zh=f"{row.title_zh}：{found}",
        )
    return FindingModel(
        severity="error", code=error.code.replace("-", "_"), layer_id=layer_id, where=where,
        en=f"{row.title_en}: expected {expected}, found {found}.",
        zh=f"{row.title_zh}。需要：{in_chinese(expected)}；实际：{in_chinese(found)}。",
        do_en=fix, do_zh=in_chinese(fix),
    )  # fmt: skip


def broken(error: Exception, *, layer_id: str) -> FindingModel:
    """A reader that failed where it should have refused: told, since a run would fail as well."""
    said = legible(str(error), 200)
    return found_here("reader_failed", "error", layer_id=layer_id, kind=type(error).__name__, said=said)


def found_here(
    code: str, severity: Severity, *, layer_id: str = "", count: int = 0, rows: tuple[int, ...] = (), column: str = "",
    value: str = "", where: str = "", **gaps: Any,
) -> FindingModel:  # fmt: skip
    """A finding of the check's own: the words under ``check.found`` and ``check.do``, gaps filled in.

    A gap may be a Text: it is filled in each language with its own words.
    """
    said = filled(f"check.found.{code}", **gaps)
    cure = filled(f"check.do.{code}", **gaps) if f"check.do.{code}" in catalogue("en") else NOTHING
    return FindingModel(
        severity=severity, code=code, layer_id=layer_id, count=count, rows=rows, column=column, value=value,
        where=where, en=said.en, zh=said.zh, do_en=cure.en, do_zh=cure.zh,
    )  # fmt: skip


def filled(key: str, **gaps: Any) -> Text:
    """The words under a key in both languages; a gap that is a Text is filled with that language's words."""

    def of(lang: str) -> str:
        values = {name: value.of(lang) if isinstance(value, Text) else value for name, value in gaps.items()}
        return catalogue(lang)[key].format(**values)

    return Text(of("zh"), of("en"))


def listed(names: Iterable[Text]) -> Text:
    """Names as a list in both languages."""
    all_ = list(names)
    return Text("、".join(name.zh for name in all_), ", ".join(name.en for name in all_))

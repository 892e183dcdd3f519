"""``renxing check``: what a study's data is worth, before a plan is trusted.

Every layer is read as a run reads it; what is refused is told and the others go on, so nothing that is wrong with a
layer is raised. The answer follows from the inputs and the program alone, and is kept in the study's cache under a name
made of both.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import shapely
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pyproj import CRS

import data
import geo
from app import __version__, program
from app.checks import reading, sketch, together
from app.checks.complete import measured, without_doubles
from app.checks.findings import filled, listed, refused
from app.checks.ground import Floats, Ground, spanned
from app.checks.layers import checked as checked_layer
from app.checks.layers import extent
from app.checks.needs import needs
from app.checks.params import CheckParams
from app.checks.reading import Read
from app.checks.report import FindingModel, LayerCheck, Measure, Need, Report, Verdict, counted, worst_first
from app.checks.scenarios import findings as scenario_findings
from app.checks.scenarios import scenarios, shares
from app.checks.sketch import Sketch
from app.run import parameters
from app.store import Study, files
from app.store.inputs import companions, input_digest
from data import standards
from data.study import StudyFile
from geo.city import PlanParams
from geo.errors import RenxingError
from geo.readied import Base
from tiles.text import NOTHING, Text

LOCK = "check.lock"
FIRST_WAIT_S = 15 * 60.0
"""Seconds for which a second reader waits for the first check of a large town."""
NAMED_MAX = 6
"""So many layers or needs are named in the verdict."""


class Checked(BaseModel):
    """The report, and the study as a small drawing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    report: Report = Field(description="What was found.")
    sketch: Sketch | None = Field(description="Where the layers lie; none where nobody knows where the study is.")


@dataclass(frozen=True, eq=False)
class _Seen:
    """All that was read of a study, and what was found of its layers (under their ids) and of the whole (under "")."""

    file: StudyFile
    reads: Sequence[Read]
    ground: Ground | None
    looked: Mapping[str, Floats]
    params: PlanParams | None
    base: Base | None
    measures: tuple[Measure, ...]
    findings: tuple[FindingModel, ...]

    @property
    def above(self) -> float:
        """The intensity above which ground counts as affected, in a hazard's unit."""
        return 0.0 if self.params is None else self.params.exposure.affected_above

    def of(self, layer_id: str) -> tuple[FindingModel, ...]:
        """What was found of one layer, beside what its reader said."""
        return tuple(finding for finding in self.findings if finding.layer_id == layer_id)


def check(study: Study) -> Checked:
    """Everything that can be told of a study's data before a plan; never raises for what is wrong with a layer."""
    limits = CheckParams.of(standards.load())
    seen = _seen(study, limits)
    drawn = sketch.drawn(seen.reads, seen.ground, seen.looked, above=seen.above)
    return Checked(report=_report(study, seen, limits), sketch=drawn)


def _seen(study: Study, limits: CheckParams) -> _Seen:
    """Every layer read, and put together with the others."""
    file, folder = study.file, study.folder
    shape, lost = reading.outline(file, folder)
    alone = reading.every(file, folder, shape)
    ground = _ground(file.crs, shape, alone)
    reads = [together.met(read, ground, folder) for read in alone]
    params, strange = _params(study)
    base, found = together.tried(file, folder, reads, ground, params, limits)
    reads = [reading.made(read, base) for read in reads]
    measures, more = measured(base, reads, ground)
    findings = without_doubles((*lost, *strange, *found, *scenario_findings(file)), more)
    return _Seen(file, reads, ground, _looked_up(reads, ground), params, base, measures, findings)


def _report(study: Study, seen: _Seen, limits: CheckParams) -> Report:
    file, ground = seen.file, seen.ground
    known = shares(seen.looked, ground, above=seen.above)
    layers = tuple(_layer(read, seen, known.get(read.layer.layer_id), limits) for read in seen.reads)
    whole = worst_first(seen.of(""))
    every = (*whole, *(finding for layer in layers for finding in layer.findings))
    asked = needs(file, seen.reads, seen.base, seen.params)
    verdict, said = _verdict(every, asked)
    return Report(
        study_id=study.study_id, name=file.name, name_zh=file.name_zh, crs=file.crs,
        crs_name=str(CRS.from_user_input(file.crs).name), extent=None if ground is None else ground.extent,
        area_km2=None if ground is None else round(ground.area_km2, 3),
        outlined=ground is not None and ground.outlined, verdict=verdict, verdict_en=said.en, verdict_zh=said.zh,
        counts=counted(every), needs=asked, completeness=seen.measures, scenarios=scenarios(file, known), layers=layers,
        findings=whole,
    )  # fmt: skip


def _layer(read: Read, seen: _Seen, shares_: tuple[float, float] | None, limits: CheckParams) -> LayerCheck:
    known = None if shares_ is None else shares_[0]
    return checked_layer(read, seen.ground, known, seen.of(read.layer.layer_id), limits)


def _ground(crs: str, outline: shapely.Geometry | None, reads: Sequence[Read]) -> Ground | None:
    """The outline, else what the map spans, else the streets, else all layers together."""
    if outline is not None:
        return Ground(crs, outline, outlined=True)
    for kinds in (("osm",), ("streets",), tuple({read.layer.kind for read in reads})):
        boxes = [box for read in reads if read.layer.kind in kinds and (box := extent(read)) is not None]
        if (found := spanned(boxes, crs=crs)) is not None:
            return found
    return None


def _looked_up(reads: Sequence[Read], ground: Ground | None) -> dict[str, Floats]:
    """The values of each raster all over the ground."""
    if ground is None:
        return {}
    return {read.layer.layer_id: ground.looked_up(read.grid) for read in reads if read.grid is not None}


def _params(study: Study) -> tuple[PlanParams | None, tuple[FindingModel, ...]]:
    """The parameters in force; None when study.toml has some that do not fit."""
    try:
        return parameters(study, {}), ()
    except RenxingError as error:
        return None, refused(error, folder=study.folder)


def _verdict(findings: Sequence[FindingModel], asked: Sequence[Need]) -> tuple[Verdict, Text]:
    """Whether a plan can be computed, and why; what it lacks and what it has to assume."""
    found = counted(findings)
    verdict: Verdict = "no" if found["error"] else "yes_with_warnings" if found["warning"] else "yes"
    in_layers = dict.fromkeys(f.layer_id for f in findings if f.severity == "error")
    wrong = [Text(name, name) if name else filled("check.definition") for name in in_layers]
    n = found["error"] or found["warning"]
    said = filled(f"check.verdict.{verdict}{'_one' if n == 1 else ''}", n=n, names=_some(wrong))
    for state in ("missing", "assumed"):
        names = [Text(need.name_zh, need.name_en) for need in asked if need.state == state and need.essential]
        more = filled(f"check.verdict.{state}", names=_some(names)) if names else NOTHING
        said = Text(said.zh + more.zh, f"{said.en} {more.en}".strip())
    return verdict, said


def _some(names: Iterable[Text]) -> Text:
    """The first of some names."""
    every = list(names)
    return listed([*every[:NAMED_MAX], *([Text("…", "…")] if len(every) > NAMED_MAX else [])])


# -- kept in the cache -------------------------------------------------------------------------------------------


def checked(study: Study) -> Checked:
    """The same, from the study's cache when neither an input nor the program has changed since.

    Whoever asks first computes it; others, in any process, wait for it.
    """
    kept = study.cache / f"check-{state(study)}.json"
    if (known := _kept(kept)) is not None:
        return known
    with files.storing(study.cache):
        study.cache.mkdir(exist_ok=True)
        with files.locked(study.cache / LOCK, wait_s=FIRST_WAIT_S):
            if (known := _kept(kept)) is not None:
                return known
            found = check(study)
            for old in study.cache.glob("check-*.json"):
                old.unlink(missing_ok=True)
            files.write(kept, found.model_dump_json().encode())
    return found


def state(study: Study) -> str:
    """Sixteen hex digits over all that decides a check: the definition, every file it names, the program."""
    names = [layer.file for layer in study.file.layers if layer.file]
    paths = [study.folder / name for name in [*names, *([study.file.boundary] if study.file.boundary else [])]]
    parts = [study.file.model_dump_json(), __version__, _program_digest(), *(_digest_of(path) for path in paths)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _kept(path: Path) -> Checked | None:
    try:
        return Checked.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:  # cut off, or of another form: it is made again
        return None


def _digest_of(path: Path) -> str:
    """The digest of an input; a word of its own for one that is not there."""
    parts = [path, *companions(path)] if path.is_file() else []
    return _digest(path, tuple((p.stat().st_size, p.stat().st_mtime_ns) for p in parts)) if parts else "not there"


@functools.lru_cache(maxsize=1024)
def _digest(path: Path, changed: tuple[tuple[int, int], ...]) -> str:
    """The digest of an input as it was when its size and time of change were these."""
    return input_digest(path)


@functools.cache
def _program_digest() -> str:
    """Hex digits over the source and the words that decide a check."""
    here = Path(__file__)
    return program.digest(
        Path(geo.__path__[0]), Path(data.__path__[0]), here.parent / "checks", here.parent / "texts", here
    )

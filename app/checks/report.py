"""The answer of ``renxing check``: its models, the same on the screen, over HTTP and in the cache.

Everything in it follows from the study's inputs; ages are the only thing that needs a day, and are there only when one
is given. Shares are 0-1. None is not known, or does not apply.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from geo.reasons import SEVERITIES, Severity

FORMAT = 1
FROZEN = ConfigDict(frozen=True, extra="forbid")
Box = tuple[float, float, float, float]
Verdict = Literal["yes", "yes_with_warnings", "no"]
Source = Literal["map", "given", "map_and_given", "estimated", "made", "assumed", "none"]
State = Literal["there", "assumed", "missing"]


class FindingModel(BaseModel):
    """Something found in a layer, or in the study as a whole."""

    model_config = FROZEN

    severity: Severity = Field(
        description="error: cannot be used; warning: may be wrong; repaired: mended, with a count; info: good to know."
    )
    code: str = Field(description="What it is about; stays the same.")
    layer_id: str = Field(default="", description="The layer; empty: the study as a whole.")
    count: int = Field(default=0, description="So many rows or cells are concerned (count; 0: not counted).")
    rows: tuple[int, ...] = Field(default=(), description="Numbers of the first of these rows, from 1, as in the file.")
    column: str = Field(default="", description="Column of the file.")
    value: str = Field(default="", description="The first such value, as written.")
    where: str = Field(default="", description="File, table or place, relative to the study.")
    en: str = Field(description="The finding in English.")
    zh: str = Field(description="The finding in Chinese.")
    do_en: str = Field(default="", description="What to do about it, in English; empty: nothing.")
    do_zh: str = Field(default="", description="What to do about it, in Chinese; empty: nothing.")


class ColumnModel(BaseModel):
    """A column that is used, what it is called in the file, and what stands in it."""

    model_config = FROZEN

    name: str = Field(description="Our name of it; ends in its unit.")
    theirs: str = Field(default="", description="Its name in the file; empty for the values of a raster.")
    constant: str | None = Field(default=None, description="The same value in every row, when study.toml says so.")
    missing: int = Field(description="Rows or cells without a value (count).")
    minimum: float | None = Field(default=None, description="Smallest number, in the column's unit.")
    median: float | None = Field(default=None, description="Middle number, in the column's unit.")
    maximum: float | None = Field(default=None, description="Largest number, in the column's unit.")
    distinct: int | None = Field(default=None, description="Different texts (count).")
    common: tuple[str, ...] = Field(default=(), description="The commonest texts, where there are few different ones.")


class LayerCheck(BaseModel):
    """One input: what it is, how much of the study it says something of, and what was found in it."""

    model_config = FROZEN

    layer_id: str = Field(description="Id of the layer.")
    called: str = Field(description="What it is called: the id, or its file's own name where the id says nothing.")
    kind: str = Field(description="osm, hazard, communities, population, shelters, facilities, buildings, streets, …")
    file: str = Field(description="The file, relative to the study's folder; empty: made from other layers.")
    sha256: str = Field(description="SHA-256 of the file as it is now (hex); empty: not there.")
    readable: bool = Field(description="Whether a run can use it.")
    rows: int | None = Field(default=None, description="Rows that are used (count).")
    cells: int | None = Field(default=None, description="Cells of a raster (count).")
    contents: dict[str, int] = Field(default_factory=dict, description="What a map holds, by kind of thing (count).")
    geometry: tuple[str, ...] = Field(default=(), description="Geometry types that occur.")
    crs: str | None = Field(default=None, description="Coordinate system of the file: EPSG:N, gcj02, bd09 or its name.")
    crs_name: str | None = Field(default=None, description="The same in words.")
    extent: Box | None = Field(default=None, description="West, south, east, north (degrees, WGS 84).")
    covers_share: float | None = Field(default=None, description="Share of the study's ground within it (0-1).")
    distance_km: float | None = Field(default=None, description="How far it lies from the study (km; 0: they meet).")
    unit: str | None = Field(default=None, description="Unit of the file's values.")
    columns: tuple[ColumnModel, ...] = Field(default=(), description="Columns that are used, and their values.")
    unused: tuple[str, ...] = Field(default=(), description="Columns of the file that say nothing here.")
    source: str | None = Field(default=None, description="Who made the data; none: not said.")
    licence: str | None = Field(default=None, description="Under what licence; none: not said.")
    attribution: str | None = Field(default=None, description="How the source wants to be named; none: not said.")
    date: str | None = Field(default=None, description="When the data was current; none: not said.")
    age_days: int | None = Field(default=None, description="How old the data is on the day asked for (days).")
    conversions: tuple[str, ...] = Field(default=(), description="What was done to the content when it was read.")
    findings: tuple[FindingModel, ...] = Field(default=(), description="What was found, worst first.")


class Need(BaseModel):
    """Something a plan is made from, where it comes from, and what follows when it is not there."""

    model_config = FROZEN

    key: str = Field(description="streets, people, communities, shelters, fire, medical, police, …")
    name_en: str = Field(description="What it is called in English.")
    name_zh: str = Field(description="What it is called in Chinese.")
    count: int | float | None = Field(description="How much there is, in `unit`; none: not known.")
    unit: str = Field(description="km, people, or count.")
    source: Source = Field(description="The map, a given layer, an estimate, made, assumed, or none.")
    state: State = Field(description="there, assumed (estimated or made here) or missing.")
    essential: bool = Field(description="Whether a plan says much less without it.")
    en: str = Field(default="", description="What follows for the plan, in English; empty when it is there.")
    zh: str = Field(default="", description="What follows for the plan, in Chinese; empty when it is there.")


class Measure(BaseModel):
    """How much of something the data has, of how much there should be."""

    model_config = FROZEN

    measure: str = Field(description="What is measured: streets_named, buildings_levels, fire_station, …")
    en: str = Field(description="What it is called in English.")
    zh: str = Field(description="What it is called in Chinese.")
    unit: str = Field(description="Unit of `count` and `of`: m, buildings or places.")
    count: float = Field(description="How much there is, in `unit`.")
    of: float | None = Field(description="How much there should be, in `unit`; none: nothing says it.")
    share: float | None = Field(description="The one as a share of the other (0-1); none: nothing says it.")


class HazardCheck(BaseModel):
    """A hazard in force in a scenario."""

    model_config = FROZEN

    layer_id: str = Field(description="Id of the hazard's layer.")
    called: str = Field(description="What the layer is called.")
    en: str = Field(description="What it is called in English.")
    zh: str = Field(description="What it is called in Chinese.")
    return_period_y: float | None = Field(description="Return period (years); none: not said.")
    known_share: float | None = Field(description="Share of the study's ground for which it is known (0-1).")
    affected_share: float | None = Field(description="Share of the study's ground that it affects (0-1).")


class ScenarioCheck(BaseModel):
    """A scenario and the hazards in force in it."""

    model_config = FROZEN

    scenario_id: str = Field(description="Id of the scenario.")
    name: str = Field(description="Title.")
    name_zh: str | None = Field(description="Title in Chinese.")
    state: str = Field(description="normal (平时), alert (急时) or emergency (战时).")
    time: str = Field(description="night or day: where people are.")
    hazards: tuple[HazardCheck, ...] = Field(description="The hazards in force; none on an ordinary day.")


class Report(BaseModel):
    """What a study is made of, what it lacks and what looks wrong; whether a plan can be made of it."""

    model_config = FROZEN

    format: int = Field(default=FORMAT, description="Form of this report (number).")
    study_id: str = Field(description="Id of the study.")
    name: str = Field(description="Name.")
    name_zh: str | None = Field(description="Chinese name.")
    crs: str = Field(description="Metric CRS it is computed in.")
    crs_name: str = Field(description="The same in words.")
    extent: Box | None = Field(description="West, south, east, north of the study (degrees, WGS 84).")
    area_km2: float | None = Field(description="Ground of the study: its outline, else its map (km²).")
    outlined: bool = Field(description="Whether the study has an outline of its own.")
    verdict: Verdict = Field(description="Whether a plan can be computed: yes, yes_with_warnings or no.")
    verdict_en: str = Field(description="The verdict and its reason in English.")
    verdict_zh: str = Field(description="The verdict and its reason in Chinese.")
    today: str | None = Field(default=None, description="The day against which ages are told, when one was given.")
    counts: dict[Severity, int] = Field(description="Findings by severity, worst first (count).")
    needs: tuple[Need, ...] = Field(description="What a plan is made from, and what of it is there.")
    completeness: tuple[Measure, ...] = Field(description="How complete streets, buildings and facilities are.")
    scenarios: tuple[ScenarioCheck, ...] = Field(description="The scenarios, in the order of study.toml.")
    layers: tuple[LayerCheck, ...] = Field(description="The inputs, in the order of study.toml.")
    findings: tuple[FindingModel, ...] = Field(description="What concerns the study as a whole, worst first.")

    def every_finding(self) -> tuple[FindingModel, ...]:
        """All findings of the layers and of the study, worst first."""
        return worst_first(f for group in (self.findings, *(layer.findings for layer in self.layers)) for f in group)


def worst_first(findings: Iterable[FindingModel]) -> tuple[FindingModel, ...]:
    """Findings by severity, else in the order in which they were found."""
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def counted(findings: Iterable[FindingModel]) -> dict[Severity, int]:
    """How many findings of each severity there are, worst first."""
    found = Counter(finding.severity for finding in findings)
    return {severity: found[severity] for severity in SEVERITIES}

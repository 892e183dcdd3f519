"""Numbers from standards, each with where it comes from and how sure that is.

Numbers live in data/standards as TOML and arrive here as values. Grades: ``V`` the clause itself was seen, ``V2`` seen
second-hand, ``M`` from memory and to be confirmed, ``C`` computed, ``P`` a planner's choice no standard makes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from geo.errors import Fault, ParameterError

GRADES = {
    "V": ("clause seen", "已见原文"),
    "V2": ("seen second-hand", "间接引用"),
    "M": ("to be confirmed", "待核实"),
    "C": ("computed", "计算得出"),
    "P": ("planning choice", "规划取值"),
}
"""What each grade means, in English and Chinese."""


@dataclass(frozen=True)
class Value:
    """One number or list of words, its unit, and its source."""

    value: float | str | tuple[str, ...]
    unit: str
    standard: str
    clause: str
    grade: str
    help: str

    def __post_init__(self) -> None:
        if self.grade not in GRADES:
            raise ParameterError(Fault(f"a grade of {', '.join(GRADES)}", repr(self.grade), self.help))


@dataclass(frozen=True)
class Standards(Mapping[str, Value]):
    """All values by dotted key, e.g. ``walk.speed_ms``."""

    values_: Mapping[str, Value]

    def __getitem__(self, key: str) -> Value:
        if key not in self.values_:
            raise ParameterError(Fault("a key of the standards", repr(key), "data/standards"))
        return self.values_[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)

    def __repr__(self) -> str:
        unsure = sum(value.grade == "M" for value in self.values_.values())
        return f"Standards({len(self)} values, {unsure} to be confirmed)"

    def number(self, key: str) -> float:
        """A single number; ParameterError when the value is something else."""
        found = self[key].value
        if not isinstance(found, (int, float)):
            raise ParameterError(Fault("a number", repr(found), key))
        return float(found)

    def words(self, key: str) -> tuple[str, ...]:
        """A list of words, e.g. the building uses that count as dwellings."""
        found = self[key].value
        if not isinstance(found, tuple):
            raise ParameterError(Fault("a list of words", repr(found), key))
        return found

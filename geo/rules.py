"""Rules of distance: from what to keep away, how far, for whom, and what the ground in between becomes.

A rule is data (data/standards/setback_rules, a study's ``[rules]``): things of ``kinds`` in a ``layer`` for which all
of ``where`` holds are its sources; ground nearer than ``distance`` to one is ``let`` (让, nothing new is built) or
``prevent`` (防, built on under conditions) for whatever ``applies_to`` names (``geo.uses.TAGS``).

Conditions are ``NAME OP NUMBER`` (``voltage_v >= 330000``), ``NAME is unknown`` or ``NAME is known``. A distance is a
number of metres or a formula of numbers, names, ``+ - * /``, brackets, ``min`` and ``max``; ``2H <= 50`` is short for
``min(2*H, 50)``, and ``H`` for ``height_m``. Names are ``NAMES`` of the layer and ``CONSTANTS`` of the study. What a
source does not tell is taken from ``assume``; without that a condition on it does not hold.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from geo.curves import LEVELS
from geo.standards import GRADES

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

NAMES: Mapping[str, tuple[str, ...]] = {
    "lines": ("voltage_v",),
    "areas": ("area_m2",),
    "facilities": (),
    "buildings": ("height_m", "levels", "area_m2"),
    "sources": ("height_m", "voltage_v", "cover_m", "intensity", "volume_m3", "grade"),
    "streets": (),
    "slopes": ("height_m", "slope_deg"),
    "hazards": ("return_period_y",),
}
"""Layers in which a rule looks for its sources, and what it may ask of one.

``sources`` are things a planner gives for this alone (faults, dykes, fans); ``slopes`` are made of the heights of the
ground: kinds ``toe`` and ``top``. ``hazards`` are the study's own: kinds are those of ``geo.levels``, or ``combined``.
"""
CONSTANTS = ("intensity",)
"""What is known of the whole study: the seismic intensity it is built for, degrees."""
TAGS = ("building", "dwelling", "important", "shelter", "open", "high", "class_a", "class_b", "class_c", "class_d")
"""What stands or is planned, as rules tell it apart (``geo.uses``).

``building``: anything built; ``dwelling``: people live in it; ``important``: many people, or people who cannot leave by
themselves; ``shelter``: a place of refuge; ``open``: ground without a building (park, square, field); ``high``: a
high-rise; ``class_a`` to ``class_d``: 甲, 乙, 丙, 丁 of GB 50223.
"""
ALIASES = {"H": "height_m"}
ZONES = ("let", "prevent")
"""What a rule may make of ground."""

_CONDITION = re.compile(r"\s*([A-Za-z_]\w*)\s*(>=|<=|==|!=|>|<)\s*(-?\d+(?:\.\d+)?(?:[eE]\d+)?)\s*$")
_KNOWN = re.compile(r"\s*([A-Za-z_]\w*)\s+is\s+(known|unknown)\s*$")
_COMPARE: Mapping[str, Callable[[Floats, float], Mask]] = {
    ">=": np.greater_equal, "<=": np.less_equal, ">": np.greater, "<": np.less, "==": np.equal, "!=": np.not_equal,
}  # fmt: skip
_CALCULATE: Mapping[type, Callable[[Floats, Floats], Floats]] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
}  # fmt: skip
_CALLS: Mapping[str, Callable[[Floats, Floats], Floats]] = {"min": np.fmin, "max": np.fmax}
_TRIED = (1e-3, 1.0, 10.0, 1e3, 1e6)
"""Values at which a formula is tried before it is believed."""
_LONGEST = 120
"""Characters of a condition or formula: more is no distance of a standard."""
_DEEPEST = 12
MOST_M = 50_000.0
"""Metres. A larger distance is a slip of the pen: it would hold the whole city."""


@dataclass(frozen=True)
class Condition:
    """``name op value``; ``op`` is also ``known`` or ``unknown``."""

    name: str
    op: str
    value: float = math.nan

    @classmethod
    def parse(cls, text: str) -> Self:
        """The condition as it is written; ValueError when it is none."""
        if len(text) <= _LONGEST:
            if found := _CONDITION.match(text):
                return cls(found[1], found[2], float(found[3]))
            if found := _KNOWN.match(text):
                return cls(found[1], found[2])
        raise ValueError("should be NAME >= NUMBER (also <=, >, <, ==, !=), NAME is known or NAME is unknown")

    def holds(self, values: Floats) -> Mask:
        """Whether it holds for each value (n,); nothing but ``unknown`` holds for NaN."""
        if self.op in ("known", "unknown"):
            return np.asarray(np.isnan(values) == (self.op == "unknown"))
        return np.asarray(_COMPARE[self.op](values, self.value) & ~np.isnan(values))


@dataclass(frozen=True)
class Formula:
    """Metres as a number or by what is known of a source."""

    text: str

    @cached_property
    def _tree(self) -> ast.expr:
        written = re.sub(r"(?<![\w.])(\d+(?:\.\d+)?)\s*([A-Za-z_])", r"\1*\2", self.text.replace("≤", "<="))
        parts = [ast.parse(part.strip(), mode="eval").body for part in written.split("<=", 1)]
        return parts[0] if len(parts) == 1 else ast.Call(func=ast.Name(id="min"), args=parts, keywords=[])

    @cached_property
    def names(self) -> frozenset[str]:
        """What it hangs on."""
        found = {node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name)}
        return frozenset(ALIASES.get(name, name) for name in found - _CALLS.keys())

    def metres(self, values: Mapping[str, Floats]) -> Floats:
        """The distance of each source, 0 to ``MOST_M`` metres; NaN where it hangs on something that is not known.

        A division by zero is nothing that is known.
        """
        with np.errstate(all="ignore"):
            found = np.asarray(_worked(self._tree, values, 0), dtype=np.float64)
        return np.where(np.isfinite(found), np.clip(found, 0.0, MOST_M), np.nan)

    def check(self) -> None:
        """ValueError when it is no formula, or gives less than 0 metres or more than any distance."""
        try:
            known = {name: np.array(_TRIED) for name in self.names}
            with np.errstate(all="ignore"):
                found = _worked(self._tree, known, 0)
        except (SyntaxError, KeyError, TypeError, RecursionError, MemoryError) as error:
            raise ValueError("should be metres, or a formula such as 2H <= 50 or 10 + 0.5*H") from error
        if not np.isfinite(found).all() or found.min() < 0 or (not self.names and found.max() > MOST_M):
            raise ValueError(f"should be 0 to {MOST_M:,.0f} metres")


def _worked(node: ast.expr, values: Mapping[str, Floats], depth: int) -> Floats:
    """What a part of a formula comes to; ValueError for anything that is not arithmetic."""
    if depth > _DEEPEST:
        raise ValueError("should be a shorter formula")
    match node:
        case ast.Constant(value=(int() | float()) as number) if not isinstance(number, bool):
            return np.asarray(float(number))
        case ast.Name(id=name):
            return values[ALIASES.get(name, name)]
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_worked(inner, values, depth + 1)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _CALCULATE:
            return _CALCULATE[type(op)](_worked(left, values, depth + 1), _worked(right, values, depth + 1))
        case ast.Call(func=ast.Name(id=("min" | "max") as name), args=[left, right], keywords=[]):
            found = _worked(left, values, depth + 1), _worked(right, values, depth + 1)
            return np.where(np.isnan(found[0] + found[1]), np.nan, _CALLS[name](*found))
    raise ValueError("should be numbers, names, + - * /, brackets, min and max")


def _formula(value: object) -> object:
    """A number of metres as a formula."""
    return f"{value:g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _is_formula(text: str) -> str:
    if not text.strip() or len(text) > _LONGEST:
        raise ValueError("should be metres or a formula")
    Formula(text).check()
    return text


def _is_condition(text: str) -> str:
    Condition.parse(text)
    return text


class Rule(BaseModel):
    """One rule of distance."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layer: Literal["lines", "areas", "facilities", "buildings", "sources", "streets", "slopes", "hazards"] = Field(
        description="Where its sources are: lines, areas, facilities, buildings, sources, streets, slopes or hazards."
    )
    kinds: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="What kinds of things are its sources, as the layer names them (words)."
    )
    where: tuple[Annotated[str, AfterValidator(_is_condition)], ...] = Field(
        default=(), description="What else must hold of a source: NAME >= NUMBER (also <=, >, <, ==, !=), NAME is "
        "known, NAME is unknown; all must hold (text)."
    )  # fmt: skip
    level: float | None = Field(
        default=None, gt=0, le=LEVELS, description="Hazards only: ground at this level or worse is its source (number)."
    )
    distance: Annotated[str, BeforeValidator(_formula), AfterValidator(_is_formula)] = Field(
        description="How near is too near: 0 or more metres, or a formula such as 2H <= 50 (metres)."
    )
    assume: dict[str, float] = Field(
        default_factory=dict, description="What is taken for a measure that a source does not tell (name = number)."
    )
    zone: Literal["let", "prevent"] = Field(description="What that ground becomes: let (让) or prevent (防).")
    applies_to: Annotated[
        tuple[Literal["building", "dwelling", "important", "shelter", "open", "high", "class_a", "class_b",
                      "class_c", "class_d"], ...], Field(min_length=1)
    ] = Field(description=f"For what it holds: {', '.join(TAGS)} (words).")  # fmt: skip
    on: Annotated[tuple[Literal["ground", "standing", "planned"], ...], Field(min_length=1)] = Field(
        default=("ground", "standing", "planned"),
        description="What it is asked of: the ground (drawn as a zone), standing buildings, planned ones (words).",
    )
    use: bool = Field(default=True, description="Whether the rule is used (yes or no).")
    standard: str = Field(description="The standard it is from (text).")
    clause: str = Field(default="", description="Its clause (text).")
    grade: Literal["V", "V2", "M", "C", "P"] = Field(description=f"How sure it is: {', '.join(GRADES)} (code).")
    en: str = Field(min_length=1, max_length=200, description="What one keeps away from, in English (text).")
    zh: str = Field(min_length=1, max_length=200, description="What one keeps away from, in Chinese (text).")

    @model_validator(mode="after")
    def _fits_its_layer(self) -> Self:
        known = {*NAMES[self.layer], *CONSTANTS}
        asked = {condition.name for condition in self.conditions} | self.formula.names | self.assume.keys()
        if strange := sorted(asked - known):
            raise ValueError(f"should ask of {self.layer} only {', '.join(sorted(known))}, not {', '.join(strange)}")
        if (self.level is None) == (self.layer == "hazards"):
            raise ValueError("should have a level if its layer is hazards, and none otherwise")
        if loose := sorted(self.formula.names - self.assume.keys() - {c.name for c in self.conditions}):
            raise ValueError(f"should say what to assume (assume = ...) where {', '.join(loose)} is not known")
        return self

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """``where``, parsed."""
        return tuple(Condition.parse(text) for text in self.where)

    @cached_property
    def formula(self) -> Formula:
        """``distance``, parsed."""
        return Formula(self.distance)

    def holds(self, values: Mapping[str, Floats], n: int) -> Mask:
        """Which of ``n`` things meet all conditions; ``values`` (n,) by name, NaN where not told."""
        met = np.ones(n, dtype=bool)
        for condition in self.conditions:
            met &= condition.holds(self._known(values, condition.name, n))
        return met

    def metres(self, values: Mapping[str, Floats], n: int) -> Floats:
        """The distance to each of ``n`` sources, metres; NaN where it hangs on something that is not known."""
        told = {name: self._known(values, name, n) for name in self.formula.names}
        return np.broadcast_to(self.formula.metres(told), n).astype(np.float64)

    def _known(self, values: Mapping[str, Floats], name: str, n: int) -> Floats:
        told = values.get(name, np.full(n, np.nan))
        return np.where(np.isnan(told), self.assume.get(name, np.nan), told)


OWN = "study"
"""The set of the rules that a study brings or changes."""


@dataclass(frozen=True)
class Rules:
    """Rules by id, in the order in which they are written; ``of`` names the set each is from."""

    rules: Mapping[str, Rule]
    of: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.rules)

    def __repr__(self) -> str:
        unsure = sum(rule.grade == "M" for rule in self.rules.values())
        return f"Rules({len(self)} of {', '.join(sorted({*self.of.values()}))}; {unsure} to be confirmed)"

    def chosen(self, sets: tuple[str, ...]) -> Rules:
        """Those of some sets that are used, and the study's own."""
        asked = {*sets, OWN}
        kept = {name: rule for name, rule in self.rules.items() if self.of[name] in asked and rule.use}
        return Rules(kept, {name: self.of[name] for name in kept})


NO_RULES = Rules({}, {})
"""Of a city nobody has rules for."""

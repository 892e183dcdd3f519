"""Numbers from standards, each with where it comes from and how sure that is.

Numbers live in data/standards as TOML and arrive here as values. Grades: ``V`` the clause itself was seen, ``V2`` seen
second-hand, ``M`` from memory and to be confirmed, ``C`` computed, ``P`` a planner's choice no standard makes.
"""

from __future__ import annotations

import re
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


CHOICE = "planning choice"
"""The standard of what no standard says."""
OWN_RULE = "the study's own"
"""The standard of a rule that a study brings."""
INSTEAD = f"{OWN_RULE}, instead of "
"""Before the standard whose number a study has changed."""
AFTER = "after "
"""Before the standard that a planning choice leans on, without being what it says."""
NAMED_IN_CHINESE = {
    CHOICE: "规划取值",
    "general disaster code, title to be confirmed": "防灾避难场所通用规范（名称待确认）",
}
"""Standards that have their Chinese name not beside them."""
_ARTICLE = re.compile(r"\s*(?:art\.|第)\s*(\d+)(?:条)?")
_NUMBER = re.compile(r"[^\s:;,]{0,3}\d+(?:\.\d+)*(?:, \d+(?:\.\d+)+)*")
_BOTH = re.compile(r"(?P<zh>[^(]*[\u4e00-\u9fff][^(]*?)\s*\((?P<en>.+)\)$")


def cited(standard: str, clause: str, grade: str) -> tuple[str, str]:
    """A source in few words, in English and Chinese: the standard, its clause by number, and how sure it is.

    What a study has changed (``INSTEAD``) or chosen itself, and what only leans on a standard (``AFTER``), is told as
    such and not as the standard's.
    """
    if standard.startswith(INSTEAD):
        en, zh = _leant_on(standard.removeprefix(INSTEAD), clause)
        return f"the study's own number, instead of {en}", f"本研究取值（代替{zh}）"
    if standard == OWN_RULE:
        return "the study's own rule", "本研究自定规则"
    en, zh = _leant_on(standard, clause)
    if standard.startswith(AFTER) or en == CHOICE:
        return en, zh
    sure_en, sure_zh = GRADES[grade]
    return f"{en}, {sure_en}", f"{zh}，{sure_zh}"


def _leant_on(standard: str, clause: str) -> tuple[str, str]:
    """The standard and its clause, and that it is a choice where it only leans on that."""
    en, zh = _clause_of(standard.removeprefix(AFTER), clause)
    return (f"{CHOICE} after {en}", f"{NAMED_IN_CHINESE[CHOICE]}，参照{zh}") if standard.startswith(AFTER) else (en, zh)


def _clause_of(standard: str, clause: str) -> tuple[str, str]:
    """The first of some standards by its name and the first clause, in English and Chinese; a remark is no clause."""
    first = standard.partition(";")[0].strip()
    both = _BOTH.match(first)
    en, zh = (both["en"].partition(",")[0], both["zh"]) if both else (first, NAMED_IN_CHINESE.get(first, first))
    if article := _ARTICLE.match(clause):
        return f"{en} art. {article[1]}", f"{zh}第{article[1]}条"
    number = _NUMBER.match(clause)
    return (f"{en} {number[0]}", f"{zh} {number[0].replace(', ', '、')}") if number and first != CHOICE else (en, zh)


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

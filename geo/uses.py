"""What stands or is planned, as rules of distance tell it apart: tags by use, people, beds and height.

Words are OSM's values of buildings, our kinds of facilities and uses of lots. A use that nobody told, ``yes`` included,
is an ordinary dwelling of class C: a rule that asks for less would be guessing. A told use that no list names is an
ordinary building of class C in which nobody lives. Classes A to D are 甲, 乙, 丙, 丁 of GB 50223; open ground has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from geo.curves import Sourced, Word
from geo.dwellings import APARTMENTS, DORMITORIES, HOUSES, UNTOLD
from geo.errors import Fault, ParameterError
from geo.rules import TAGS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Words = Annotated[tuple[Word, ...], Field(min_length=1)]

CLASSES: Mapping[str, str] = {"甲": "A", "乙": "B", "丙": "C", "丁": "D"}
"""Classes of GB 50223 and ours."""
NOBODY_TOLD = ("", *UNTOLD)
LIVED_IN = (*HOUSES, *APARTMENTS, *DORMITORIES)
LISTS = ("dwelling", "important", "open", "shelter", "class_a", "class_b", "class_d")
"""Lists of words among the parameters."""


class UseParams(Sourced):
    """Which uses are what, and from how many people or beds any use is important."""

    subject = "uses"
    dwelling: Words = Field(description="Uses in which people sleep, beside houses, flats and dormitories.")
    important: Words = Field(description="Uses with many people, with people who cannot leave, or needed at once.")
    open: Words = Field(description="Uses of ground without a building, and small things that nobody is in.")
    shelter: Words = Field(description="Uses that are a place of refuge.")
    class_a: Words = Field(description="Uses of class A (甲) of GB 50223.")
    class_b: Words = Field(description="Uses of class B (乙) of GB 50223.")
    class_d: Words = Field(description="Uses of class D (丁) of GB 50223; all others are C (丙).")
    important_people: float = Field(gt=0, description="People from which any building is important (number).")
    important_beds: float = Field(gt=0, description="Beds from which any building is important (number).")
    important_height_m: float = Field(gt=0, description="Height from which any building is important, metres.")
    high_m: float = Field(gt=0, description="Height above which a building is a high-rise, metres.")
    high_dwelling_m: float = Field(gt=0, description="Height above which houses and flats are a high-rise, metres.")
    class_b_people: float = Field(gt=0, description="People from which any building is of class B (number).")


@dataclass(frozen=True, eq=False)
class Things:
    """Things (n,) as rules see them: a mask for each of ``geo.rules.TAGS``, and the class, ``A`` to ``D``.

    ``class_`` is empty text for open ground.
    """

    tags: Mapping[str, Mask]
    class_: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.class_)

    def __repr__(self) -> str:
        return f"Things({', '.join(f'{int(mask.sum()):,} {tag}' for tag, mask in self.tags.items())})"

    def meets(self, applies_to: Sequence[str]) -> Mask:
        """Which things a rule holds for: any of the tags is enough."""
        tags = tuple(applies_to)
        if tags not in self._met:
            self._met[tags] = np.asarray(np.logical_or.reduce([self.tags[tag] for tag in tags]))
        return self._met[tags]

    @cached_property
    def _met(self) -> dict[tuple[str, ...], Mask]:
        """What was asked before: many rules ask the same."""
        return {}


def of(
    use: Iterable[str | None], *, people: Floats | None = None, beds: Floats | None = None,
    height_m: Floats | None = None, shelter: Mask | None = None, params: UseParams,
) -> Things:  # fmt: skip
    """Things by their uses (n,), None where nobody told, and what else is known of each (n,), NaN where it is not.

    ``shelter``: which are places of refuge whatever their use; a building that is one is of class B at least.
    """
    word, code = _coded(use)
    told = {name: _named(word, getattr(params, name))[code] for name in LISTS}
    lives = (_named(word, LIVED_IN) | _named(word, NOBODY_TOLD))[code]
    homes = _named(word, (*HOUSES, *APARTMENTS, *NOBODY_TOLD))[code]
    refuge = told["shelter"] if shelter is None else told["shelter"] | shelter
    building = ~told["open"]
    many = _from(people, params.important_people) | _from(beds, params.important_beds)
    tall = _from(height_m, params.important_height_m)
    high = _above(height_m, np.where(homes, params.high_dwelling_m, params.high_m))
    tags = {
        "building": building, "dwelling": building & (lives | told["dwelling"]),
        "important": building & (told["important"] | many | tall), "shelter": refuge, "open": ~building,
        "high": building & high,
    }  # fmt: skip
    needed = told["class_b"] | refuge | _from(people, params.class_b_people)
    class_ = np.select([~building, told["class_a"], needed, told["class_d"] & ~tags["important"]],
                       ["", "A", "B", "D"], default="C").astype(object)  # fmt: skip
    return _classed(tags, class_)


def planned(
    use: str | None, *, class_: str | None = None, people: float | None = None, beds: float | None = None,
    height_m: float | None = None, shelter: bool = False, params: UseParams,
) -> Things:  # fmt: skip
    """One thing that is planned (n=1); ``class_`` A to D or 甲 to 丁 goes before what its use says.

    ParameterError for a class that is none, and for one of open ground.
    """
    one = [None if value is None else np.array([value], dtype=np.float64) for value in (people, beds, height_m)]
    found = of([use], people=one[0], beds=one[1], height_m=one[2], shelter=np.array([shelter]), params=params)
    if class_ is None:
        return found
    known = CLASSES.get(class_.strip(), class_.strip().upper())
    if known not in CLASSES.values():
        raise ParameterError(Fault("a class A, B, C or D (甲, 乙, 丙, 丁)", repr(class_), "class"))
    if found.tags["open"][0]:
        raise ParameterError(Fault("a building, which has a class", f"{use} of class {known}", "use", "Leave it out."))
    return _classed(found.tags, np.array([known], dtype=object))


def _classed(tags: Mapping[str, Mask], class_: NDArray[np.object_]) -> Things:
    every = {**tags, **{f"class_{name.lower()}": class_ == name for name in CLASSES.values()}}
    return Things({tag: np.asarray(every[tag], dtype=bool) for tag in TAGS}, class_)


def _coded(use: Iterable[str | None]) -> tuple[list[str], Ints]:
    """The different words, small and trimmed, and the number of each thing's."""
    given = pd.Series(list(use), dtype=object)
    code, word = pd.factorize(given.where(given.notna(), ""))
    return [str(each).strip().lower() for each in word], code.astype(np.int64)


def _named(words: Sequence[str], known: Sequence[str]) -> Mask:
    """Which words are in a list; of ``school;kindergarten`` one is enough."""
    listed = frozenset(known)
    return np.array([not listed.isdisjoint(part.strip() for part in word.split(";")) for word in words], dtype=bool)


def _from(values: Any, least: float) -> Any:
    """Where as many are known of; nowhere when nothing is known."""
    return np.False_ if values is None else np.nan_to_num(np.asarray(values, dtype=np.float64)) >= least


def _above(values: Any, most: Floats) -> Any:
    """Where more is known of than ``most`` (n,); nowhere when nothing is known."""
    return np.False_ if values is None else np.nan_to_num(np.asarray(values, dtype=np.float64)) > most


_ORDINARY = dict.fromkeys(("building", "dwelling"), np.array([True]))
ORDINARY = _classed(
    {tag: _ORDINARY.get(tag, np.array([False])) for tag in TAGS if not tag.startswith("class_")},
    np.array(["C"], dtype=object),
)
"""What the ground is judged for: a dwelling of class C."""

"""What is planned on a place, in a planner's words (``医院`` or ``hospital``, class 乙, 300 beds), and as rules see it.

A use that nobody knows is refused rather than taken for an ordinary building: ``hospitel`` is no hospital, and a wrong
verdict helps nobody. What the study's own lots say is taken as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from app.land_fields import USES
from data import words
from geo import uses
from geo.errors import Fault, ParameterError
from geo.uses import LISTS, LIVED_IN, Things, UseParams
from tiles.text import LANGUAGES, Text

NEAR = 4
"""Known uses that are named where one is not known."""


@dataclass(frozen=True)
class Planned:
    """What is planned, and what rules see in it; ``use`` in our words, None: an ordinary dwelling."""

    things: Things
    use: str | None = None
    people: float | None = None
    beds: float | None = None
    height_m: float | None = None

    @property
    def building_class(self) -> str | None:
        """A to D; None for open ground."""
        return str(self.things.class_[0]) or None

    @property
    def tags(self) -> list[str]:
        """What rules see in it."""
        return [tag for tag, mask in self.things.tags.items() if mask[0]]

    @property
    def called(self) -> Text | None:
        """The use in words."""
        return None if self.use is None else USES.get(self.use, Text(self.use, self.use))


def planned(
    use: str | None, *, params: UseParams, class_: str | None = None, people: float | None = None,
    beds: float | None = None, height_m: float | None = None, where: str = "use", known: bool = True,
) -> Planned:  # fmt: skip
    """What somebody says is planned; ParameterError for a use or class that nobody knows.

    Without ``known`` a use may be any word: the study's own.
    """
    our = _ours(use, params) if use is not None and use.strip() else None
    if our is None and use is not None and use.strip():
        if known:
            raise ParameterError(_unknown(use, params, where))
        our = use
    things = uses.planned(our, class_=class_, people=people, beds=beds, height_m=height_m, params=params)
    return Planned(things, our, people, beds, height_m)


def _ours(use: str, params: UseParams) -> str | None:
    """Our word for a use: ours already, that of a table in Chinese or Japanese, or a label of ours."""
    plain = use.strip().lower()
    if plain in _every(params):
        return plain
    return words.ours(use, "use") or words.ours(use, "kind") or _labels().get(plain)


@lru_cache(maxsize=8)
def _every(params: UseParams) -> frozenset[str]:
    """Every use that anything is known of."""
    listed = {word for name in LISTS for word in getattr(params, name)}
    return frozenset({*listed, *LIVED_IN, *words.known("use"), *words.known("kind"), *USES})


@lru_cache(maxsize=1)
def _labels() -> Mapping[str, str]:
    """What uses are called on the screen -> ours."""
    return {text.of(lang).lower(): use for use, text in USES.items() for lang in LANGUAGES}


def _unknown(use: str, params: UseParams, where: str) -> Fault:
    every = sorted({*_every(params), *_labels()})
    near = get_close_matches(use.strip().lower(), every, n=NEAR, cutoff=0.6)
    cure = f"Near to it: {', '.join(near)}." if near else "Leave it out for an ordinary dwelling, or say its class."
    return Fault("a use that is known, such as hospital, school, office or park", repr(use), where, cure)


def told(what: Planned) -> dict[str, Any]:
    """What is planned, as data."""
    return {
        "use": what.use, "class": what.building_class, "people": what.people, "beds": what.beds,
        "height_m": what.height_m, "tags": what.tags,
    }  # fmt: skip

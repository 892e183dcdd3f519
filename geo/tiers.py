"""Tiers of shelters (紧急, 短期, 中期, 长期, 中心): how far each serves, for how long, how much room a person needs.

The numbers are a rule set's: China's standards, Sphere, FEMA or Japanese practice (data/standards/shelter_rules, each
number with its grade; GB 51143-2015's own tables were never seen). What the set in force says nothing of, a second one
says; what neither says is NaN: nothing limits it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, model_validator

from geo.curves import Sourced, Word
from geo.standards import Standards

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Tier = Literal["emergency", "short", "mid", "long", "central"]

TIERS: tuple[Tier, ...] = ("emergency", "short", "mid", "long", "central")
"""From the lowest to the highest; all but the first are for nights."""
SAID: Mapping[str, tuple[str, str]] = {
    "emergency": ("emergency shelter", "紧急避难场所"),
    "short": ("short-term shelter", "短期固定避难场所"),
    "mid": ("mid-term shelter", "中期固定避难场所"),
    "long": ("long-term shelter", "长期固定避难场所"),
    "central": ("central shelter", "中心避难场所"),
}
"""Tiers as people say them, in English and Chinese; another is a shelter."""
A_SHELTER = ("shelter", "避难场所")
QUANTITIES = ("m", "m2_per_person", "days", "min_site_m2", "max_people", "entrances")
"""What a rule set says of a tier: ``short_m``, ``short_m2_per_person``, …"""
FROM_RULES: Literal["rules"] = "rules"
STUDY = "study"
"""Where a number comes from that a planner set."""

Metres = Annotated[float, Field(gt=0, le=100_000)] | Literal["rules"]
Area = Annotated[float, Field(gt=0, le=1_000)] | Literal["rules"]
Days = Annotated[float, Field(gt=0, le=3_650)] | Literal["rules"]
Ground = Annotated[float, Field(ge=0, le=1e8)] | Literal["rules"]
People = Annotated[float, Field(ge=0, le=1e7)] | Literal["rules"]
Ways = Annotated[float, Field(ge=0, le=100)] | Literal["rules"]


@dataclass(frozen=True)
class Number:
    """A number in force and where it comes from: ``study``, a rule set's name, or nothing (NaN: nothing limits it)."""

    value: float
    source: str


@dataclass(frozen=True)
class Rule:
    """What is asked of a tier; NaN where nobody says.

    ``distance_m`` how far it serves, ``m2_per_person`` effective area, ``days`` its longest opening, ``min_site_m2``
    its smallest ground, ``max_people`` who may stay, ``entrances`` independent ways in.
    """

    tier: Tier
    distance_m: float
    m2_per_person: float
    days: float
    min_site_m2: float
    max_people: float
    entrances: float


class TierParams(Sourced):
    """Which rule set is in force, and what a planner sets instead; the sets' own numbers as ``china.short_m``.

    ``rules`` in place of a number: what the rule set says. The sets travel with the parameters: a run is named by all
    its numbers.
    """

    subject = "tiers"
    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Annotated[float, Field(ge=0, le=1e8)]]

    rules: Word = Field(description="Rule set in force: china, sphere, fema, japan.")
    otherwise: Word = Field(description="Rule set that speaks where the one in force says nothing.")
    open_kinds: tuple[Word, ...] = Field(description="Kinds of sites that are open ground, whatever stands on them.")
    undeclared_max: Tier = Field(description="Highest tier that a site has by its ground alone.")
    candidate_open_max: Tier = Field(description="Highest tier of open ground that nobody named a shelter.")
    emergency_m: Metres = Field(description="Emergency shelter: farthest way it serves, metres.")
    emergency_m2_per_person: Area = Field(description="Emergency shelter: effective area per person, square metres.")
    emergency_days: Days = Field(description="Emergency shelter: longest opening, days.")
    emergency_min_site_m2: Ground = Field(description="Emergency shelter: smallest ground, square metres.")
    emergency_max_people: People = Field(description="Emergency shelter: most people who stay.")
    emergency_entrances: Ways = Field(description="Emergency shelter: independent ways in (number).")
    short_m: Metres = Field(description="Short-term shelter: farthest way it serves, metres.")
    short_m2_per_person: Area = Field(description="Short-term shelter: effective area per person, square metres.")
    short_days: Days = Field(description="Short-term shelter: longest opening, days.")
    short_min_site_m2: Ground = Field(description="Short-term shelter: smallest ground, square metres.")
    short_max_people: People = Field(description="Short-term shelter: most people who stay.")
    short_entrances: Ways = Field(description="Short-term shelter: independent ways in (number).")
    mid_m: Metres = Field(description="Mid-term shelter: farthest way it serves, metres.")
    mid_m2_per_person: Area = Field(description="Mid-term shelter: effective area per person, square metres.")
    mid_days: Days = Field(description="Mid-term shelter: longest opening, days.")
    mid_min_site_m2: Ground = Field(description="Mid-term shelter: smallest ground, square metres.")
    mid_max_people: People = Field(description="Mid-term shelter: most people who stay.")
    mid_entrances: Ways = Field(description="Mid-term shelter: independent ways in (number).")
    long_m: Metres = Field(description="Long-term shelter: farthest way it serves, metres.")
    long_m2_per_person: Area = Field(description="Long-term shelter: effective area per person, square metres.")
    long_days: Days = Field(description="Long-term shelter: longest opening, days.")
    long_min_site_m2: Ground = Field(description="Long-term shelter: smallest ground, square metres.")
    long_max_people: People = Field(description="Long-term shelter: most people who stay.")
    long_entrances: Ways = Field(description="Long-term shelter: independent ways in (number).")
    central_m: Metres = Field(description="Central shelter: farthest way it serves, metres.")
    central_m2_per_person: Area = Field(description="Central shelter: effective area per person, square metres.")
    central_days: Days = Field(description="Central shelter: longest opening, days.")
    central_min_site_m2: Ground = Field(description="Central shelter: smallest ground, square metres.")
    central_max_people: People = Field(description="Central shelter: most people who stay.")
    central_entrances: Ways = Field(description="Central shelter: independent ways in (number).")
    camp_m2_per_person: Area = Field(description="Camp: whole ground per person, square metres.")

    @classmethod
    def of(cls, standards: Standards) -> Self:
        """The defaults as the standards give them, and every rule set's numbers."""
        start = f"{cls.subject}."
        return cls.model_validate({key.removeprefix(start): standards[key].value for key in standards
                                   if key.startswith(start)})  # fmt: skip

    @model_validator(mode="after")
    def _known(self) -> Self:
        """A rule set that is not there, or says what no tier has, is refused."""
        lacking = [name for name in (self.rules, self.otherwise) if name not in self.sets]
        if lacking:
            raise ValueError(f"rules and otherwise should be of {', '.join(self.sets) or 'no set: none was read'}")
        strange = [name for name in self.__pydantic_extra__ if name.partition(".")[2] not in type(self).model_fields]
        if strange:
            raise ValueError(f"rule sets should say numbers of tiers, not {', '.join(sorted(strange))}")
        none = [name for name, value in self.__pydantic_extra__.items() if name.endswith("_per_person") and not value]
        if none:
            raise ValueError(f"should be more than 0: {', '.join(sorted(none))}")
        return self

    @property
    def sets(self) -> tuple[str, ...]:
        """The names of the rule sets."""
        return tuple(dict.fromkeys(name.partition(".")[0] for name in self.__pydantic_extra__))

    def number(self, name: str) -> Number:
        """A number in force, e.g. ``short_m2_per_person``: the planner's, the rule set's, else the other set's."""
        mine = getattr(self, name)
        if mine != FROM_RULES:
            return Number(float(mine), STUDY)
        for of in (self.rules, self.otherwise):
            if (key := f"{of}.{name}") in self.__pydantic_extra__:
                return Number(self.__pydantic_extra__[key], of)
        return Number(np.nan, "")

    def rule(self, tier: Tier) -> Rule:
        """What is asked of a tier."""
        return Rule(tier, *(self.number(f"{tier}_{what}").value for what in QUANTITIES))


def in_force(params: TierParams) -> pd.DataFrame:
    """Every number of every tier: ``tier``, ``quantity``, ``value`` (NaN: not limited) and its ``source``."""
    rows: list[dict[str, Any]] = []
    for tier in TIERS:
        found = {what: params.number(f"{tier}_{what}") for what in QUANTITIES}
        rows += [{"tier": tier, "quantity": what, **vars(number)} for what, number in found.items()]
    return pd.DataFrame(rows)


def of_sites(tier: pd.Series[str], what: str, *, params: TierParams) -> Floats:
    """A number (one of ``QUANTITIES``) for the tier of each site, (n,); NaN where tier or number is not known."""
    number: dict[str, float] = {each: params.number(f"{each}_{what}").value for each in TIERS}
    return np.array([number.get(each, np.nan) for each in tier], dtype=np.float64)


def open_air(sites: pd.DataFrame, *, params: TierParams) -> Mask:
    """Which sites (n,) are open ground by their kind, though a kiosk or a hall may stand on them."""
    return np.asarray(sites["kind"].isin(params.open_kinds).to_numpy(dtype=bool))


def tier_of(sites: pd.DataFrame, *, params: TierParams) -> pd.DataFrame:
    """The tier of each site and where it comes from, indexed like ``sites`` (``geo.tables.SHELTERS``).

    ``tier_basis``: ``declared``, stated of the shelter · ``site``, the highest tier whose smallest ground it has (floor
    where no ground is known), up to ``undeclared_max`` · ``kind``, where its kind decides: bare ground that nobody
    named a shelter, and sites of unknown size, where open ground is for emergencies and anything else short-term.
    """
    stated = sites["tier"].isin(TIERS).to_numpy(dtype=bool)
    candidate = (sites["origin"] == "candidate").to_numpy(dtype=bool)
    bare = open_air(sites, params=params)
    by_size, most = _by_size(sites, params), _most(bare & candidate, params)
    unsized = by_size < 0
    rank = np.where(unsized, np.where(bare, 0, 1), by_size)
    names = np.array(TIERS, dtype=object)[np.minimum(rank, most)]
    # What a map says of a candidate's tier it has from the kind of place.
    basis = np.select([stated & ~candidate, stated | unsized | (rank > most) & bare & candidate],
                      ["declared", "kind"], default="site")  # fmt: skip
    columns = {"tier": np.where(stated, sites["tier"].to_numpy(dtype=object), names), "tier_basis": basis}
    return pd.DataFrame(columns, index=sites.index).astype(object)


def _by_size(sites: pd.DataFrame, params: TierParams) -> Ints:
    """The row in ``TIERS`` of the highest tier whose smallest ground a site has; -1 where its size is not known."""
    ground = sites["area_m2"].fillna(sites["floor_m2"]).to_numpy(dtype=np.float64)
    least = np.array([params.rule(tier).min_site_m2 for tier in TIERS])
    enough = ground[:, None] >= np.where(np.isnan(least), np.inf, least)
    rank = np.where(enough.any(axis=1), len(TIERS) - 1 - np.argmax(enough[:, ::-1], axis=1), 0)
    return np.where(np.isnan(ground), -1, rank).astype(np.int64)


def _most(bare_candidate: Mask, params: TierParams) -> Ints:
    """The row in ``TIERS`` beyond which nothing undeclared goes."""
    bare, other = TIERS.index(params.candidate_open_max), TIERS.index(params.undeclared_max)
    return np.where(bare_candidate, min(bare, other), other).astype(np.int64)

"""What people in shelters need: water, food, room, toilets, beds, kits, by a profile's numbers and the days they stay.

Needs follow who is sheltered or displaced, never all who are affected. Numbers come from a profile of
data/standards/need_profiles (``sphere``, ``china``, …), each with its source; a planner may set any of them. What is
counted by the piece is rounded up in every row, so the rows of a city may add up to more than the city as one row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, model_validator

from geo.curves import Sourced
from geo.errors import ColumnError, Fault, refuse
from geo.standards import Standards

Floats = NDArray[np.float64]
Way = Literal["daily", "each", "shared", "part"]
"""How a need grows: by person and day, by person, one for so many persons, a share of the need before it."""

PEOPLE = "people"
OUTDOORS = "people_outdoors"
"""Optional column: of the people, those who sleep in the open and need a tent."""
TOLERANCE = 1e-9
"""Pieces are rounded up from here on: 3.0000000001 is 3."""


@dataclass(frozen=True)
class Item:
    """One need: its column, the parameter it comes from, how it grows, whose it is, and its unit and names.

    ``of`` is the column of the people who have it; ``goods`` the column of the stock that meets it, empty where stock
    cannot; ``whole`` things are counted by the piece.
    """

    name: str
    rate: str
    way: Way
    unit: str
    en: str
    zh: str
    of: str = PEOPLE
    goods: str = ""
    whole: bool = True


ITEMS: Mapping[str, Item] = {item.name: item for item in (
    Item("water_l", "water_l_day", "daily", "L", "water", "用水", goods="water_l"),
    Item("water_survival_l", "water_survival_l_day", "daily", "L", "water to survive", "最低饮水", goods="water_l"),
    Item("food_rations", "food_rations_day", "daily", "rations", "food", "食品", goods="food_rations"),
    Item("food_kcal", "food_kcal_day", "daily", "kcal", "energy in food", "食品热量", whole=False),
    Item("space_m2", "space_m2", "each", "m2", "covered space", "有效面积", whole=False),
    Item("space_disabled_m2", "space_disabled_m2", "each", "m2", "more space for people with a disability",
         "残疾人增加面积", of="people_disabled", whole=False),
    Item("toilets", "persons_per_toilet", "shared", "toilets", "toilets", "厕位", goods="toilets"),
    Item("toilets_accessible", "toilets_accessible_share", "part", "toilets", "toilets everybody can use",
         "其中无障碍厕位"),
    Item("beds", "beds_each", "each", "beds", "beds", "床铺", goods="beds"),
    Item("blankets", "blankets_each", "each", "blankets", "blankets", "棉被毛毯", goods="blankets"),
    Item("kits", "persons_per_kit", "shared", "kits", "kits of household goods", "生活应急包", goods="kits"),
    Item("first_aid_kits", "persons_per_first_aid_kit", "shared", "kits", "first-aid kits", "急救包",
         goods="first_aid_kits"),
    Item("tents", "persons_per_tent", "shared", "tents", "tents", "帐篷", of=OUTDOORS, goods="tents"),
)}  # fmt: skip
"""Every need by its column."""

FROM_PROFILE: Literal["profile"] = "profile"
Amount = Annotated[float, Field(ge=0, le=100_000)] | Literal["profile"]
Persons = Annotated[float, Field(gt=0, le=100_000)] | Literal["profile"]
Share = Annotated[float, Field(ge=0, le=1)] | Literal["profile"]


class NeedsParams(Sourced):
    """Whose numbers hold, for how long, and what a planner sets instead; each profile's numbers as ``sphere.space_m2``.

    The profiles travel with the parameters: a run is named by all its numbers.
    """

    subject = "needs"
    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Annotated[float, Field(ge=0, le=100_000)]]

    profile: str = Field(description="Whose numbers hold: sphere, china, japan, indonesia (a profile's name).")
    days: float = Field(gt=0, le=365, description="How long people stay, days.")
    water_l_day: Amount = Field(description="Water, litres per person and day; profile: what the profile says.")
    water_survival_l_day: Amount = Field(
        description="Water to survive, litres per person and day; profile: what the profile says."
    )
    food_rations_day: Amount = Field(description="Food, rations (number) per person and day; profile: as it says.")
    food_kcal_day: Amount = Field(description="Energy in food, kcal (number) per person and day; profile: as it says.")
    space_m2: Amount = Field(description="Covered space per person, square metres; profile: what the profile says.")
    space_disabled_m2: Amount = Field(
        description="More space per person with a disability, square metres; profile: what the profile says."
    )
    persons_per_toilet: Persons = Field(description="Most persons a toilet; profile: what the profile says.")
    toilets_accessible_share: Share = Field(
        description="Share of the toilets that everybody can use, 0-1; profile: what the profile says."
    )
    beds_each: Amount = Field(description="Beds per person (number); profile: what the profile says.")
    blankets_each: Amount = Field(description="Blankets per person (number); profile: what the profile says.")
    persons_per_kit: Persons = Field(description="Persons a kit of household goods; profile: what the profile says.")
    persons_per_first_aid_kit: Persons = Field(description="Persons a first-aid kit; profile: what the profile says.")
    persons_per_tent: Persons = Field(description="Persons a tent; profile: what the profile says.")

    @classmethod
    def of(cls, standards: Standards) -> Self:
        """The defaults as the standards give them, and every profile's numbers."""
        names = [key.removeprefix(f"{cls.subject}.") for key in standards if key.startswith(f"{cls.subject}.")]
        return cls.model_validate({name: standards[f"{cls.subject}.{name}"].value for name in names})

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """A profile that is not there, or lacks a number, is refused."""
        if self.profile not in self.profiles:
            raise ValueError(f"profile should be one of {', '.join(self.profiles) or 'none: no profile was read'}")
        rates = {item.rate for item in ITEMS.values()}
        whole = {f"{profile}.{rate}" for profile in self.profiles for rate in rates}
        wrong = sorted(whole ^ set(self.__pydantic_extra__))
        if wrong:
            raise ValueError(f"profiles should have just the numbers of needs; lacking or unknown: {', '.join(wrong)}")
        none = [name for name in whole if re.search(r"\.persons_per_", name) and not self.__pydantic_extra__[name]]
        if none:
            raise ValueError(f"should be more than 0: {', '.join(sorted(none))}")
        return self

    @property
    def profiles(self) -> tuple[str, ...]:
        """The names of the profiles."""
        return tuple(dict.fromkeys(name.partition(".")[0] for name in self.__pydantic_extra__))

    def rate(self, name: str) -> float:
        """A number in force: the planner's, or the profile's."""
        return float(self.__pydantic_extra__[self.source(name).removeprefix("needs.")]
                     if getattr(self, name) == FROM_PROFILE else getattr(self, name))  # fmt: skip

    def source(self, name: str) -> str:
        """Where a number in force stands among the standards, with its clause and grade: ``needs.sphere.space_m2``.

        ``needs.space_m2`` where a planner set it.
        """
        return f"needs.{self.profile}.{name}" if getattr(self, name) == FROM_PROFILE else f"needs.{name}"


def needed(sheltered: pd.DataFrame, *, params: NeedsParams) -> pd.DataFrame:
    """What the people of each row need for ``params.days`` days, indexed like ``sheltered``: a column for each need.

    ``sheltered`` has ``people`` (those sheltered or displaced; NaN: not known) and may have ``people_disabled`` and
    ``people_outdoors``. NaN where the people it is for are not known; what no number asks for is 0. Raises ColumnError
    without ``people`` and for people below 0.
    """
    refuse(ColumnError, _faults(sheltered))
    found: dict[str, Floats] = {}
    before = np.zeros(len(sheltered))
    for item in ITEMS.values():
        before = found[item.name] = _amount(item, _people(sheltered, item.of), before, params)
    return pd.DataFrame(found, index=sheltered.index)


def _faults(sheltered: pd.DataFrame) -> list[Fault]:
    if PEOPLE not in sheltered:
        return [Fault("a column people", f"columns {', '.join(map(str, sheltered.columns))}", "people in shelters")]
    wrong = [name for name in {item.of for item in ITEMS.values()} if bool((_people(sheltered, name) < 0).any())]
    return [Fault("0 or more", "values below", f"people in shelters, column {name}") for name in sorted(wrong)]


def _people(sheltered: pd.DataFrame, column: str) -> Floats:
    """Those a need is for, (rows,); NaN where nobody counted them."""
    if column not in sheltered:
        return np.full(len(sheltered), np.nan)
    return sheltered[column].to_numpy(dtype=np.float64, na_value=np.nan)


def _amount(item: Item, people: Floats, before: Floats, params: NeedsParams) -> Floats:
    rate = params.rate(item.rate)
    each = rate * params.days if item.way == "daily" else 1 / rate if item.way == "shared" else rate
    amount = (before if item.way == "part" else people) * each if each else np.zeros(len(people))
    return np.ceil(amount - TOLERANCE) + 0.0 if item.whole else amount


def person_days(goods: Floats, item: Item, *, params: NeedsParams) -> Floats:
    """How many days of one person's ``item`` some goods are; NaN for what is not used up by the day, or not needed."""
    rate = params.rate(item.rate)
    return np.asarray(goods / rate) if item.way == "daily" and rate > 0 else np.full(np.shape(goods), np.nan)


def total(needs: pd.DataFrame) -> pd.Series[float]:
    """The needs of all rows together, and ``rows_unknown``: how many rows have one that is not known.

    Sums of what is known; NaN where nothing is. 0 without rows.
    """
    sums = needs.sum(min_count=1) if len(needs) else needs.sum()
    always = needs[[name for name, item in ITEMS.items() if item.of == PEOPLE and name in needs]]
    found: pd.Series[float] = pd.concat([sums, pd.Series({"rows_unknown": float(always.isna().any(axis=1).sum())})])
    return found


def listed(needs: pd.DataFrame, *, params: NeedsParams) -> pd.DataFrame:
    """The same as one row a need: ``row`` (label in ``needs``), ``item``, ``quantity``, ``unit``, ``en``, ``zh``,
    ``source`` (its key among the standards). Rows in order, needs in the order of ``ITEMS``.
    """
    here = [item for item in ITEMS.values() if item.name in needs]
    return pd.DataFrame({
        "row": np.repeat(needs.index.to_numpy(), len(here)),
        "item": np.tile(np.array([item.name for item in here], dtype=object), len(needs)),
        "quantity": needs[[item.name for item in here]].to_numpy(dtype=np.float64).ravel(),
        **{name: np.tile(np.array([getattr(item, name) for item in here], dtype=object), len(needs))
           for name in ("unit", "en", "zh")},
        "source": np.tile(np.array([params.source(item.rate) for item in here], dtype=object), len(needs)),
    })  # fmt: skip

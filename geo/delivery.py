"""Which goods go from which depot to which shelter on the streets that are open, what is left unmet, and why.

For each item on its own a transport problem. Symbols: ``b(s)`` units needed at shelter s, ``a(d)`` in stock at depot d,
``c(d, s)`` the drive between them, only where there is a way; ``x(d, s)`` units sent, whole numbers.
Objective: 1. most units delivered; 2. of these plans, the least sum of c x (goods-seconds).
Constraints: sum over d of x(d, s) <= b(s); sum over s of x(d, s) <= a(d); x >= 0.
It is the assignment of people to shelters with goods for people, and solved by it (``geo.assignment``), proved.

When stock is short the nearest shelters get theirs first: the least driving, not the fairest share. Loads are counted
by mass alone; vehicles drive from the depot and back by the way they came.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from geo.assignment import assign
from geo.curves import Sourced, Word
from geo.errors import Fault, InputError, refuse
from geo.needs import ITEMS
from geo.pairs import Pairs
from geo.reasons import Sentence

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

UNMET: Mapping[str, tuple[str, str]] = {
    "need_unknown": ("how much is needed is not known", "需求量未知"),
    "not_in_stock": ("no depot has any", "所有储备点均无库存"),
    "stock_unknown": ("what the depots have is not known", "库存数量未知"),
    "cut_off": ("no open street from a depot that has some", "有库存的储备点道路均中断"),
    "used_up": ("all that can be brought is used up", "可送达的库存已用完"),
}
"""Why a need is not met, in English and Chinese; the first that holds."""
ROW_COLUMNS = ("depot", "shelter", "item", "quantity", "drive_s")
LOAD_COLUMNS = ("depot", "shelter", "drive_s", "mass_kg", "trips", "vehicle_s")
TOLERANCE = 1e-9
HOUR_S = 3600.0


def _masses(words: tuple[str, ...]) -> tuple[str, ...]:
    for word in words:
        name, _, kg = word.partition("=")
        if name.strip() not in ITEMS or not kg.strip().replace(".", "", 1).isdecimal():
            raise ValueError("should be items with the mass of one in kilograms each, such as blankets=2.5")
    return words


class DeliveryParams(Sourced):
    """How goods are carried."""

    subject = "delivery"
    payload_kg: float = Field(gt=0, le=100_000, description="What one vehicle carries, kilograms.")
    vehicles: int = Field(ge=1, le=10_000, description="Vehicles that deliver at the same time (number).")
    handling_s: float = Field(ge=0, le=86_400, description="Time to load and unload at each trip, seconds.")
    kg: Annotated[tuple[Word, ...], AfterValidator(_masses)] = Field(
        description="Mass of one of each item, each as item=kg; an item that is not named weighs nothing."
    )

    def mass(self, item: str) -> float:
        """Mass of one of an item, kg."""
        pairs = (word.partition("=") for word in self.kg)
        return {name.strip(): float(kg) for name, _, kg in pairs}.get(item, 0.0)


@dataclass(frozen=True, eq=False)
class Delivery:
    """A plan of who brings what where.

    ``rows``: ``depot``, ``shelter`` (labels of the tables given), ``item``, ``quantity`` (whole, > 0), ``drive_s``.
    ``served``: a row for each shelter and item, ``needed``, ``delivered``, ``missing`` (NaN where the need is not
    known) and ``reason`` (one of ``UNMET``; None where nothing is missing). ``loads``: what goes together from a depot
    to a shelter, ``mass_kg``, ``trips``, ``vehicle_s`` (all trips there and back with handling). ``finished_s`` until
    the last vehicle is back, an estimate. ``left`` (depots × items) stays in the depots. ``gap_ms`` 0: proved best.
    """

    rows: pd.DataFrame
    served: pd.DataFrame
    loads: pd.DataFrame
    left: pd.DataFrame
    finished_s: float
    gap_ms: float
    params: DeliveryParams

    @property
    def unmet(self) -> pd.DataFrame:
        """What is missing: the rows of ``served`` with a reason."""
        return self.served[self.served["reason"].notna()].reset_index(drop=True)

    def __repr__(self) -> str:
        trips = int(self.loads["trips"].sum())
        return f"Delivery({len(self.rows)} rows, {len(self.unmet)} needs unmet, {trips} trips)"


def deliver(
    held: pd.DataFrame, needs: pd.DataFrame, drive_s: Floats, *, items: Sequence[str], params: DeliveryParams
) -> Delivery:
    """The best delivery of ``items`` (names of ``geo.needs.ITEMS``) as this module's head states it.

    ``held`` (depots × ``geo.goods.GOODS``; NaN: not known, nothing is sent), ``needs`` (shelters × items, as
    ``geo.needs.needed`` gives; NaN: not known), ``drive_s`` (depots, shelters) seconds with NaN for no way. Stock is
    rounded down and needs up to whole units. Raises InputError when the shapes do not fit or a drive is negative.
    """
    refuse(InputError, _faults(held, needs, drive_s, items))
    rows, served, left, gap_ms = [], [], {}, 0.0
    for name in items:
        stock, need = (_numbers(held, ITEMS[name].goods), _numbers(needs, name))
        have = np.floor(np.nan_to_num(stock) + TOLERANCE).astype(np.int64)
        want = np.ceil(np.nan_to_num(need) - TOLERANCE).astype(np.int64)
        sent, gap = _sent(have, want, drive_s)
        rows.append(_rows(name, sent, drive_s))
        served.append(_served(name, stock, need, sent, drive_s))
        left[name] = have - sent.sum(axis=1)
        gap_ms += gap
    plan, met = (_labelled(pd.concat(found, ignore_index=True), held, needs) for found in (rows, served))
    loads = _loads(plan, params)
    of = pd.DataFrame(left, index=held.index)
    return Delivery(plan, met, loads, of, _finished_s(loads, params), gap_ms, params)


def _faults(held: pd.DataFrame, needs: pd.DataFrame, drive_s: Floats, items: Sequence[str]) -> Iterator[Fault]:
    if drive_s.shape != (len(held), len(needs)):
        found = str(drive_s.shape)
        yield Fault(f"drives of {len(held)} depots to {len(needs)} shelters", found, "delivery, drive_s")
    if bool((drive_s < 0).any()):
        yield Fault("drives of 0 s or more", f"{np.nanmin(drive_s):g} s", "delivery, drive_s")
    for name in items:
        if name not in ITEMS or not ITEMS[name].goods:
            yield Fault("an item that stock can meet", repr(name), "delivery, items")
        elif name not in needs or ITEMS[name].goods not in held:
            yield Fault(f"columns {name} and {ITEMS[name].goods}", "tables without them", "delivery")
    if not len(items) or len({ITEMS[name].goods for name in items if name in ITEMS}) < len(items):
        yield Fault("at least one item, and each goods once", ", ".join(items) or "none", "delivery, items")


def _numbers(table: pd.DataFrame, column: str) -> Floats:
    return table[column].to_numpy(dtype=np.float64, na_value=np.nan)


def _sent(have: Ints, want: Ints, drive_s: Floats) -> tuple[Ints, float]:
    """Units from each depot to each shelter, (depots, shelters), and how far from proved best."""
    depot, shelter = np.nonzero(np.isfinite(drive_s) & (have[:, None] > 0) & (want[None, :] > 0))
    cost_ms = np.rint(drive_s[depot, shelter] * 1000).astype(np.int64)
    found = assign(Pairs.of(shelter, depot, cost_ms, places=len(want), sites=len(have)), want, have)
    sent = np.zeros(drive_s.shape, dtype=np.int64)
    sent[found.site, found.place] = found.people
    return sent, found.gap_ms


def _rows(name: str, sent: Ints, drive_s: Floats) -> pd.DataFrame:
    depot, shelter = np.nonzero(sent)
    quantity, drive = sent[depot, shelter], drive_s[depot, shelter]
    return pd.DataFrame({"depot": depot, "shelter": shelter, "item": np.full(len(depot), name, dtype=object),
                         "quantity": quantity, "drive_s": drive})  # fmt: skip


def _served(name: str, stock: Floats, need: Floats, sent: Ints, drive_s: Floats) -> pd.DataFrame:
    """What each shelter needs and gets of one item, and why not all of it."""
    needed, delivered = np.ceil(need - TOLERANCE) + 0.0, sent.sum(axis=0).astype(np.float64)
    missing = needed - delivered
    some = np.nan_to_num(stock) >= 1 - TOLERANCE
    rules = [
        np.isnan(need),
        np.full(len(need), not some.any() and not np.isnan(stock).any()),
        np.full(len(need), not some.any()),
        ~(some[:, None] & np.isfinite(drive_s)).any(axis=0),
    ]
    reason = np.select(rules, [*UNMET][:-1], default="used_up").astype(object)
    reason[missing <= 0] = None
    return pd.DataFrame({"shelter": np.arange(len(need)), "item": np.full(len(need), name, dtype=object),
                         "needed": needed, "delivered": delivered, "missing": missing, "reason": reason})  # fmt: skip


def _labelled(table: pd.DataFrame, held: pd.DataFrame, needs: pd.DataFrame) -> pd.DataFrame:
    """Rows named as the tables name them."""
    labels = {"depot": held.index.to_numpy(), "shelter": needs.index.to_numpy()}
    return table.assign(**{name: of[table[name].to_numpy(dtype=np.int64)] for name, of in labels.items()
                           if name in table})  # fmt: skip


def _loads(rows: pd.DataFrame, params: DeliveryParams) -> pd.DataFrame:
    """What goes together from a depot to a shelter, in how many trips: at least one, whatever it weighs."""
    mass = rows["quantity"] * rows["item"].map(params.mass).astype(np.float64)
    pairs = rows.assign(mass_kg=mass).groupby(["depot", "shelter"], sort=False)
    table = pairs.agg({"drive_s": "first", "mass_kg": "sum"}).reset_index()
    trips = np.maximum(np.ceil(table["mass_kg"] / params.payload_kg - TOLERANCE), 1).astype(np.int64)
    vehicle_s = trips * (2 * table["drive_s"] + params.handling_s)
    return table.assign(trips=trips, vehicle_s=vehicle_s)[list(LOAD_COLUMNS)]


def _finished_s(loads: pd.DataFrame, params: DeliveryParams) -> float:
    """When the last vehicle is back if each takes the longest trip that waits; 0 when nothing is carried."""
    each = np.repeat((loads["vehicle_s"] / loads["trips"]).to_numpy(), loads["trips"].to_numpy(dtype=np.int64))
    busy = [0.0] * params.vehicles
    for trip_s in np.sort(each)[::-1]:
        heapq.heapreplace(busy, busy[0] + float(trip_s))
    return max(busy)


def supplied(plan: Delivery, of: Mapping[object, str | None] | None = None) -> pd.DataFrame:
    """How much of each need is met, by shelter, or by what ``of`` says of a shelter (its community; None: left out).

    Columns ``ITEM_share`` (0-1; NaN where nothing is needed, or a need is not known) and ``supplied_share``, the least
    of those known.
    """
    of_shelter = plan.served["shelter"] if of is None else plan.served["shelter"].map(dict(of))
    sums = plan.served.groupby([of_shelter, plan.served["item"]], sort=False)[["needed", "delivered"]]
    both = sums.sum(skipna=False)
    needed = both["needed"].to_numpy()
    share = np.divide(both["delivered"], needed, out=np.full(len(needed), np.nan), where=needed > 0)
    table = pd.Series(share, index=both.index, dtype=np.float64).unstack()
    table = table.reindex(columns=list(dict.fromkeys(plan.served["item"]))).rename_axis(index=None, columns=None)
    return table.add_suffix("_share").assign(supplied_share=table.min(axis=1))


def told(plan: Delivery) -> Sentence:
    """How the delivery stands, for a planner: shelters with all they need, what lacks most and why, trips and hours."""
    lacking, shelters = plan.unmet, plan.served["shelter"].nunique()
    whole = shelters - lacking["shelter"].nunique()
    trips, hours = int(plan.loads["trips"].sum()), np.ceil(plan.finished_s / HOUR_S * 10 - TOLERANCE) / 10
    en = f"{whole:,} of {shelters:,} shelters get all they need"
    zh = f"{shelters:,}处避难场所中{whole:,}处的需求可全部满足"
    if trips:
        en += (
            f", in {trips:,} trip{'' if trips == 1 else 's'} and about {hours:g} h with {plan.params.vehicles} vehicles"
        )
        zh += f"，需{trips:,}车次，{plan.params.vehicles}辆车约{hours:g}小时"
    if not len(lacking):
        return Sentence("supplied", f"{en}.", f"{zh}。")
    told_en, told_zh = zip(*(_lack(lacking, name) for name in dict.fromkeys(lacking["item"])), strict=True)
    return Sentence("unmet", f"{en}. Missing: {'; '.join(told_en)}.", f"{zh}。缺口：{'；'.join(told_zh)}。")


def _lack(lacking: pd.DataFrame, name: str) -> tuple[str, str]:
    """How much of an item is missing and what keeps most of it away."""
    rows, item = lacking[lacking["item"] == name], ITEMS[name]
    most = rows.groupby("reason", sort=False)["missing"].sum().idxmax()
    why_en, why_zh = UNMET[str(most)]
    missing = rows["missing"].sum(min_count=1)
    if np.isnan(missing):
        return f"{item.en} ({why_en})", f"{item.zh}（{why_zh}）"
    what = item.en if item.unit in item.en else f"{item.unit} of {item.en}"
    return f"{missing:,.0f} {what} ({why_en})", f"{item.zh}{missing:,.0f}（{why_zh}）"

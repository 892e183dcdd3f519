"""The supply register: what lies where, held by whom, what of it counts on a day, and for how long it lasts.

Goods lie at communities, schools, supermarkets and households (the "cloud store", 云仓储). What has expired, or is
another's whose agreement has lapsed, does not count and is told; so is what cannot be counted in litres, rations or
pieces: it is not known, never nothing.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from geo.curves import Sourced, Word
from geo.errors import Fault, InputError, refuse
from geo.goods import GOODS, GoodsParams, amount, kind_of
from geo.needs import ITEMS, NeedsParams, needed, person_days
from geo.reasons import Finding, Sentence, Severity
from geo.tables import NAMES

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

TIERS = ("community", "school", "supermarket", "household")
"""Who holds supplies; the last three do so by agreement or of their own."""
STATES = ("usable", "other", "expired", "lapsed", "amount_unknown", "unit_unknown")
"""What becomes of a row: counted; another thing; no longer good; no longer agreed; how much, or what of, not known."""
UNKNOWN = "unknown"
ROWS_TOLD = 5
"""So many rows are named in a finding."""
TOLERANCE = 1e-9


def _items(words: tuple[str, ...]) -> tuple[str, ...]:
    known = [name for name, item in ITEMS.items() if item.goods]
    if any(word not in known for word in words):
        raise ValueError(f"should be needs that stock can meet: {', '.join(known)}")
    goods = [ITEMS[word].goods for word in words]
    if len(set(goods)) < len(goods):
        raise ValueError("should name one need for the same goods: water_l or water_survival_l")
    return words


def _day(text: str) -> str:
    if text != UNKNOWN:
        try:
            date.fromisoformat(text)
        except ValueError:
            raise ValueError("should be a day such as 2027-05-01, or unknown") from None
    return text


Items = Annotated[tuple[Word, ...], Field(min_length=1), AfterValidator(_items)]


class StockParams(Sourced):
    """What of the stock counts, and what it must cover."""

    subject = "stock"
    on: Annotated[str, AfterValidator(_day)] = Field(
        description="Day for which stock is counted, YYYY-MM-DD (a date); unknown, as it is until a planner says one: "
        "nothing counts as expired and no agreement as lapsed, and a note says so."
    )
    expiring_days: float = Field(ge=0, le=3650, description="Goods that expire within so many days are named.")
    items: Items = Field(description="Needs that stock must cover and that are delivered (names of needs).")

    @property
    def day(self) -> date | None:
        """The day, None where nobody said one."""
        return None if self.on == UNKNOWN else date.fromisoformat(self.on)


@dataclass(frozen=True, eq=False)
class Stock:
    """A register on a day.

    ``depots`` are its places (``depot_id``, names, ``tier``, geometry): rows of one name, holder and spot. ``usable``
    (depots × ``GOODS``) is what counts; NaN where goods lie there and none of them could be counted, 0 where none lie.
    ``rows`` is indexed like the register: ``depot`` (row of ``depots``), ``goods`` (None: another thing), ``amount``
    in their unit (NaN: not known), ``state`` (one of ``STATES``), ``expires_soon``.
    """

    depots: gpd.GeoDataFrame
    usable: pd.DataFrame
    rows: pd.DataFrame
    notes: tuple[Finding, ...]
    on: date | None

    def __repr__(self) -> str:
        counts = self.rows["state"].value_counts()
        return f"Stock({len(self.depots)} depots, {', '.join(f'{n} {state}' for state, n in counts.items())})"


def stock(supplies: gpd.GeoDataFrame, *, on: date | None, params: StockParams, goods: GoodsParams) -> Stock:
    """What of a register (``geo.tables.SUPPLIES``) counts on a day, by place and goods.

    Goods are good and agreements hold to the end of their last day, or month. ``on`` None: neither is checked, and that
    is said. Raises InputError for dates that are not YYYY-MM-DD or YYYY-MM.
    """
    ends = {name: _last_days(supplies, name) for name in ("expiry", "agreement_until")}
    depot, depots = _places(supplies)
    rows = _counted(supplies, goods).assign(depot=depot)
    rows["state"] = _states(supplies, rows, ends, on)
    soon = None if on is None else on + timedelta(days=params.expiring_days)
    rows["expires_soon"] = (rows["state"] == "usable") & _before(ends["expiry"], soon)
    rows = rows[["depot", "goods", "amount", "state", "expires_soon"]]
    notes = (*_state_notes(supplies, rows), *_date_notes(supplies, rows, ends, on, params))
    return Stock(depots, _usable(rows, len(depots)), rows, notes, on)


# -- rows ----------------------------------------------------------------------------------------------------------


def _counted(supplies: gpd.GeoDataFrame, params: GoodsParams) -> pd.DataFrame:
    """Which goods each row is, and how much of them; the optional column ``pack`` says how large a unit is."""
    kinds = {item: kind_of(item, params=params) for item in supplies["item"].unique()}
    goods = [kinds[item] for item in supplies["item"]]
    pack = supplies["pack"] if "pack" in supplies else [None] * len(supplies)
    given = zip(goods, *(supplies[name] for name in ("item", "quantity", "unit")), pack, strict=True)
    amounts = [np.nan if kind is None else amount(kind, item, float(n), unit, pack, params=params)
               for kind, item, n, unit, pack in given]  # fmt: skip
    return pd.DataFrame({"goods": pd.Series(goods, index=supplies.index, dtype=object),
                         "amount": np.array(amounts, dtype=np.float64)}, index=supplies.index)  # fmt: skip


def _states(
    supplies: gpd.GeoDataFrame, rows: pd.DataFrame, ends: dict[str, list[date | None]], on: date | None
) -> list[str]:
    """What becomes of each row; the first that holds."""
    rules = [
        ("other", rows["goods"].isna().to_numpy()),
        ("expired", _before(ends["expiry"], None if on is None else on - timedelta(days=1))),
        ("lapsed", _before(ends["agreement_until"], None if on is None else on - timedelta(days=1))),
        ("amount_unknown", supplies["quantity"].isna().to_numpy()),
        ("unit_unknown", rows["amount"].isna().to_numpy()),
    ]
    found: list[str] = np.select([mask for _, mask in rules], [name for name, _ in rules], default="usable").tolist()
    return found


def _before(ends: Sequence[date | None], day: date | None) -> Mask:
    """Where something ends on a day or earlier; nowhere where the day, or the end, is not known."""
    return np.array([day is not None and end is not None and end <= day for end in ends], dtype=bool)


def _last_days(supplies: gpd.GeoDataFrame, column: str) -> list[date | None]:
    """The last day of each row; of a month its last day."""
    texts = [None if text is None or text != text else str(text) for text in supplies[column]]
    days = [None if text is None else _last_day(text) for text in texts]
    bad = [text for text, day in zip(texts, days, strict=True) if text and day is None]
    where = f"supplies, column {column}"
    refuse(InputError, [Fault("YYYY-MM-DD or YYYY-MM", repr(text), where) for text in dict.fromkeys(bad)])
    return days


def _last_day(text: str) -> date | None:
    try:
        if len(text) > len("YYYY-MM"):
            return date.fromisoformat(text)
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


# -- places --------------------------------------------------------------------------------------------------------


def _places(supplies: gpd.GeoDataFrame) -> tuple[Ints, gpd.GeoDataFrame]:
    """The depot of each row, and the depots in order of their first row; a depot is named by its smallest id."""
    keys = pd.DataFrame({name: supplies[name].astype(object).where(supplies[name].notna(), "") for name in
                         ("name", "tier")}, index=supplies.index)  # fmt: skip
    keys["spot"] = [shape.wkb for shape in shapely.centroid(supplies.geometry.to_numpy())]
    depot = keys.groupby(["name", "tier", "spot"], sort=False).ngroup().to_numpy()
    first = np.unique(depot, return_index=True)[1]
    ids = supplies["supply_id"].groupby(depot).min().to_numpy(dtype=object)
    depots = supplies.iloc[first][[*NAMES, "tier", supplies.geometry.name]].reset_index(drop=True)
    depots.insert(0, "depot_id", pd.Series(ids, dtype=object))
    return np.asarray(depot, dtype=np.int64), depots


def _usable(rows: pd.DataFrame, depots: int) -> pd.DataFrame:
    """What counts, depots × goods; NaN where goods lie and none of them could be counted."""
    there = rows[rows["state"].isin(["usable", "amount_unknown", "unit_unknown"])]
    known = there["amount"].where(there["state"] == "usable")
    sums = known.groupby([there["depot"], there["goods"]]).sum(min_count=1).unstack()
    absent = there.groupby(["depot", "goods"]).size().unstack().isna()
    table = sums.where(~absent, 0.0) if len(there) else pd.DataFrame()
    return table.reindex(index=range(depots), columns=[*GOODS], fill_value=0.0).astype(np.float64).rename_axis(
        index=None, columns=None)  # fmt: skip


def by_tier(held: Stock) -> pd.DataFrame:
    """The four parts of the cloud store: ``tier`` (None: not stated), ``depots``, a column for each of ``GOODS``.

    Known goods are added up; NaN where all that lies there could not be counted.
    """
    tier = held.depots["tier"]
    parts: list[tuple[str | None, Mask]] = [(name, (tier == name).to_numpy(dtype=bool)) for name in TIERS]
    parts += [(None, tier.isna().to_numpy())] if tier.isna().any() else []
    rows = [{"tier": name, "depots": int(there.sum()), **_summed(held.usable[there])} for name, there in parts]
    names = pd.Series([name for name, _ in parts], dtype=object)
    return pd.DataFrame(rows, columns=["tier", "depots", *GOODS]).assign(tier=names)


def by_unit(held: Stock, unit: Sequence[str | None], units: Sequence[str]) -> pd.DataFrame:
    """What lies in each of ``units``, units × ``GOODS``; ``unit`` (depots,) names each depot's, None: in none."""
    of = np.array(unit, dtype=object)
    rows = [_summed(held.usable[of == name]) for name in units]
    return pd.DataFrame(rows, columns=[*GOODS], dtype=np.float64).set_axis(list(units))


def _summed(usable: pd.DataFrame) -> dict[str, float]:
    """Sums of what is known; NaN where something lies there and nothing of it is known."""
    sums = usable.sum(min_count=1) if len(usable) else usable.sum()
    return {str(name): float(value) for name, value in sums.where(~((sums == 0) & usable.isna().any())).items()}


# -- cover ---------------------------------------------------------------------------------------------------------


def cover(held: pd.DataFrame, sheltered: pd.DataFrame, *, params: StockParams, needs: NeedsParams) -> pd.DataFrame:
    """How far goods go among people: ``held`` (units × ``GOODS``) and ``sheltered`` (as for ``needs.needed``), by row.

    For each of ``params.items``: ``ITEM_ratio``, held to needed for the stay (above 1: more than enough), and for what
    is used up by the day ``ITEM_person_days``. ``cover_days`` is how long all of these last, ``limited_by`` what runs
    out first, ``short_of`` what else is less than needed, with commas. NaN and None where people or goods are not
    known, and where nobody is.
    """
    wanted = needed(sheltered, params=needs)
    people = sheltered["people"].to_numpy(dtype=np.float64, na_value=np.nan)
    found, days = pd.DataFrame(index=sheltered.index), pd.DataFrame(index=sheltered.index)
    for name in params.items:
        item, there = ITEMS[name], held[ITEMS[name].goods].to_numpy(dtype=np.float64)
        need = wanted[name].to_numpy(dtype=np.float64)
        found[f"{name}_ratio"] = np.divide(there, need, out=np.full(len(need), np.nan), where=need > 0)
        if item.way == "daily":
            found[f"{name}_person_days"] = person_days(there, item, params=needs)
            lasting = found[f"{name}_person_days"].to_numpy()
            days[name] = np.divide(lasting, people, out=np.full(len(need), np.nan), where=people > 0)
    found["cover_days"] = days.min(axis=1, skipna=False) if days.shape[1] else np.nan
    ends = zip(found["cover_days"], days.iterrows(), strict=True)
    first = [None if np.isnan(lasts) else str(row.idxmin()) for lasts, (_, row) in ends]
    found["limited_by"] = pd.Series(first, index=found.index, dtype=object)
    short = [_short(row, params.items) for _, row in found.iterrows()]
    return found.assign(short_of=pd.Series(short, index=found.index, dtype=object))


def _short(row: pd.Series[float], items: Sequence[str]) -> str | None:
    ratios = {name: float(row[f"{name}_ratio"]) for name in items}
    if all(np.isnan(ratio) for ratio in ratios.values()):
        return None
    less = [name for name, ratio in ratios.items() if ratio < 1 - TOLERANCE and name != str(row["limited_by"])]
    return ",".join(less)


def told(row: pd.Series[float], people: float, *, days: float) -> Sentence:
    """How a row of ``cover`` stands, for a planner: how long the stock lasts, and what runs out first."""
    if np.isnan(people):
        return Sentence("people_not_known", "How many people must be supplied is not known.", "需保障人数未知。")
    if people == 0:
        return Sentence("nobody", "Nobody has to be supplied here.", "无需保障人员。")
    lasts = float(row["cover_days"])
    if np.isnan(lasts):
        return Sentence("stock_not_known", f"How long the stock lasts for {people:,.0f} people is not known.",
                        f"物资可保障{people:,.0f}人的天数未知。")  # fmt: skip
    first = ITEMS[str(row["limited_by"])]
    if lasts == 0:
        return Sentence("none", f"There is no {first.en} in stock for {people:,.0f} people.",
                        f"没有可供{people:,.0f}人使用的{first.zh}储备。")  # fmt: skip
    short = [ITEMS[name] for name in str(row["short_of"] or "").split(",") if name]
    also_en = f" Too little as well: {', '.join(i.en for i in short)}." if short else ""
    also_zh = f"另有不足：{'、'.join(i.zh for i in short)}。" if short else ""
    tenths = np.floor(lasts * 10 + TOLERANCE) / 10
    shown_en, shown_zh = (f"{tenths:g}", f"{tenths:g}") if tenths else ("less than 0.1", "不足0.1")
    return Sentence(
        "covered" if lasts >= days - TOLERANCE and not short else "short",
        f"The stock lasts {shown_en} of {days:g} days for {people:,.0f} people; {first.en} runs out first.{also_en}",
        f"现有物资可保障{people:,.0f}人{shown_zh}天（需{days:g}天），最先耗尽的是{first.zh}。{also_zh}",
    )


# -- what is said --------------------------------------------------------------------------------------------------

STATE_NOTES: dict[str, tuple[Severity, str, str, str, str, str]] = {
    "expired": ("warning", "expiry", "{n} have expired and are not counted", "已过期，未计入",
                "Replace them.", "请更换。"),
    "lapsed": ("warning", "agreement_until", "{n} are held under an agreement that has lapsed and are not counted",
               "协议已到期，未计入", "Renew the agreement.", "请续签协议。"),
    "amount_unknown": ("warning", "quantity", "{n} do not say how much and count as not known",
                       "未注明数量，按未知处理", "Write the quantity.", "请填写数量。"),
    "unit_unknown": ("warning", "unit", "{n} are in units whose size is not known and count as not known",
                     "单位无法换算，按未知处理",
                     "Write the size in the item or the unit (550ml*24), or set goods.water_containers, "
                     "goods.food_portions, goods.food_packs.",
                     "请在物资或单位中注明规格（如550ml*24），或设置goods.water_containers、goods.food_portions、"
                     "goods.food_packs。"),
    "other": ("info", "item", "{n} hold goods the plan does not use", "不属于计划所用物资",
              "Add the word to goods.…_words if it is.", "如属于，请将词加入goods.…_words。"),
}  # fmt: skip
"""By state: severity, column, English and Chinese, what to do."""


def _state_notes(supplies: gpd.GeoDataFrame, rows: pd.DataFrame) -> Iterator[Finding]:
    for state, (severity, column, en, zh, do_en, do_zh) in STATE_NOTES.items():
        yield from _note(supplies, (rows["state"] == state).to_numpy(), f"supplies_{state}", severity, column,
                         (en, zh), (do_en, do_zh))  # fmt: skip


def _date_notes(
    supplies: gpd.GeoDataFrame, rows: pd.DataFrame, ends: dict[str, list[date | None]], on: date | None,
    params: StockParams,
) -> Iterator[Finding]:  # fmt: skip
    """What expires soon, what has no date, and dates that nobody checked."""
    dated = np.array([any(end) for end in zip(*ends.values(), strict=True)], dtype=bool)
    if on is None and dated.any():
        yield from _note(supplies, dated, "supplies_dates_not_checked", "warning", "expiry",
                         ("{n} have dates that were not checked: no day was given", "有日期但未核对：未指定日期"),
                         ("Set stock.on=YYYY-MM-DD.", "请设置stock.on=YYYY-MM-DD。"))  # fmt: skip
    soon = rows["expires_soon"].to_numpy(dtype=bool)
    yield from _note(supplies, soon, "supplies_expire_soon", "warning", "expiry",
                     (f"{{n}} expire within {params.expiring_days:g} days", f"将在{params.expiring_days:g}天内过期"),
                     ("Use or replace them.", "请使用或更换。"))  # fmt: skip
    perish = rows["goods"].isin(["water_l", "food_rations"]) & (rows["state"] == "usable")
    undated = perish.to_numpy() & np.array([end is None for end in ends["expiry"]], dtype=bool)
    yield from _note(supplies, undated, "supplies_undated", "warning", "expiry",
                     ("{n} of water or food have no expiry date and are taken for good",
                      "饮水或食品未注明保质期，按有效计"),
                     ("Write the date.", "请填写日期。"))  # fmt: skip
    others = supplies["tier"].isin(TIERS[1:3]).to_numpy() & (rows["state"] == "usable").to_numpy()
    loose = others & np.array([end is None for end in ends["agreement_until"]], dtype=bool)
    yield from _note(supplies, loose, "supplies_without_agreement", "warning", "agreement_until",
                     ("{n} at schools or supermarkets name no agreement and are counted",
                      "学校或超市物资未注明协议，仍计入"),
                     ("Write until when the agreement runs.", "请填写协议到期日。"))  # fmt: skip


def _note(
    supplies: gpd.GeoDataFrame, there: Mask, code: str, severity: Severity, column: str, said: tuple[str, str],
    do: tuple[str, str],
) -> Iterator[Finding]:  # fmt: skip
    """A finding about the rows of a register, where there are any; rows are counted from 1."""
    if not there.any():
        return
    at, n = np.flatnonzero(there), int(there.sum())
    value = supplies[column].iloc[at[0]]
    en = said[0].format(n=f"{n:,} row{'' if n == 1 else 's'} of supplies")
    en = en if n > 1 else en.replace(" have ", " has ").replace(" are ", " is ").replace(" do ", " does ")
    for many, one in (
        (*((f" {verb} ", f" {verb}s ") for verb in ("name", "expire", "hold", "count")),) if n == 1 else ()
    ):
        en = en.replace(many, one)
    yield Finding(code, f"{en}.", f"{n:,}条物资{said[1]}。", severity, n, tuple(int(row) + 1 for row in at[:ROWS_TOLD]),
                  column, "" if value is None or value != value else str(value), *do)  # fmt: skip

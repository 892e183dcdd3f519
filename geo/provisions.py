"""What the people in shelters need, what stock there is for them, and which depot brings it by the open streets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import communities as areas_of_planning
from geo import delivery, depots, needs, search, snapping
from geo import exposures as exposed
from geo.city import PlanParams
from geo.delivery import Delivery
from geo.depots import Stock
from geo.goods import GOODS
from geo.reasons import Sentence
from geo.situation import Situation
from geo.tables import NAMES, beside, without_nan

Floats = NDArray[np.float64]
TRUCK = "car"
"""The profile whose streets deliveries use."""
LANGUAGES = ("en", "zh")
COVER_OF_TIER = tuple(f"cover_days_{tier}" for tier in depots.TIERS)
"""Numbers of the headline: days that what one tier of the cloud store holds lasts everybody."""


@dataclass(frozen=True)
class Provisions:
    """The layers ``needs``, ``depots`` and ``deliveries``, columns of communities, and what is to be said.

    Without a register of supplies there are only needs: what nobody listed is not none.
    """

    layers: Mapping[str, gpd.GeoDataFrame]
    communities: pd.DataFrame
    headline: Mapping[str, float]
    notes: tuple[Sentence, ...]


def of(now: Situation, sites: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> Provisions:
    """Needs and supply of a scenario; ``sites`` and ``units`` are the plan's shelters and communities."""
    params = now.base.params
    sheltered, stay = _sheltered(now, sites)
    wanted = needs.needed(sheltered, params=params.needs)
    table = beside(
        sites[["shelter_id", *NAMES, "community_id", "geometry"]],
        sheltered.assign(stay="nights" if stay else "refuge").reset_index(drop=True),
        wanted.reset_index(drop=True),
    )
    table = table[table["people"] > 0].reset_index(drop=True)
    # In all only where people stay for nights: beside these, what everybody in refuge would need misleads.
    headline = {f"need_{name}": float(total) for name, total in needs.total(wanted).items()} if stay else {}
    if now.base.city.supplies is None:
        return Provisions({"needs": table}, pd.DataFrame(index=units.index), headline, ())
    held = depots.stock(now.base.city.supplies, on=params.stock.day, params=params.stock, goods=params.goods)
    sent = _delivered(now, held, wanted, sites)
    ids = sites["shelter_id"].to_numpy(dtype=object)
    covered = delivery.supplied(sent).reindex(ids[np.flatnonzero(sheltered["people"] > 0)])
    layers = {
        "needs": beside(table, covered.reset_index(drop=True)),
        "depots": _depots(held, now),
        "deliveries": _lines(sent, held, sites),
    }
    said = delivery.told(sent)
    columns, stock_headline = _cover(now, held, units, sheltered, params)
    return Provisions(layers, columns, headline | stock_headline, (*held.notes, said))


def _sheltered(now: Situation, sites: gpd.GeoDataFrame) -> tuple[pd.DataFrame, bool]:
    """People in each shelter by its id: those who stay for nights; where nobody is displaced those who find refuge."""
    stay = now.nights is not None
    people = sites["stay_people" if stay else "people"].to_numpy(dtype=np.float64)
    return pd.DataFrame({"people": people}, index=pd.Index(sites["shelter_id"], dtype=object)), stay


def _delivered(now: Situation, held: Stock, wanted: pd.DataFrame, sites: gpd.GeoDataFrame) -> Delivery:
    params = now.base.params
    stock = held.usable.set_axis(held.depots["depot_id"].to_numpy(dtype=object))
    drive_s = _drives(now, held.depots, sites)
    return delivery.deliver(stock, wanted, drive_s, items=params.stock.items, params=params.delivery)


def _drives(now: Situation, places: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> Floats:
    """Seconds from each depot to each shelter by open streets, (depots, shelters); NaN where there is no way.

    Nothing leaves a depot that the hazard has reached.
    """
    streets, of = now.ways[TRUCK], now.base.params.shelter
    ends = []
    for table in (places, sites):
        shapes = np.asarray(table.geometry.to_numpy(), dtype=object)
        met = snapping.entrances(
            streets.network, shapes, usable=now.base.usable[TRUCK].joined, max_m=of.entrance_max_m,
            spread_m=of.entrance_spread_m,
        )  # fmt: skip
        ends.append(met.where(met.found & streets.usable[met.edge]))
    found = search.matrix(streets.graph, *ends)
    drive_s = np.full((len(places), len(sites)), np.nan)
    drive_s[: found.shape[0], : found.shape[1]] = found
    hit = exposed.hit(now.faced.sites(places), above=now.base.params.circle.max_share_affected)
    drive_s[hit] = np.nan
    return drive_s


def _depots(held: Stock, now: Situation) -> gpd.GeoDataFrame:
    """Every depot with what counts of its stock, and its community."""
    unit = areas_of_planning.locate(held.depots.geometry.representative_point(), now.base.communities)
    return beside(held.depots, held.usable, pd.DataFrame({"community_id": unit}))


def _lines(sent: Delivery, held: Stock, sites: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """What goes from which depot to which shelter, as straight lines between them."""
    ends = []
    for table, key, column in ((held.depots, "depot_id", "depot"), (sites, "shelter_id", "shelter")):
        points = table.geometry.representative_point().set_axis(table[key].to_numpy(dtype=object))
        ends.append(shapely.get_coordinates(points.reindex(sent.rows[column]).to_numpy()))
    lines = shapely.linestrings(np.stack(ends, axis=1).reshape(-1, 2, 2))
    rows = sent.rows.rename(columns={"depot": "depot_id", "shelter": "shelter_id"}).reset_index(drop=True)
    return gpd.GeoDataFrame(without_nan(rows), geometry=np.asarray(lines, dtype=object), crs=sites.crs)


def _cover(
    now: Situation, held: Stock, units: gpd.GeoDataFrame, sheltered: pd.DataFrame, params: PlanParams
) -> tuple[pd.DataFrame, dict[str, float]]:
    """How long the stock in each community lasts its own people who need it, and the city's all of them."""
    ids = units["community_id"].to_numpy(dtype=object)
    unit = areas_of_planning.locate(held.depots.geometry.representative_point(), now.base.communities)
    people = units["people_displaced" if now.nights is not None else "people"].to_numpy(dtype=np.float64)
    here = depots.by_unit(held, list(unit), list(ids))
    own = pd.DataFrame({"people": people}, index=pd.Index(ids, dtype=object))
    found = depots.cover(here, own, params=params.stock, needs=params.needs)
    said = [depots.told(row, n, days=params.needs.days) for (_, row), n in zip(found.iterrows(), people, strict=True)]
    columns = found.assign(**{f"stock_{at}": [getattr(s, at) for s in said] for at in LANGUAGES})
    columns = columns.rename(columns={"limited_by": "cover_limited_by", "short_of": "cover_short_of"})
    return columns.set_axis(units.index), _cover_in_all(held, float(sheltered["people"].sum()), params)


def _cover_in_all(held: Stock, people: float, params: PlanParams) -> dict[str, float]:
    """How many days all stock lasts everybody who needs it, and what each tier of the cloud store holds alone.

    NaN where the register lists no place of a tier: what nobody listed is not none.
    """
    whole = depots.by_unit(held, ["all"] * len(held.depots), ["all"]).assign(depots=len(held.depots))
    there = pd.concat([whole, depots.by_tier(held).set_index("tier").loc[[*depots.TIERS]]])
    goods = there[[*GOODS]].where(there["depots"] > 0).set_axis(["cover_days", *COVER_OF_TIER])
    everybody = pd.DataFrame({"people": people}, index=goods.index)
    lasts = depots.cover(goods, everybody, params=params.stock, needs=params.needs)["cover_days"]
    return {str(name): float(days) for name, days in lasts.items()}

"""The streets and bridges whose loss costs the most: how many people walk how much longer to a shelter, or not at all.

Objective: for every street e, the sum over people of (walk to the nearest usable shelter without e) - (walk with it).
Counted are people whose walk is within the limit; one who does not get there in time any more counts with a fixed
number of minutes and is counted as lost beside it. Who lives on e loses their own street with it. All segments of one
bridge (OSM way) that touch are lost together, every other segment by itself. The first ranks are exact: bounds for all
streets (``geo.closures``) say which need not be tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo import closures
from geo.closures import Bounds, Losses, Tops, Tree
from geo.curves import Sourced
from geo.evacuation import Walks
from geo.network import Network
from geo.snapping import Snaps
from geo.tables import NAMES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MS_PER_MINUTE = 60_000
"""Milliseconds a minute."""


class CriticalParams(Sourced):
    """How many streets are ranked by what their loss costs, and what a person counts who is lost."""

    subject = "critical"

    streets: int = Field(ge=1, le=1_000_000, description="How many streets are ranked, count.")
    rank_by: Literal["all", "passing"] = Field(
        description="all: by what a loss costs everybody; passing: without the people who live on the street itself."
    )
    shelters: int = Field(
        ge=0, le=100_000, description="How many shelters, the fullest, are taken away by way of trial, count."
    )
    tries: int = Field(ge=1, le=10_000_000, description="How many streets are closed by way of trial at most, count.")
    lost_minutes: float = Field(
        ge=0,
        le=1440,
        description="What one person counts who does not get there in time any more, minutes; at least the longest "
        "walk that counts as served.",
    )


@dataclass(frozen=True, eq=False)
class Critical:
    """What the loss of each street costs.

    ``group`` (edges,) numbers the streets that are lost together. For each group (groups,): ``bounds`` for all and
    ``losses`` of those tried; ``lost_ms`` is what one person counts who is lost. ``ranked`` are the groups that cost
    most, worst first; ``proven`` (ranked,) whether no street that was not tried can cost as much.
    """

    network: Network
    group: Ints
    tree: Tree
    tops: Tops
    bounds: Bounds
    losses: Losses
    lost_ms: int
    ranked: Ints
    proven: Mask

    def __repr__(self) -> str:
        used, tried = int((self.bounds.people > 0).sum()), int(self.losses.tried.sum())
        return f"Critical({len(self.ranked)} of {used} streets in use ranked, {tried} tried)"

    @cached_property
    def edges(self) -> tuple[Ints, Ints]:
        """Where the edges of each group begin, (groups + 1,), and the edges in that order, (edges,)."""
        first = np.r_[0, np.cumsum(np.bincount(self.group))].astype(np.int64)
        return first, np.argsort(self.group, kind="stable").astype(np.int64)

    def edges_of(self, group: int) -> Ints:
        """The edges that are lost together, in the order of the network."""
        first, edges = self.edges
        return edges[first[group] : first[group + 1]]


def together(network: Network) -> Ints:
    """Which edges are lost together, (edges,), numbered from 0 in the order of their first edges.

    The segments of one OSM way with a bridge that touch each other are one; every other segment is one by itself.
    """
    edges, nodes = len(network.u), len(network.x)
    way_id = network.tags["way_id"].to_numpy()[network.way]
    bridge = np.flatnonzero(network.edge_is("bridge"))
    ends = np.r_[network.u[bridge], network.v[bridge]]
    way = np.unique(way_id[bridge], return_inverse=True)[1].astype(np.int64)
    node = np.unique(np.r_[way, way] * nodes + ends, return_inverse=True)[1]
    spots = int(node.max()) + 1 if len(node) else 0
    links = (np.ones(len(node)), (np.r_[bridge, bridge], edges + node))
    size = edges + spots
    piece = connected_components(coo_array(links, shape=(size, size)), directed=False)[1][:edges]
    _, first, inverse = np.unique(piece, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first, kind="stable"), kind="stable")[inverse].astype(np.int64)


def weigh(
    walks: Walks, doors: Snaps, people: Ints, *, max_minutes: float, speed_ms: float, params: CriticalParams
) -> Critical:
    """What the loss of each street costs; ``walks`` are those to ``doors`` at ``speed_ms`` off the street.

    ``people`` (places,) count where the walk is at most ``max_minutes``.
    """
    network = walks.ways.network
    group = together(network)
    tree = closures.tree(walks, doors, people, group=group, limit_s=max_minutes * 60, speed_ms=speed_ms)
    tops = closures.tops(tree, int(group.max(initial=-1)) + 1)
    lost_ms = round(max(params.lost_minutes, max_minutes) * MS_PER_MINUTE)
    known = closures.bounds(tree, tops, lost_ms=lost_ms)
    aside = known.residents * (lost_ms if params.rank_by == "passing" else 0)
    losses = closures.costliest(
        tree, tops, known.most_ms, count=params.streets, tries=params.tries, lost_ms=lost_ms, aside_ms=aside
    )
    ranked = _ranked(network, group, losses.ms - aside, params.streets)
    beyond = int((known.most_ms - aside)[~losses.tried].max(initial=0))
    proven = (losses.ms - aside)[ranked] > beyond
    return Critical(network, group, tree, tops, known, losses, lost_ms, ranked, proven)


def _ranked(network: Network, group: Ints, ms: Ints, count: int) -> Ints:
    """The groups that cost something, worst first; of equals the one whose street id comes first."""
    costly = np.flatnonzero(ms > 0)
    first = np.unique(group, return_index=True)[1]
    return costly[np.lexsort((network.street_ids[first[costly]].astype(str), -ms[costly]))][:count]


COLUMNS = {
    "rank": "int64",
    "street_id": "object",
    "street_ids": "object",
    **dict.fromkeys(NAMES, "object"),
    "highway": "object",
    "bridge": "bool",
    "length_m": "float64",
    "people": "int64",
    "people_living": "int64",
    "people_minutes": "float64",
    "people_minutes_passing": "float64",
    "people_lost": "int64",
    "people_later": "int64",
    "added_s_mean": "float64",
    "added_s_max": "float64",
    "communities": "int64",
    "community_id": "object",
    "community_people_minutes": "float64",
    "exact": "bool",
}
"""Columns of ``table`` before geometry, and their types."""


def table(found: Critical, community_id: pd.Series) -> gpd.GeoDataFrame:
    """One row a ranked street, worst first; the network's CRS.

    ``people`` is who uses it: who walks along it, lives on it (``people_living``) or enters a shelter from it.
    ``people_minutes`` is what its loss costs, ``people_minutes_passing`` without those who live on it; ``people_lost``
    do not get to a shelter in time any more, those who live on it among them; ``people_later`` still do,
    ``added_s_mean`` and ``added_s_max`` seconds later (NaN where there is none). ``communities`` counts those concerned
    (``community_id``, one a place of the demand), and ``community_id`` is the one it costs most. ``exact``: no street
    outside the table costs as much.
    """
    columns = _called(found) | _measured(found) | _concerned(found, community_id)
    typed = pd.DataFrame({name: pd.Series(columns[name], dtype=dtype) for name, dtype in COLUMNS.items()})
    first, edges = found.edges
    lines = [_drawn(found.network.lines[edges[first[g] : first[g + 1]]]) for g in found.ranked]
    return gpd.GeoDataFrame(typed, geometry=gpd.GeoSeries(lines, crs=found.network.crs))


def _drawn(lines: NDArray[np.object_]) -> shapely.Geometry:
    """A street or a bridge as one line where its segments follow each other."""
    whole: shapely.Geometry = shapely.line_merge(shapely.MultiLineString(list(lines)))
    return whole


def _called(found: Critical) -> dict[str, object]:
    """Ids, names and class of each ranked street; names are those of its first segment."""
    network, ids = found.network, found.network.street_ids
    each = [found.edges_of(int(group)) for group in found.ranked]
    lead = np.array([edges[0] for edges in each], dtype=np.int64)
    return {
        "rank": np.arange(1, len(each) + 1),
        "street_id": ids[lead],
        "street_ids": [" ".join(ids[edges]) for edges in each],
        **{name: network.edge_tag(name)[lead] for name in (*NAMES, "highway")},
        "bridge": network.edge_is("bridge")[lead],
        "length_m": [network.length_m[edges].sum() for edges in each],
    }


def _measured(found: Critical) -> dict[str, object]:
    """What each ranked street is used by and what its loss costs."""
    at, losses = found.ranked, found.losses
    later = losses.later[at]
    nobody = np.where(later > 0, 1.0, np.nan)
    return {
        "people": found.bounds.people[at],
        "people_living": found.bounds.residents[at],
        "people_minutes": losses.ms[at] / MS_PER_MINUTE,
        "people_minutes_passing": (losses.ms - found.bounds.residents * found.lost_ms)[at] / MS_PER_MINUTE,
        "people_lost": losses.lost[at],
        "people_later": later,
        "added_s_mean": losses.later_ms[at] / np.maximum(later, 1) / 1000 * nobody,
        "added_s_max": losses.longest_ms[at] / 1000 * nobody,
        "exact": found.proven,
    }


def _concerned(found: Critical, community_id: pd.Series) -> dict[str, object]:
    """How many communities each ranked street's loss concerns, and which most; of equals the id that comes first."""
    ids, tree = community_id.to_numpy(dtype=object), found.tree
    people = np.zeros(len(ids), dtype=np.int64)
    people[tree.places] = tree.people[-1 - len(tree.places) : -1]
    rows = []
    for group in found.ranked:
        hit = closures.touched(tree, found.tops, int(group))
        minutes = np.where(hit.longer_ms < 0, found.lost_ms, hit.longer_ms) / MS_PER_MINUTE * people[hit.place]
        by = pd.Series(minutes).groupby(ids[hit.place]).sum().sort_index()
        rows.append((len(by), by.idxmax() if len(by) else None, by.max() if len(by) else 0.0))
    names = ("communities", "community_id", "community_people_minutes")
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}

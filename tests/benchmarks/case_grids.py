"""Cells between streets, beside squares, balanced k-means and a greedy max-p; and how long a whole city takes.

``python -m tests.benchmarks.case_grids`` shows what each division is worth, by one measure for all: how even people
are, how compact cells are, how many are in several pieces, and how much of their border runs along main streets.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from geo import balance, blocks, grids
from geo.grids import GridParams
from geo.membership import NONE, smallest_holding
from geo.network import Network, build
from tests import shared_data
from tests.benchmarks.bench import NotHere, Prepared, case

EXTRACTS = {"kampen": "kampen/kampen.osm.pbf", "nanjing": "osm/nanjing-hongtao45_bbox.osm.xml"}
TILES = 11
"""Kampens side by side that make a city of 100 000 street segments."""
STEP_M = (11_000.0, 8_000.0)


@cache
def place(name: str) -> tuple[Network, gpd.GeoDataFrame, gpd.GeoDataFrame, GridParams]:
    """Streets, people and lines of a place."""
    import data.osm
    from data import standards
    from geo import population
    from geo.population import PopulationParams

    file = EXTRACTS["kampen" if name == "city" else name]
    if why_not := shared_data.why_not(file):
        raise NotHere(why_not)
    known = standards.load()
    extract = data.osm.read(shared_data.folder() / file)
    homes = population.from_buildings(extract.buildings, extract.areas, params=PopulationParams.of(known)).demand
    found = build(extract.ways), homes[["people", "geometry"]], extract.lines, GridParams.of(known)
    return (*tiled(*found[:3]), found[3]) if name == "city" else found


def tiled(
    net: Network, homes: gpd.GeoDataFrame, lines: gpd.GeoDataFrame
) -> tuple[Network, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """The same town many times side by side."""
    offsets = [(STEP_M[0] * (n % 4), STEP_M[1] * (n // 4)) for n in range(TILES)]
    nodes, points = len(net.x), len(net.px)
    whole = replace(
        net,
        node_id=np.concatenate([net.node_id + n * 10**12 for n in range(TILES)]),
        x=np.concatenate([net.x + x for x, _ in offsets]), y=np.concatenate([net.y + y for _, y in offsets]),
        u=np.concatenate([net.u + n * nodes for n in range(TILES)]),
        v=np.concatenate([net.v + n * nodes for n in range(TILES)]),
        length_m=np.tile(net.length_m, TILES), way=np.tile(net.way, TILES),
        start=np.r_[np.concatenate([net.start[:-1] + n * points for n in range(TILES)]), TILES * points],
        px=np.concatenate([net.px + x for x, _ in offsets]), py=np.concatenate([net.py + y for _, y in offsets]),
    )  # fmt: skip
    moved = [[table.set_geometry(table.translate(*by)) for by in offsets] for table in (homes, lines)]
    return (whole, *(gpd.GeoDataFrame(pd.concat(each, ignore_index=True), crs=net.crs) for each in moved))


@case("divide a town into cells", unit="street segments", sizes=tuple(EXTRACTS))
def ours(size: int | str) -> Prepared:
    """Blocks, cuts, balance, names."""
    net, homes, lines, params = place(str(size))
    return len(net.u), lambda: grids.make(net, homes, params=params, lines=lines)


@case("divide a city into cells", unit="street segments", sizes=("city",))
def whole_city(size: int | str) -> Prepared:
    """Eleven times Kampen."""
    return ours.ways["renxing"](size)


# -- other ways, with a label (blocks,) or a polygon a cell --------------------------------------------------------


def squares(name: str) -> np.ndarray:
    """Squares of 500 m wherever people are: what was made before there were cells."""
    _, homes, _, _ = place(name)
    corner = np.unique(np.floor(shapely.get_coordinates(homes.geometry) / 500), axis=0) * 500
    return np.asarray(shapely.box(*corner.T, *(corner.T + 500)))


@cache
def graph_of(name: str) -> tuple[blocks.Blocks, balance.Graph]:
    """The blocks that every way here may join."""
    net, homes, lines, params = place(name)
    people = grids._Homes(np.asarray(homes.geometry.to_numpy(), dtype=object), homes["people"].to_numpy())
    ground = grids._ground(net, people, params.margin_m)
    borders = grids._borders(net, lines, params).prolonged(ground)
    divided, borders = grids._divided(ground, borders, people, params)
    return divided, grids._balanced(divided, borders, people.counted(divided.shapes), params)[0]


def joined(name: str, label: np.ndarray) -> np.ndarray:
    """The cells that labels of blocks make."""
    shapes = graph_of(name)[0].shapes
    return np.array([shapely.coverage_union_all(shapes[label == n]) for n in np.unique(label)], dtype=object)


def k_means(name: str) -> np.ndarray:
    """Blocks to the nearest of as many centres as there are thousands, heavier centres reaching less far."""
    _, graph = graph_of(name)
    count = max(1, round(graph.load.sum()))
    rng = np.random.default_rng(0)
    centres = graph.xy[rng.choice(len(graph.load), count, replace=False, p=graph.load / graph.load.sum())]
    weight = np.ones(count)
    for _ in range(60):
        far, near = cKDTree(centres).query(graph.xy, k=min(8, count))
        label = near[np.arange(len(near)), np.argmin(far * weight[near], axis=1)]
        load = np.bincount(label, graph.load, count)
        weight *= np.clip(load / load.mean(), 0.5, 2) ** 0.2
        heavy = np.maximum(np.bincount(label, graph.load, count), 1e-9)
        centres = np.column_stack([np.bincount(label, graph.load * at, count) / heavy for at in graph.xy.T])
    return joined(name, label)


def max_p(name: str) -> np.ndarray:
    """Grow cells block by block from a seed until each has three quarters of a thousand; leftovers join a neighbour."""
    _, graph = graph_of(name)
    net = nx.Graph(zip(graph.one.tolist(), graph.other.tolist(), strict=True))
    net.add_nodes_from(range(len(graph.load)))
    label, cell = np.full(len(graph.load), NONE), 0
    for seed in np.argsort(-graph.load, kind="stable"):
        grown = grow(net, graph.load, label, int(seed))
        if grown:
            label[grown], cell = cell, cell + 1
    while (label == NONE).any():
        left = [n for n in np.flatnonzero(label == NONE) if any(label[m] != NONE for m in net[n])]
        for block in left or np.flatnonzero(label == NONE)[:1]:
            label[block] = next((label[m] for m in net[block] if label[m] != NONE), cell)
    return joined(name, label)


def grow(net: nx.Graph, load: np.ndarray, label: np.ndarray, seed: int) -> list[int]:
    """Free blocks round a seed with at least 0.75 of a cell's people; none when they do not suffice."""
    found, heaped, rim = [], 0.0, [seed] if label[seed] == NONE else []
    while rim and heaped < 0.75:
        block = rim.pop(0)
        if block not in found:
            found.append(block)
            heaped += load[block]
            rim += [n for n in net[block] if label[n] == NONE and n not in found]
    return found if heaped >= 0.75 else []


RIVALS: dict[str, Callable[[str], np.ndarray]] = {
    "squares of 500 m": squares, "balanced k-means on blocks": k_means, "greedy max-p on blocks": max_p,
}  # fmt: skip


def measure(name: str, cells: np.ndarray) -> dict[str, float]:
    """People, shape and border of cells; main_share is of all their border, within ten metres of such a street."""
    net, homes, lines, params = place(name)
    where = smallest_holding(np.asarray(homes.geometry.to_numpy(), dtype=object), cells)
    people = np.bincount(where[where != NONE], homes["people"][where != NONE], len(cells))
    kinds = (*params.main_kinds, *params.barrier_kinds)
    main = net.lines[np.isin(net.edge_tag("highway").astype(str), kinds)]
    barriers = lines.geometry[lines["kind"].isin(kinds)].to_numpy()
    near = shapely.union_all(shapely.buffer([*main, *barriers], 10))
    border = shapely.boundary(cells)
    return {
        "cells": len(cells),
        "within": float(((people >= 500) & (people <= 1500)).mean()),
        "min": float(people.min()),
        "median": float(np.median(people)),
        "max": float(people.max()),
        "compact": float(np.median(4 * np.pi * shapely.area(cells) / shapely.length(cells) ** 2)),
        "broken": int((shapely.get_num_geometries(cells) > 1).sum()),
        "main": float(shapely.length(shapely.intersection(border, near)).sum() / shapely.length(border).sum()),
    }


def show(name: str) -> None:
    """Every way at one place."""
    net, homes, lines, params = place(name)
    ways: dict[str, Callable[[], np.ndarray]] = {
        "renxing": lambda: grids.make(net, homes, params=params, lines=lines).table.geometry.to_numpy()
    }
    ways |= {told: lambda way=way: way(name) for told, way in RIVALS.items()}  # type: ignore[misc]
    for told, way in ways.items():
        started = time.perf_counter()
        cells = np.asarray(way(), dtype=object)
        took = time.perf_counter() - started
        of = measure(name, cells)
        print(
            f"{f'{name}: {told}':<40} " + " ".join(f"{key} {value:.4g}" for key, value in of.items()), f"{took:.1f} s"
        )


if __name__ == "__main__":
    for each in EXTRACTS:
        try:
            show(each)
        except NotHere as reason:
            print(f"{each}: not here: {reason}", file=sys.stderr)

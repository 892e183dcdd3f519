"""Streets cut at the cells of a flood, and what a car can do on each street of a city, dry and under it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

import data.osm
import data.standards
from geo import hazards, network, usable
from geo.city import PlanParams
from geo.network import Network
from tests.benchmarks.bench import Prepared, case
from tests.benchmarks.case_exposure import CELL_M, CRS, NORTH, WEST, few, flood, streets
from tests.benchmarks.case_streets import extract


@case("cut streets at the cells, 5 000²", unit="segments", sizes=(10_000, 100_000, 1_000_000))
def cuts(size: int | str) -> Prepared:
    n, hazard = int(size), flood()
    xy = np.stack(streets(n), axis=1).reshape(-1, 2)
    x, y, start = xy[:, 0].copy(), xy[:, 1].copy(), np.arange(0, 2 * n + 1, 2)
    return n, lambda: hazards.cut_lines(x, y, start, crs=CRS, faced=[hazard])


@cuts.rival("shapely: intersection with each cell's square")
def squares(size: int | str) -> Prepared:
    n, values = few(size), flood().grid.values
    lines = shapely.linestrings(np.stack(streets(n), axis=1))
    low = shapely.bounds(lines)

    def work() -> pd.DataFrame:
        first = np.floor((low[:, :2] - [WEST, 0]) / CELL_M).astype(int)
        last = np.floor((low[:, 2:] - [WEST, 0]) / CELL_M).astype(int)
        wide, high = (last - first + 1).T
        line = np.repeat(np.arange(n), wide * high)
        k = np.arange(len(line)) - np.repeat(np.cumsum(wide * high) - wide * high, wide * high)
        col, up = first[line, 0] + k % wide[line], first[line, 1] + k // wide[line]
        corner = np.column_stack([WEST + col * CELL_M, up * CELL_M])
        part = shapely.length(shapely.intersection(lines[line], shapely.box(*corner.T, *(corner + CELL_M).T)))
        row = np.floor((NORTH - corner[:, 1]) / CELL_M - 0.5).astype(int)
        return pd.DataFrame({"line": line, "length_m": part, "value": values[row, col]})[part > 0]

    return n, work


def city(size: int | str) -> tuple[Network, PlanParams]:
    return network.build(data.osm.read(extract(size)).ways), PlanParams.of(data.standards.load())


@case("what a car can do on each street", unit="edges", sizes=("kampen",))
def dry(size: int | str) -> Prepared:
    net, params = city(size)
    return len(net.u), lambda: usable.passage(net, params.car, rules=params)


@dry.rival("tag by tag, a row at a time")
def by_rows(size: int | str) -> Prepared:
    """The least a loop must do: look at the class, the access and the limit of every edge."""
    net, params = city(size)

    def work() -> list[float]:
        found = []
        for way, length in zip(net.way, net.length_m, strict=True):
            tags = net.tags.iloc[way]
            open_ = tags["highway"] in params.car.highways and tags["access"] not in params.car.forbids
            limit = float(tags["maxspeed"]) if str(tags["maxspeed"]).isdecimal() else 30.0
            found.append(length / limit * 3.6 if open_ else np.nan)
        return found

    return len(net.u), work

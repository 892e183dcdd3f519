"""Cities drawn by hand: letters are nodes, words are ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import shapely

from geo.crs import WGS84, reproject
from geo.network import BARRIER_TAGS, RESTRICTIONS, WAY_TAGS, Ways, no_restrictions
from geo.shifts import from_wgs84

CRS = "EPSG:32631"
ORIGIN = (600_000.0, 5_800_000.0)


def positions(drawing: str, *, step_m: float = 100.0) -> dict[str, tuple[float, float]]:
    """Each letter's place in metres: columns run east, rows run south, ``step_m`` a character and a line."""
    rows = [line for line in drawing.splitlines() if line.strip()]
    return {
        letter: (ORIGIN[0] + column * step_m, ORIGIN[1] - row * step_m)
        for row, line in enumerate(rows)
        for column, letter in enumerate(line)
        if letter.isalpha()
    }


def ways(
    places: Mapping[str, tuple[float, float]],
    chains: Mapping[str, Mapping[str, str]],
    *,
    barriers: Mapping[str, Mapping[str, str]] | None = None,
    restrictions: Sequence[Mapping[str, object]] = (),
) -> Ways:
    """Streets through lettered nodes: ``{"abc": {"highway": "residential"}}`` is one way over a, b and c.

    A restriction names its ways by their chains, and what it leads over by a letter or by a list of chains:
    ``{"kind": "no_left_turn", "from": "ab", "over": "b", "to": "bc"}``; what else it has are columns.
    """
    letters = [letter for chain in chains for letter in chain]
    sizes = [len(chain) for chain in chains]
    rows = [
        {"way_id": i + 1, **dict.fromkeys(WAY_TAGS), "highway": "residential", **tags}
        for i, tags in enumerate(chains.values())
    ]
    stands = [{"node_id": ord(k), **dict.fromkeys(BARRIER_TAGS), **tags} for k, tags in (barriers or {}).items()]
    return Ways(
        tags=pd.DataFrame(rows, columns=["way_id", *WAY_TAGS]),
        start=np.r_[0, np.cumsum(sizes)].astype(np.int64),
        node=np.array([ord(letter) for letter in letters], dtype=np.int64),
        x=np.array([places[letter][0] for letter in letters], dtype=float),
        y=np.array([places[letter][1] for letter in letters], dtype=float),
        barriers=pd.DataFrame(stands, columns=["node_id", *BARRIER_TAGS]),
        crs=CRS,
        restrictions=pd.DataFrame([_restriction(i, r, list(chains)) for i, r in enumerate(restrictions)])
        if restrictions
        else no_restrictions(),
    )


def _restriction(number: int, told: Mapping[str, object], chains: Sequence[str]) -> dict[str, object]:
    """One row of ``Ways.restrictions``; a chain that is none of the ways gets an id that no way has."""
    ids = {chain: i + 1 for i, chain in enumerate(chains)}
    over = told["over"]
    others = {k: v for k, v in told.items() if k not in ("from", "over", "to")}
    return {
        **dict.fromkeys(RESTRICTIONS),
        "restriction_id": number,
        "from_way": ids.get(str(told["from"]), -1),
        "via_node": ord(over) if isinstance(over, str) else -1,
        "via_ways": () if isinstance(over, str) else tuple(ids.get(chain, -1) for chain in over),
        "to_way": ids.get(str(told["to"]), -1),
        **others,
    }


def drawn_by(shapes: np.ndarray, system: str, crs: str) -> np.ndarray:
    """The same things, in a metric ``crs``, as a Chinese map in ``system`` would have them."""

    def moved(xy: np.ndarray) -> np.ndarray:
        lon, lat = from_wgs84(*reproject(xy[:, 0], xy[:, 1], source=crs, target=WGS84), system)
        return np.column_stack(reproject(lon, lat, source=WGS84, target=crs))

    return np.asarray(shapely.transform(shapes, moved))

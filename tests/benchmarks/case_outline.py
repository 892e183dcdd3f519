"""From reached streets to a polygon, beside hulls, buffers, a raster of distances, and Valhalla.

``python -m tests.benchmarks.case_outline`` shows what each polygon claims, by one measure for all: how much of the
reachable street length is inside, and how much of what is inside, and of the other streets near, cannot be reached.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from shutil import which

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.crs import WGS84, reproject
from geo.network import Network
from geo.outline import Streets, outline
from geo.reach import Drawn, Pieces, drawn, rest
from tests import shared_data
from tests.benchmarks.bench import NotHere, Prepared, case, folder
from tests.geo.held import inside_m

EXTRACTS = {
    "kampen": "kampen/kampen.osm.pbf",
    "liechtenstein": "osm/valhalla-liechtenstein-latest.osm.pbf",
    "monaco": "osm/planetiler-monaco-latest.osm.pbf",
}
FACILITY = {"kampen": (5.914, 52.556), "liechtenstein": (9.5215, 47.1410), "monaco": (7.4246, 43.7384)}
"""Where each circle begins, as longitude and latitude: in the middle of Kampen, Vaduz, Monaco."""
WALK_MS = 1.2
DRIVE_KMH = {
    "motorway": 110, "trunk": 80, "primary": 65, "secondary": 60, "tertiary": 50, "unclassified": 40,
    "residential": 30, "living_street": 10, "service": 15, "motorway_link": 60, "trunk_link": 50, "primary_link": 40,
    "secondary_link": 40, "tertiary_link": 40,
}  # fmt: skip
NO_WALK = ("motorway", "motorway_link", "trunk", "trunk_link", "busway", "construction", "proposed", "platform")
BARRIERS = ("river", "canal", "stream", "railway", "wall", "coastline", "shore")
NEAR_M = 150
"""Streets this far round what is reached are the window in which the polygons are compared."""


@dataclass(frozen=True)
class Scene:
    """What is reached in a real place, and what is not, near by."""

    streets: Streets
    barriers: Drawn
    place: np.ndarray
    nodes: np.ndarray
    box: tuple[float, float, float, float]
    crs: str

    @property
    def reached(self) -> list[Drawn]:
        return [self.streets.reached, self.streets.above]


@cache
def city(name: str) -> tuple[Network, Drawn, str]:
    """The network of an extract and its barriers."""
    import data.osm
    from geo import network

    if why_not := shared_data.why_not(EXTRACTS[name]):
        raise NotHere(why_not)
    extract = data.osm.read(shared_data.folder() / EXTRACTS[name])
    water = extract.areas.geometry[extract.areas["kind"] == "water"].to_numpy()
    lines = extract.lines.geometry[extract.lines["kind"].isin(BARRIERS)].to_numpy()
    return network.build(extract.ways), flat([*shapely.boundary(water), *lines]), extract.crs


def flat(shapes: list[shapely.Geometry]) -> Drawn:
    """Lines of any make as flat arrays."""
    parts = shapely.get_parts(np.array(shapes, dtype=object))
    x, y = shapely.get_coordinates(parts).T
    return Drawn(x, y, np.r_[0, np.cumsum(shapely.get_num_coordinates(parts))].astype(np.int64))


def speeds(net: Network, mode: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Metres a second on each edge, and whether it may be used along and against its drawing: rough, for a bench."""
    kind, foot, oneway = (net.edge_tag(tag).astype(str) for tag in ("highway", "foot", "oneway"))
    if mode == "walk":
        usable = ~np.isin(kind, NO_WALK) & (foot != "no")
        return np.full(len(net.u), WALK_MS), usable, usable
    fast = np.array([DRIVE_KMH.get(k, 0) for k in kind]) / 3.6
    closed = np.any([net.edge_tag(tag) == "no" for tag in ("access", "vehicle", "motor_vehicle")], axis=0)
    usable = (fast > 0) & ~closed
    only = np.isin(oneway, ("yes", "1", "true")) | (net.edge_tag("junction") == "roundabout")
    return np.where(usable, fast, 1.0), usable & (oneway != "-1"), usable & ~only


def node_s(net: Network, mode: str, start: int, limit_s: float) -> np.ndarray:
    """Seconds to every node, infinite beyond the limit, by scipy."""
    fast, along, against = speeds(net, mode)
    seconds, n = net.length_m / fast, len(net.x)
    tail, head = np.r_[net.u[along], net.v[against]], np.r_[net.v[along], net.u[against]]
    cost = np.r_[seconds[along], seconds[against]]
    order = np.lexsort((cost, head, tail))
    tail, head, cost = tail[order], head[order], cost[order]
    best = np.r_[True, (np.diff(tail) != 0) | (np.diff(head) != 0)]
    return dijkstra(csr_array((cost[best], (tail[best], head[best])), shape=(n, n)), indices=start, limit=limit_s)


def pieces(net: Network, mode: str, at_s: np.ndarray, limit_s: float) -> Pieces:
    """What is reached of every edge, from either end."""
    fast, along, against = speeds(net, mode)
    left_u = np.where(along, np.maximum(limit_s - at_s[net.u], 0) * fast, 0)
    left_v = np.where(against, np.maximum(limit_s - at_s[net.v], 0) * fast, 0)
    whole = (left_u + left_v >= net.length_m) & (along | against)
    low = np.where(whole, 0, net.length_m - left_v)
    from_u = np.flatnonzero((left_u > 0) & ~whole)
    from_v = np.flatnonzero(((left_v > 0) & ~whole) | whole)
    edge = np.r_[from_u, from_v]
    low, high = np.r_[np.zeros(len(from_u)), low[from_v]], np.r_[left_u[from_u], net.length_m[from_v]]
    order = np.lexsort((low, edge))
    return Pieces(edge[order], low[order], high[order])


def near(lines: Drawn, box: tuple[float, float, float, float]) -> Drawn:
    """The lines that come near a box."""
    first = lines.start[:-1]
    if not len(first):
        return lines
    low_x, high_x = np.minimum.reduceat(lines.x, first), np.maximum.reduceat(lines.x, first)
    low_y, high_y = np.minimum.reduceat(lines.y, first), np.maximum.reduceat(lines.y, first)
    kept = (low_x <= box[2] + NEAR_M) & (high_x >= box[0] - NEAR_M)
    kept &= (low_y <= box[3] + NEAR_M) & (high_y >= box[1] - NEAR_M)
    vertex = np.repeat(kept, np.diff(lines.start))
    return Drawn(lines.x[vertex], lines.y[vertex], np.r_[0, np.cumsum(np.diff(lines.start)[kept])])


def scene(name: str, mode: str, minutes: float = 15, box: tuple[float, float, float, float] | None = None) -> Scene:
    """What is reached within some minutes from the facility of a place; other streets as far as they come near a box,
    that of what is reached when none is given."""
    net, barriers, crs = city(name)
    _, along, against = speeds(net, mode)
    usable = np.flatnonzero(along | against)
    x, y = reproject(*np.array(FACILITY[name])[:, None], source=WGS84, target=crs)
    nodes = np.unique(np.r_[net.u[usable], net.v[usable]])
    start = nodes[np.argmin(np.hypot(net.x[nodes] - x, net.y[nodes] - y))]
    at_s = node_s(net, mode, start, minutes * 60)
    found = pieces(net, mode, at_s, minutes * 60)
    off = (net.edge_is("bridge") | net.edge_is("tunnel"))[found.edge]
    on, above = (Pieces(found.edge[m], found.from_m[m], found.to_m[m]) for m in (~off, off))
    reached = drawn(net, on)
    box = box or (reached.x.min(), reached.y.min(), reached.x.max(), reached.y.max())
    others = near(drawn(net, rest(found, usable, net.length_m)), box)
    streets = Streets(reached, others, drawn(net, above))
    inside = np.flatnonzero(np.isfinite(at_s))
    return Scene(streets, near(barriers, box), np.array([[net.x[start], net.y[start]]]),
                 np.column_stack([net.x[inside], net.y[inside]]), box, crs)  # fmt: skip


def lines(of: list[Drawn]) -> np.ndarray:
    """As LineStrings."""
    kind = shapely.GeometryType.LINESTRING
    return np.concatenate([
        shapely.from_ragged_array(kind, np.column_stack([line.x, line.y]), (line.start,)) for line in of
    ])  # fmt: skip


SIZES = ("monaco walk", "liechtenstein walk", "kampen walk", "kampen drive", "liechtenstein drive")
REACH_M = {"walk": 40.0, "drive": 60.0}
"""How far the rivals' buffers reach from a street."""


@case("outline of 15 minutes", unit="vertices", sizes=SIZES)
def ours(size: int | str) -> Prepared:
    found = scene(*str(size).split())
    streets = found.streets
    n = len(streets.reached.x) + len(streets.others.x) + len(streets.above.x)
    return n, lambda: outline(
        streets.reached, streets.others, found.barriers, above=streets.above, places=found.place
    )  # fmt: skip


def rival(name: str) -> Callable[[Callable[[Scene, float], shapely.Geometry]], Callable[[Scene, float], object]]:
    """Enter a rival that makes a polygon of a scene, with the metres that it reaches from a street."""

    def enter(draw: Callable[[Scene, float], shapely.Geometry]) -> Callable[[Scene, float], object]:
        def prepare(size: int | str) -> Prepared:
            found = scene(*str(size).split())
            return len(found.streets.reached.x), lambda: draw(found, REACH_M[str(size).split()[1]])

        ours.rival(name)(prepare)
        return draw

    return enter


@rival("convex hull")
def convex(found: Scene, reach_m: float) -> shapely.Geometry:
    return shapely.convex_hull(shapely.multilinestrings(lines(found.reached)))


@rival("concave hull (0.1)")
def concave(found: Scene, reach_m: float) -> shapely.Geometry:
    return shapely.concave_hull(shapely.multipoints(shapely.points(found.nodes)), ratio=0.1)


@rival("buffered nodes")
def node_buffers(found: Scene, reach_m: float) -> shapely.Geometry:
    return shapely.union_all(shapely.buffer(shapely.points(found.nodes), reach_m))


@rival("buffered segments")
def street_buffers(found: Scene, reach_m: float) -> shapely.Geometry:
    return shapely.union_all(shapely.buffer(lines(found.reached), reach_m))


@rival("raster of distances")
def raster(found: Scene, reach_m: float) -> shapely.Geometry:
    """Cells of half the reach burnt along the streets, distances to them, cells within reach as a polygon."""
    from rasterio.features import rasterize, shapes
    from rasterio.transform import from_origin
    from scipy.ndimage import distance_transform_edt

    cell, streets = reach_m / 2, lines(found.reached)
    west, south, east, north = shapely.total_bounds(streets) + np.array([-1, -1, 1, 1]) * 3 * reach_m
    place = from_origin(west, north, cell, cell)
    size = (int((north - south) / cell) + 1, int((east - west) / cell) + 1)
    burnt = rasterize(streets, out_shape=size, transform=place, all_touched=True)
    within = (distance_transform_edt(burnt == 0) * cell <= reach_m).astype(np.uint8)
    return shapely.union_all([shapely.geometry.shape(ring) for ring, _ in shapes(within, within == 1, transform=place)])


VALHALLA = "pyvalhalla==3.9.*"
SERVE = """
import json, sys, valhalla
actor = valhalla.Actor(sys.argv[1])
for line in sys.stdin:
    print(json.dumps(actor.isochrone(json.loads(line))), flush=True)
"""


def python312() -> str:
    """A Python 3.12 that runs: Valhalla's tile builder comes with no wheel for 3.11."""
    known = [which("python3.12"), *map(str, Path.home().glob(".pyenv/versions/3.12.*/bin/python3.12"))]
    for python in filter(None, known):
        if subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0:
            return python
    raise NotHere("no Python 3.12 for Valhalla")


def valhalla() -> tuple[Path, Path]:
    """Valhalla's Python, in an environment of its own, and the configuration of Liechtenstein's tiles."""
    home, tiles = folder() / "valhalla", folder() / "valhalla-liechtenstein"
    python, settings = home / "bin" / "python", tiles / "valhalla.json"
    quiet = {"capture_output": True, "text": True, "check": False}
    if not python.exists():
        subprocess.run([python312(), "-m", "venv", str(home)], **quiet)
    if subprocess.run([python, "-c", "import valhalla"], **quiet).returncode:
        done = subprocess.run([python, "-m", "pip", "install", "--quiet", VALHALLA], **quiet)
        if done.returncode:
            raise NotHere(f"pip brings no {VALHALLA}: {done.stderr.strip()[-200:]}")
    if not settings.exists():
        tiles.mkdir(exist_ok=True)
        script = "import json, valhalla; print(json.dumps(valhalla.get_config(tile_extract='', tile_dir={!r})))"
        draft = tiles / "draft.json"
        told = subprocess.run([python, "-c", script.format(str(tiles))], **quiet).stdout
        draft.write_text(told, encoding="utf-8")
        builder = next(home.glob("lib/python*/site-packages/valhalla/bin/valhalla_build_tiles"))
        extract = shared_data.folder() / EXTRACTS["liechtenstein"]
        built = subprocess.run([builder, "-c", draft, extract], env=os.environ | {"TERM": "dumb"}, **quiet)
        if built.returncode:
            raise NotHere(f"Valhalla's tiles: {built.stderr.strip()[-200:]}")
        draft.rename(settings)
    return python, settings


def isochrone(size: str) -> Callable[[], dict[str, object]]:
    """A question to a Valhalla that stays up, over a pipe."""
    name, mode = size.split()
    if name != "liechtenstein":
        raise NotHere("Valhalla's tiles are built for Liechtenstein only")
    if why_not := shared_data.why_not(EXTRACTS[name]):
        raise NotHere(why_not)
    python, settings = valhalla()
    lon, lat = FACILITY[name]
    asked = {
        "locations": [{"lon": lon, "lat": lat}], "costing": "pedestrian" if mode == "walk" else "auto",
        "costing_options": {"pedestrian": {"walking_speed": WALK_MS * 3.6}},
        "contours": [{"time": 15}], "polygons": True,
    }  # fmt: skip
    command = [str(python), "-c", SERVE, str(settings)]
    pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, text=True, **pipe)

    def ask() -> dict[str, object]:
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        return json.loads(server.stdout.readline())

    return ask


@ours.rival("Valhalla, search included")
def theirs(size: int | str) -> Prepared:
    ask = isochrone(str(size))
    return len(json.dumps(ask())), ask


def valhalla_polygon(size: str, crs: str) -> Callable[[], shapely.Geometry]:
    """Valhalla's answer in our coordinates."""
    ask = isochrone(size)

    def draw() -> shapely.Geometry:
        found = shapely.geometry.shape(ask()["features"][0]["geometry"])
        turn = lambda xy: np.column_stack(reproject(xy[:, 0], xy[:, 1], source=WGS84, target=crs))  # noqa: E731
        return shapely.make_valid(shapely.transform(found, turn))

    return draw


def measure(polygon: shapely.Geometry, found: Scene) -> dict[str, float]:
    """The one measure for all polygons: shares of street lengths, area in km², whether the facility is inside."""
    reached_m = shapely.length(lines(found.reached)).sum()
    others_m = shapely.length(lines([found.streets.others])).sum()
    held = sum(inside_m(polygon, line).sum() for line in found.reached)
    false = inside_m(polygon, found.streets.others).sum()
    return {
        "reached_inside": held / reached_m,
        "false_of_inside": false / max(held + false, 1e-9),
        "false_of_others": false / max(others_m, 1e-9),
        "km2": polygon.area / 1e6,
        "vertices": shapely.get_num_coordinates(polygon),
        "facility": float(shapely.intersects_xy(polygon, *found.place[0])),
    }


RIVALS = {
    "convex hull": convex, "concave hull (0.1)": concave, "buffered nodes": node_buffers,
    "buffered segments": street_buffers, "raster of distances": raster,
}  # fmt: skip
HEAD = f"{'':<40} {'reached in':>10} {'false/inside':>12} {'false/others':>12} {'km2':>7} vertices place       s"


def show(size: str) -> None:
    """Every way at one size by that measure."""
    found, reach_m = scene(*size.split()), REACH_M[size.split()[1]]
    drawings: dict[str, Callable[[], object]] = {"renxing": ours.ways["renxing"](size)[1]}
    drawings |= {name: partial(draw, found, reach_m) for name, draw in RIVALS.items()}
    try:
        drawings["Valhalla, search included"] = valhalla_polygon(size, found.crs)
    except NotHere as reason:
        print(f"{size}, Valhalla: not here: {reason}", file=sys.stderr)
    for name, draw in drawings.items():
        draw()
        started = time.perf_counter()
        polygon = draw()
        took = time.perf_counter() - started
        of = measure(polygon, found)
        shares = f"{of['reached_inside']:>10.3%} {of['false_of_inside']:>12.3%} {of['false_of_others']:>12.3%}"
        rest_of = f"{of['km2']:>7.2f} {of['vertices']:>8.0f} {of['facility']:>5.0f} {took:>7.4f}"
        print(f"{f'{size}: {name}':<40} {shares} {rest_of}")


if __name__ == "__main__":
    print(HEAD)
    for each in SIZES:
        show(each)

"""From the extract to everybody's nearest shelter: reading, building the network, and the search itself."""

from __future__ import annotations

import tempfile
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import numpy as np

from geo.routing import Graph
from tests import shared_data
from tests.benchmarks.bench import NotHere, Prepared, case, folder

EXTRACTS = {
    "helsinki": "osm/helsinki-centre.osm.pbf",
    "kampen": "kampen/kampen.osm.pbf",
    "liechtenstein": "osm/valhalla-liechtenstein-latest.osm.pbf",
}


def extract(size: int | str) -> Path:
    if why_not := shared_data.why_not():
        raise NotHere(why_not)
    return shared_data.folder() / EXTRACTS[str(size)]


def as_xml(size: int | str) -> Path:
    """The streets of an extract as OSM XML, which osmnx wants: it takes every way in a file for a street."""
    import osmium

    if size == "helsinki":
        raise NotHere("osmnx refuses an extract that cuts ways off")
    path = folder() / f"{size}-streets.osm"
    if not path.exists():
        draft, source = path.with_suffix(".draft.osm"), str(extract(size))
        streets = osmium.FileProcessor(source, osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway"))
        with osmium.BackReferenceWriter(str(draft), ref_src=source, overwrite=True) as writer:
            for street in streets:
                writer.add(street)
        draft.rename(path)
    return path


@case("read an extract", unit="buildings", sizes=("helsinki", "kampen", "liechtenstein"))
def read(size: int | str) -> Prepared:
    import data.osm

    path = extract(size)
    return len(data.osm.read(path).buildings), lambda: data.osm.read(path)


@read.rival("pyrosm")
def read_pyrosm(size: int | str) -> Prepared:
    """The same tables as far as pyrosm has them: streets with nodes, buildings, and places of interest.

    pyrosm keeps what it read below the temporary folder and opens that the next time: each run gets an empty folder.
    """
    import pyrosm

    path = str(extract(size))

    def work() -> int:
        with TemporaryDirectory() as empty, mock.patch.object(tempfile, "tempdir", empty):
            osm = pyrosm.OSM(path)
            osm.get_network("walking", nodes=True)
            osm.get_pois({"amenity": True, "leisure": True, "emergency": True})
            osm.get_landuse()
            return len(osm.get_buildings())

    return work(), work


@read.rival("osmnx (XML, streets only)")
def read_osmnx(size: int | str) -> Prepared:
    """Only the streets, cut out beforehand: osmnx stumbles over buildings in relations that an extract cuts off."""
    import osmnx

    path = as_xml(size)

    graph = osmnx.graph_from_xml(path, simplify=True, retain_all=True)
    return graph.number_of_edges(), lambda: osmnx.graph_from_xml(path, simplify=True, retain_all=True)


@case("build the network", unit="edges", sizes=("helsinki", "kampen", "liechtenstein"))
def build(size: int | str) -> Prepared:
    import data.osm
    from geo import network

    ways = data.osm.read(extract(size)).ways
    return len(network.build(ways).u), lambda: network.build(ways)


@build.rival("osmnx simplify_graph")
def build_osmnx(size: int | str) -> Prepared:
    """Only the step that merges the nodes between junctions; the graph is read before."""
    import osmnx

    raw = osmnx.graph_from_xml(as_xml(size), simplify=False, retain_all=True)
    return raw.number_of_edges(), lambda: osmnx.simplify_graph(raw)


def grid_town(side: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """A town of ``side`` x ``side`` crossings: number of nodes, tails, heads, seconds of each street."""
    node = np.arange(side * side).reshape(side, side)
    tail = np.r_[node[:, :-1].ravel(), node[:-1].ravel()]
    head = np.r_[node[:, 1:].ravel(), node[1:].ravel()]
    return side * side, tail, head, np.random.default_rng(1).uniform(20, 120, len(tail))


def town_graph(n: int, tail: np.ndarray, head: np.ndarray, seconds: np.ndarray) -> Graph:
    """Streets open both ways, each as long in metres as it takes seconds."""
    from types import SimpleNamespace

    from geo import routing

    streets = SimpleNamespace(x=np.zeros(n), u=tail, v=head, length_m=seconds)
    return routing.graph(streets, seconds, seconds)  # type: ignore[arg-type]


SOURCES = 500


def sources(n: int) -> np.ndarray:
    return np.random.default_rng(2).choice(n, SOURCES, replace=False)


@case("nearest of 500 for every node", unit="nodes", sizes=(100, 300, 1000))
def nearest(side: int | str) -> Prepared:
    from geo import routing
    from geo.snapping import Snaps

    n, tail, head, seconds = grid_town(int(side))
    graph = town_graph(n, tail, head, seconds)
    starts = sources(n)
    at = graph.edge[graph.first[starts]].astype(np.int64)
    along = np.where(tail[at] == starts, 0.0, seconds[at])
    snaps = Snaps(np.arange(SOURCES), at, along, np.zeros(SOURCES))
    return n, lambda: routing.nearest(graph, snaps)


@nearest.rival("scipy")
def nearest_scipy(side: int | str) -> Prepared:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    n, tail, head, seconds = grid_town(int(side))
    graph = csr_array((seconds, (tail, head)), shape=(n, n))
    return n, lambda: dijkstra(graph, directed=False, indices=sources(n), min_only=True, return_predecessors=True)


@nearest.rival("networkx")
def nearest_networkx(side: int | str) -> Prepared:
    import networkx as nx

    if int(side) > 300:
        raise NotHere("left out beyond 90,000 nodes for its time and memory")
    n, tail, head, seconds = grid_town(int(side))
    graph = nx.Graph()
    graph.add_weighted_edges_from(zip(tail.tolist(), head.tolist(), seconds.tolist(), strict=True))
    return n, lambda: nx.multi_source_dijkstra(graph, set(sources(n).tolist()))

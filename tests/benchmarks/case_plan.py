"""The whole job on a real city with a real flood, and the page that shows it."""

from __future__ import annotations

import atexit
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np

from tests import shared_data
from tests.benchmarks.bench import NotHere, Prepared, case
from tests.benchmarks.case_streets import as_xml

EXTRACT, FLOOD = "kampen/kampen.osm.pbf", "kampen/1in100_inundation_map.tif"
SITES = {"amenity": ["school", "place_of_worship", "community_centre", "library"], "leisure": ["sports_centre", "park"]}


def inputs() -> tuple[Path, Path]:
    if why_not := shared_data.why_not(EXTRACT, FLOOD):
        raise NotHere(why_not)
    return shared_data.folder() / EXTRACT, shared_data.folder() / FLOOD


def renxing(workspace: Path, *words: str | Path) -> None:
    command = [sys.executable, "-m", "app.cli", *map(str, words), "--workspace", str(workspace)]
    subprocess.run(command, check=True, capture_output=True)


def study(workspace: Path) -> None:
    """Three commands, three processes: from the extract to two finished runs, with and without the flood."""
    extract, flood = inputs()
    renxing(workspace, "new", "kampen", "--osm", extract)
    renxing(workspace, "add", "kampen", "hazard", flood, "--hazard", "flood", "--unit", "m", "--scenario", "flood")
    renxing(workspace, "run", "kampen")


@case("Kampen, from extract and flood to finished runs", unit="buildings", sizes=("kampen",))
def whole(size: int | str) -> Prepared:
    inputs()

    def work() -> None:
        with tempfile.TemporaryDirectory() as folder:
            study(Path(folder))

    return 29_670, work


@whole.rival("osmnx + pyrosm + networkx + rasterio")
def whole_osmnx(size: int | str) -> Prepared:
    """The same question the usual way: walking graph, depth sampled at three points a street, nearest of the sites.

    Buildings come through pyrosm: osmnx stumbles over this extract's cut-off relations. Less is answered: no exact
    shares, no unknown, no homes under water, nobody bound to mid-street, no communities.
    """
    extract, flood = inputs()
    xml = as_xml(size)

    def work() -> None:
        import networkx as nx
        import osmnx
        import pyrosm
        import rasterio

        walk = osmnx.project_graph(osmnx.graph_from_xml(xml, bidirectional=True, simplify=True, retain_all=True))
        crs = walk.graph["crs"]
        places = pyrosm.OSM(str(extract))
        homes = places.get_buildings().to_crs(crs).representative_point()
        sites = places.get_pois(SITES).to_crs(crs).representative_point()
        streets = osmnx.graph_to_gdfs(walk, nodes=False)
        with rasterio.open(flood) as raster:
            depth = np.zeros(len(streets))
            for share in (0.1, 0.5, 0.9):
                at = streets.geometry.interpolate(share, normalized=True).to_crs(raster.crs)
                depth = np.maximum(depth, [v[0] for v in raster.sample(zip(at.x, at.y, strict=True))])
        at_home = osmnx.nearest_nodes(walk, homes.x, homes.y)
        at_site = set(osmnx.nearest_nodes(walk, sites.x, sites.y))
        for flooded in (False, True):
            town = walk.edge_subgraph(streets.index[(depth <= 0.5) if flooded else (depth >= 0)])
            near = nx.multi_source_dijkstra_path_length(nx.Graph(town), at_site & set(town), weight="length")
            assert sum(node in near for node in at_home)

    return 29_670, work


@case("open the map of Kampen in Chromium", unit="buildings", sizes=("kampen",))
def page(size: int | str) -> Prepared:
    """From asking for the page to a quiet network, the service warm; name resolution blocked."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import ARGUMENTS

    chromium = shutil.which("chromium")
    if not chromium:
        raise NotHere("no chromium on this machine")
    workspace = Path(tempfile.mkdtemp())
    study(workspace)
    address = serving(workspace)
    browser = sync_playwright().start().chromium.launch(executable_path=chromium, args=list(ARGUMENTS))

    def work() -> None:
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        tab.goto(f"{address}/studies/kampen")
        tab.wait_for_load_state("networkidle")
        tab.close()

    return 29_670, work


def serving(workspace: Path) -> str:
    """The address of a service on this workspace; it ends with this process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    port = address.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "app.cli", "serve", "--port", port, "--workspace", str(workspace)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(process.terminate)
    for _ in range(100):
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=1).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return address
    raise NotHere("the service did not start")

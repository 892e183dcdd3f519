"""The drawn town with a river through its middle and three lots of a plan, every name of them hostile.

::

    y 160       ┌park─┐
    y 120       └──│──┘
    y 100       ┌home─┐            ┌free┐ y 120
    y  60       └──│──┘            └────┘ y  80
               285 │ 315          400  460
                   river x 300, 20 m to yield, 50 m to protect on either side
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import shapely

from tests.app import drawn_town
from tests.app.command_line import commanded
from tests.app.hand_made import HOSTILE
from tests.data.osm.drawn import CRS, EAST, NORTH

HOME, PARK, FREE = (285, 60, 315, 100), (285, 120, 315, 160), (400, 80, 460, 120)
USES = {"home": "居住用地", "park": "公园绿地", "free": "二类居住用地"}


def box(x: float, y: float, to_x: float, to_y: float) -> shapely.Polygon:
    """A box of the drawing in its CRS."""
    return shapely.box(EAST + x, NORTH + y, EAST + to_x, NORTH + to_y)


def lots(path: Path, **columns: object) -> Path:
    """The three lots as a file of a planner."""
    told = {"地块编号": [*USES], "用地性质": [*USES.values()], "地块名称": [HOSTILE] * 3} | columns
    frame = gpd.GeoDataFrame(told, geometry=[box(*HOME), box(*PARK), box(*FREE)], crs=CRS)
    frame.to_crs("EPSG:4326").to_file(path)
    return path


def made(folder: Path) -> Path:
    """A workspace with the study ``river``."""
    workspace = folder / "workspace"
    drawn = drawn_town.town().line(90, (300, -150), (300, 350), waterway="river", name=HOSTILE)
    commanded(workspace, "new", "river", "--osm", drawn.write(folder / "river.osm"), "--name", "River")
    commanded(workspace, "add", "river", "lots", lots(folder / "lots.geojson"))
    return workspace

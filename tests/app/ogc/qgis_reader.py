"""Run by Debian's Python, which has QGIS: opens the layers named on standard input, draws each, says what it found.

Standard input is JSON: ``[{"kind": "OAPIF" | "xyz" | "mvt", "uri": …, "picture": PATH}, …]``; standard output likewise.
"""

from __future__ import annotations

import json
import sys

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
    QgsVectorTileLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

MAKE = {
    "OAPIF": lambda uri: QgsVectorLayer(uri, "asked", "OAPIF"),
    "xyz": lambda uri: QgsRasterLayer(uri, "asked", "wms"),
    "mvt": lambda uri: QgsVectorTileLayer(uri, "asked"),
}


def drawn(layer, box, picture):
    """Draw a layer within a box of degrees; how many of its dots are not white."""
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    settings.setExtent(QgsRectangle(*box))
    settings.setOutputSize(QSize(256, 256))
    settings.setBackgroundColor(QColor("white"))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    image.save(picture)
    white = QColor("white").rgb()
    return sum(image.pixel(x, y) != white for x in range(256) for y in range(256))


def told(asked):
    """What QGIS finds in one layer."""
    layer = MAKE[asked["kind"]](asked["uri"])
    found = {"valid": layer.isValid(), "error": layer.error().message()}
    if not layer.isValid():
        return found
    if asked["kind"] == "OAPIF":
        if asked.get("filter"):
            layer.setSubsetString(asked["filter"])
        names = layer.fields().names()
        rows = [{name: plain(feature[name]) for name in names} for feature in layer.getFeatures()]
        found |= {
            "rows": rows,
            "geometry": layer.geometryType(),
            "crs": layer.crs().authid(),
            "count": layer.featureCount(),
        }
    return found | {"dots": drawn(layer, asked["box"], asked["picture"])}


def plain(value):
    return value if isinstance(value, str | int | float | bool) else None


def main():
    QgsApplication.setPrefixPath("/usr", True)
    application = QgsApplication([], False)
    application.initQgis()
    try:
        print("\n" + json.dumps([told(asked) for asked in json.load(sys.stdin)]))
    finally:
        application.exitQgis()


main()

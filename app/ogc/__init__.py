"""OGC API Features: the layers of studies and runs for QGIS, GDAL and city systems, by a standard they know.

Reading order: ``crs`` · ``tree`` · ``tokens`` · ``parser`` (CQL2 text) · ``table`` · ``matching`` · ``asked`` ·
``catalogue`` · ``schemas`` · ``documents`` · ``items`` · ``description`` · ``pages`` · ``shelf``.
"""

"""Layers in, bytes out: tile grid, styles, vector tiles, raster tiles."""

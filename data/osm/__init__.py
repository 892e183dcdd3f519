"""OpenStreetMap extracts: read from a file, kept as a cache, read back from it."""

from data.osm.cache import load, read_through, save
from data.osm.extract import COUNTS, Extract, read

__all__ = ["COUNTS", "Extract", "load", "read", "read_through", "save"]

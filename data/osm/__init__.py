"""OpenStreetMap extracts: read from a file, kept as a cache, read back from it."""

from data.osm.extract import COUNTS, Extract, read

__all__ = ["COUNTS", "Extract", "read"]

"""How large a foreign file may be: one place for every limit, each with a code of its own.

A refusal's code is ``limit-`` and the limit's: other systems branch on it, and what is said names the limit and what
was found. None of these is a property of a city: they are far above what one brings, and far below what stops a
machine.
"""

from __future__ import annotations

from dataclasses import dataclass

from geo.errors import Fault, LimitError

CUT = "Cut it to the study."
ZIP_ALONE = "Zip the layer alone."


@dataclass(frozen=True)
class Limit:
    """The most of something; ``code`` ends that of the refusal, ``of`` says what is counted, ``fix`` what to do."""

    code: str
    most: int
    of: str
    fix: str

    def require(self, found: int, where: str) -> None:
        """Raise LimitError when there is more."""
        if found > self.most:
            raise self.exceeded(f"{found:,}", where)

    def exceeded(self, found: str, where: str) -> LimitError:
        """The error for more than this; ``found`` says how much."""
        return LimitError(Fault(f"at most {self.most:,} {self.of}", found, where, self.fix), limit=self.code)


FILE_SIZE = Limit("file-size", 512 << 20, "bytes", "Cut it to the study, or save it as GeoPackage.")
"""Of an upload, and of a file of text that is read as a whole."""
ZIP_SIZE = Limit("zip-size", 2 << 30, "bytes unpacked", ZIP_ALONE)
ZIP_RATIO = Limit("zip-ratio", 100, "times as many bytes unpacked as packed", "Give the file as it is, not packed.")
"""Real tables and maps shrink ten- to thirtyfold; what shrinks more was made to."""
RATIO_FROM = 1 << 20
"""So many bytes may be unpacked from a file however small."""
ZIP_ENTRIES = Limit("zip-entries", 200, "files in a zip", ZIP_ALONE)
DEFINITION = Limit("file-size", 4 << 20, "characters of study.toml", "Leave out what is not needed.")
CELLS = Limit("cells", 200_000_000, "cells", "Cut it to the study, or make its cells larger.")
FEATURES = Limit("features", 2_000_000, "rows", CUT)
MERGED = Limit("merged-cells", 1_000_000, "merged cells", "Undo the merged cells.")
VERTICES = Limit("vertices", 20_000_000, "vertices", "Simplify its outlines, or cut it to the study.")
PROPERTIES = Limit("properties", 256, "columns", "Leave out what is not needed.")
TEXT = Limit("text", 1 << 20, "characters in one cell", "Leave out the column with the long text.")
DEPTH = Limit("depth", 64, "brackets inside each other", "Export it again from QGIS.")
"""GeoJSON has eight; each costs a reader a call."""
MEMORY = Limit("memory", 4 << 30, "bytes of memory to read it", "Cut it to the study, or simplify it.")
CPU = Limit("time", 15 * 60, "s of computing to read it", "Cut it to the study, or simplify it.")
WALL = Limit("time", 30 * 60, "s to read it", "Cut it to the study, or simplify it.")

LIMITS = (
    FILE_SIZE, ZIP_SIZE, ZIP_RATIO, ZIP_ENTRIES, CELLS, FEATURES, MERGED, VERTICES, PROPERTIES, TEXT, DEPTH, MEMORY,
    WALL,
)  # fmt: skip
"""Every limit, each code once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data import asciigrids, rasters
from geo.errors import UnreadableError

CRS = "EPSG:28992"
HEADER = "ncols 3\nnrows 2\nxllcorner 190000\nyllcorner 505000\ncellsize 5\nNODATA_value -9\n"
CELLS = "0.5 1.25 -9\n0 0.001 2\n"
READ = np.array([[0.5, 1.25, np.nan], [0, 0.001, 2]], dtype=np.float32)


def asc(folder: Path, text: str, *, encoding: str = "utf-8") -> Path:
    path = folder / "a.asc"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("text", [
    HEADER + CELLS, (HEADER + CELLS).replace("\n", "\r\n"), HEADER + CELLS.replace(".", ","), (HEADER + CELLS).upper(),
    HEADER.replace("190000", "190000,0") + CELLS.replace(".", ","), HEADER + CELLS.replace("\n", " "),
    HEADER.replace("corner", "center").replace("190000", "190002.5").replace("505000", "505002.5") + CELLS,
    "".join(reversed(HEADER.splitlines(keepends=True)[:2])) + "".join(HEADER.splitlines(keepends=True)[2:]) + CELLS,
])  # fmt: skip
def test_grids_as_programs_write_them(tmp_path: Path, text: str) -> None:
    """Line ends of Windows, decimal commas, capitals, the middle of the first cell, rows before columns."""
    grid, _ = rasters.read(asc(tmp_path, text), unit="m", crs=CRS)
    assert np.array_equal(grid.values, READ, equal_nan=True)
    assert grid.bounds == (190_000, 505_000, 190_015, 505_010)


def test_not_a_number_is_not_known_even_among_whole_numbers(tmp_path: Path) -> None:
    grid, notes = rasters.read(asc(tmp_path, HEADER + "0 12 -9\n7 nan 2\n"), unit="m", crs=CRS)
    assert np.isnan(grid.values).tolist() == [[False, False, True], [False, True, False]]
    assert "raster_whole_metres" in {note.code for note in notes}


@pytest.mark.parametrize(("cells", "said"), [
    ("0.5 1.25 -9\n0 0.001\n", "6 numbers, found 5: the rest would have been read as 0"),
    ("0.5 1.25 -9\n0 0.001 2\n3 3 3\n", "6 numbers, found 9"),
    ("0.5 NA -9\n0 0.001 2\n", "numbers only, found “na” among"),
    ("0.5 * -9\n0 0.001 2\n", "“\\*” among"), ("0.5 -nan\\(ind\\) 1\n0 1 2\n", "among them"),
])  # fmt: skip
def test_what_would_be_read_as_dry_is_refused(tmp_path: Path, cells: str, said: str) -> None:
    with pytest.raises(UnreadableError, match=said):
        rasters.read(asc(tmp_path, HEADER + cells), unit="m", crs=CRS)


def test_a_byte_order_mark_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="a byte order mark first"):
        rasters.read(asc(tmp_path, HEADER + CELLS, encoding="utf-8-sig"), unit="m", crs=CRS)


def test_numbers_are_counted_across_pieces_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asciigrids, "CHUNK", 3)
    asciigrids.require_whole(asc(tmp_path, HEADER + CELLS))
    with pytest.raises(UnreadableError, match="6 numbers, found 5"):
        asciigrids.require_whole(asc(tmp_path, HEADER + "0.5 1.25 -9\n0 0.001\n"))

"""Layers made ready for tiles, laid down in files: opened again at once, and shared by all processes that draw.

A folder holds one layer: its arrays as .npy files, which are mapped into memory and not read, and ``layer.json``. Long
outlines, which stay open, are read.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.carried import Carried
from tiles.ragged import Ragged
from tiles.source import Source

FORMAT = 1
"""Form of the folder; another one is not opened."""
ABOUT = "layer.json"


def lay_down(source: Source, folder: Path) -> None:
    """Write a layer into an empty folder."""
    forms = [body for form in source.forms for body in shapely.to_wkb(form)]
    bodies = Ragged.of(np.frombuffer(b"".join(forms), dtype=np.uint8), np.array(list(map(len, forms)), dtype=np.int64))
    for name, array in {**_arrays(source), "form_flat": bodies.flat, "form_start": bodies.start}.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    about = {"format": FORMAT, "name": source.name, "keys": source.carried.keys, "kinds": source.carried.kinds,
             "forms": len(source.forms)}  # fmt: skip
    (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")


def pick_up(folder: Path) -> Source | None:
    """The layer in a folder; None when there is none, or one of another form."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        return _source(folder, about) if about["format"] == FORMAT else None
    except (OSError, EOFError, ValueError, KeyError, shapely.errors.ShapelyError):
        return None


def _arrays(source: Source) -> dict[str, NDArray[Any]]:
    return {
        "shape_flat": source.shapes.flat, "shape_start": source.shapes.start, "box": source.box,
        "min_zoom": source.min_zoom, "place": source.place, "long": source.long, "codes": source.carried.codes,
        "value_flat": source.carried.values.flat, "value_start": source.carried.values.start,
    }  # fmt: skip


def _source(folder: Path, about: dict[str, Any]) -> Source:
    def array(name: str) -> NDArray[Any]:
        return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))

    carried = Carried(
        tuple(about["keys"]), tuple(about["kinds"]), array("codes"), Ragged(array("value_flat"), array("value_start"))
    )
    long = array("long")
    body, start = array("form_flat").tobytes(), array("form_start").tolist()
    opened = np.empty(len(start) - 1, dtype=object)
    opened[:] = shapely.from_wkb([body[a:b] for a, b in itertools.pairwise(start)])
    forms = tuple(opened.reshape(about["forms"], len(long)))
    shapes = Ragged(array("shape_flat"), array("shape_start"))
    return Source(about["name"], shapes, array("box"), array("min_zoom"), array("place"), carried, long, forms)

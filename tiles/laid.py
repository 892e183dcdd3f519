"""Layers made ready for tiles, laid down in files: opened again at once, and shared by all processes that draw.

A folder holds one layer: its arrays as .npy files, which are mapped into memory and not read, and ``layer.json``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.carried import Carried
from tiles.forms import Forms
from tiles.ragged import Ragged
from tiles.source import Source

FORMAT = 1
"""Form of the folder; another one is not opened."""
ABOUT = "layer.json"


def lay_down(source: Source, folder: Path) -> None:
    """Write a layer into an empty folder."""
    for name, array in _arrays(source).items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    about = {"format": FORMAT, "name": source.name, "keys": source.carried.keys, "kinds": source.carried.kinds,
             "levels": len(source.forms.levels)}  # fmt: skip
    (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")


def pick_up(folder: Path) -> Source | None:
    """The layer in a folder; None when there is none, or one of another form."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        return _source(folder, about) if about["format"] == FORMAT else None
    except (OSError, EOFError, ValueError, KeyError, shapely.errors.ShapelyError):
        return None


def _arrays(source: Source) -> dict[str, NDArray[Any]]:
    ragged = {"shape": source.shapes, "value": source.carried.values}
    ragged |= {f"form{i}": level for i, level in enumerate(source.forms.levels)}
    parts = {f"{name}_{part}": getattr(rows, part) for name, rows in ragged.items() for part in ("flat", "start")}
    own = ("box", "min_zoom", "place", "long")
    return {**parts, "codes": source.carried.codes, **{name: getattr(source, name) for name in own}}


def _source(folder: Path, about: dict[str, Any]) -> Source:
    def array(name: str) -> NDArray[Any]:
        return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))

    def ragged(name: str) -> Ragged:
        return Ragged(array(f"{name}_flat"), array(f"{name}_start"))

    carried = Carried(tuple(about["keys"]), tuple(about["kinds"]), array("codes"), ragged("value"))
    forms = Forms(tuple(ragged(f"form{i}") for i in range(about["levels"])))
    box, first, place = array("box"), array("min_zoom"), array("place")
    return Source(about["name"], ragged("shape"), box, first, place, carried, array("long"), forms)

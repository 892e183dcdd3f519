"""Notes with the layer they are about in front: a study may have several of a kind."""

from __future__ import annotations

from collections.abc import Iterable

from geo.reasons import Sentence


def of_layer(layer_id: str, notes: Iterable[Sentence]) -> tuple[Sentence, ...]:
    """The notes, each begun with the layer's name: ``rr25: The hazard raster …``."""
    return tuple(Sentence(note.code, f"{layer_id}: {note.en}", f"{layer_id}：{note.zh}") for note in notes)

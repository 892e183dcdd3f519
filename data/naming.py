"""Notes with the layer they are about in front: a study may have several of a kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from geo.reasons import Finding, Sentence


def of_layer(layer_id: str, notes: Iterable[Sentence]) -> tuple[Sentence, ...]:
    """The notes, each begun with the layer's name: ``rr25: The hazard raster …``; findings carry it as well."""
    return tuple(_named(note, layer_id) for note in notes)


def _named(note: Sentence, layer_id: str) -> Sentence:
    begun = dataclasses.replace(note, en=f"{layer_id}: {note.en}", zh=f"{layer_id}：{note.zh}")
    return dataclasses.replace(begun, layer_id=layer_id) if isinstance(begun, Finding) else begun

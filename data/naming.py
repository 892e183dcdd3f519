"""Notes with the layer they are about in front: a study may have several of a kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from geo.reasons import Finding, Sentence


def of_layer(name: str, notes: Iterable[Sentence], *, layer_id: str = "") -> tuple[Sentence, ...]:
    """The notes, each begun with the layer's name: ``rr25: The hazard raster …``; findings carry its id (default: the
    name) as well."""
    return tuple(_named(note, name, layer_id or name) for note in notes)


def _named(note: Sentence, name: str, layer_id: str) -> Sentence:
    begun = dataclasses.replace(note, en=f"{name}: {note.en}", zh=f"{name}：{note.zh}")
    return dataclasses.replace(begun, layer_id=layer_id) if isinstance(begun, Finding) else begun

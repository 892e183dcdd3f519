"""The tags of many objects: what a map says is said of thousands of houses in the same words, so it is kept once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Tags = dict[str, str]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Tagging:
    """``sets`` are the different sets of tags, ``which`` (n,) says for each object which of them it has."""

    sets: list[Tags]
    which: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.which)

    def __getitem__(self, row: int) -> Tags:
        return self.sets[int(self.which[row])]

    def __repr__(self) -> str:
        return f"Tagging({len(self)} objects, {len(self.sets)} different sets of tags)"

    def each(self, told: Callable[[Tags], object]) -> NDArray[np.object_]:
        """What is told of the tags of each object, (n,); asked once for each different set."""
        answers = np.full(len(self.sets), None, dtype=object)
        for place in self._used():
            answers[place] = told(self.sets[place])
        return np.asarray(answers[self.which], dtype=object)

    def flags(self, told: Callable[[Tags], object]) -> NDArray[np.bool_]:
        """Whether something is told of the tags of each object, (n,)."""
        answers = np.zeros(len(self.sets), dtype=bool)
        for place in self._used():
            answers[place] = bool(told(self.sets[place]))
        return np.asarray(answers[self.which], dtype=bool)

    def numbers(self, told: Callable[[Tags], float]) -> NDArray[np.float64]:
        """A number told of the tags of each object, (n,)."""
        answers = np.full(len(self.sets), np.nan)
        for place in self._used():
            answers[place] = told(self.sets[place])
        return np.asarray(answers[self.which], dtype=np.float64)

    def take(self, rows: Ints | Sequence[int] | NDArray[np.bool_]) -> Tagging:
        """The tags of some of the objects."""
        return Tagging(self.sets, self.which[rows])

    def replaced(self, rows: Sequence[int], tags: Sequence[Tags]) -> Tagging:
        """The same with other tags for some objects."""
        which = self.which.copy()
        which[list(rows)] = np.arange(len(self.sets), len(self.sets) + len(tags))
        return Tagging([*self.sets, *tags], which)

    def _used(self) -> list[int]:
        return [int(place) for place in np.flatnonzero(np.bincount(self.which, minlength=len(self.sets)))]


def under(key: str) -> Callable[[Tags], str | None]:
    """What tags say under a key."""
    return lambda tags: tags.get(key)


def one_each(tags: Sequence[Tags]) -> Tagging:
    """The tags of a few objects, as they come."""
    return Tagging(list(tags), np.arange(len(tags)))


def joined(parts: Sequence[Tagging]) -> Tagging:
    """The tags of the objects of all parts, one after the other."""
    before = np.cumsum([0, *(len(part.sets) for part in parts)])
    which = [part.which + int(shift) for part, shift in zip(parts, before, strict=False)]
    return Tagging(
        [tags for part in parts for tags in part.sets], np.concatenate([np.zeros(0, dtype=np.int64), *which])
    )


def gathered(first: Ints, pair: Ints, pairs: Sequence[tuple[str, str]]) -> Tagging:
    """Object ``i`` has the tags ``pairs[p]`` for every ``p`` of ``pair[first[i]:first[i + 1]]``."""
    size = np.diff(first)
    which, example, known = np.zeros(len(size), dtype=np.int64), [np.zeros((1, 2), dtype=np.int64)], 1
    for place in range(int(size.max(initial=0))):
        # Sets that agree so far and have the same next tag go on as one; the others part here.
        rows = np.flatnonzero(size > place)
        code, _ = pd.factorize(which[rows] * len(pairs) + pair[first[rows] + place])
        which[rows] = code + known
        start = first[rows[np.unique(code, return_index=True)[1]]]
        example.append(np.column_stack([start, start + place + 1]))
        known += len(start)
    used, which = np.unique(which, return_inverse=True)
    spans = np.concatenate(example)[used].tolist()
    return Tagging([dict(pairs[p] for p in pair[start:end]) for start, end in spans], which)

"""What travels with the shapes of a layer: every value once, in the bytes that a tile writes, and who has which.

Kept as columns of whole numbers, so that a layer of half a million rows costs four bytes a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tiles.ragged import Ragged, column, held, joined, stacked
from tiles.wire import VALUE, varints, zigzag

Codes = NDArray[np.int32]
Ints = NDArray[np.int64]
STRING, SINGLE, DOUBLE, WHOLE, SIGNED, FLAG = 0x0A, 0x15, 0x19, 0x20, 0x30, 0x38
"""How a value is written in the message: number of the field and its form."""
TYPES = pd.api.types
DTYPES: dict[str, type] = {"flag": bool, "whole": np.int64, "number": np.float64, "text": object}
"""The kinds of values in the order in which they are kept, and as what."""
PLAIN: dict[str, Callable[[Any], bool]] = {
    "flag": TYPES.is_bool_dtype, "whole": TYPES.is_integer_dtype, "number": TYPES.is_float_dtype,
    "text": lambda dtype: dtype == "str",
}  # fmt: skip
"""Columns that have values of one kind only."""
AT_ONCE = 50_000
"""Values written at the same time."""
Read = Callable[[str], pd.Series]
"""Gives a column by its name. It is asked twice for each, so that only one of them need be in memory."""


@dataclass(frozen=True, eq=False)
class Carried:
    """Properties of n rows: ``codes`` (n, len(keys)) are places in ``values``, -1 where there is none.

    ``values`` are bytes as they stand in a tile's list of values. ``kinds`` says of each key what its values are:
    text, number or flag; mixed ones are text.
    """

    keys: tuple[str, ...]
    kinds: tuple[str, ...]
    codes: Codes
    values: Ragged

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        return f"Carried({len(self)} rows of {', '.join(self.keys) or 'nothing'}; {len(self.values)} values)"

    def of_kinds(self) -> list[tuple[str, str]]:
        """Each key with its kind."""
        return list(zip(self.keys, self.kinds, strict=True))

    @property
    def nbytes(self) -> int:
        """Memory of the arrays, bytes."""
        return held(self.codes) + self.values.nbytes

    def of(self, rows: Ints) -> tuple[Ragged, list[str], bytes]:
        """Of some rows: pairs of places among keys and values, the keys and the bytes of the values that occur."""
        codes = self.codes[rows]
        there = codes >= 0
        used = np.flatnonzero(there.any(axis=0))
        codes, there = codes[:, used], there[:, used]
        listed, place = self._listed(codes[there])
        pairs = np.empty((*codes.shape, 2), dtype=np.uint64)
        pairs[..., 0], pairs[..., 1] = np.arange(len(used)), place[codes]
        tags = Ragged.of(pairs[there].ravel(), 2 * there.sum(axis=1))
        return tags, [self.keys[i] for i in used], self.values.take(listed).flat.tobytes()

    def _listed(self, codes: Codes) -> tuple[Ints, Codes]:
        """The values that occur, the most frequent first since low places take fewer bytes; the place of each."""
        there = np.zeros(len(self.values), dtype=bool)
        there[codes] = True
        listed = np.flatnonzero(there)
        place = np.zeros(len(self.values) + 1, dtype=np.int32)
        place[listed] = np.arange(len(listed))
        often = np.argsort(-np.bincount(place[codes], minlength=len(listed)), kind="stable")
        place[listed[often]] = np.arange(len(listed))
        return listed[often], place


def carried(read: Read, columns: Sequence[str], rows: Ints) -> Carried:
    """Some rows of a table's columns as they travel; missing values do not.

    Text, flags, whole numbers and others travel as what they are, anything else as text. Numbers that lose nothing
    travel in half the bytes.
    """
    kinds, own = [], []
    for name in columns:
        known = _sorted_out(read(name).iloc[rows])
        kinds.append(_told(known))
        own.append({kind: _different(values) for kind, (_, values) in known.items()})
    tables = {kind: _together([found[kind] for found in own if kind in found], dtype) for kind, dtype in DTYPES.items()}
    del own
    first = dict(zip(tables, np.cumsum([0, *map(len, tables.values())]).tolist(), strict=False))
    codes = np.full((len(rows), len(columns)), -1, dtype=np.int32)
    for i, name in enumerate(columns):
        for kind, (at, values) in _sorted_out(read(name).iloc[rows]).items():
            codes[at, i] = _places(tables[kind], values) + first[kind]
    return Carried(tuple(columns), tuple(kinds), codes, _written(tables))


Known = tuple[Ints, NDArray[Any]]
"""Where the known values of a column are, and the values."""


def _sorted_out(values: pd.Series) -> dict[str, Known]:
    """The known values of a column by kind."""
    at = np.flatnonzero(values.notna().to_numpy())
    for kind, is_so in PLAIN.items():
        if is_so(values.dtype):
            return {kind: (at, values.iloc[at].to_numpy(dtype=DTYPES[kind]))}
    known = values.iloc[at].to_numpy(dtype=object)
    kinds = np.array([_kind(value) for value in known], dtype=object)
    found = {kind: np.flatnonzero(kinds == kind) for kind in DTYPES}
    return {kind: (at[some], _made(kind, known[some])) for kind, some in found.items() if len(some)}


def _kind(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "flag"
    if isinstance(value, int | np.integer):
        return "whole" if -(2**63) <= value < 2**63 else "number"
    return "number" if isinstance(value, float | np.floating) else "text"


def _made(kind: str, values: NDArray[np.object_]) -> NDArray[Any]:
    if kind != "text":
        return values.astype(DTYPES[kind])
    return np.array([value if isinstance(value, str) else str(value) for value in values], dtype=object)


def _told(known: Mapping[str, Known]) -> str:
    kinds = {"number" if kind == "whole" else kind for kind in known}
    return kinds.pop() if len(kinds) == 1 else "text"


def _different(values: NDArray[Any]) -> NDArray[Any]:
    """Each value once; numbers in order."""
    return np.asarray(pd.unique(values)) if values.dtype == object else np.unique(values)


def _together(tables: Sequence[NDArray[Any]], dtype: type) -> NDArray[Any]:
    return _different(np.concatenate([np.zeros(0, dtype=dtype), *tables]))


def _places(table: NDArray[Any], values: NDArray[Any]) -> Ints:
    """Where each of the values is in the table."""
    if values.dtype == object:
        return np.asarray(pd.Index(table, dtype=object).get_indexer(values))
    return np.searchsorted(table, values)


def _written(tables: Mapping[str, NDArray[Any]]) -> Ragged:
    """The values of all kinds in bytes, some thousands at a time: on the way each byte takes the room of many."""
    parts = [
        WRITTEN[kind](table[i : i + AT_ONCE]) for kind, table in tables.items() for i in range(0, len(table), AT_ONCE)
    ]
    return stacked([column(np.zeros(0, dtype=np.uint8)), *parts])


def _texts(values: NDArray[np.object_]) -> Ragged:
    encoded = [value.encode("utf-8", "replace") for value in values]
    size = np.array([len(text) for text in encoded], dtype=np.int64)
    body = Ragged.of(np.frombuffer(b"".join(encoded), dtype=np.uint8), size)
    return _framed(joined([_head(STRING, size), body]))


def _numbers(values: NDArray[np.float64]) -> Ragged:
    """Four bytes where they hold the number, else eight, the lowest first."""
    with np.errstate(over="ignore"):
        single = values.astype("<f4")
    fits = single.astype(np.float64) == values
    short = np.column_stack((np.full(len(values), SINGLE, dtype=np.uint8), single.view(np.uint8).reshape(-1, 4)))
    long = np.column_stack(
        (np.full(len(values), DOUBLE, dtype=np.uint8), values.astype("<f8").view(np.uint8).reshape(-1, 8))
    )
    return _framed(joined([column(short).kept(np.repeat(fits, 5)), column(long).kept(np.repeat(~fits, 9))]))


def _wholes(values: Ints) -> Ragged:
    below = values < 0
    numbers = np.where(below, zigzag(values), values.view(np.uint64))
    return _framed(varints(column(np.column_stack((np.where(below, SIGNED, WHOLE).astype(np.uint64), numbers)))))


def _flags(values: NDArray[np.bool_]) -> Ragged:
    return _framed(column(np.column_stack((np.full(len(values), FLAG), values)).astype(np.uint8)))


WRITTEN: dict[str, Callable[[Any], Ragged]] = {"flag": _flags, "whole": _wholes, "number": _numbers, "text": _texts}


def _head(field: int, size: Ints) -> Ragged:
    return varints(column(np.column_stack((np.full(len(size), field), size)).astype(np.uint64)))


def _framed(values: Ragged) -> Ragged:
    return joined([_head(VALUE, values.count), values])

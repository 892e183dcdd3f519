"""What libosmium has sorted out for us, read into arrays: no Python object for any node or way.

``scan`` lets libosmium read a map of any form, put the coordinates of their nodes on the ways, and write nodes with
tags and ways again as PBF of one plain form: blocks that are not compressed, nodes dense, ``LocationsOnWays``. That
form alone is read here. See https://wiki.openstreetmap.org/wiki/PBF_Format for the messages and numbers of fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
from numba import njit
from numpy.typing import NDArray

from data.osm.tagging import Tagging, gathered

FORM = "pbf,pbf_compression=none,locations_on_ways=true,add_metadata=timestamp"
"""The form for ``osmium.io.File`` in which ``read`` wants its file."""
Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]
Bytes = NDArray[np.uint8]
Columns = tuple[Ints, Ints, Ints, Ints, Ints, Ints, Int32s, Int32s]
_STRINGS, _GROUP, _DENSE, _WAY = 1, 2, 2, 3
_VALUE_BITS = 32
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Objects:
    """Nodes or ways as the file has them: ``number``, ``tags`` (wanted keys alone), ``stamp`` (seconds since 1970).

    The nodes of object ``i`` are ``first[i]:first[i + 1]`` of ``node`` (numbers), ``lon`` and ``lat`` (1e-7 degrees,
    WGS 84; 2147483647 where the file does not know). A node has itself.
    """

    number: Ints
    tags: Tagging
    stamp: Ints
    first: Ints
    node: Ints
    lon: Int32s
    lat: Int32s

    def __len__(self) -> int:
        return len(self.number)

    def take(self, rows: NDArray[np.bool_]) -> Objects:
        """Some of the objects."""
        if rows.all():
            return self
        size = np.diff(self.first)
        points = np.repeat(rows, size)
        first = np.r_[0, np.cumsum(size[rows])].astype(np.int64)
        node, lon, lat = self.node[points], self.lon[points], self.lat[points]
        return Objects(self.number[rows], self.tags.take(rows), self.stamp[rows], first, node, lon, lat)


def read(path: Path, *, wanted: Callable[[str], bool]) -> tuple[Objects, Objects, bool]:
    """The nodes and the ways of a file of the form ``FORM``, and whether a node comes after a way.

    Of the tags, those whose key is ``wanted`` are kept.
    """
    words = _Words(wanted)
    nodes, ways = _Gathered(), _Gathered()
    late = False
    with path.open("rb") as stream:
        for block in _blocks(stream):
            parts = list(_fields(block))
            (strings,) = (_strings(block, start, end) for number, start, end in parts if number == _STRINGS)
            for start, end in ((start, end) for number, start, end in parts if number == _GROUP):
                kind, inner, inner_end = next(_fields(block, start, end))
                if kind == _DENSE:
                    nodes.add(_nodes(block, inner, inner_end), words, strings, block)
                    late |= bool(ways.columns)
                elif kind == _WAY:
                    ways.add(_ways(block, start, end), words, strings, block)
    return nodes.objects(words), ways.objects(words), late


@dataclass
class _Words:
    """Every different wanted tag met so far, by its place in order of appearance."""

    wanted: Callable[[str], bool]
    pairs: dict[tuple[bytes, bytes], int] = field(default_factory=dict)
    keys: dict[bytes, bool] = field(default_factory=dict)

    def place(self, key: Ints, value: Ints, strings: tuple[Ints, Ints], block: Bytes) -> tuple[Ints, NDArray[np.bool_]]:
        """For the tags of a block, places of those wanted, and which they are of all."""
        text = [block[start:end].tobytes() for start, end in _spans(strings, np.unique(key))]
        read = np.zeros(len(strings[0]), dtype=bool)
        read[np.unique(key)] = [self._is_wanted(word) for word in text]
        kept = read[key]
        code, which = np.unique(key[kept] << _VALUE_BITS | value[kept], return_inverse=True)
        halves = code >> _VALUE_BITS, code & ((1 << _VALUE_BITS) - 1)
        words = [[block[start:end].tobytes() for start, end in _spans(strings, half)] for half in halves]
        places = [self.pairs.setdefault(pair, len(self.pairs)) for pair in zip(*words, strict=True)]
        return np.array(places, dtype=np.int64)[which], kept

    def _is_wanted(self, key: bytes) -> bool:
        if key not in self.keys:
            self.keys[key] = self.wanted(key.decode("utf-8", "replace"))
        return self.keys[key]

    def tags(self) -> list[tuple[str, str]]:
        return [(key.decode("utf-8", "replace"), plain(value)) for key, value in self.pairs]


def plain(value: bytes) -> str:
    """Text as it can be shown: what is no UTF-8 becomes �, a control character a space."""
    text = value.decode("utf-8", "replace")
    return _CONTROL.sub(" ", text).strip() if _CONTROL.search(text) else text


def _spans(strings: tuple[Ints, Ints], places: Ints) -> Iterator[tuple[int, int]]:
    return zip(strings[0][places].tolist(), strings[1][places].tolist(), strict=True)


@dataclass
class _Gathered:
    """Columns of blocks: number, stamp, tags each, nodes each, tag, node, lon, lat."""

    columns: list[Columns] = field(default_factory=list)

    def add(self, read: tuple[NDArray[np.int64], ...], words: _Words, strings: tuple[Ints, Ints], block: Bytes) -> None:
        number, stamp, tag_end, node_end, key, value, node, lon, lat = read
        tag, kept = words.place(key, value, strings, block)
        tags = np.diff(np.r_[0, np.cumsum(kept)][tag_end])
        place = (lon.astype(np.int32), lat.astype(np.int32))
        self.columns.append((number, stamp, tags, np.diff(node_end), tag.astype(np.int64), node, *place))

    def objects(self, words: _Words) -> Objects:
        none = np.zeros(0, dtype=np.int64)
        parts = list(zip(*self.columns, strict=True)) or [(none,)] * 8
        self.columns.clear()
        number, stamp, tags, nodes, tag, node, lon, lat = (np.concatenate(parts.pop(0)) for _ in range(8))
        tag_first, first = (np.r_[0, np.cumsum(size)].astype(np.int64) for size in (tags, nodes))
        tagging = gathered(tag_first, tag, words.tags())
        return Objects(number, tagging, stamp, first, node, lon.astype(np.int32), lat.astype(np.int32))


def _blocks(stream: IO[bytes]) -> Iterator[Bytes]:
    """The primitive blocks of a file; the first is its header."""
    first = True
    while size := int.from_bytes(stream.read(4), "big"):
        head = np.frombuffer(stream.read(size), dtype=np.uint8)
        length = next(start for number, start, _ in _fields(head) if number == 3)
        blob = np.frombuffer(stream.read(length), dtype=np.uint8)
        raw = next(blob[start:end] for number, start, end in _fields(blob) if number == 1)
        if not first:
            yield raw
        first = False


def _fields(data: Bytes, start: int = 0, end: int = -1) -> Iterator[tuple[int, int, int]]:
    """Fields of a message: number, and where its bytes begin and end, or the value where it is a plain number."""
    end = len(data) if end < 0 else end
    while start < end:
        number, inner, start = _field(data, start)
        yield number, inner, start


@njit(cache=True)
def _number(data: Bytes, at: int) -> tuple[int, int]:
    """A number of one byte or more, and where the next begins."""
    value = np.int64(0)
    shift = np.int64(0)
    while True:
        byte = np.int64(data[at])
        at += 1
        value |= (byte & np.int64(127)) << shift
        if byte < 128:
            return int(value), at
        shift += np.int64(7)


@njit(cache=True)
def _field(data: Bytes, at: int) -> tuple[int, int, int]:
    """Number of a field, its value or where its bytes begin, and where the next field begins."""
    tag, at = _number(data, at)
    value, at = _number(data, at)
    if tag & 7 == 2:
        return tag >> 3, at, at + value
    return tag >> 3, value, at


@njit(cache=True)
def _strings(data: Bytes, start: int, end: int) -> tuple[Ints, Ints]:
    """Where each string of a string table begins and ends."""
    begins, ends, n = np.empty(end - start, np.int64), np.empty(end - start, np.int64), 0
    while start < end:
        _, begins[n], start = _field(data, start)
        ends[n] = start
        n += 1
    return begins[:n].copy(), ends[:n].copy()


@njit(cache=True)
def _unpack(data: Bytes, start: int, end: int, out: Ints, n: int) -> int:
    """Numbers one after the other."""
    while start < end:
        out[n], start = _number(data, start)
        n += 1
    return n


@njit(cache=True)
def _deltas(data: Bytes, start: int, end: int, out: Ints, n: int) -> int:
    """Numbers of which the differences are written, with the sign in the last bit."""
    total = np.int64(0)
    while start < end:
        value, start = _number(data, start)
        total += ((value >> 1) & np.int64(0x7FFFFFFFFFFFFFFF)) ^ -(value & 1)
        out[n] = total
        n += 1
    return n


@njit(cache=True)
def _stamp(data: Bytes, start: int, end: int) -> int:
    while start < end:
        number, value, start = _field(data, start)
        if number == 2:
            return value
    return 0


@njit(cache=True)
def _ways(data: Bytes, start: int, end: int) -> tuple[Ints, ...]:
    """A group of ways: number, stamp, where tags and nodes end, keys, values, nodes, longitudes, latitudes."""
    most = end - start + 1
    number, stamp, tag_end, node_end, key, value, node, lon, lat = [np.empty(most, np.int64) for _ in range(9)]
    tag_end[0], node_end[0] = 0, 0
    n, keys, values, nodes, lats, lons = 0, 0, 0, 0, 0, 0
    while start < end:
        _, at, start = _field(data, start)
        stamp[n] = 0
        while at < start:
            what, inner, at = _field(data, at)
            if what == 1:
                number[n] = inner
            elif what == 2:
                keys = _unpack(data, inner, at, key, keys)
            elif what == 3:
                values = _unpack(data, inner, at, value, values)
            elif what == 4:
                stamp[n] = _stamp(data, inner, at)
            elif what == 8:
                nodes = _deltas(data, inner, at, node, nodes)
            elif what == 9:
                lats = _deltas(data, inner, at, lat, lats)
            elif what == 10:
                lons = _deltas(data, inner, at, lon, lons)
        n += 1
        tag_end[n], node_end[n] = keys, nodes
    return (number[:n].copy(), stamp[:n].copy(), tag_end[: n + 1].copy(), node_end[: n + 1].copy(), key[:keys].copy(),
            value[:values].copy(), node[:nodes].copy(), lon[:lons].copy(), lat[:lats].copy())  # fmt: skip


@njit(cache=True)
def _nodes(data: Bytes, start: int, end: int) -> tuple[Ints, ...]:
    """A group of dense nodes, as ``_ways``."""
    most = end - start + 1
    number, lon, lat, mixed = [np.empty(most, np.int64) for _ in range(4)]
    n, written = 0, 0
    while start < end:
        what, inner, start = _field(data, start)
        if what == 1:
            n = _deltas(data, inner, start, number, 0)
        elif what == 8:
            _deltas(data, inner, start, lat, 0)
        elif what == 9:
            _deltas(data, inner, start, lon, 0)
        elif what == 10:
            written = _unpack(data, inner, start, mixed, 0)
    key, value, tag_end = _pairs(mixed[:written], n)
    number = number[:n].copy()
    return number, np.zeros(n, np.int64), tag_end, np.arange(n + 1), key, value, number, lon[:n].copy(), lat[:n].copy()


@njit(cache=True)
def _pairs(mixed: Ints, n: int) -> tuple[Ints, Ints, Ints]:
    """Keys and values of dense nodes, written in turns with a 0 after each node, and where those of each end."""
    key, value = np.empty(len(mixed) // 2, np.int64), np.empty(len(mixed) // 2, np.int64)
    end = np.zeros(n + 1, np.int64)
    tags, node, at = 0, 0, 0
    while at < len(mixed):
        if mixed[at] == 0:
            node += 1
            end[node] = tags
            at += 1
        else:
            key[tags], value[tags] = mixed[at], mixed[at + 1]
            tags += 1
            at += 2
    return key[:tags].copy(), value[:tags].copy(), end

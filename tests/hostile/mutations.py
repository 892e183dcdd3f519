"""Sound files made unsound: bits, lengths, numbers, pieces; the same from the same seed and number, anywhere."""

from __future__ import annotations

import bz2
import gzip
import io
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache

from tests.hostile.maps import blob
from tests.hostile.seeds import SEEDS, zipped

LARGEST = 2 << 20
"""Bytes of an input, at most."""
EDGES = (
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    1 << 40,
    (1 << 63) - 1,
    (1 << 64) - 1,
)
FIELDS = ("<B", "<H", "<I", "<Q", ">H", ">I", ">Q")
NUMBERS = (
    b"0",
    b"-1",
    b"1e308",
    b"-1e308",
    b"1e999",
    b"NaN",
    b"Infinity",
    b"99999999999999999999",
    b"2147483648",
    b"-0.0",
    b"180.0000001",
    b"4294967295",
    b"0x10",
    b"1_000",
    b"1e-400",
    b"9" * 400,
)
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
TOKENS = (
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x1b[2J",
    "\u202e".encode(),
    b"{",
    b"}",
    b"[" * 50,
    b'"',
    b"'",
    b"\n",
    b"\r",
    b",",
    b";",
    b"<",
    b"<![CDATA[",
    b"]]>",
    b"<!DOCTYPE x [<!ENTITY a SYSTEM '../secret.txt'>]>",
    b"&a;",
    b"null",
    b"true",
    b'"type":"GeometryCollection"',
    b'"coordinates":[]',
    b'"type":"Polygon"',
    b"../../",
    b"/etc/passwd",
    b"/vsicurl/http://127.0.0.1:9/",
    b"=cmd|'/c calc'!A0",
    b"%s%n",
    b"POLYGON EMPTY",
    b"GEOMETRYCOLLECTION(",
    b"SRID=99999;",
    b"EPSG:0",
    b"highway",
    b"<nd ref='1'/>",
    b"<relation id='1'>",
    b"nan",
    b"PAR1",
    b"PK\x03\x04",
    b"GP\0\1",
    b"II*\0",
    b"ncols",
    b"nodata_value",
    b"[[layers]]\n",
    b"crs",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    "东经".encode(),
)
Change = Callable[[random.Random, bytearray], bytearray]


def flip(rng: random.Random, data: bytearray) -> bytearray:
    for _ in range(1 << rng.randrange(6)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def truncate(rng: random.Random, data: bytearray) -> bytearray:
    return data[: rng.randrange(len(data))]


def drop(rng: random.Random, data: bytearray) -> bytearray:
    at, size = rng.randrange(len(data)), 1 << rng.randrange(10)
    return data[:at] + data[at + size :]


def repeat(rng: random.Random, data: bytearray) -> bytearray:
    at, size = rng.randrange(len(data)), 1 << rng.randrange(10)
    return data[:at] + data[at : at + size] * (1 << rng.randrange(11)) + data[at + size :]


def splice(rng: random.Random, data: bytearray) -> bytearray:
    other = seed(rng.choice(sorted(SEEDS)))
    at, from_ = rng.randrange(len(data)), rng.randrange(len(other))
    return data[:at] + other[from_ : from_ + (1 << rng.randrange(12))] + data[at + rng.choice((0, 16, 256)) :]


def length(rng: random.Random, data: bytearray) -> bytearray:
    form = rng.choice(FIELDS)
    size = struct.calcsize(form)
    at = rng.randrange(max(len(data) - size, 1)) // rng.choice((1, 2, 4)) * rng.choice((1, 2, 4))
    data[at : at + size] = struct.pack(form, rng.choice(EDGES) & ((1 << 8 * size) - 1))
    return data


def number(rng: random.Random, data: bytearray) -> bytearray:
    found = list(NUMBER.finditer(data))
    if not found:
        return flip(rng, data)
    one = rng.choice(found)
    return data[: one.start()] + rng.choice(NUMBERS) + data[one.end() :]


def token(rng: random.Random, data: bytearray) -> bytearray:
    at, word = rng.randrange(len(data)), rng.choice(TOKENS)
    return data[:at] + word + data[at + (len(word) if rng.random() < 0.5 else 0) :]


def swap(rng: random.Random, data: bytearray) -> bytearray:
    first, second = sorted(rng.randrange(len(data)) for _ in range(2))
    size = 1 << rng.randrange(8)
    return (
        data[:first]
        + data[second : second + size]
        + data[first + size : second]
        + data[first : first + size]
        + data[second + size :]
    )


CHANGES: tuple[Change, ...] = (
    flip,
    flip,
    truncate,
    drop,
    repeat,
    splice,
    length,
    length,
    number,
    number,
    token,
    token,
    swap,
)


def changed(rng: random.Random, data: bytes) -> bytes:
    """The data after one to three changes."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 1, 2, 3))):
        made = rng.choice(CHANGES)(rng, made)[:LARGEST] or bytearray(b" ")
    return bytes(made)


# -- what is packed is changed inside, so that the change comes through to the reader ------------------------------


def inside_zip(rng: random.Random, data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as sound:
        parts = {name: sound.read(name) for name in sound.namelist()}
    name = rng.choice(sorted(parts))
    return zipped(parts | {name: changed(rng, parts[name])})


def inside_gzip(rng: random.Random, data: bytes) -> bytes:
    return gzip.compress(changed(rng, gzip.decompress(data)), mtime=0)


def inside_bzip2(rng: random.Random, data: bytes) -> bytes:
    return bz2.compress(changed(rng, bz2.decompress(data)))


def inside_pbf(rng: random.Random, data: bytes) -> bytes:
    """One of the blocks of a map changed, and packed again."""
    blocks, at = [], 0
    while at < len(data):
        head = struct.unpack_from(">I", data, at)[0]
        kind = b"OSMHeader" if b"OSMHeader" in data[at : at + 4 + head] else b"OSMData"
        size = _last_varint(data[at + 4 : at + 4 + head])
        body = data[at + 4 + head : at + 4 + head + size]
        blocks.append((kind, zlib.decompress(body[body.index(b"\x78") :])))
        at += 4 + head + size
    which = rng.randrange(len(blocks))
    return b"".join(blob(kind, changed(rng, body) if i == which else body) for i, (kind, body) in enumerate(blocks))


def _last_varint(text: bytes) -> int:
    value = 0
    for shift, byte in enumerate(text[text.rindex(b"\x18") + 1 :]):
        value |= (byte & 127) << (7 * shift)
    return value


INSIDE: dict[str, Callable[[random.Random, bytes], bytes]] = {
    "a.zip": inside_zip,
    "a.xlsx": inside_zip,
    "archive.zip": inside_zip,
    "a.osm.gz": inside_gzip,
    "a.osm.bz2": inside_bzip2,
    "a.osm.pbf": inside_pbf,
}


@cache
def seed(name: str) -> bytes:
    """The sound file of a name."""
    return SEEDS[name][1]()


def mutated(run: int, index: int) -> tuple[str, str, bytes]:
    """Input ``index`` of the run of a seed: its file's name, what it is given as, its bytes."""
    rng = random.Random(f"{run}:{index}")
    name = rng.choice(sorted(SEEDS))
    inner = INSIDE.get(name)
    change = inner if inner and rng.random() < 0.8 else changed
    return name, SEEDS[name][0], change(rng, seed(name))

"""OpenStreetMap files: bombs, entities, blobs that lie, graphs that lead in circles."""

from __future__ import annotations

import bz2
import gzip
import random
import struct
import zlib
from collections.abc import Callable

from tests.hostile import seeds
from tests.hostile.maker import case
from tests.hostile.sheets import LAUGHS, OUTSIDE, OUTSIDE_DTD

HEAD, TAIL = b"<?xml version='1.0'?>\n<osm version='0.6'>", b"</osm>"
SOUND = seeds.osm_xml().partition(b"<osm version='0.6'>")[2]


def osm(name: str, after: str, ends: str, content: Callable[[], bytes]) -> None:
    case(name, after, ends, content, given="osm")


def with_more(more: bytes, before: bytes = b"") -> bytes:
    """The sound map with something in front."""
    return b"<?xml version='1.0'?>\n" + before + b"<osm version='0.6'>" + more + SOUND


def blob(kind: bytes, content: bytes, raw_size: int | None = None) -> bytes:
    """A block of a PBF; ``raw_size`` is what it says that its content unpacks to."""
    size = len(content) if raw_size is None else raw_size
    data = b"\x10" + varint(size) + b"\x1a" + field(zlib.compress(content, 9))
    head = b"\x0a" + field(kind) + b"\x18" + varint(len(data))
    return struct.pack(">I", len(head)) + head + data


def varint(number: int) -> bytes:
    text = b""
    while number > 127:
        text, number = text + bytes([number & 127 | 128]), number >> 7
    return text + bytes([number])


def field(content: bytes) -> bytes:
    return varint(len(content)) + content


HEADER = blob(b"OSMHeader", b"\x22" + field(b"OsmSchema-V0.6") + b"\x22" + field(b"DenseNodes"))
NODE = b"<node id='7' version='1' lat='32.05' lon='118.8'/>"


def repeated(megabytes: int) -> bytes:
    """The same node again and again."""
    return HEAD + NODE * ((megabytes << 20) // len(NODE)) + TAIL


def ring_of_relations(number: int) -> bytes:
    parts = [
        f"<relation id='{i}' version='1'><member type='relation' ref='{i % number + 1}' role='outer'/><tag k='type' "
        f"v='multipolygon'/><tag k='natural' v='water'/></relation>"
        for i in range(1, number + 1)
    ]
    return SOUND.removesuffix(TAIL) + "".join(parts).encode() + TAIL


def tags(number: int, size: int) -> bytes:
    noise = random.Random(2)
    text = "".join(f"<tag k='name:{i}' v='{noise.randbytes(size // 2).hex()}'/>" for i in range(number))
    return f"<node id='800' version='1' lat='32.05' lon='118.8'><tag k='amenity' v='school'/>{text}</node>".encode()


osm(
    "zeros.osm.gz",
    "memory: a gigabyte of zeros in a megabyte",
    "limit-zip-ratio",
    lambda: gzip.compress(bytes(1 << 30), mtime=0),
)
osm("nodes.osm.gz", "time: 400 MB of one node", "limit-zip-ratio", lambda: gzip.compress(repeated(400), mtime=0))
osm("zeros.osm.bz2", "memory: 300 MB of zeros in 300 bytes", "limit-zip-ratio", lambda: bz2.compress(bytes(300 << 20)))
osm("in_itself.osm.gz", "reader: packed twice", "unreadable", lambda: gzip.compress(gzip.compress(seeds.osm_xml())))
osm("cut.osm.gz", "reader: half a file", "unreadable", lambda: seeds.osm_gz()[:300])
osm("check.osm.gz", "reader: a checksum that is wrong", "unreadable", lambda: seeds.osm_gz()[:-8] + bytes(8))
osm(
    "laughs.osm",
    "memory: entities of entities",
    "unreadable",
    lambda: with_more(b"<node id='1' lat='1' lon='1'><tag k='name' v='&l;'/></node>", LAUGHS),
)
osm("entity.osm", "files: an entity that is a file", "unreadable", lambda: with_more(b"<note>&a;</note>", OUTSIDE))
osm("dtd.osm", "network: a DTD by address", "accepted", lambda: with_more(b"", OUTSIDE_DTD))
osm("deep.osm", "stack: a million tags in each other", "unreadable", lambda: HEAD + b"<a>" * 1_000_000)
osm(
    "attribute.osm",
    "memory: an attribute of 10 MB",
    "unreadable",
    lambda: with_more(b"<node id='" + b"1" * (10 << 20) + b"' lat='1' lon='1'/>"),
)
osm(
    "value.osm",
    "memory: a name of 10 MB",
    "unreadable",
    lambda: with_more(b"<node id='700' lat='32.05' lon='118.8'><tag k='name' v='" + b"x" * (10 << 20) + b"'/></node>"),
)
osm("tags.osm", "memory: 70 000 tags on a node", "accepted", lambda: with_more(tags(70_000, 40)))
osm(
    "big_id.osm",
    "reader: numbers beyond 64 bits",
    "unreadable",
    lambda: with_more(b"<node id='99999999999999999999999' lat='1' lon='1'/>"),
)
osm(
    "least_id.osm",
    "memory: the smallest number of all",
    "accepted",
    lambda: with_more(b"<node id='-9223372036854775807' lat='32.05' lon='118.8'><tag k='amenity' v='school'/></node>"),
)
osm(
    "far_id.osm",
    "memory: a node of number 9e18",
    "accepted",
    lambda: with_more(b"<node id='9000000000000000000' lat='32.05' lon='118.8'><tag k='amenity' v='school'/></node>"),
)
osm(
    "nowhere.osm",
    "places: a latitude of 1e308",
    "unreadable",
    lambda: with_more(b"<node id='700' lat='1e308' lon='nan'/>"),
)
osm("circle.osm", "time: relations that hold each other", "accepted", lambda: HEAD + ring_of_relations(2000))
osm(
    "long_way.osm",
    "memory: a way of 100 000 nodes",
    "accepted",
    lambda: (
        HEAD
        + SOUND.removesuffix(TAIL)
        + b"<way id='900' version='1'>"
        + b"<nd ref='1'/><nd ref='2'/>" * 50_000
        + b"<tag k='highway' v='path'/></way>"
        + TAIL
    ),
)
osm(
    "change.osm",
    "reader: a file of changes",
    "unreadable",
    lambda: b"<osmChange version='0.6'><delete>" + NODE + b"</delete></osmChange>",
)
osm("html.osm", "reader: a web page", "unreadable", lambda: b"<!doctype html><html><script>alert(1)</script></html>")
osm("noise.osm.pbf", "reader: noise behind the header", "unreadable", lambda: seeds.osm_pbf()[:180] + b"\xff" * 300)
osm(
    "head_size.osm.pbf",
    "memory: a header of four gigabytes",
    "unreadable",
    lambda: b"\xff\xff\xff\xf0" + seeds.osm_pbf()[4:],
)
osm(
    "raw_size.osm.pbf",
    "memory: a block that says it unpacks to a gigabyte",
    "unreadable",
    lambda: HEADER + blob(b"OSMData", b"\0" * 100, 1 << 30),
)
osm(
    "bomb.osm.pbf",
    "memory: a block of 30 MB of zeros",
    "unreadable",
    lambda: HEADER + blob(b"OSMData", bytes(30 << 20)),
)
osm(
    "blocks.osm.pbf",
    "time: 20 000 blocks of nothing",
    "unreadable",
    lambda: HEADER + blob(b"OSMData", b"\x0a\x02\x0a\x00") * 20_000,
)
osm(
    "strings.osm.pbf",
    "memory: a table of texts that says more than it is",
    "unreadable",
    lambda: HEADER + blob(b"OSMData", b"\x0a\xff\xff\xff\x7f\x0a\x00"),
)
osm("cut.osm.pbf", "reader: half a file", "unreadable", lambda: seeds.osm_pbf()[:300])
osm(
    "feature.osm.pbf",
    "reader: a file that asks for something unheard of",
    "unreadable",
    lambda: blob(b"OSMHeader", b"\x22" + field(b"EvilFeature")),
)

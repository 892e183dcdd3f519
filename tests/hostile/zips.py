"""Zips: bombs, names that lead elsewhere, sizes that lie, tables in tables."""

from __future__ import annotations

import binascii
import bz2
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from tests.hostile import seeds
from tests.hostile.maker import case, hostile
from tests.hostile.seeds import zipped

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


def entry(
    name: bytes,
    packed: bytes,
    size: int,
    *,
    method: int = 8,
    crc: int = 0,
    flags: int = 0,
    extra: bytes = b"",
    at: int = 0,
    mode: int = 0,
) -> tuple[bytes, bytes]:
    """An entry's own header with its content, and its line in the directory, which may say another size."""
    shape = struct.pack("<HHHHHIIIHH", 20, flags, method, 0, 33, crc, len(packed), size & 0xFFFFFFFF, len(name), 0)
    line = struct.pack(
        "<HHHHHHIIIHHHHHII",
        0x031E,
        45,
        flags,
        method,
        0,
        33,
        crc,
        len(packed),
        size & 0xFFFFFFFF,
        len(name),
        len(extra),
        0,
        0,
        0,
        mode << 16,
        at,
    )
    return LOCAL + shape + name + packed, CENTRAL + line + name + extra


def assembled(*entries: tuple[bytes, bytes], count: int | None = None) -> bytes:
    """A zip of such entries."""
    body, directory = b"".join(own for own, _ in entries), b"".join(line for _, line in entries)
    number = min(len(entries) if count is None else count, 0xFFFF)
    return body + directory + END + struct.pack("<HHHHIIH", 0, 0, number, number, len(directory), len(body), 0)


def deflated(content: bytes) -> bytes:
    return zlib.compress(content, 9)[2:-4]


def one(name: str, content: bytes, **how: int) -> bytes:
    return assembled(
        entry(
            name.encode(),
            deflated(content),
            how.pop("size", len(content)),
            crc=how.pop("crc", binascii.crc32(content)),
            **how,
        )
    )


def zeros(megabytes: int) -> bytes:
    """A zip of one CSV of zeros."""
    return one("a.csv", bytes(megabytes << 20))


def matryoshka(depth: int) -> bytes:
    content = zeros(8)
    for _ in range(depth):
        content = zipped({f"{i}.zip": content for i in range(4)})
    return content


def overlapping() -> bytes:
    """Two hundred names for one and the same content."""
    packed = deflated(bytes(1 << 20))
    lines = [entry(f"{i}.csv".encode(), packed, 1 << 20) for i in range(190)]
    return assembled(lines[0], *((b"", line) for _, line in lines[1:]))


def links() -> bytes:
    target = b"../secret.txt"
    return assembled(
        entry(b"a.csv", target, len(target), method=0, crc=binascii.crc32(target), mode=stat.S_IFLNK | 0o777)
    )


def many(number: int) -> bytes:
    """So many names of nothing."""
    lines = [entry(b"%d" % i, b"", 0, method=0)[1] for i in range(number)]
    return assembled(entry(b"a.csv", b"", 0, method=0), *((b"", line) for line in lines), count=number + 1)


def past_32_bits() -> bytes:
    """The size stands in the extra part for large files, and is an exabyte."""
    extra = struct.pack("<HHQQ", 1, 16, 1 << 60, 10)
    own, line = entry(b"a.csv", b"x" * 10, 0xFFFFFFFF, method=0, extra=extra)
    return assembled((own, line))


def with_parts(**changed: bytes | None) -> bytes:
    """A Shapefile's zip with parts replaced or left out."""
    parts = {f"a{end}": content for end, content in seeds.shapefile().items()}
    parts |= {f"a.{end}": content for end, content in changed.items() if content is not None}
    return zipped({name: content for name, content in parts.items() if changed.get(name[2:], b"") is not None})


def written_over(part: str, at: int, value: bytes) -> bytes:
    content = bytearray(seeds.shapefile()[f".{part}"])
    content[at : at + len(value)] = value
    return with_parts(**{part: bytes(content)})


def twice_the_name() -> bytes:
    csv = seeds.csv_utf8()
    entries = [entry(b"a.csv", csv, len(csv), method=0, crc=binascii.crc32(csv)) for _ in range(2)]
    own, line = entry(b"a.csv", csv, len(csv), method=0, crc=binascii.crc32(csv), at=len(entries[0][0]))
    return assembled(entries[0], (own, line))


CSV = seeds.csv_utf8()


def table(name: str, after: str, ends: str, content: Callable[[], bytes]) -> None:
    case(name, after, ends, content, given=seeds.PLACES)


case("flat.zip", "memory: 300 MB of zeros in 300 kB", "limit-zip-ratio", lambda: zeros(300))
case("nested.zip", "disk: zips in zips", "unreadable", lambda: matryoshka(4))
case("overlap.zip", "time: 190 names for one content", "limit-zip-ratio", overlapping)
case("entries.zip", "time: a hundred thousand entries", "limit-zip-entries", lambda: many(100_000))
case("entries201.zip", "time: one entry too many", "limit-zip-entries", lambda: many(200))
case(
    "small_said.zip",
    "memory: says 10 bytes, unpacks to 50 MB",
    "unreadable",
    lambda: one("a.csv", bytes(50 << 20), size=10),
)
table("large_said.zip", "reader: says 1 MB, holds 200 bytes", "unreadable", lambda: one("a.csv", CSV, size=1 << 20))
case("exabyte.zip", "memory: says an exabyte", "limit-zip-size", past_32_bits)
table("bad_check.zip", "reader: a checksum that is not its content's", "unreadable", lambda: one("a.csv", CSV, crc=7))
table("locked.zip", "reader: an entry with a password", "unreadable", lambda: one("a.csv", CSV, flags=1))
table("method99.zip", "reader: packed in a way that nobody knows", "unreadable", lambda: one("a.csv", CSV, method=99))
table("deflate64.zip", "reader: packed in a way that few know", "unreadable", lambda: one("a.csv", CSV, method=9))
case(
    "not_deflate.zip",
    "reader: noise where packed data should be",
    "unreadable",
    lambda: assembled(entry(b"a.csv", b"\xff" * 100, 1000)),
)
case(
    "bzip2.zip",
    "memory: 200 MB of zeros in 200 bytes",
    "limit-zip-ratio",
    lambda: assembled(entry(b"a.csv", bz2.compress(bytes(200 << 20)), 200 << 20, method=12)),
)
table("absolute.zip", "files: an absolute path", "accepted", lambda: zipped({"/etc/cron.d/a.csv": CSV}))
table("upwards.zip", "files: a path that leads out", "accepted", lambda: zipped({"../../../outside.csv": CSV}))
table("windows.zip", "files: a path of Windows", "accepted", lambda: zipped({"C:\\Windows\\a.csv": CSV}))
table("device.zip", "files: the name of a device", "accepted", lambda: zipped({"CON.csv": CSV}))
table("nul.zip", "names: a NUL in a name", "accepted", lambda: one("a.csv\0.exe", CSV))
case(
    "escapes.zip",
    "terminal: ANSI escapes in names",
    "unreadable",
    lambda: zipped({f"\x1b[2J\x1b]0;owned\x07{i}.csv": CSV for i in range(3)}),
)
case(
    "long_names.zip",
    "terminal: names of 60 000 letters",
    "unreadable",
    lambda: zipped({f"{i}{'n' * 60_000}.csv": CSV for i in range(3)}),
)
case("link.zip", "files: a link to a secret", "unreadable", links)
table(
    "two_cases.zip",
    "files: names that differ in case alone",
    "unreadable",
    lambda: zipped({"town.csv": CSV, "TOWN.csv": CSV}),
)
table("same_name.zip", "reader: a name twice", "unreadable", twice_the_name)
case(
    "shp_in_zip.zip",
    "reader: a Shapefile in a zip in a zip",
    "unreadable",
    lambda: zipped({"inner.zip": seeds.shapefile_zip()}),
)
case("cut.zip", "reader: half a zip", "unreadable", lambda: seeds.shapefile_zip()[:500])
case("empty.zip", "reader: a zip of nothing", "unreadable", lambda: END + bytes(18))
case(
    "exe.zip",
    "reader: a program with a zip behind it",
    "unreadable",
    lambda: b"MZ" + bytes(100) + zipped({"a.csv": CSV}),
)
case(
    "far_directory.zip",
    "reader: a directory beyond the end",
    "unreadable",
    lambda: assembled(entry(b"a.csv", CSV, len(CSV)))[:-8] + struct.pack("<IIH", 0x7FFFFFFF, 0x7FFFFFFF, 0)[:8],
)

case("no_shx.zip", "reader: a Shapefile without its index", "unreadable", lambda: with_parts(shx=None))
case("no_dbf.zip", "reader: a Shapefile without its table", "unreadable", lambda: with_parts(dbf=None))
case(
    "dbf_rows.zip",
    "memory: a table that says a billion rows",
    "accepted",
    lambda: written_over("dbf", 4, struct.pack("<I", 1_000_000_000)),
)
case("dbf_width.zip", "reader: rows 0 bytes wide", "unreadable", lambda: written_over("dbf", 10, b"\0\0"))
case("dbf_noise.zip", "reader: noise for a table", "unreadable", lambda: with_parts(dbf=b"\xff" * 500))
case(
    "shp_length.zip",
    "reader: a record of two gigabytes",
    "accepted",
    lambda: written_over("shp", 104, struct.pack(">i", 0x3FFFFFFF)),
)
case(
    "shp_points.zip",
    "memory: an outline of two billion points",
    "accepted:rows_without_geometry",
    lambda: written_over("shp", 148, struct.pack("<i", 0x7FFFFFFF)),
)
case(
    "shp_parts.zip",
    "memory: an outline of two billion rings",
    "accepted:rows_without_geometry",
    lambda: written_over("shp", 144, struct.pack("<i", 0x7FFFFFFF)),
)
case(
    "shx_offsets.zip",
    "reader: an index that points behind the end",
    "accepted:rows_without_geometry",
    lambda: written_over("shx", 100, struct.pack(">ii", 0x7FFFFFF0, 100)),
)
case(
    "prj_10mb.zip",
    "time: a coordinate system of 10 MB",
    "limit-zip-ratio",
    lambda: with_parts(prj=b'GEOGCS["' + b"a" * (10 << 20) + b'"]'),
)
case(
    "prj_deep.zip",
    "stack: a coordinate system of 100 000 brackets",
    "unreadable",
    lambda: with_parts(prj=b"GEOGCS[" * 100_000),
)
case(
    "cpg_noise.zip", "reader: an encoding that is none", "accepted", lambda: with_parts(cpg=b"\x00\xff../../etc/passwd")
)
case("cpg_python.zip", "reader: an encoding of Python's that is no text", "accepted", lambda: with_parts(cpg=b"zip"))


@hostile("sides.zip", "files: a Shapefile whose parts are links", "unreadable")
def sides(path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for end, content in seeds.shapefile().items():
            record = zipfile.ZipInfo(f"a{end}")
            record.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(record, b"../../secret.txt" if end in (".dbf", ".cpg") else content)
    path.write_bytes(buffer.getvalue())

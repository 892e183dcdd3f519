"""Studies and archives from elsewhere: definitions and the files that they name."""

from __future__ import annotations

import json

from tests.hostile import seeds
from tests.hostile.maker import case
from tests.hostile.seeds import archive, study_toml, zipped

INPUT = {"study.toml": study_toml(), "inputs/flood.tif": b"x" * 100}


def other(old: bytes, new: bytes) -> bytes:
    assert old in study_toml()
    return study_toml().replace(old, new)


case(
    "outside.toml",
    "files: a layer outside the study",
    "input",
    lambda: other(b"inputs/flood.tif", b"../../../etc/passwd"),
    given="study",
)
case(
    "absolute.toml",
    "files: a layer at an absolute path",
    "input",
    lambda: other(b"inputs/flood.tif", b"/etc/passwd"),
    given="study",
)
case(
    "backslash.toml",
    "files: a path of Windows",
    "input",
    lambda: other(b"inputs/flood.tif", b"..\\\\..\\\\secret"),
    given="study",
)
case("deep.toml", "stack: 100 000 brackets", "limit-depth", lambda: b"a = " + b"[" * 100_000, given="study")
case(
    "dotted.toml",
    "stack: a key of 100 000 parts",
    "limit-depth",
    lambda: b"a" + b".a" * 100_000 + b" = 1",
    given="study",
)
case("noise.toml", "reader: noise", "unreadable", lambda: bytes(range(256)) * 100, given="study")
case(
    "figures.toml",
    "time: a number of a million figures",
    "unreadable",
    lambda: b"format = " + b"9" * 1_000_000,
    given="study",
)
case("infinite.toml", "reader: a class that stands for infinity", "input", lambda: other(b"3.0", b"inf"), given="study")
case(
    "scenarios.toml",
    "time: 20 000 layers of one name",
    "input",
    lambda: study_toml() + b'[[layers]]\nlayer_id = "x"\nkind = "osm"\n' * 20_000,
    given="study",
)
case(
    "long.toml",
    "terminal: a name of 10 MB",
    "limit-file-size",
    lambda: other(b'"Town"', b'"' + b"\\u001b[2J" * 1_500_000 + b'"'),
    given="study",
)

case(
    "outside.zip",
    "files: an archive that writes beside the study",
    "unreadable",
    lambda: archive({**INPUT, "inputs/../../evil.txt": b"x"}),
    given="archive",
)
case(
    "absolute_path.zip",
    "files: an archive that writes anywhere",
    "unreadable",
    lambda: archive({**INPUT, "/tmp/evil.txt": b"x"}),
    given="archive",
)
case(
    "unlisted.zip",
    "files: more in an archive than it lists",
    "unreadable",
    lambda: archive({**INPUT, "inputs/evil": b"x"}, INPUT),
    given="archive",
)
case(
    "changed.zip",
    "trust: a file that is not the one archived",
    "unreadable",
    lambda: archive(INPUT, {**INPUT, "inputs/flood.tif": b"other"}),
    given="archive",
)
case(
    "other_study.zip",
    "trust: the definition of another study",
    "input",
    lambda: archive(INPUT, study_id="other"),
    given="archive",
)
case(
    "study_name.zip",
    "files: a study whose name leads out",
    "unreadable",
    lambda: archive(INPUT, study_id="../../evil"),
    given="archive",
)
case(
    "archive_bomb.zip",
    "disk: 300 MB of zeros in an archive",
    "accepted",
    lambda: archive({**INPUT, "inputs/zeros": bytes(300 << 20)}),
    given="archive",
)
case(
    "manifest_bomb.zip",
    "memory: a manifest of 80 MB",
    "limit-zip-size",
    lambda: zipped({"renxing.json": b'{"format":1,"a":"' + b"x" * (80 << 20) + b'"}'}),
    given="archive",
)
case(
    "manifest_deep.zip",
    "stack: a manifest of 100 000 brackets",
    "unreadable",
    lambda: zipped({"renxing.json": b"[" * 100_000}),
    given="archive",
)
case("no_manifest.zip", "reader: an archive without its list", "unreadable", lambda: zipped(INPUT), given="archive")
case(
    "runs.zip",
    "reader: runs that are none",
    "unreadable",
    lambda: archive(INPUT, runs=[{"run_id": "../../x", "recipe": {}, "layers": {}}]),
    given="archive",
)
case(
    "not_zip.zip",
    "reader: JSON for an archive",
    "unreadable",
    lambda: json.dumps({"format": 1}).encode(),
    given="archive",
)
case("cut_archive.zip", "reader: half an archive", "unreadable", lambda: archive()[:2000], given="archive")
case("seed_in_it.zip", "reader: a table for an archive", "unreadable", seeds.shapefile_zip, given="archive")

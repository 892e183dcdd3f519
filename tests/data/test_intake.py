"""A layer's file looked at in a process of its own: what comes back, and that nothing it says is believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely

from data import intake
from data.study import Layer
from data.study.outline import Ground
from geo.errors import UnreadableError
from geo.reasons import Finding

GROUND = Ground("EPSG:32650", (118.78, 32.03, 118.84, 32.09))
SHELTERS = Layer(layer_id="s", kind="shelters", file="inputs/s.geojson")


def places(path: Path, *points: tuple[float, float]) -> Path:
    table = gpd.GeoDataFrame({"name": [f"n{i}" for i in range(len(points))]}, geometry=shapely.points(points), crs=4326)
    table.to_file(path, driver="GeoJSON", engine="pyogrio")
    return path


def test_where_a_layer_lies_and_what_was_mended(tmp_path: Path) -> None:
    looked = intake.look(SHELTERS, places(tmp_path / "s.geojson", (32.05, 118.8), (32.06, 118.82)), ground=GROUND)
    assert looked.bounds == pytest.approx((118.8, 32.05, 118.82, 32.06), abs=1e-3)
    swapped = next(note for note in looked.notes if note.code == "axes_swapped")
    assert isinstance(swapped, Finding) and (swapped.severity, swapped.count) == ("repaired", 2) and swapped.zh
    assert looked.conversions == ("x, y -> y, x",)


def test_a_table_that_lies_nowhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.geojson"
    path.write_text('{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":null}]}')
    with pytest.raises(UnreadableError, match="none"):
        intake.look(SHELTERS, path, ground=GROUND)


@pytest.mark.parametrize("said", [
    {}, {"bounds": [1, 2, 3]}, {"bounds": [1, 2, 3, "x"]}, {"bounds": ["nan"] * 4, "notes": [], "conversions": []},
    {"bounds": [1, 2, 3, 4], "notes": [5], "conversions": []}, {"bounds": [1, 2, 3, 4], "notes": 5, "conversions": []},
    {"bounds": [1, 2, 3, 4], "notes": [{"rows": ["x"]}], "conversions": []}, [], None, "x",
])  # fmt: skip
def test_nonsense_from_a_child_is_a_refusal(said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "guarded", lambda *_, **__: said)
    with pytest.raises(UnreadableError, match="nonsense"):
        intake.look(SHELTERS, Path("s.geojson"), ground=GROUND)


def test_strange_severities_and_long_texts_are_cut_down(monkeypatch: pytest.MonkeyPatch) -> None:
    note = {"code": "x", "en": "e" * 10_000, "severity": "catastrophe", "more": 1}
    said = {"bounds": [1, 2, 3, 4], "notes": [note] * 10_000, "conversions": []}
    monkeypatch.setattr(intake, "guarded", lambda *_, **__: said)
    looked = intake.look(SHELTERS, Path("s.geojson"), ground=GROUND)
    assert len(looked.notes) == intake.NOTES_MAX
    assert looked.notes[0].severity == "info" and len(looked.notes[0].en) == intake.TEXT_MAX

"""A study made, computed, checked, archived and computed again, in each kind of storage with the same results."""

from __future__ import annotations

import shutil
from pathlib import Path

from app.adding import Addition, add, derive, new_study
from app.archive import write_archive
from app.checking import checked
from app.export import Format, export
from app.replay import replay
from app.run import compute
from tests.app import drawn_town
from tests.store.kinds import Store


def test_a_plan_is_the_same_wherever_it_is_kept(store: Store, tmp_path: Path) -> None:
    made = store.open(tmp_path / "workspace")
    study = new_study(made, "town", drawn_town.extract(tmp_path), name="Town")
    flood = Addition("hazard", drawn_town.flood(tmp_path), hazard="flood", unit="m", scenario="flood")
    _, layer, _ = add(made, "town", flood)
    assert layer.file in {path.relative_to(study.folder).as_posix() for path in (study.folder / "inputs").iterdir()}
    derive(made, "town", "power_line", scenario="fire")
    if store.is_shared:
        shutil.rmtree(made.path)
    computed = compute(made, "town")
    assert [one.fresh for one in computed] == [True] * 3
    assert [one.fresh for one in compute(made, "town")] == [False] * 3
    assert checked(made.study("town")).report.verdict != "no"
    archive = write_archive(made.study("town"), [computed[1].run], tmp_path / "town.zip")
    elsewhere = Store("folders", "").open(tmp_path / "elsewhere")
    (again,) = replay(elsewhere, archive)
    assert again.same and again.run_now == computed[1].run.run_id
    written = export(computed[1].run, Format.parquet, tmp_path / "out")
    assert {path.suffix for path in written} >= {".parquet", ".tif"}

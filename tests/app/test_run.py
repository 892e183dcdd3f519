"""What names a run: every file that decides a result counts, and nothing else does."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import data
from app import program, run, told
from app.adding import Addition, add, new_study
from app.archive import write_archive
from app.replay import replay
from app.store import Workspace
from data import standards
from data.study import Scenario, StudyFile
from tests.app import drawn_town


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package ``data``, which the digests are taken of."""
    folder = tmp_path / "data"
    shutil.copytree(data.__path__[0], folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(data, "__path__", [str(folder)])
    monkeypatch.setattr(standards, "FOLDER", folder / "standards")
    return folder


SCENARIO = Scenario(scenario_id="flood", name="Flood", state="emergency", hazards=("h0",))
PROGRAM: Callable[[], str] = run._program_digest.__wrapped__


def standards_now() -> str:
    return program.digest(standards.FOLDER)


@pytest.mark.parametrize(("file", "digest"), [
    ("standards/levels.toml", standards_now), ("standards/class_tables/levels.toml", standards_now),
    ("headers.toml", PROGRAM), ("study/layers.py", PROGRAM),
])  # fmt: skip
def test_a_changed_rule_word_or_table_is_another_run(copied: Path, file: str, digest: Callable[[], str]) -> None:
    before = digest()
    assert digest() == before
    with (copied / file).open("a", encoding="utf-8") as stream:
        stream.write("\n# changed\n")
    assert digest() != before


def test_the_digests_are_those_of_the_files_not_of_where_they_lie(copied: Path, tmp_path: Path) -> None:
    before = PROGRAM(), standards_now()
    (copied / "__pycache__").mkdir()
    (copied / "__pycache__/left.pyc").write_bytes(b"made by python")
    assert (PROGRAM(), standards_now()) == before
    assert program.digest(copied) == program.digest(shutil.copytree(copied, tmp_path / "elsewhere" / "data"))


def test_standards_are_told_apart_from_the_program(copied: Path) -> None:
    before = PROGRAM()
    (copied / "standards/levels.toml").write_text("# changed", encoding="utf-8")
    assert PROGRAM() == before


# -- a hazard whose hours are known ------------------------------------------------------------------------------------


@pytest.fixture
def rising(tmp_path: Path) -> Workspace:
    """The drawn town: dry at hour 0, its west under water at hour 6; another event leaves all dry."""
    workspace = Workspace.open(tmp_path / "workspace")
    new_study(workspace, "town", drawn_town.extract(tmp_path), name="Town")
    for name, hours, years, columns in (("h0", 0, 100, 0), ("h6", 6, 100, 6), ("rare", 6, 500, 0)):
        values = np.zeros((8, 16))
        values[:, :columns] = 1.0
        file = drawn_town.raster(tmp_path / f"{name}.tif", values)
        said = Addition("hazard", file, hazard="flood", unit="m", hours=hours, return_period_y=years, name=name)
        add(workspace, "town", said)
    workspace.edit("town", lambda file: file.model_copy(update={"scenarios": [SCENARIO]}))
    return workspace


def named(workspace: Workspace) -> str:
    study = workspace.study("town")
    return run.recipe(study, study.file.scenarios[0], run.parameters(study, {})).run_id


@pytest.mark.parametrize("layer_id", ["rare", "h6"])
def test_every_hazard_names_a_run_whatever_its_scenario(rising: Workspace, layer_id: str) -> None:
    # Land is judged by all hazards the study knows, and a last departure by the other hours of the one in force.
    study, before = rising.study("town"), named(rising)
    path = study.folder / study.file.hazard_layers()[layer_id].file
    path.write_bytes(path.read_bytes() + b"changed")
    assert named(rising) != before


def test_an_answer_names_whoever_gave_the_other_hours_of_a_hazard(rising: Workspace) -> None:
    def credited(file: StudyFile) -> StudyFile:
        layers = [layer.model_copy(update={"attribution": f"by {layer.layer_id}"}) for layer in file.layers]
        return file.model_copy(update={"layers": layers})

    rising.edit("town", credited)
    said = told.credits(rising.study("town"), SCENARIO)
    assert said == [f"by {layer.layer_id}" for layer in rising.study("town").file.layers if layer.layer_id != "rare"]
    assert {"by h0", "by h6"} <= {*said} and len(said) == 3


def test_a_run_with_hours_is_archived_and_computed_again(rising: Workspace, tmp_path: Path) -> None:
    (one,) = run.compute(rising, "town")
    units = one.run.table("communities")
    assert units["leave_by_h"].between(-1, 6).all() and units["people_too_late_6h"].sum() > 0
    archive = write_archive(rising.study("town"), [one.run], tmp_path / "town.zip")
    (again,) = replay(Workspace.open(tmp_path / "elsewhere"), archive)
    assert again.same and again.run_now == one.run.run_id

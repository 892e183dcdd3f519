"""What jobs do beside runs: make a study, take a layer in, write a run for other programs."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.adding import add, new_study
from app.additions import as_form, as_said
from app.archive import write_archive
from app.editing import Match, require_place
from app.export import Format, export
from app.jobs.task import Task
from app.store import Run
from app.store.spool import Spool
from app.store.workspace import named_as
from data.study import StudyFile

ARCHIVE = "archive"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time that every file in a zip has, so that equal content is an equal zip."""


def create_study(task: Task) -> dict[str, Any]:
    """Make a study of the files that were sent."""
    asked = task.asked
    with _files(task, asked["osm"], asked["boundary"]) as (extract, boundary):
        made = new_study(
            task.workspace, asked["study"], extract, boundary=boundary, boundary_crs=asked["boundary_crs"],
            streets=asked["streets"], name=asked["name"], stage=task.stage,
        )  # fmt: skip
    return {"study_id": made.study_id, "href": f"/api/v1/studies/{made.study_id}"}


def add_layer(task: Task) -> dict[str, Any]:
    """Take a file into a study as a layer."""
    asked, study_id = task.asked, str(task.study_id)
    match = None if asked["revisions"] is None else Match(frozenset(asked["revisions"]))

    def require(file: StudyFile) -> None:
        require_place(file, asked["layer_id"], match)

    require(task.workspace.study(study_id).file)
    with _files(task, asked["file"]) as (path,), as_form():
        assert path is not None
        what = as_said(asked, path, replace=match is not None)
        _, layer, notes = add(task.workspace, study_id, what, stage=task.stage, require=require)
    said = [{"code": note.code, "en": note.en, "zh": note.zh} for note in notes]
    return {"study_id": study_id, "layer_id": layer.layer_id, "notes": said}


def write_export(task: Task) -> dict[str, Any]:
    """Write a whole run as one zip, kept in the spool."""
    run = task.workspace.run(task.asked["run_id"])
    form = task.asked["format"]
    name = f"{run.record.study_id}-{run.record.scenario_id}-{form}.zip"
    with task.stage(f"writing {form}"), tempfile.TemporaryDirectory(prefix="renxing-") as folder:
        kept = task.spool.made(lambda scratch: _zipped(task, run, form, scratch), Path(folder))
    return {"run_id": run.run_id, "format": form, "name": name, "sha256": kept.sha256, "bytes": kept.bytes}


def _zipped(task: Task, run: Run, form: str, scratch: Path) -> Path:
    if form == ARCHIVE:
        study = task.workspace.study(run.record.study_id)
        return write_archive(study, [run], scratch / "archive.zip")
    out = scratch / "run"
    out.mkdir()
    written = export(run, Format(form), out / "run.gpkg" if form == Format.gpkg else out)
    target = scratch / "run.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(written):
            about = zipfile.ZipInfo(str(path.relative_to(out)), EPOCH)
            about.compress_type = zipfile.ZIP_DEFLATED
            with path.open("rb") as source, archive.open(about, "w", force_zip64=True) as inside:
                while chunk := source.read(1 << 20):
                    inside.write(chunk)
            path.unlink()
    return target


@contextmanager
def _files(task: Task, *sent: Mapping[str, Any] | None) -> Iterator[tuple[Path | None, ...]]:
    """The files that were sent, under their own names, as long as the block lasts; faults name them as the sender."""
    with tempfile.TemporaryDirectory(prefix="renxing-") as folder:
        paths = [_placed(task.spool, file, Path(folder, str(at))) for at, file in enumerate(sent)]
        with named_as({str(path): path.name for path in paths if path is not None}):
            yield tuple(paths)


def _placed(spool: Spool, file: Mapping[str, Any] | None, folder: Path) -> Path | None:
    if file is None:
        return None
    folder.mkdir()
    path: Path = folder / str(file["name"])
    os.symlink(spool.path(file["sha256"]).absolute(), path)
    return path

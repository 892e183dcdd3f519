"""A study with its runs as one file that gives the same results elsewhere.

A zip holds ``renxing.json`` (what is in it, and the SHA-256 of every file and of every layer of the runs),
``study.toml`` and the inputs. Results are not in it: ``renxing replay`` computes them again and compares them byte for
byte. The same study and runs give the same archive.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from app.run import parameters, recipe
from app.store import Recipe, Run, Study, files, packed
from app.store.inputs import input_files
from app.store.workspace import DEFINITION
from geo.errors import ConflictError, Fault, InputError, NotFoundError, refuse

FORMAT = 1
"""Form of an archive."""
MANIFEST = "renxing.json"
SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
FROZEN = ConfigDict(frozen=True, extra="forbid")
OVERWRITE = "Choose another --out, or allow it with --overwrite."
CHANGED = {
    "program": "another version: the run was computed by another one", "standards": "other standards by now",
    "study": "another definition by now", "inputs": "other inputs by now", "scenario": "another scenario by now",
}  # fmt: skip
"""What a run's recipe must have in common with the study, and what is said where it does not."""


class ArchivedRun(BaseModel):
    """A run that the archive's inputs give."""

    model_config = FROZEN

    run_id: str = Field(pattern=r"^[0-9a-f]{16}$", description="Name of the run (hex code).")
    recipe: Recipe = Field(description="Everything that decided its result.")
    layers: dict[str, str] = Field(description="SHA-256 of each layer's file (hex code), by the layer's name.")


class Manifest(BaseModel):
    """What an archive holds."""

    model_config = FROZEN

    format: int = Field(default=FORMAT, description="Form of the archive (number).")
    study_id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", description="Id of the study (code).")
    files: dict[str, str] = Field(description="SHA-256 of each file (hex code), by its path in the study.")
    runs: list[ArchivedRun] = Field(description="The runs, by their names.")
    attribution: list[str] = Field(description="Whom to name when the data are shown (text).")


def write_archive(study: Study, runs: Sequence[Run], out: Path, *, overwrite: bool = False) -> Path:
    """Write a study and the recipes of its runs as one zip.

    Raises ConflictError when the file is there and ``overwrite`` is not set, InputError when a run is not what the
    study is now: the program, its inputs or study.toml were changed after it was computed.
    """
    if out.exists() and not overwrite:
        raise ConflictError(Fault("a new file", "one that is there", str(out), OVERWRITE))
    refuse(
        NotFoundError, [] if runs else [Fault("a run to archive", "none", study.study_id, "renxing run computes it.")]
    )
    refuse(InputError, [fault for run in runs for fault in _changes(study, run)])
    inside = {name: study.folder / name for name in _names(study)}
    manifest = Manifest(
        study_id=study.study_id,
        files={name: files.digest(path) for name, path in inside.items()},
        runs=[_archived(run) for run in sorted(runs, key=lambda run: run.run_id)],
        attribution=list(dict.fromkeys(said for run in runs for said in run.record.attribution)),
    )
    with files.storing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        with files.replacing(out) as handle, zipfile.ZipFile(handle, "w") as archive:
            archive.writestr(packed.entry(MANIFEST), orjson.dumps(manifest.model_dump(), option=SORTED))
            for name, path in inside.items():
                _put(archive, name, path)
    return out


def _names(study: Study) -> Iterator[str]:
    """The files of a study, by their paths in it."""
    yield DEFINITION
    yield from input_files(study.file, study.folder)


def _archived(run: Run) -> ArchivedRun:
    layers = {layer.layer: layer.sha256 for layer in run.record.layers}
    return ArchivedRun(run_id=run.run_id, recipe=run.record.recipe, layers=layers)


def _changes(study: Study, run: Run) -> Iterator[Fault]:
    """What differs between the study as it was for the run and as it is now."""
    then = run.record.recipe
    scenario = next((s for s in study.file.scenarios if s.scenario_id == run.record.scenario_id), None)
    if scenario is None:
        yield Fault(
            f"scenario {run.record.scenario_id} in study.toml", "none", f"run {run.run_id}", "Archive another run."
        )
        return
    now = recipe(study, scenario, parameters(study, {}))
    for part in CHANGED:
        if getattr(now, part) != getattr(then, part):
            cure = f"Compute it again: renxing run {study.study_id} --scenario {scenario.scenario_id}"
            yield Fault(f"the {part} as in run {run.run_id}", CHANGED[part], study.study_id, cure)


def _put(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    """A file as a part of the archive, read in pieces."""
    entry = packed.entry(name)
    entry.file_size = path.stat().st_size
    packed.put(archive, entry, packed.pieces(path))


def overrides(of: Study, then: Recipe) -> dict[str, Any]:
    """The parameters in which a run differs from the study's own, by dotted name."""
    now = parameters(of, {}).model_dump(mode="json")
    return {
        f"{part}.{name}": value
        for part, group in then.parameters.items() if isinstance(group, dict)
        for name, value in group.items() if now.get(part, {}).get(name, value) != value
    }  # fmt: skip

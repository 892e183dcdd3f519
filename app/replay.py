"""An archive computed again: whether it gives the same results here, byte for byte."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from app.archive import FORMAT, MANIFEST, ArchivedRun, Manifest, overrides
from app.faults import expected
from app.run import Stage, compute, parameters
from app.store import Study, Workspace, packed
from app.store.workspace import DEFINITION, named_as
from data.archives import BROKEN
from data.limits import Limit
from data.study import StudyFile
from data.study.opening import require_city
from geo.errors import Fault, FileMissingError, RenxingError, UnreadableError, refuse

AGAIN = "Copy the archive again, or make it anew with renxing export --format archive."
LISTED = Limit("zip-size", 64 << 20, "bytes of the list of what is in an archive", AGAIN)
FILES = Limit("zip-entries", 2000, "files in an archive", AGAIN)
UNPACKED = Limit("zip-size", 64 << 30, "bytes of all files in an archive", AGAIN)


@dataclass(frozen=True)
class Replayed:
    """A run computed again: its name then and now, and the layers that are not the same byte for byte."""

    scenario_id: str
    run_then: str
    run_now: str
    layers: int
    different: tuple[str, ...]
    why: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether every layer came out as before."""
        return not self.different


def replay(workspace: Workspace, archive: Path, *, stage: Stage = lambda _: nullcontext()) -> list[Replayed]:
    """Take the study of an archive into the workspace, compute its runs, and compare them with those archived.

    Its inputs are read in a process of their own first (``data.guarded``). Raises FileMissingError, UnreadableError (no
    archive, or one that was changed, or runs of scenarios that it does not have), LimitError, what the inputs' readers
    raise, and ConflictError when the workspace has a study of this name; then nothing is left behind.
    """
    with stage("opening the archive"):
        manifest = _manifest(archive)
        study = _taken_in(workspace, archive, manifest)
    return [_again(workspace, study, run, stage) for run in manifest.runs]


def _again(workspace: Workspace, study: Study, then: ArchivedRun, stage: Stage) -> Replayed:
    scenario = str(then.recipe.scenario.get("scenario_id"))
    changed = overrides(study, then.recipe)
    now = compute(workspace, study.study_id, scenarios=[scenario], overrides=changed, stage=stage)[0].run
    found = {layer.layer: layer.sha256 for layer in now.record.layers}
    different = sorted(name for name in then.layers.keys() | found.keys() if then.layers.get(name) != found.get(name))
    why = [
        part for part in ("program", "standards", "inputs", "scenario", "parameters")
        if getattr(then.recipe, part) != getattr(now.record.recipe, part)
    ]  # fmt: skip
    return Replayed(scenario, then.run_id, now.run_id, len(then.layers), tuple(different), tuple(why))


def _manifest(archive: Path) -> Manifest:
    """What the archive says it holds, and whether it does."""
    if not archive.is_file():
        raise FileMissingError(Fault("an archive of a study", "no such file", str(archive), "Check the path."))
    try:
        with zipfile.ZipFile(archive) as opened:
            _refuse_large(opened, archive)
            if MANIFEST not in opened.namelist():
                raise UnreadableError(Fault(f"an archive with {MANIFEST}", "a zip without it", str(archive), AGAIN))
            manifest = Manifest.model_validate_json(opened.read(MANIFEST))
            refuse(UnreadableError, [*_faults(manifest, opened, str(archive))])
            return manifest
    except RenxingError:
        raise
    except ValidationError as error:
        said = [f"{'.'.join(map(str, e['loc']))}: {expected(e)}" for e in error.errors()[:3]]
        raise UnreadableError(Fault(f"{MANIFEST} of an archive", "; ".join(said), str(archive), AGAIN)) from None
    except BROKEN as error:
        raise UnreadableError(Fault("an archive of a study", f"“{error}”", str(archive), AGAIN)) from error


def _refuse_large(opened: zipfile.ZipFile, archive: Path) -> None:
    entries = opened.infolist()
    listed = next((entry.file_size for entry in entries if entry.filename == MANIFEST), 0)
    FILES.require(len(entries), str(archive))
    UNPACKED.require(sum(entry.file_size for entry in entries), str(archive))
    LISTED.require(listed, str(archive))


def _faults(manifest: Manifest, opened: zipfile.ZipFile, where: str) -> Iterator[Fault]:
    """What does not fit: another form, files that are missing, unlisted or would leave the study's folder."""
    if manifest.format != FORMAT:
        yield Fault(f"an archive of form {FORMAT}", f"form {manifest.format}", where, "Use the version that wrote it.")
    inside, listed = sorted(opened.namelist()), sorted([MANIFEST, *manifest.files])
    if inside != listed:
        odd = sorted(set(inside) ^ set(listed))[:3] or ["a name more than once"]
        yield Fault("the files it lists, each once", f"others: {', '.join(odd)}"[:200], where, AGAIN)
    for name in manifest.files:
        if not (name == DEFINITION or _is_input(name)):
            yield Fault(f"{DEFINITION} and inputs/NAME", repr(name[:80]), where, AGAIN)


def _is_input(name: str) -> bool:
    """Whether this is a plain file of the folder of inputs."""
    path = PurePosixPath(name)
    return (
        path.parts[:1] == ("inputs",) and len(path.parts) == 2 and path.parts[1] not in (".", "..") and "\\" not in name
    )


def _taken_in(workspace: Workspace, archive: Path, manifest: Manifest) -> Study:
    def fill(folder: Path) -> None:
        with zipfile.ZipFile(archive) as opened:
            for name, sha256 in manifest.files.items():
                packed.take_out(opened, name, folder / name, sha256, where=str(archive), cure=AGAIN)
        with named_as({str(folder): str(archive)}):
            study = Study(folder, StudyFile.load(folder / DEFINITION))
            _require_computable(study, manifest.runs, str(archive))
            if manifest.runs:
                require_city(study.file, folder)

    return workspace.receive(manifest.study_id, fill)


def _require_computable(study: Study, runs: Sequence[ArchivedRun], where: str) -> None:
    """Refuse runs of a scenario that the archive's study does not have, and with numbers that no run may have."""
    known = [scenario.scenario_id for scenario in study.file.scenarios]
    strange = [str(name) for run in runs if (name := run.recipe.scenario.get("scenario_id")) not in known]
    expected = f"runs of scenarios of the study ({', '.join(known)})"
    refuse(UnreadableError, [Fault(expected, f"one of {name[:80]!r}", where, AGAIN) for name in strange])
    for run in runs:
        parameters(study, overrides(study, run.recipe))

"""The workspace: studies and their runs as folders a person can read, copy and put under version control.

::

    <workspace>/studies/<study_id>/study.toml        the whole definition
                                   inputs/           the files it names, never changed
                                   runs/<run_id>/    run.json and layers/, never changed
                                   latest.json       scenario -> the run computed last
                                   cache/            derived from inputs, may be deleted at any time

Nothing is ever half visible: see ``app.store.files``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import orjson

import app.store.files as files
from app.store.ids import is_id, is_run_id, known_id, made_id
from app.store.inputs import companions, take_in
from app.store.runs import RECORD, SORTED, Outcome, Recipe, Record, Run, read_run, write_run
from data.rasters import SRTM_ENDING
from data.study import Layer, StudyFile
from geo.errors import ConflictError, Fault, InputError, NotFoundError, RenxingError, StorageError

DEFINITION = "study.toml"
LATEST = "latest.json"
LOCK = ".lock"
MARK = ".cache-of"
"""Says of a workspace that it is the cache of a database (``app.store.shared``), and of which."""
DEFINITIONS = 256
"""Definitions that are kept in memory: one is read in milliseconds, but for every request."""
SETTLED_NS = 2 * 10**9
HERE = "the workspace"
"""Where a study or run is not: said to readers who need not know the folder."""
FOLDERS = ("inputs", "runs", "cache")
Change = Callable[[StudyFile], StudyFile]
Check = Callable[[StudyFile, Path], object]


@dataclass(frozen=True)
class Study:
    """A study in the workspace: its folder and its definition as it was when read."""

    folder: Path
    file: StudyFile

    def __repr__(self) -> str:
        return f"Study({self.study_id}: {len(self.file.layers)} layers, {len(self.file.scenarios)} scenarios)"

    @property
    def study_id(self) -> str:
        """The study's name in paths."""
        return self.folder.name

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what the definition says (hex)."""
        return hashlib.sha256(self.file.model_dump_json().encode()).hexdigest()

    @property
    def cache(self) -> Path:
        """Folder for what can be derived again from the inputs."""
        return self.folder / "cache"


class Workspace:
    """A folder of studies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = path / "studies"

    def __repr__(self) -> str:
        return f"Workspace({self.path})"

    @classmethod
    def open(cls, path: Path) -> Workspace:
        """The workspace at ``path``, swept of what dead processes left half built. One that is not there is empty.

        StorageError for a folder that is a database's cache: what were written there would be lost.
        """
        if (path / MARK).exists():
            cure = "Set RENXING_DATABASE to that database, or choose another --workspace."
            raise StorageError(Fault("a workspace of its own", "the cache of a database", str(path), cure))
        workspace = cls(path)
        with files.storing(path):
            files.sweep(workspace.root)
            for study_id in workspace.studies():
                for folder in ("", *FOLDERS):
                    files.sweep(workspace.root / study_id / folder)
        return workspace

    def studies(self) -> list[str]:
        """Ids of all studies, sorted."""
        with files.storing(self.path):
            try:
                there = list(self.root.iterdir())
            except FileNotFoundError:
                return []
        return sorted(p.name for p in there if is_id(p.name) and (p / DEFINITION).is_file())

    def readable(self) -> tuple[list[Study], dict[str, RenxingError]]:
        """Every study whose definition can be read, and for the others what is wrong."""
        found: list[Study] = []
        broken: dict[str, RenxingError] = {}
        for study_id in self.studies():
            try:
                found.append(self.study(study_id))
            except InputError as error:
                broken[study_id] = error
        return found, broken

    def hidden(self, text: str) -> str:
        """A message without the place of the workspace on this machine."""
        plain = text.replace(f"{self.root}/", "…/studies/")
        # A path such as "workspace" is a word as well: only what cannot be one is taken out wherever it stands.
        return plain.replace(str(self.path), "…") if self.path.is_absolute() else plain

    def study(self, study_id: str) -> Study:
        """One study; NotFoundError when there is none, InputError says what is wrong in its definition."""
        folder = self.root / known_id(study_id, what="study")
        if not (folder / DEFINITION).is_file():
            raise no_study(study_id)
        return Study(folder, _definition(folder / DEFINITION))

    def find(self, name: str) -> Study:
        """The study of this id, or the one made under this name; for who owns the workspace.

        NotFoundError names those there are and where the workspace is, InputError what is wrong in the definition.
        """
        study_id = name if is_id(name) else made_id(name, what="study")
        if study_id not in (there := self.studies()):
            named = ", ".join(there) or "none yet"
            raise NotFoundError(Fault(f"a study of this workspace ({named})", repr(study_id), str(self.path)))
        return self.study(study_id)

    def create(
        self, file: StudyFile, inputs: Mapping[str, Path], *, boundary: Path | None = None, check: Check | None = None
    ) -> Study:
        """Make a study whose layers are copied from ``inputs`` (layer id -> file). ConflictError when it is there.

        ``check`` is given the definition and the folder before anybody sees them; when it refuses, nothing is left.
        """
        folder = self.root / known_id(file.study_id, what="study")
        if self._taken(file.study_id):
            cure = "Choose another name, or add layers to the one there is."
            raise ConflictError(Fault("a new study", "one of that name", file.study_id, cure))
        with files.storing(folder):
            self.root.mkdir(parents=True, exist_ok=True)
        with files.storing(folder), files.building(folder) as fresh:
            for name in FOLDERS:
                (fresh / name).mkdir()
            file = _with_inputs(file, fresh, inputs, boundary)
            (fresh / DEFINITION).write_text(file.dump(), encoding="utf-8")
            if check:
                with named_as(_given(fresh, file, inputs, boundary)):
                    check(file, fresh)
            self._found(file, fresh)
        return self.study(file.study_id)

    def receive(self, study_id: str, fill: Callable[[Path], None]) -> Study:
        """Make a study whose folder ``fill`` fills (its definition and inputs). ConflictError when it is there.

        When ``fill`` or the definition is refused, nothing is left.
        """
        folder = self.root / known_id(study_id, what="study")
        if self._taken(study_id):
            cure = "Receive it in another --workspace."
            raise ConflictError(Fault("a study that is not there", "one of that name", study_id, cure))
        with files.storing(folder):
            self.root.mkdir(parents=True, exist_ok=True)
        with files.storing(folder), files.building(folder) as fresh:
            for name in FOLDERS:
                (fresh / name).mkdir()
            fill(fresh)
            file = StudyFile.load(fresh / DEFINITION)
            _refuse_other(file, study_id)
            self._found(file, fresh)
        return self.study(study_id)

    def add_layer(
        self, study_id: str, layer: Layer, source: Path, *, change: Change | None = None, replace: bool = False,
        require: Callable[[StudyFile], None] = lambda _: None,
    ) -> Study:  # fmt: skip
        """Copy ``source`` into the study as ``layer``; ``change`` may edit the definition in the same step.

        ``require`` may refuse the definition as it is when it is changed.

        Two processes that add at once both succeed. With ``replace`` a layer of this id gives it its place in the list
        and in the scenarios, and its file goes; ConflictError when the id is taken otherwise.
        """
        folder = self.study(study_id).folder
        gone: list[Path] = []

        def with_layer(file: StudyFile) -> StudyFile:
            require(file)
            old = _taken_place(file, layer, replace)
            others = file.model_copy(update={"layers": [there for there in file.layers if there is not old]})
            whole = _with_one(file, layer, old)
            changed = change(whole) if change else whole
            taken = _taken_in(folder, layer, source, beside=old)
            _refuse_again(others, taken)
            gone.extend(_left(others, folder, old, taken))
            return _with_one(changed.model_copy(update={"layers": file.layers}), taken, old)

        changed = self.edit(study_id, with_layer)
        with files.storing(folder):
            for path in gone:
                path.unlink(missing_ok=True)
        return changed

    def remove_layer(
        self, study_id: str, layer_id: str, *, require: Callable[[StudyFile], None] = lambda _: None
    ) -> Study:
        """Take a layer out of a study's definition and scenarios, then delete its files, unless another layer has them.

        NotFoundError names the layers there are. ``require`` may refuse the definition as it is when it is changed.
        """
        folder = self.study(study_id).folder
        gone: list[Path] = []

        def without(file: StudyFile) -> StudyFile:
            require(file)
            layer = next((there for there in file.layers if there.layer_id == layer_id), None)
            if layer is None:
                named = ", ".join(there.layer_id for there in file.layers) or "none"
                raise NotFoundError(Fault(f"a layer of the study ({named})", repr(layer_id[:80]), study_id))
            kept = [there for there in file.layers if there is not layer]
            if layer.file and layer.file not in {there.file for there in kept} | {file.boundary}:
                gone.extend((folder / layer.file, *companions(folder / layer.file)))
            scenarios = [
                s.model_copy(update={"hazards": tuple(h for h in s.hazards if h != layer_id)}) for s in file.scenarios
            ]
            return file.model_copy(update={"layers": kept, "scenarios": scenarios})

        changed = self.edit(study_id, without)
        with files.storing(folder):
            for path in gone:
                path.unlink(missing_ok=True)
        return changed

    def edit(self, study_id: str, change: Change) -> Study:
        """Change a study's definition: read, changed and written under a lock, so no edit is lost."""
        folder = self.study(study_id).folder
        with files.storing(folder), files.locked(folder / LOCK):
            changed = change(self.study(study_id).file)
            files.write(folder / DEFINITION, changed.dump().encode())
        return self.study(study_id)

    def delete(self, study_id: str, *, require: Callable[[StudyFile], None] = lambda _: None) -> None:
        """Delete a study and all its runs. ``require`` may refuse the definition as it is then."""
        folder = self.study(study_id).folder
        with files.storing(self.path), files.locked(folder / LOCK):
            require(self.study(study_id).file)
            files.remove(folder)

    def save(self, recipe: Recipe, outcome: Outcome) -> Run:
        """Keep a computed run. When it is there already, theirs stays: equal recipes are one run."""
        study = self.study(str(recipe.study["study_id"]))
        target = study.folder / "runs" / recipe.run_id
        with files.storing(target):
            target.parent.mkdir(exist_ok=True)
            try:
                with files.building(target) as fresh:
                    self._keep(write_run(fresh, recipe, outcome), fresh)
            except ConflictError:
                pass
        return self._run_of(study.study_id, recipe.run_id)

    def has_run(self, study_id: str, run_id: str) -> bool:
        """Whether a study has this run, finished."""
        return (self.root / study_id / "runs" / run_id / RECORD).is_file()

    def run_there(self, run_id: str) -> Run | None:
        """One run of any study; None while it is not there."""
        try:
            return self.run(run_id)
        except NotFoundError:
            return None

    def run(self, run_id: str) -> Run:
        """One run of any study."""
        if is_run_id(run_id):
            for study_id in self.studies():
                folder = self.root / study_id / "runs" / run_id
                if (folder / RECORD).is_file():
                    return read_run(folder)
        raise no_run(run_id)

    def runs(self, study_id: str) -> list[Run]:
        """Every finished run of a study, in the order of their names."""
        folder = self.study(study_id).folder / "runs"
        with files.storing(folder):
            there = sorted(p for p in folder.glob("*") if is_run_id(p.name) and (p / RECORD).is_file())
        return [read_run(path) for path in there]

    def mark_latest(self, run: Run) -> None:
        """Remember ``run`` as the one computed last for its scenario."""
        folder = self.study(run.record.study_id).folder
        with files.storing(folder), files.locked(folder / LOCK):
            latest = {**_read_latest(folder), run.record.scenario_id: run.run_id}
            files.write(folder / LATEST, orjson.dumps(latest, option=SORTED | orjson.OPT_INDENT_2))

    def latest(self, study_id: str) -> dict[str, Run]:
        """For each scenario the run computed last, in the order of the study's scenarios."""
        study = self.study(study_id)
        named = _read_latest(study.folder)
        wanted = [s.scenario_id for s in study.file.scenarios if s.scenario_id in named]
        folders = {scenario: study.folder / "runs" / named[scenario] for scenario in wanted}
        return {scenario: read_run(folder) for scenario, folder in folders.items() if (folder / RECORD).is_file()}

    # What a workspace whose truth is elsewhere does beside: see ``app.store.shared``.

    def _taken(self, study_id: str) -> bool:
        """Whether a new study cannot have this id."""
        return (self.root / study_id).exists()

    def _found(self, file: StudyFile, folder: Path) -> None:
        """A new study is whole in ``folder`` and will be seen next; to raise leaves nothing of it."""

    def _keep(self, record: Record, folder: Path) -> None:
        """A new run is whole in ``folder`` and will be seen next; ConflictError when it is there already."""

    def _run_of(self, study_id: str, run_id: str) -> Run:
        return read_run(self.root / study_id / "runs" / run_id)


def no_study(study_id: str) -> NotFoundError:
    """What is said of a study that is not there."""
    return NotFoundError(Fault("a study of this workspace", repr(study_id), HERE))


def no_run(run_id: str) -> NotFoundError:
    """What is said of a run that is not there."""
    cure = "Each study's runs are in its folder runs/, and at /api/v1/studies/STUDY/runs."
    return NotFoundError(Fault("a run of this workspace", repr(run_id[:80]), HERE, cure))


def _definition(path: Path) -> StudyFile:
    """A definition as its file has it now. One that was written just now is read again: the clock may not tell."""
    found = path.stat()
    read = _read.__wrapped__ if time.time_ns() - found.st_mtime_ns < SETTLED_NS else _read
    return read(path, found.st_ino, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=DEFINITIONS)
def _read(path: Path, *_: int) -> StudyFile:
    """The file's state is part of what it is known by, so an edit is seen at once."""
    return StudyFile.load(path)


def _refuse_other(file: StudyFile, study_id: str) -> None:
    if file.study_id != study_id:
        raise InputError(Fault(f"the definition of {study_id}", f"that of {file.study_id}", DEFINITION))


def _refuse_again(file: StudyFile, layer: Layer) -> None:
    """The same table twice would count its rows twice; a raster may be in force in several scenarios."""
    same = [there.layer_id for there in file.layers if (there.kind, there.sha256) == (layer.kind, layer.sha256)]
    if same and layer.kind != "hazard":
        cure = f"It is in the study already, as layer {same[0]}; to have it read anew: --name {same[0]} --replace"
        raise ConflictError(Fault("a file that is not in the study", "the same content", layer.layer_id, cure))


def _with_inputs(file: StudyFile, folder: Path, given: Mapping[str, Path], boundary: Path | None) -> StudyFile:
    layers = [_taken_in(folder, layer, given[layer.layer_id]) for layer in file.layers]
    update: dict[str, object] = {"layers": layers}
    if boundary is not None:
        update["boundary"] = take_in(boundary, folder, "boundary")[0]
    return file.model_copy(update=update)


def _taken_place(file: StudyFile, layer: Layer, replace: bool) -> Layer | None:
    """The layer whose place this one takes; ConflictError when it may not."""
    old = next((there for there in file.layers if there.layer_id == layer.layer_id), None)
    if old is not None and not replace:
        cure = "Choose another --name, or let it take that one's place with --replace."
        raise ConflictError(Fault("a new layer id", "one in use", layer.layer_id, cure))
    if old is not None and (old.kind, old.derived) != (layer.kind, layer.derived):
        found = "one made of the map" if old.derived else f"one of kind {old.kind}"
        raise ConflictError(Fault(f"a layer of kind {layer.kind}", found, layer.layer_id, "Choose another --name."))
    return old


def _with_one(file: StudyFile, layer: Layer, old: Layer | None) -> StudyFile:
    """The definition with a layer in the place of another, else behind all."""
    kept = [layer if there is old else there for there in file.layers]
    return file.model_copy(update={"layers": kept if old else [*kept, layer]})


def _left(others: StudyFile, folder: Path, old: Layer | None, new: Layer) -> list[Path]:
    """The files of a replaced layer that nothing else has."""
    if old is None or old.file in {new.file, others.boundary, *(there.file for there in others.layers)}:
        return []
    return [folder / old.file, *companions(folder / old.file)]


def _taken_in(folder: Path, layer: Layer, source: Path, *, beside: Layer | None = None) -> Layer:
    """The layer with its file copied in; never over that of the layer ``beside`` it, which is needed until the edit."""
    taken = beside is not None and Path(beside.file).name.split(".")[0] == layer.layer_id
    tile = source.suffix.lower() == SRTM_ENDING
    file, sha256 = take_in(source, folder, f"{layer.layer_id}_" if taken and not tile else layer.layer_id)
    return layer.model_copy(update={"file": file, "sha256": sha256})


def _given(folder: Path, file: StudyFile, given: Mapping[str, Path], boundary: Path | None) -> dict[str, str]:
    """Each copy in the folder, and the person's file that it is one of."""
    names = {str(folder / layer.file): str(given[layer.layer_id]) for layer in file.layers}
    if boundary is not None:
        names |= {str(folder / str(file.boundary)): str(boundary), str(file.boundary): str(boundary)}
    return names


@contextlib.contextmanager
def named_as(names: Mapping[str, str]) -> Iterator[None]:
    """Say of a fault where it is by what the person gave (the values), not by the copy of it (the keys)."""
    try:
        yield
    except RenxingError as error:
        raise error.retold(dataclasses.replace(f, where=_renamed(f.where, names)) for f in error.faults) from None


def _renamed(text: str, names: Mapping[str, str]) -> str:
    for name, given in names.items():
        text = text.replace(name, given)
    return text


def _read_latest(folder: Path) -> dict[str, str]:
    try:
        found = orjson.loads((folder / LATEST).read_bytes())
    except FileNotFoundError:
        return {}
    except orjson.JSONDecodeError as error:
        raise StorageError(Fault("JSON", str(error), str(folder / LATEST), "Delete the file.")) from error
    return {str(k): str(v) for k, v in found.items() if is_run_id(str(v))}

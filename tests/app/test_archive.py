"""A study as one file, computed again elsewhere: the same bytes, or a refusal that leaves nothing behind."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from app.adding import Addition, add, new_study
from app.archive import MANIFEST, write_archive
from app.replay import replay
from app.run import compute
from app.store import Workspace
from geo.errors import ConflictError, FileMissingError, InputError, NotFoundError, UnreadableError
from tests.app import drawn_town


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with the drawn town and its flood, computed."""
    folder = tmp_path_factory.mktemp("home")
    workspace = Workspace.open(folder / "工作区")
    new_study(workspace, "town", drawn_town.extract(folder), name="Town 韧性")
    add(workspace, "town", Addition("hazard", drawn_town.flood(folder), hazard="flood", unit="m", scenario="flood"))
    compute(workspace, "town")
    return workspace


@pytest.fixture(scope="module")
def archive(home: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = list(home.latest("town").values())
    return write_archive(home.study("town"), runs, tmp_path_factory.mktemp("out") / "town 存档.zip")


def test_another_workspace_gives_the_same_bytes(home: Workspace, archive: Path, tmp_path: Path) -> None:
    there = Workspace.open(tmp_path / "elsewhere")
    done = replay(there, archive)
    assert {(one.scenario_id, one.same, one.why) for one in done} == {("flood", True, ()), ("normal", True, ())}
    for name, run in home.latest("town").items():
        other = there.latest("town")[name]
        assert other.run_id == run.run_id
        for layer in run.record.layers:
            assert (run.folder / layer.file).read_bytes() == (other.folder / layer.file).read_bytes()


def test_the_same_study_gives_the_same_archive(home: Workspace, archive: Path, tmp_path: Path) -> None:
    again = write_archive(home.study("town"), list(home.latest("town").values())[::-1], tmp_path / "again.zip")
    assert again.read_bytes() == archive.read_bytes()


def test_a_run_with_other_numbers_is_replayed_with_them(home: Workspace, tmp_path: Path) -> None:
    run = compute(home, "town", scenarios=["flood"], overrides={"walk.max_minutes": 3})[0].run
    out = write_archive(home.study("town"), [run], tmp_path / "tried.zip")
    (done,) = replay(Workspace.open(tmp_path / "elsewhere"), out)
    assert done.same and done.run_now == run.run_id


def test_what_was_changed_since_is_not_archived(home: Workspace, tmp_path: Path) -> None:
    run = home.latest("town")["flood"]
    home.edit("town", lambda file: file.model_copy(update={"name": "Other"}))
    try:
        with pytest.raises(InputError, match="renxing run town --scenario flood"):
            write_archive(home.study("town"), [run], tmp_path / "late.zip")
    finally:
        home.edit("town", lambda file: file.model_copy(update={"name": "Town 韧性"}))
    with pytest.raises(NotFoundError):
        write_archive(home.study("town"), [], tmp_path / "none.zip")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(home: Workspace, archive: Path) -> None:
    with pytest.raises(ConflictError, match="--overwrite"):
        write_archive(home.study("town"), list(home.latest("town").values()), archive)
    with pytest.raises(ConflictError, match="--workspace"):
        replay(home, archive)


def rewritten(archive: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The archive with some of its parts changed."""
    with zipfile.ZipFile(archive) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    change(parts)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for name, content in parts.items():
            out.writestr(name, content)
    target.write_bytes(buffer.getvalue())
    return target


def listing(**changes: object) -> Callable[[dict[str, bytes]], None]:
    """A change of the list of what is in the archive."""

    def change(parts: dict[str, bytes]) -> None:
        parts[MANIFEST] = orjson.dumps(orjson.loads(parts[MANIFEST]) | changes)

    return change


def smuggle(parts: dict[str, bytes]) -> None:
    parts["inputs/../../evil"] = b"x"
    listed = orjson.loads(parts[MANIFEST])
    listed["files"]["inputs/../../evil"] = "0" * 64
    parts[MANIFEST] = orjson.dumps(listed)


def tampered(parts: dict[str, bytes]) -> None:
    name = next(name for name in parts if name.startswith("inputs/osm"))
    parts[name] = parts[name].replace(b"Main Street", b"Side Street")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (listing(study_id="../../etc"), "study_id"),
        (listing(format=99), "form 1"),
        (listing(runs=[{"run_id": "zz"}]), "runs.0"),
        (smuggle, "inputs/NAME"),
        (tampered, "as it was archived"),
        (lambda parts: parts.pop(MANIFEST), MANIFEST),
        (lambda parts: parts.update({"inputs/more.tif": b"x"}), "files it lists"),
        (lambda parts: parts.update({"study.toml": b"format = 1"}), "as it was archived"),
    ],
)
def test_what_is_no_whole_archive_is_refused(
    archive: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None], said: str
) -> None:
    bad = rewritten(archive, tmp_path / "bad.zip", change)
    there = Workspace.open(tmp_path / "elsewhere")
    with pytest.raises(UnreadableError, match=said):
        replay(there, bad)
    assert there.studies() == [] and not list(there.path.rglob("evil"))


def relisted(**contents: bytes) -> Callable[[dict[str, bytes]], None]:
    """Parts changed (named as they begin, ``__`` for a slash), and listed as they are now."""

    def change(parts: dict[str, bytes]) -> None:
        listed = orjson.loads(parts[MANIFEST])
        for start, content in contents.items():
            name = next(name for name in parts if name.startswith(start.replace("__", "/")))
            parts[name] = content
            listed["files"][name] = hashlib.sha256(content).hexdigest()
        parts[MANIFEST] = orjson.dumps(listed)

    return change


def of_another_scenario(parts: dict[str, bytes]) -> None:
    listed = orjson.loads(parts[MANIFEST])
    listed["runs"][0]["recipe"]["scenario"]["scenario_id"] = "tsunami"
    parts[MANIFEST] = orjson.dumps(listed)


def with_a_strange_number(parts: dict[str, bytes]) -> None:
    listed = orjson.loads(parts[MANIFEST])
    listed["runs"][0]["recipe"]["parameters"]["walk"]["max_minutes"] = -1
    parts[MANIFEST] = orjson.dumps(listed)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (relisted(inputs__osm=b"<osm version='0.6'><node"), "bad.zip/inputs/osm"),
        (of_another_scenario, "one of 'tsunami'"),
        (with_a_strange_number, "max_minutes"),
    ],
)
def test_what_cannot_be_computed_leaves_nothing_behind(
    archive: Path,
    tmp_path: Path,
    change: Callable[[dict[str, bytes]], None],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever is wrong is found before the study is there; its inputs are never read in this process."""
    monkeypatch.setattr("data.study.load", lambda *_: pytest.fail("read in this process"))
    there = Workspace.open(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=said):
        replay(there, rewritten(archive, tmp_path / "bad.zip", change))
    assert [path for path in there.path.rglob("*") if path != there.root] == []


def test_broken_files_are_refused(archive: Path, tmp_path: Path) -> None:
    there = Workspace.open(tmp_path / "elsewhere")
    for name, content in {"cut.zip": archive.read_bytes()[:-300], "text.zip": b"no zip", "empty.zip": b""}.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(UnreadableError):
            replay(there, path)
    with pytest.raises(FileMissingError):
        replay(there, tmp_path / "nowhere.zip")
    assert there.studies() == []

"""A study's definition changed by another system: only what that system has read, and only as a whole.

The definition has a revision, the hash of what it says. An edit names the revision that it was made from; when somebody
else was faster, it is refused and nothing is lost. Files come and go by jobs (``app.submitting``): an edit may change
everything of a layer but its file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError

from app.faults import expected
from app.run import parameters
from app.store import Study, Workspace
from app.store.workspace import DEFINITION
from data.study import Layer, StudyFile
from geo.errors import ConflictError, Fault, InputError, StaleError, refuse

ANY = "*"
"""A match with whatever is there."""
FIXED = ("format", "study_id", "crs", "boundary")
"""What an edit may not change: another place is another study."""
OF_FILE = ("kind", "file", "sha256", "derived")
"""What an edit may not change of a layer."""
QUOTED = re.compile(r'"([^"]*)"')


def revision(file: StudyFile) -> str:
    """What a definition says, as 24 hex digits; comments and order of keys do not count."""
    said = orjson.dumps(file.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(said).hexdigest()[:24]


@dataclass(frozen=True)
class Match:
    """The revisions that an edit was made from: the header If-Match."""

    revisions: frozenset[str]

    @classmethod
    def of(cls, header: str) -> Match:
        """The revisions a header names; weak marks never match."""
        if header.strip() == ANY:
            return cls(frozenset({ANY}))
        strong = [part for part in header.split(",") if not part.strip().startswith("W/")]
        names = [name for part in strong for name in QUOTED.findall(part)]
        return cls(frozenset(name.removesuffix("-gz") for name in names))

    def require(self, file: StudyFile) -> None:
        """StaleError when the definition is another one by now."""
        now = revision(file)
        if not self.revisions & {ANY, now}:
            cure = "Read it again, make the edit on what is there now, and send it with the new ETag."
            named = ", ".join(sorted(self.revisions)) or "none"
            raise StaleError(Fault(f"revision {named[:200]}", f"revision {now}", DEFINITION, cure))


def require_place(file: StudyFile, layer_id: str, match: Match | None) -> None:
    """That a layer may be taken in: it is new, or who sends it has read the definition as it is.

    ConflictError for one that is there without a ``match``, StaleError where it was made from another state.
    """
    if match is not None:
        match.require(file)
    elif any(layer.layer_id == layer_id for layer in file.layers):
        cure = "Send If-Match with the ETag of the study's definition to replace it."
        raise ConflictError(Fault("a new layer id", "one in use", layer_id, cure))


def patched(workspace: Workspace, study_id: str, patch: Mapping[str, Any], match: Match) -> Study:
    """The definition with some of its keys changed (a merge patch, RFC 7396: null takes a key away)."""

    def change(file: StudyFile) -> StudyFile:
        match.require(file)
        said = _merged(file.model_dump(mode="json", exclude_unset=True), patch)
        try:
            wanted = StudyFile.model_validate(said)
        except ValidationError as error:
            raise InputError(*(_fault(e) for e in error.errors()[:100])) from None
        # Written and read again: what the definition's own checks refuse is refused with what it would have said.
        update = {name: getattr(wanted, name) for name in StudyFile.model_fields if name in wanted.model_fields_set}
        gone = {name: _default(name) for name in file.model_fields_set - wanted.model_fields_set}
        return file.model_copy(update=update | gone)

    return _edited(workspace, study_id, change)


def replaced(workspace: Workspace, study_id: str, text: str, match: Match) -> Study:
    """The definition as this text (TOML) says it."""

    def change(file: StudyFile) -> StudyFile:
        match.require(file)
        return StudyFile.understood(text, DEFINITION)

    return _edited(workspace, study_id, change)


def _edited(workspace: Workspace, study_id: str, change: Callable[[StudyFile], StudyFile]) -> Study:
    folder = workspace.study(study_id).folder

    def checked(file: StudyFile) -> StudyFile:
        changed = StudyFile.understood(change(file).dump(), DEFINITION)
        refuse(InputError, _changed_for_good(file, changed))
        parameters(Study(folder, changed), {})
        return changed

    return workspace.edit(study_id, checked)


def without_layer(workspace: Workspace, study_id: str, layer_id: str, match: Match) -> Study:
    """The study without a layer."""
    return workspace.remove_layer(study_id, layer_id, require=match.require)


def _merged(there: Any, patch: Any) -> Any:
    """A merge patch put on a value."""
    if not isinstance(patch, Mapping):
        return patch
    kept = dict(there) if isinstance(there, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = _merged(kept.get(key), value)
    return kept


def _default(name: str) -> Any:
    return StudyFile.model_fields[name].get_default(call_default_factory=True)


def _fault(error: Mapping[str, Any]) -> Fault:
    return Fault(expected(error), repr(error.get("input"))[:200], ".".join(map(str, error["loc"])))


def _changed_for_good(old: StudyFile, new: StudyFile) -> list[Fault]:
    """What an edit must leave as it is."""
    faults = [
        Fault(f"{name} as it is, {getattr(old, name)!r}", repr(getattr(new, name))[:200], DEFINITION)
        for name in FIXED if getattr(old, name) != getattr(new, name)
    ]  # fmt: skip
    known = {layer.layer_id: layer for layer in old.layers}
    there = {layer.layer_id for layer in new.layers}
    cure = "Send a file with PUT …/layers/LAYER; take one away with DELETE …/layers/LAYER."
    faults += [Fault("every layer with a file", f"no layer {name}", DEFINITION, cure) for name, layer in known.items()
               if name not in there and layer.file]  # fmt: skip
    return faults + [fault for layer in new.layers for fault in _file_faults(known.get(layer.layer_id), layer, cure)]


def _file_faults(old: Layer | None, new: Layer, cure: str) -> list[Fault]:
    where = f"{DEFINITION}, layer {new.layer_id}"
    if old is None:
        return [] if new.derived else [Fault("a layer without a file (derived)", new.file[:200], where, cure)]
    names = [name for name in OF_FILE if getattr(old, name) != getattr(new, name)]
    return [Fault(f"{n} as it is, {getattr(old, n)!r}", repr(getattr(new, n))[:200], where, cure) for n in names]

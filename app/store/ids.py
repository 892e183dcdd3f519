"""Ids: what may name a folder in the workspace.

An id is lower-case ASCII, starts with a letter or digit and has at most 64 characters, so it can hold no path.
Titles in any script are kept beside the id; an id is made from them when a person gives no id.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from geo.errors import Fault, NotFoundError, ParameterError

ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
RUN_ID = re.compile(r"[0-9a-f]{16}")


def is_id(text: str) -> bool:
    """Whether ``text`` may name a study, a layer or a scenario."""
    return ID.fullmatch(text) is not None


def is_run_id(text: str) -> bool:
    """Whether ``text`` looks like a run's name: sixteen hexadecimal digits."""
    return RUN_ID.fullmatch(text) is not None


def known_id(text: str, *, what: str) -> str:
    """``text`` itself when it is an id; NotFoundError otherwise, since nothing can have such a name."""
    if not is_id(text):
        raise NotFoundError(Fault(f"a {what} id of a-z, 0-9, _ and -, at most 64 characters", repr(text[:80])))
    return text


def made_id(title: str, *, what: str) -> str:
    """An id for a title: the id itself, its ASCII letters joined by ``-``, or ``study-`` and eight hex of its SHA-256.

    ParameterError for an empty title and for one that looks like a path: nobody means a folder by a title.
    """
    if is_id(title):
        return title
    if not title.strip() or any(c in "/\\\0" or unicodedata.category(c) in ("Cc", "Cs") for c in title):
        raise ParameterError(Fault(f"a name for the {what} without slashes or control characters", repr(title[:80])))
    plain = "".join(c for c in unicodedata.normalize("NFKD", title) if not unicodedata.combining(c))
    letters_lost = not plain.isascii()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:64].rstrip("-")
    if slug and not letters_lost:
        return slug
    return f"{what}-{hashlib.sha256(title.encode()).hexdigest()[:8]}"

"""Addresses of this service, as its readers see them: the one place that knows of the root path and the host.

Whatever names a path of the service outside (a page, JSON, a header) takes it from here::

    here().path("/studies/kampen")        for links in pages, JSON and Location
    here().data("/tiles/…", study_id)     for data that a sandboxed page reads (it has no cookie: a ticket comes along)
    here().absolute("/tiles/…")           where a format wants a whole address (TileJSON, OGC)

An answer made with an address that only the request told of is never kept by shared caches: ``app.access.edge``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Links:
    """How addresses begin in one request.

    ``root`` is the path under which a proxy shows the service (empty: none), ``origin`` is ``scheme://host``, empty
    where it is not known: then absolute addresses begin at the root too. ``told`` says which of them only the request
    tells (``root``, ``origin``); ``used`` notes that one of these was made use of.
    """

    root: str = ""
    origin: str = ""
    told: frozenset[str] = frozenset()
    ticket: Callable[[str], str] | None = None
    used: set[str] = field(default_factory=set)

    def path(self, path: str) -> str:
        """An address on this host for a path that begins with a slash."""
        if "root" in self.told:
            self.used.add("root")
        return f"{self.root}{path}"

    def absolute(self, path: str) -> str:
        """A whole address for a path."""
        if "origin" in self.told:
            self.used.add("origin")
        return f"{self.origin}{self.path(path)}"

    def data(self, path: str, study_id: str) -> str:
        """An address from which a page without cookies can read data of a study."""
        ticket = self.ticket(study_id) if self.ticket else ""
        joint = "&" if "?" in path else "?"
        return f"{self.path(path)}{joint}ticket={ticket}" if ticket else self.path(path)


now: ContextVar[Links | None] = ContextVar("links", default=None)


def here() -> Links:
    """The addresses of the request that is answered; outside one they begin with a slash and name no host."""
    return now.get() or Links()

"""Who may do what: keys with scopes, how often, and who changed what."""

from __future__ import annotations

from app.access import audit
from app.access.needs import needs
from app.access.scopes import Caller, Scope

__all__ = ["Caller", "Scope", "audit", "needs"]

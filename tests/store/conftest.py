"""The kinds of storage, as fixtures."""

from __future__ import annotations

from tests.app.conftest import renxing as renxing
from tests.store.children import forked as forked
from tests.store.kinds import registered as registered
from tests.store.kinds import shared as shared
from tests.store.kinds import store as store

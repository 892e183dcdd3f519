"""Loaded by the process that children are forked from: every reader a foreign file may need."""

from __future__ import annotations

import data.study.city  # noqa: F401  loaded for the children that are forked from here

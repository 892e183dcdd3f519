"""Loaded by the process that children are forked from: every reader, and GDAL without the drivers nobody needs."""

from __future__ import annotations

import data.intake
import data.study.city  # noqa: F401  the readers are loaded before the drivers are taken away
from data.confinement import only_drivers

FORGOTTEN = only_drivers()
"""How many GDAL drivers were taken away."""

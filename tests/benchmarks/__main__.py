"""``python -m tests.benchmarks``: run the cases and print the table."""

from __future__ import annotations

import sys

from tests.benchmarks.bench import main

sys.exit(main())

"""What went wrong with a job, as it is kept and told: the same parts as a problem document of the service."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Any

from app.errors import problem
from geo.errors import RenxingError, StorageError

log = logging.getLogger("renxing.jobs")


def problem_of(error: Exception, *, hidden: Callable[[str], str] = str) -> dict[str, Any]:
    """``code``, ``title`` and ``detail`` in both languages, ``faults``, ``exit``; ``hidden`` takes our places out.

    What is wrong on our side goes to the log under a mark, and only the mark is told.
    """
    told = problem(error, hidden=hidden)
    if not isinstance(error, RenxingError) or isinstance(error, StorageError):
        mark = secrets.token_hex(4)
        log.error("%s %s", told["code"], mark, exc_info=error)
        told |= {"detail": f"The worker's log has the details under {mark}. Please report them.",
                 "detail_zh": f"详情见工作进程日志，标记 {mark}。请反馈。", "faults": []}  # fmt: skip
    return told

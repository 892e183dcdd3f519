"""How each error is answered: one table for HTTP status, exit code and title."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, NamedTuple

from app.legible import PART_MAX, SAID_MAX, legible
from app.texts.phrases import told_in_chinese
from geo import errors


class Answer(NamedTuple):
    """What an error means outside: HTTP status, exit code of the command line, title in English and Chinese."""

    status: int
    exit_code: int
    title_en: str
    title_zh: str


TABLE: dict[type[errors.RenxingError], Answer] = {
    errors.RenxingError: Answer(500, 4, "Something went wrong", "出现错误"),
    errors.InputError: Answer(422, 1, "The input does not fit", "输入不符合要求"),
    errors.FileMissingError: Answer(422, 1, "A file is not there", "文件不存在"),
    errors.UnreadableError: Answer(422, 1, "A file cannot be read", "文件无法读取"),
    errors.CrsError: Answer(422, 1, "The coordinate system does not fit", "坐标系不符合要求"),
    errors.NoOverlapError: Answer(422, 1, "A layer lies outside the study", "图层不在研究范围内"),
    errors.ColumnError: Answer(422, 1, "A table does not fit", "数据表不符合要求"),
    errors.ParameterError: Answer(422, 1, "A parameter does not fit", "参数不符合要求"),
    errors.QueryError: Answer(400, 1, "The query does not fit", "查询不符合要求"),
    errors.NotFoundError: Answer(404, 1, "Not found", "未找到"),
    errors.ConflictError: Answer(409, 1, "It is there already", "已经存在"),
    errors.StaleError: Answer(412, 1, "Somebody else changed it", "已被他人修改"),
    errors.ReusedKeyError: Answer(422, 1, "The key stands for another request", "该键已用于另一请求"),
    errors.StateError: Answer(409, 1, "The job is not in a state for that", "任务状态不允许此操作"),
    errors.AccessError: Answer(403, 1, "That is not allowed with this key", "此密钥无权进行该操作"),
    errors.UnknownCallerError: Answer(401, 1, "A key is needed", "需要密钥"),
    errors.RateError: Answer(429, 1, "Too many requests", "请求过于频繁"),
    errors.StorageError: Answer(503, 1, "The workspace cannot be used", "工作区无法使用"),
    errors.LimitError: Answer(413, 1, "Larger than a limit", "超出限制"),
    errors.LostError: Answer(500, 4, "The work was broken off each time", "任务屡次中断"),
    errors.BusyError: Answer(429, 1, "Too much is under way", "正在处理的任务过多"),
    errors.InfeasibleError: Answer(422, 3, "There is no answer under these constraints", "在此约束下无解"),
}
"""Each error class of ``geo.errors``; a class without its own row is a defect that a test finds."""


def answer(error: BaseException) -> Answer:
    """The row for an error: its own class's; 500 and exit code 4 for what is not ours."""
    return TABLE.get(type(error), TABLE[errors.RenxingError])  # type: ignore[arg-type]


def problem(error: BaseException, *, hidden: Callable[[str], str] = str) -> dict[str, Any]:
    """An error in words for who asked: ``code``, ``title`` and ``detail`` (each with ``_zh``), ``faults``, ``exit``.

    ``hidden`` takes out what is not for the reader, such as places on this machine. ``code`` of an error that is not
    ours is ``internal``.
    """
    row = answer(error)
    faults = error.faults if isinstance(error, errors.RenxingError) else ()
    chinese = "\n".join(map(told_in_chinese, faults)) or str(error)
    return {
        "code": error.code if isinstance(error, errors.RenxingError) else "internal",
        "title": row.title_en, "title_zh": row.title_zh, "exit": row.exit_code,
        "detail": legible(hidden(str(error)), SAID_MAX), "detail_zh": legible(hidden(chinese), SAID_MAX),
        "faults": [{part: legible(hidden(text), PART_MAX) for part, text in asdict(f).items()} for f in faults],
    }  # fmt: skip

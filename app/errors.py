"""How each error is answered: one table for HTTP status, exit code and title."""

from __future__ import annotations

from typing import NamedTuple

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
    errors.NotFoundError: Answer(404, 1, "Not found", "未找到"),
    errors.ConflictError: Answer(409, 1, "It is there already", "已经存在"),
    errors.StorageError: Answer(503, 1, "The workspace cannot be used", "工作区无法使用"),
    errors.LimitError: Answer(413, 1, "Larger than a limit", "超出限制"),
    errors.InfeasibleError: Answer(422, 3, "There is no answer under these constraints", "在此约束下无解"),
}
"""Each error class of ``geo.errors``; a class without its own row is a defect that a test finds."""


def answer(error: BaseException) -> Answer:
    """The row for an error: its own class's; 500 and exit code 4 for what is not ours."""
    return TABLE.get(type(error), TABLE[errors.RenxingError])  # type: ignore[arg-type]

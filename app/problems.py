"""Errors as RFC 9457 problem documents, in English or Chinese, each with a code that stays the same."""

from __future__ import annotations

import dataclasses
import logging
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access import described
from app.access.rates import told_beside
from app.bodies import BodyTooLong
from app.errors import TABLE, Answer, answer
from app.faults import expected
from app.legible import PART_MAX, SAID_MAX, legible
from app.logs import request_id
from app.observed import template
from app.schemas import FaultModel, Problem
from app.texts.phrases import told_in_chinese
from geo.errors import Fault, ParameterError, RenxingError

log = logging.getLogger("renxing")
MEDIA_TYPE = "application/problem+json"
CURE = "/docs lists what each path takes."
FAULTS_MAX = 100
"""So many faults of what was sent are told."""
INTERNAL = Answer(500, 4, "An error inside Renxing", "程序内部错误")
NOT_READY = Answer(503, 1, "The service is not ready", "服务尚未就绪")
HTTP_TITLES_ZH = {
    400: "请求有误", 404: "未找到", 405: "不支持的方法", 406: "不支持的格式", 414: "地址过长", 421: "主机名有误",
    428: "缺少前提条件", 431: "请求头过大",
}  # fmt: skip


def wants_chinese(request: Request) -> bool:
    """Whether the reader's first language is Chinese (Accept-Language)."""
    return request.headers.get("accept-language", "").strip().lower().startswith("zh")


def _respond(
    request: Request, row: Answer, code: str, detail: str, faults: tuple[Fault, ...] = (), allow: str | None = None
) -> JSONResponse:
    body = Problem(
        title=row.title_zh if wants_chinese(request) else row.title_en,
        status=row.status,
        detail=legible(detail, SAID_MAX),
        instance=request.url.path,
        code=code,
        faults=[FaultModel(**{part: legible(text, PART_MAX) for part, text in asdict(f).items()}) for f in faults],
    )
    return JSONResponse(body.model_dump(), row.status, {"Allow": allow} if allow else None, MEDIA_TYPE)


def _kept_inside(request: Request, row: Answer, code: str, error: Exception) -> JSONResponse:
    """What is wrong on our side is logged under a mark; the reader gets the mark, not our paths."""
    mark = request_id.get() or secrets.token_hex(8)
    log.error("%s %s at %s", code, mark, template(request.scope), exc_info=error, extra={"request_id": mark})
    return _respond(request, row, code, f"The server's log has the details under {mark}. Please report them.")


async def ours(request: Request, error: Exception) -> JSONResponse:
    """The answer to an error of ``geo.errors``."""
    assert isinstance(error, RenxingError)
    row = answer(error)
    if row.status >= 500:
        return _kept_inside(request, row, error.code, error)
    faults = tuple(dataclasses.replace(f, where=_inside(request, f.where)) for f in error.faults)
    chinese = wants_chinese(request) and faults
    said = "\n".join(map(told_in_chinese, faults)) if chinese else _inside(request, str(error))
    refusal = _respond(request, row, error.code, said, faults)
    refusal.headers.update(told_beside(error))
    return refusal


async def refused(request: Request, error: Exception) -> Response:
    """The answer to an error of ours or of the framework, for what stands before the routes."""
    return await (_http if isinstance(error, HTTPException) else ours)(request, error)


def _inside(request: Request, text: str) -> str:
    """A message without the place of the workspace on this machine, where there is one."""
    held = getattr(request.app.state, "service", None)
    return str(held.workspace.hidden(text)) if held else text


async def _too_long(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, BodyTooLong)
    return await ours(request, error.limit)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    row = Answer(error.status_code, 1, phrase, HTTP_TITLES_ZH.get(error.status_code, phrase))
    allow = (error.headers or {}).get("Allow")
    return _respond(request, row, phrase.lower().replace(" ", "-"), str(error.detail), allow=allow)


async def _validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = tuple(
        Fault(expected(e), repr(e.get("input"))[:200], ".".join(map(str, e["loc"])), CURE)
        for e in error.errors()[:FAULTS_MAX]
    )
    detail = "\n".join(map(str, faults))
    return _respond(request, TABLE[ParameterError], ParameterError.code, detail, faults)


class Caught:
    """Answers what nobody foresaw, so that this answer too has its headers, its id and its line in the log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; an error after the answer has begun breaks it off."""
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception as error:
            if scope["type"] != "http" or begun or isinstance(error, BodyTooLong):
                raise
            await (await _internal(Request(scope), error))(scope, receive, send)


async def _internal(request: Request, error: Exception) -> JSONResponse:
    return _kept_inside(request, INTERNAL, "internal", error)


def not_ready(request: Request, wrong: Mapping[str, str]) -> JSONResponse:
    """503: each part of the service that is not as it should be, and how it is."""
    faults = tuple(Fault("ready", said, part) for part, said in wrong.items())
    return _respond(request, NOT_READY, "not-ready", "\n".join(map(str, faults)), faults)


def describe(app: FastAPI) -> None:
    """Say in the OpenAPI description that every refusal is a problem document."""
    plain = app.openapi

    def with_problems() -> dict[str, Any]:
        if app.openapi_schema is None:
            _add_problems(plain())
            described.describe(plain(), app.state.access.mode)
        return plain()

    app.openapi = with_problems  # type: ignore[method-assign]


def _add_problems(description: dict[str, Any]) -> None:
    models = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = description["components"]["schemas"]
    schemas |= {**models.pop("$defs"), "Problem": models}
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    refusal = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for item in description["paths"].values():
        for operation in item.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = {"description": "A refusal.", "content": {MEDIA_TYPE: refusal}}


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` with a problem document."""
    app.add_exception_handler(RenxingError, ours)
    app.add_exception_handler(BodyTooLong, _too_long)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(Exception, _internal)

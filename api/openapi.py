"""The OpenAPI document, completed: problem answers on every route, multipart bodies, one schema of a problem."""

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api.problems import MEDIA_TYPE, TITLES
from sealing.order import Order

DESCRIPTION: Final = (
    "分级授权、有据可查的电子“2号章”服务。错误一律为 RFC 9457 problem 文档，含稳定的 code 与中英文说明。\n\n"
    "Scoped electronic No. 2 seals for delegated approvals. Errors are RFC 9457 problem documents with a stable `code` "
    "and a sentence in Chinese (`zh`) and English (`en`). Times are RFC 3339 in UTC, digests `sha256:<hex>`."
)
_REF: Final = "#/components/schemas/{model}"
_METHODS: Final = {"get", "post", "put", "delete", "patch"}


class Sentence(BaseModel):
    """One rule that was judged."""

    code: str
    passed: bool
    zh: str
    en: str
    source: str


class FieldError(BaseModel):
    """One part of the request that is not acceptable."""

    field: str
    found: str
    expected_zh: str
    expected_en: str


class ProblemDocument(BaseModel):
    """RFC 9457, with our code and both languages."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    zh: str
    en: str
    findings: list[Sentence] | None = None
    errors: list[FieldError] | None = None


EXAMPLES: Final[dict[int, tuple[str, str, str]]] = {
    400: (
        "request-invalid",
        "请求有 1 处不合格：body.reason",
        "1 parts of the request are not acceptable: body.reason",
    ),
    401: ("token-expired", "访问令牌已过期，请重新领取", "the access token has expired"),
    403: ("role-required", "需要角色 operator 之一", "one of the roles operator is required"),
    404: ("impression-unknown", "没有用章记录 imp-…", "no impression imp-…"),
    409: (
        "in-progress",
        "申请正在办理，请稍后以同一幂等键重试",
        "it is being worked on; retry with the same idempotency key",
    ),
    413: ("document-too-large", "文件超过 100000000 字节", "the document is longer than 100000000 bytes"),
    422: ("refused", "未盖章，1 条规则未通过：item_listed", "not sealed, 1 rule failed: item_listed"),
    503: ("overloaded", "排队的用章申请已达 32 件", "32 seal uses wait already"),
}


ORDER: Final[dict[str, Any]] = {
    "organ": "11360000DEM000002H",
    "applicant": "per-aaaaaaaaaaaaaaaaaaaaaaaaaa",
    "seal": "sea-aaaaaaaaaaaaaaaaaaaaaaaaaa",
    "item": {"list": "001-2", "number": 30},
    "case_number": "办件-2026-0001",
    "document_kind": "licence",
    "copy": "original",
    "basis": "new",
    "document_number": "兴审批〔2026〕17号",
    "licence_number": "容示例00001",
    "facts": {},
    "placement": {"kind": "date_line"},
}
"""An order as a caller writes it; codes and ids are invented."""


def multipart(file: str, **fields: dict[str, Any]) -> dict[str, Any]:
    """The description of a multipart body with one file and these fields, for ``openapi_extra``.

    A field whose schema has ``"default"`` set to None may be left out.
    """
    optional = {name for name, schema in fields.items() if "default" in schema}
    schema = {
        "type": "object",
        "required": [file, *(name for name in fields if name not in optional)],
        "properties": {file: {"type": "string", "format": "binary"}, **fields},
    }
    encoding = {name: {"contentType": "application/json"} for name, schema in fields.items() if "$ref" in schema}
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema, "encoding": encoding}}}
    }


def reference(model: type[BaseModel]) -> dict[str, str]:
    """A reference to the schema of ``model``; :func:`complete` adds the schema itself."""
    return {"$ref": _REF.format(model=model.__name__)}


def complete(app: FastAPI) -> None:
    """Let ``app.openapi()`` give the completed document, made once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            _add_schemas(made)
            for operation in _operations(made):
                _add_problems(operation)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # the framework's documented way


def _add_schemas(document: dict[str, Any]) -> None:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in (ProblemDocument, Order):
        schema = model.model_json_schema(ref_template=_REF)
        schemas.update(schema.pop("$defs", {}))
        if model is Order:
            schema["examples"] = [ORDER]
        schemas[model.__name__] = schema
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from (operation for method, operation in path.items() if method in _METHODS)


def _add_problems(operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    if "HTTPValidationError" in str(answers.get("422")):
        del answers["422"]
    statuses = [400, 413, 503, *([401, 403] if operation.get("security") else [])]
    if operation.get("parameters"):
        statuses.append(404)
    if operation.get("requestBody"):
        statuses += [409, 422]
    for status in sorted(statuses):
        answers.setdefault(str(status), _answer(status))
    answers["default"] = {"description": "RFC 9457", "content": {MEDIA_TYPE: {"schema": reference(ProblemDocument)}}}


def _answer(status: int) -> dict[str, Any]:
    code, zh, en = EXAMPLES[status]
    example = {
        "type": f"urn:yinxin:problem:{code}",
        "title": TITLES[status],
        "status": status,
        "detail": f"{zh} / {en}",
        "instance": "urn:yinxin:request:req-0123456789abcdef",
        "code": code,
        "zh": zh,
        "en": en,
    }
    content = {MEDIA_TYPE: {"schema": reference(ProblemDocument), "example": example}}
    return {"description": TITLES[status], "content": content}

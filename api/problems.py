"""The one table that turns errors into problem documents (RFC 9457), and the only place that knows status codes.

An error that is not in the table says nothing outside and everything in the log.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from accounts import errors as accounts
from api import errors as edge
from authority import errors as authority
from keystore import interface as keystore
from ledger import errors as ledger
from registry import errors as registry
from registry.record import sentences
from registry.sheets import SheetRefusedError
from sandbox import errors as sandbox
from sealing import errors as sealing
from signer import errors as signer
from verify.receipt import ReceiptError

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:yinxin:problem:"
INSTANCE = "urn:yinxin:request:"
SOON = 2
"""Seconds after which a caller may try again where nothing better is known."""
_LONGEST_FOUND = 120

TABLE: Final[Mapping[type[Exception], int]] = {
    # the edge itself
    edge.RequestError: 400,
    edge.AuthenticationError: 401,
    edge.ForbiddenError: 403,
    edge.NotAcceptableError: 406,
    edge.TooLargeError: 413,
    edge.MediaTypeError: 415,
    edge.RefusedError: 422,
    edge.RateLimitedError: 429,
    edge.OverloadedError: 503,
    # accounts
    accounts.ChoiceError: 422,
    accounts.EnrolmentError: 422,
    accounts.PasskeyError: 422,
    accounts.StateError: 409,
    accounts.SecretError: 500,
    # sealing
    sealing.OrderError: 422,
    sealing.NotAllowedError: 403,
    sealing.UnknownError: 404,
    sealing.ConflictError: 409,
    sealing.InProgressError: 409,
    sealing.AbandonedError: 409,
    sealing.UnavailableError: 503,
    sealing.NotWitnessedError: 503,
    sealing.StorageError: 500,
    sealing.InstallationError: 500,
    sealing.ClockNotTrustedError: 503,
    # registry
    registry.NotFoundError: 404,
    registry.ConflictError: 409,
    registry.TransitionError: 409,
    registry.RowTamperedError: 500,
    registry.RegistryError: 422,  # what the caller wrote breaks a rule of its kind
    # the document and the seal on it
    signer.DocumentRejectedError: 422,
    signer.PlacementError: 422,
    signer.SignerError: 500,  # glyphs, reserve, signature: an operator must act
    sandbox.WorkerFailedError: 422,  # carries the code of what the worker refused
    sandbox.WorkerCrashedError: 422,
    sandbox.WorkerTimeoutError: 422,
    sandbox.WorkerOverloadedError: 503,
    # the record
    ledger.NotCanonicalError: 422,
    ledger.EntryNotFoundError: 404,
    ledger.ClockBehindError: 503,
    ledger.DatabaseBusyError: 503,
    ledger.DatabaseUnavailableError: 503,
    ledger.DatabaseFullError: 507,
    ledger.LedgerError: 500,
    # keys and certificates
    keystore.PermitError: 500,
    keystore.GroundsError: 500,  # this service asked for what it has no grounds for: an operator must look
    keystore.KeystoreError: 503,
    authority.ProfileError: 422,
    authority.BindingError: 422,
    authority.OutsideCertificateError: 422,
    authority.AuthorityError: 500,
    # verification
    ReceiptError: 400,
}
"""From the class of an error, or the nearest class above it, to the status. The code is the error's own."""

_BY_CODE: Final[Mapping[str, int]] = {"disk-full": 507, "sheet-too-large": 413}
"""Codes whose status is not that of their class."""

_RETRY_LATER: Final = (
    edge.OverloadedError,
    sandbox.WorkerOverloadedError,
    sealing.AbandonedError,
    sealing.UnavailableError,
    sealing.NotWitnessedError,
    ledger.DatabaseBusyError,
    ledger.DatabaseUnavailableError,
    ledger.ClockBehindError,
    keystore.KeystoreError,
)

_NOT_AGAIN: Final = (keystore.PermitError, keystore.GroundsError)

TITLES: Final[Mapping[int, str]] = {
    400: "请求格式有误 Malformed request",
    401: "身份未证明 Not authenticated",
    403: "无权办理 Not allowed",
    404: "不存在 Not found",
    405: "方法不适用 Method not allowed",
    406: "无法提供所要求的格式 Not acceptable",
    409: "与现状冲突 Conflict",
    413: "内容过大 Too large",
    415: "媒体类型不适用 Unsupported media type",
    422: "不予办理 Refused",
    429: "请求过于频繁 Too many requests",
    500: "系统内部错误 Internal error",
    503: "暂时无法办理 Temporarily unavailable",
    507: "存储空间不足 Insufficient storage",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem document, ready to be sent."""

    status: int
    code: str
    zh: str
    en: str
    findings: Sequence[Mapping[str, Any]] = ()
    errors: Sequence[Mapping[str, Any]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self, request: str) -> dict[str, Any]:
        """The JSON members; ``request`` is the id of the request."""
        document: dict[str, Any] = {
            "type": TYPE + self.code,
            "title": TITLES[self.status],
            "status": self.status,
            "detail": f"{self.zh} / {self.en}",
            "instance": INSTANCE + request,
            "code": self.code,
            "zh": self.zh,
            "en": self.en,
        }
        if self.findings:
            document["findings"] = list(self.findings)
        if self.errors:
            document["errors"] = list(self.errors)
        return document


def problem(error: Exception) -> Problem:
    """The problem document of any error; of one that is not in the table, ``internal`` and no more."""
    if isinstance(error, RequestValidationError | ValidationError):
        return _invalid(error.errors())
    if isinstance(error, HTTPException):
        return _from_framework(error)
    status = status_of(error)
    if status is None:
        return Problem(
            status=500,
            code="internal",
            zh="系统内部错误，请向运维提供请求编号",
            en="the service failed; quote the request id to its operator",
        )
    return Problem(
        status=status,
        code=str(getattr(error, "code", "error")),
        zh=str(getattr(error, "zh", "")),
        en=str(getattr(error, "en", "")),
        findings=error.findings if isinstance(error, edge.RefusedError) else (),
        errors=_cells(error) if isinstance(error, SheetRefusedError) else (),
        headers=_headers(error),
    )


def status_of(error: Exception) -> int | None:
    """The status of an error by the table, or None when it is not one a caller is told."""
    code = getattr(error, "code", None)
    if isinstance(code, str) and code in _BY_CODE:
        return _BY_CODE[code]
    return next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), None)


def _headers(error: Exception) -> dict[str, str]:
    if isinstance(error, sealing.InProgressError):
        return {"Retry-After": str(error.wait.seconds)}
    if isinstance(error, edge.RateLimitedError):
        return {"Retry-After": str(error.wait)}
    if isinstance(error, edge.AuthenticationError):
        return {"WWW-Authenticate": 'Bearer realm="yinxin", error="invalid_token"'}
    if isinstance(error, edge.RefusedError) and error.replayed:
        return {"Idempotency-Replayed": "true"}
    if isinstance(error, _RETRY_LATER) and not isinstance(error, _NOT_AGAIN):
        return {"Retry-After": str(SOON)}
    return {}


def _cells(error: SheetRefusedError) -> list[dict[str, Any]]:
    return [
        {"field": f"{cell.row}:{cell.column}", "found": cell.found, "expected_zh": cell.zh, "expected_en": cell.en}
        for cell in error.bad
    ]


def _from_framework(error: HTTPException) -> Problem:
    if isinstance(error.__cause__, edge.ApiError):  # raised while the framework read the body
        return problem(error.__cause__)
    known = {
        404: ("route-unknown", "没有这个地址", "there is nothing under this address"),
        405: ("method-not-allowed", "此地址不接受该方法", "this address does not take that method"),
    }
    fallback = (
        "body-unreadable",
        "请求正文无法读取，应为 UTF-8 的 JSON",
        "the body cannot be read; JSON in UTF-8 expected",
    )
    code, zh, en = known.get(error.status_code, fallback)
    status = error.status_code if error.status_code in known else 400
    return Problem(status=status, code=code, zh=zh, en=en, headers=dict(error.headers or {}))


def _invalid(details: Iterable[Mapping[str, Any]]) -> Problem:
    found = [_field(detail) for detail in details]
    names = "、".join(each["field"] for each in found)
    return Problem(
        status=400,
        code="request-invalid",
        zh=f"请求有 {len(found)} 处不合格：{names}",
        en=f"{len(found)} parts of the request are not acceptable: {names}",
        errors=found,
    )


def _field(detail: Mapping[str, Any]) -> dict[str, Any]:
    """One error of pydantic; our own validators speak both languages, the library English."""
    zh, en = sentences(str(detail["msg"]))
    where = ".".join(str(step) for step in detail["loc"]) or "body"
    return {
        "field": where,
        "found": "" if detail["type"] == "missing" else _shown(detail.get("input")),
        "expected_zh": zh if zh != en else _EXPECTED.get(str(detail["type"]), f"格式不符：{zh}"),
        "expected_en": en,
    }


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST_FOUND else f"{text[:_LONGEST_FOUND]}…"


_EXPECTED: Final[Mapping[str, str]] = {
    "missing": "此项必填",
    "extra_forbidden": "没有此项，应删去",
    "string_type": "应为文字",
    "string_too_short": "文字过短",
    "string_too_long": "文字过长",
    "string_pattern_mismatch": "文字格式不符",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "bool_type": "应为 true 或 false",
    "literal_error": "不在可选值之中",
    "greater_than_equal": "数值过小",
    "less_than_equal": "数值过大",
    "json_invalid": "应为有效的 JSON",
    "list_type": "应为列表",
    "dict_type": "应为对象",
    "model_attributes_type": "应为对象",
    "model_type": "应为对象",
}

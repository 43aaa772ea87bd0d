"""``POST /oauth/token``: client credentials (RFC 6749 4.4) by secret or by assertion (RFC 7523)."""

from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.bodies import Answer
from api.callers import PUBLIC
from api.client_authentication import ASSERTION, TOKEN_PATH, Credentials, OAuthError, authenticate
from api.rate_limit import limited_rate
from api.service import Serving

router: Final = APIRouter(tags=["token"])
_FORM: Final = "application/x-www-form-urlencoded"
_MOST_PARAMETERS: Final = 16
_REQUEST: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            _FORM: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": ["client_credentials"]},
                        "client_id": {"type": "string"},
                        "client_assertion_type": {"type": "string", "enum": [ASSERTION]},
                        "client_assertion": {"type": "string", "description": "JWS, ES256, aud = this address"},
                    },
                },
                "example": {"grant_type": "client_credentials"},
            }
        },
    }
}


class IssuedToken(Answer):
    """RFC 6749 5.1."""

    access_token: str
    token_type: str
    expires_in: int


async def _credentials(request: Request) -> Credentials | OAuthError:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return OAuthError("invalid_request", f"正文应为 {_FORM}", f"a body of type {_FORM} is expected")
    try:
        pairs = parse_qsl(
            (await request.body()).decode(),
            keep_blank_values=True,
            strict_parsing=True,
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError:
        return OAuthError("invalid_request", "正文不可读", "the form cannot be read")
    if len(dict(pairs)) != len(pairs):
        return OAuthError("invalid_request", "参数重复", "a parameter is given twice")
    return Credentials(authorization=request.headers.get("authorization"), form=dict(pairs))


@router.post(
    TOKEN_PATH,
    operation_id="issueToken",
    response_model=IssuedToken,
    openapi_extra=_REQUEST,
    dependencies=[PUBLIC, limited_rate("token")],
)
def issue_token(service: Serving, credentials: Annotated[Credentials | OAuthError, Depends(_credentials)]) -> Response:
    """Issue a short access token to a client that proves itself. Errors have the form of RFC 6749 5.2."""
    try:
        now = service.now()
        client = authenticate(service.shop, _for_token(credentials), now)
        token = service.tokens.issue(client.id, now)
    except OAuthError as error:
        return _refused(error)
    lifetime = int(service.tokens.lifetime.total_seconds())
    answer = IssuedToken(access_token=token, token_type="Bearer", expires_in=lifetime)  # noqa: S106  the kind, not a secret
    return JSONResponse(answer.model_dump(), headers={"Pragma": "no-cache"})


def _for_token(credentials: Credentials | OAuthError) -> Credentials:
    if isinstance(credentials, OAuthError):
        raise credentials
    grant = credentials.form.get("grant_type")
    if grant != "client_credentials":
        raise OAuthError(
            "unsupported_grant_type" if grant else "invalid_request",
            "grant_type 应为 client_credentials",
            "grant_type client_credentials is expected",
        )
    return credentials


def _refused(error: OAuthError) -> Response:
    unproven = error.error == "invalid_client"
    return JSONResponse(
        {"error": error.error, "error_description": error.en, "zh": error.zh, "en": error.en},
        401 if unproven else 400,
        headers={"WWW-Authenticate": 'Basic realm="yinxin"'} if unproven else {},
    )

"""What the HTTP edge itself refuses, grouped by who can act on it. All else comes from the packages below."""

from typing import Any


class ApiError(Exception):
    """Root of the edge's errors: ``code`` is stable, ``zh`` and ``en`` say what was found and expected."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        """Keep the code and both sentences; never a secret."""
        super().__init__(f"{zh} / {en}")
        self.code, self.zh, self.en = code, zh, en


class RequestError(ApiError):
    """The request is malformed. The caller must send another one."""


class AuthenticationError(ApiError):
    """Nobody knows who is calling. The caller must bring a valid token or credential."""


class ForbiddenError(ApiError):
    """The caller is known and may not do this. Another role or organ may."""


class NotAcceptableError(ApiError):
    """None of the forms the caller accepts is offered here."""


class TooLargeError(ApiError):
    """A body or a part of one is over its limit. The caller must send less."""


class MediaTypeError(ApiError):
    """The body has another media type than the route reads."""


class OverloadedError(ApiError):
    """Too many orders wait already. Come back later; nothing was done."""


class RateLimitedError(ApiError):
    """This address asked too often. Come back after ``wait`` seconds."""

    def __init__(self, code: str, zh: str, en: str, *, wait: int) -> None:
        """Keep the seconds to wait beside the sentences."""
        super().__init__(code, zh, en)
        self.wait = wait


class RefusedError(ApiError):
    """A seal use was judged and refused; ``findings`` holds every rule that failed, as recorded."""

    def __init__(self, code: str, zh: str, en: str, *, findings: list[dict[str, Any]], replayed: bool) -> None:
        """Keep the findings beside the sentences; ``replayed`` says that it was refused before."""
        super().__init__(code, zh, en)
        self.findings = findings
        self.replayed = replayed

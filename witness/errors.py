"""Why a witness does not start, and why it does not cosign; the statuses are those of C2SP tlog-witness."""

from typing import ClassVar


class WitnessError(Exception):
    """Root of the package's errors: ``code`` for programs, ``zh`` and ``en`` for people."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        """Keep the code and both sentences, which say what was found and what was expected."""
        super().__init__(f"{zh} / {en}")
        self.code, self.zh, self.en = code, zh, en


class HomeError(WitnessError):
    """The witness's folder, state or list of logs cannot be used. Its operator must act."""


class RefusedError(WitnessError):
    """A checkpoint is not cosigned; ``status`` is what the log is told."""

    status: ClassVar[int] = 400


class UnknownLogError(RefusedError):
    """The witness does not follow this log."""

    status = 404


class SignatureError(RefusedError):
    """The log did not sign this checkpoint."""

    status = 403


class ConflictError(RefusedError):
    """The old size is not that of the last cosigned checkpoint, or the same size has another root."""

    status = 409

    def __init__(self, code: str, zh: str, en: str, *, size: int) -> None:
        """``size`` is that of the last cosigned checkpoint, 0 when there is none."""
        super().__init__(code, zh, en)
        self.size = size


class InconsistentError(RefusedError):
    """The proof does not show that the tree extends the last cosigned one."""

    status = 422


class TooLargeError(RefusedError):
    """The request is longer than any honest one."""

    status = 413


class NotNowError(RefusedError):
    """The witness itself is at fault: its clock went back, or its disk did not take the state."""

    status = 503

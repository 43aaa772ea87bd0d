"""What can go wrong in a worker, grouped by who can act."""


class SandboxError(Exception):
    """Root of the package's errors: ``code`` is stable, ``zh`` and ``en`` are for people."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.code = code
        self.zh = zh
        self.en = en


class WorkerCrashedError(SandboxError):
    """The worker ended, ran out of memory or spoke nonsense. The input is to be suspected."""


class WorkerTimeoutError(SandboxError):
    """The worker did not answer in its time and was killed. The input is to be suspected."""


class WorkerOverloadedError(SandboxError):
    """Too many callers wait for a worker. Come back later; the input is not at fault."""


class WorkerFailedError(SandboxError):
    """The function raised. One with code, zh and en crosses as it is; of others the class name only."""

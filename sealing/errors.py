"""What can go wrong with a seal use, grouped by who can act."""

from dataclasses import dataclass


class SealingError(Exception):
    """Root of the errors a caller is told; ``code`` is stable, ``zh`` and ``en`` say found and expected."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        """Keep the code and both sentences."""
        super().__init__(f"{zh} / {en}")
        self.code, self.zh, self.en = code, zh, en


class OrderError(SealingError):
    """The order itself is wrong. The caller must change it."""


class NotAllowedError(SealingError):
    """This caller may not do this. Another caller may."""


class UnknownError(SealingError):
    """There is no such thing, or the caller may not know of it."""


class ConflictError(SealingError):
    """The order contradicts what is already recorded, e.g. an idempotency key with another body."""


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a caller should wait before it asks again, in seconds."""

    seconds: int


class InProgressError(SealingError):
    """The same order is being worked on now; ask again after ``wait``."""

    def __init__(self, code: str, zh: str, en: str, *, wait: Wait) -> None:
        """Keep the waiting time beside the sentences."""
        super().__init__(code, zh, en)
        self.wait = wait


class AbandonedError(SealingError):
    """The attempt was given up after its intent was recorded; the same order may be tried again."""


class UnavailableError(SealingError):
    """A time-stamp or a revocation answer that a seal needs cannot be had now; the same order may be tried again."""


class NotWitnessedError(SealingError):
    """Too few witnesses have cosigned the record yet. The caller may ask again later."""


class StorageError(SealingError):
    """The document store cannot keep or give a document. An operator must act."""


class InstallationError(SealingError):
    """The installation's own files are missing, wrong or do not belong together. An operator must act."""


class CeremonyError(InstallationError):
    """A step of the key ceremony cannot be taken. The people at the ceremony must act."""


class BackupError(InstallationError):
    """A backup cannot be made, or must not be restored. An operator must act."""


class ClockNotTrustedError(SealingError):
    """This host's clock may not vouch for a time at present. An operator must look after it."""

"""What can go wrong in the registry, grouped by who can act on it."""


class RegistryError(Exception):
    """Root of the package's errors: a stable ``code`` and one sentence in Chinese and in English."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        """Keep the three parts; ``str(error)`` is ``zh / en``."""
        super().__init__(f"{zh} / {en}")
        self.code = code
        self.zh = zh
        self.en = en


class NotFoundError(RegistryError):
    """No such record. The caller named something that was never registered."""


class ConflictError(RegistryError):
    """The record was changed since the caller read it, or another one holds its unique place."""


class RowTamperedError(RegistryError):
    """A row is not what its ledger entry committed to. An operator must look; nothing may rest on the row."""


class RecordInvalidError(RegistryError):
    """The content breaks a rule of its kind. The caller must correct it."""


class TransitionError(RegistryError):
    """The state does not allow this change. The message names the state found and the states expected."""


class EvidenceError(RegistryError):
    """A signed statement cannot be accepted: its form, key, signature or content is wrong."""

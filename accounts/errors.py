"""What can go wrong with an account, grouped by who can act. No message holds a password, a token or a code.

A failed try to sign in is no error: it is an answer (`accounts.answers`), so that its record is committed.
"""


class AccountError(Exception):
    """Root of the package's errors: a stable ``code`` and one sentence in Chinese and in English."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        """Keep the three parts; ``str(error)`` is ``zh / en``."""
        super().__init__(f"{zh} / {en}")
        self.code, self.zh, self.en = code, zh, en


class ChoiceError(AccountError):
    """The password, sign-in name, label or confirming code does not serve. The person chooses or types another."""


class EnrolmentError(AccountError):
    """The one-time code opens nothing: it was used, is too old, or never was. Whoever gave it can give another."""


class PasskeyError(AccountError):
    """What the browser or authenticator gave is refused. The person may try again from the start."""

    def __init__(self, code: str, zh: str, en: str, *, person: str | None = None) -> None:
        """``person`` is whose passkey it is, where that is known."""
        super().__init__(code, zh, en)
        self.person = person


class StateError(AccountError):
    """The account's state does not allow this."""


class SecretError(AccountError):
    """The installation's secret is not the one under which this was stored. An operator must act."""

"""What the exit code tells a script; ``docs/cli.md`` says the same."""

from typing import Final

DONE: Final = 0
REFUSED: Final = 1
CANNOT_TELL: Final = 2
INSTALLATION: Final = 3
INTERNAL: Final = 4
INTERRUPTED: Final = 130

_OPERATORS = {
    "InstallationError",
    "StorageError",
    "KeystoreError",
    "RowTamperedError",
    "RecordBrokenError",
    "ClockBehindError",
    "DatabaseError",
    "SandboxError",
    "SettingsError",
    "HomeError",
}
"""Roots of the errors that only an operator of the installation can mend. By name: naming is not loading."""

_USERS = {"UsageError", "TrustError", "ReceiptError"}
"""Roots of the errors about what was put on the command line."""


def exit_code(error: BaseException) -> int:
    """The exit code for an error with ``code``, ``zh`` and ``en``; anything else is internal."""
    roots = {kind.__name__ for kind in type(error).__mro__}
    if "WorkerFailedError" in roots:  # the worker lived and refused what it was given
        return REFUSED
    if roots & _OPERATORS:
        return INSTALLATION
    if roots & _USERS:
        return CANNOT_TELL
    return REFUSED if all(hasattr(error, name) for name in ("code", "zh", "en")) else INTERNAL

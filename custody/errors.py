"""What can be wrong with the custody process itself. Everything about a key is a ``keystore.interface`` error."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from keystore.interface import KeystoreError


class FrameError(Exception):
    """The other end does not speak this protocol, or closed the connection within a frame. No text of it is shown."""


class CustodyError(KeystoreError):
    """The custody process cannot start or cannot go on. Its operator can act."""

    code: ClassVar[str] = "custody"


class CustodyAddressError(CustodyError):
    """The address is no socket path and no ``tls://host:port``, or the files for TLS cannot be used."""

    code = "custody-address"


class CustodyRunsError(CustodyError):
    """Another custody process holds this folder."""

    code = "custody-runs"


class CustodyRefusedError(CustodyError):
    """The user that connects is not among those that may use the custody process."""

    code = "key-service-refused"


class UsesBrokenError(CustodyError):
    """The record of key uses was changed: a line does not follow from the one before. No key is used on top of it."""

    code = "uses-broken"


class UsesNotWrittenError(CustodyError):
    """The use could not be recorded, e.g. the disk is full. The key was not used."""

    code = "uses-not-written"


def error_of(answer: Mapping[str, Any]) -> KeystoreError:
    """The error that an answer tells, as the class of its code."""
    code = answer.get("code")
    kind = next((each for each in _kinds(KeystoreError) if each.code == code), KeystoreError)
    return kind(str(answer.get("zh", "密钥进程出错")), str(answer.get("en", "the custody process failed")))


def _kinds(root: type[KeystoreError]) -> Iterator[type[KeystoreError]]:
    yield root
    for each in root.__subclasses__():
        yield from _kinds(each)

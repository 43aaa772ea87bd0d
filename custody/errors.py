"""What can be wrong with the custody process itself. Everything about a key is a ``keystore.interface`` error."""

from typing import ClassVar

from keystore.interface import KeystoreError


class FrameError(Exception):
    """The other end does not speak this protocol, or closed the connection within a frame. No text of it is shown."""


class CustodyError(KeystoreError):
    """The custody process cannot start or cannot go on. Its operator can act."""

    code: ClassVar[str] = "custody"


class CustodyAddressError(CustodyError):
    """The address of the custody process is no socket path and no ``tls://host:port``, or its TLS files are not usable."""

    code = "custody-address"


class CustodyRunsError(CustodyError):
    """Another custody process holds this folder."""

    code = "custody-runs"


class UsesBrokenError(CustodyError):
    """The record of key uses was changed: a line does not follow from the one before. No key is used on top of it."""

    code = "uses-broken"


class UsesNotWrittenError(CustodyError):
    """The use could not be recorded, e.g. the disk is full. The key was not used."""

    code = "uses-not-written"

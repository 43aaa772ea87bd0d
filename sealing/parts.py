"""The registry records a seal use rests on, and their versions."""

from base64 import b64decode
from dataclasses import dataclass

from sqlalchemy import Connection

from registry.errors import NotFoundError
from registry.records import Agreement, Organ, Seal, SealKey
from registry.store import Registry, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """The versions a preparation rests on; the first commit checks that they still stand."""

    seal: int
    key: str
    agreement: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SealParts:
    """Seal, its current key, its agreement, and the grantor that owns it."""

    seal: Stored[Seal]
    key: Stored[SealKey]
    agreement: Stored[Agreement]
    grantor: Stored[Organ]

    @property
    def pins(self) -> Pins:
        """The versions read. The key's own state is left out: the rules judge a revocation."""
        return Pins(seal=self.seal.version, key=self.key.record.id, agreement=self.agreement.version)

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates, DER, the seal's own first."""
        return tuple(b64decode(each) for each in self.key.record.chain)


def seal_parts(connection: Connection, registry: Registry, seal: str, *, lock: bool = False) -> SealParts | None:
    """The records of a seal id, or None when one of them is not registered.

    With ``lock`` the agreement's row stays locked until the transaction ends, and everything else is read
    behind that lock. Raises ``registry.errors.RowTamperedError``.
    """
    try:
        found = registry.get(connection, Seal, seal)
        read = registry.lock if lock else registry.get
        agreement = read(connection, Agreement, found.record.agreement)
        if lock:
            found = registry.get(connection, Seal, seal)
        grantor = registry.find_one(connection, Organ, code=found.record.owner)
        key = registry.find_one(connection, SealKey, seal=seal, current=True)
    except NotFoundError:
        return None
    return SealParts(seal=found, key=key, agreement=agreement, grantor=grantor)

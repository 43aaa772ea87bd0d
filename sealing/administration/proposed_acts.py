"""What may be proposed: for each action the content that both persons sign, whose administrators decide, and the act.

The content is the whole of what will be done; `docs/proposals.md` tells its members. Each act asks again for its
approved proposal (:mod:`sealing.administration.two_persons`), naming what of the content it is about.
"""

from abc import abstractmethod
from base64 import b64decode
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final, Literal

from pydantic import Field, RootModel, StringConstraints
from sqlalchemy import Connection

from keystore.interface import Algorithm
from registry.catalogue_rows import ItemNumber, ListName
from registry.fields import Base64, Digest, Millimetres, OrganCode, RecordId, RegionCode, Text, UtcTime
from registry.passkeys import Passkey
from registry.proposals import ProposalAction
from registry.record import Part
from registry.records import Agreement, Seal, SealKey
from registry.seal_keys import RevocationReason
from registry.seal_limits import Cap, ChosenLimits
from registry.seals import CheckMark, SealLevel
from registry.sheets import SheetRefusedError
from registry.store import Act
from sealing.administration import agreements, catalogue, destruction, offered_passkeys, persons, seals
from sealing.administration.catalogue import DayRequest, PilotRequest, SheetFormat, TableName
from sealing.administration.key_registration import KeyRequest
from sealing.administration.persons import RoleRequest
from sealing.administration.seals import SealPolicy, SealRequest
from sealing.workshop import Workshop

Outcome = dict[str, Any]
"""Restricted JSON: the ids of what was made or changed."""
_Sheet = Annotated[str, StringConstraints(min_length=4, max_length=7_500_000)]


class Proposed(Part):
    """The content of one proposal."""

    @abstractmethod
    def organ(self, shop: Workshop, connection: Connection) -> str | None:
        """The organ whose administrators decide, or None where any grantor's may. Raises ``NotFoundError``."""

    @abstractmethod
    def carry_out(self, shop: Workshop, act: Act) -> Outcome:
        """Do it. Raises what the act raises."""


class IssueSeal(Proposed):
    """A new seal for an agreement in force [000 二(二)]; it then waits to be enabled."""

    agreement: RecordId
    custodian: RecordId | None = None
    daily_cap: Cap | None = None
    diameter_mm: Millimetres = "42"
    imprint: Digest | None = None
    algorithm: Algorithm = "ecdsa-p256-sha256"
    level: SealLevel = "PAdES-B-LT"
    may_lower: bool = False
    check_mark: CheckMark = "qr"
    limits: ChosenLimits | None = None

    def organ(self, shop: Workshop, connection: Connection) -> str:
        """The grantor of the agreement."""
        return _grantor(shop, connection, self.agreement)

    def carry_out(self, shop: Workshop, act: Act) -> Outcome:
        """Register, generate, certify."""
        request = SealRequest(
            agreement=self.agreement,
            custodian=self.custodian,
            daily_cap=self.daily_cap,
            diameter_mm=self.diameter_mm,
            imprint=self.imprint,
            algorithm=self.algorithm,
            policy=SealPolicy(
                level=self.level, may_lower=self.may_lower, check_mark=self.check_mark, limits=self.limits
            ),
        )
        seal, key = seals.issue(shop, request, act)
        return {"seal": seal.record.id, "name": seal.record.name, "key": key.record.id, "serial": key.record.serial}


class _OfSeal(Proposed):
    seal: RecordId

    def organ(self, shop: Workshop, connection: Connection) -> str:
        """The seal's owner."""
        return shop.registry.get(connection, Seal, self.seal).record.owner


class RotateKey(_OfSeal):
    """A new key for a seal; the old certificate stays good for what it sealed."""

    algorithm: Algorithm

    def carry_out(self, shop: Workshop, act: Act) -> Outcome:
        """Generate and certify."""
        key = seals.rotate_key(shop, self.seal, act, algorithm=self.algorithm)
        return {"seal": self.seal, "key": key.record.id, "serial": key.record.serial}


class CancelSeal(_OfSeal):
    """The end of a seal's use; all its certificates are revoked for this reason."""

    reason: RevocationReason

    def carry_out(self, shop: Workshop, act: Act) -> Outcome:
        """Cancel and revoke."""
        return {"seal": seals.cancel(shop, self.seal, self.reason, act).record.id}


class DestroySeal(_OfSeal):
    """The destruction of a cancelled seal's private keys."""

    def carry_out(self, shop: Workshop, act: Act) -> Outcome:
        """Destroy, with the evidence of the keystore in the record."""
        return {"seal": destruction.destroy(shop, self.seal, act).record.id}


class BackdateRevocation(Proposed):
    """An earlier time since when a revoked certificate is not to be trusted (RFC 5280 5.3.2)."""

    key: RecordId
    effective: UtcTime

    def organ(self, shop: Workshop, connection: Connection) -> str:
        """The owner of the key's seal."""
        seal = shop.registry.get(connection, SealKey, self.key).record.seal
        return shop.registry.get(connection, Seal, seal).record.owner

    def carry_out(self, shop: Workshop, act: Act) -> Outcome:
        """Record the effective time."""
        return {"key": seals.backdate(shop, self.key, self.effective, act).record.id}


class ChangeAgreement(Proposed):
    """A change of an agreement in force. Suspending it takes one person, because stopping must not wait."""

    agreement: RecordId
    change: Literal["bring_into_force", "resume", "end", "recall"]
    terms_digest: Digest  # of the version that comes into force, or that the change is about

    def organ(self, shop: Workshop, connection: Connection) -> str:
        """The grantor."""
        return _grantor(shop, connection, self.agreement)

    def carry_out(self, shop: Workshop, act: Act) -> Outcome:
        """Change it; its seals follow."""
        if self.change == "bring_into_force":
            changed = agreements.bring_into_force(shop, self.agreement, act)
        else:
            changed = agreements.change_state(shop, self.agreement, self.change, act)
        return {"agreement": changed.record.id, "state": changed.record.state, "version": changed.record.current.number}


class _CatalogueChange(Proposed):
    def organ(self, shop: Workshop, connection: Connection) -> None:
        """The catalogue is everybody's: any grantor's administrators may change it."""


class ImportSheet(_CatalogueChange):
    """A sheet, whole, in base64. One bad cell refuses all of it."""

    change: Literal["import"]
    table: TableName
    format: SheetFormat
    file: _Sheet

    def carry_out(self, shop: Workshop, act: Act) -> Outcome:
        """Import it."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"sheet.{self.format}"
            path.write_bytes(b64decode(self.file))
            done = catalogue.import_sheet(shop, path, act, table=self.table, format_=self.format, dry_run=False)
        if done.bad:
            raise SheetRefusedError(done.bad)
        return {"rows": done.rows, "opened": done.opened, "closed": done.closed}


class AddPilot(_CatalogueChange):
    """A region where an item is open during its pilot phase [002 附件2 序号12]."""

    change: Literal["add_pilot"]
    list: ListName
    number: ItemNumber
    region: RegionCode
    valid_from: UtcTime
    valid_until: UtcTime | None
    source: Text

    def carry_out(self, shop: Workshop, act: Act) -> Outcome:
        """Register it."""
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "change"}
        return {"pilot": catalogue.add_pilot(shop, PilotRequest(**values), act).record.id}


class EndPilot(_CatalogueChange):
    """The end of a pilot region."""

    change: Literal["end_pilot"]
    pilot: RecordId

    def carry_out(self, shop: Workshop, act: Act) -> Outcome:
        """End it now."""
        return {"pilot": catalogue.end_pilot(shop, self.pilot, act).record.id}


class Day(Part):
    """One day that is a working day or a holiday, and the notice that says so."""

    date: date
    kind: Literal["workday", "holiday"]
    source: Text


class SetDays(_CatalogueChange):
    """Days of the calendar."""

    change: Literal["set_days"]
    days: Annotated[tuple[Day, ...], Field(min_length=1, max_length=400)]

    def carry_out(self, shop: Workshop, act: Act) -> Outcome:
        """Say of each day what it is."""
        wanted = [DayRequest(date=day.date, kind=day.kind, source=day.source) for day in self.days]
        return {"days": [day.record.id for day in catalogue.set_days(shop, wanted, act)]}


class ChangeCatalogue(RootModel[Annotated[ImportSheet | AddPilot | EndPilot | SetDays, Field(discriminator="change")]]):
    """One change of the catalogue or the calendar."""


class _OfOrgan(Proposed):
    person: RecordId
    organ_code: Annotated[OrganCode, Field(alias="organ")]

    def organ(self, shop: Workshop, connection: Connection) -> str:  # noqa: ARG002  the signature is the interface's
        """The organ that gets the administrator."""
        return self.organ_code


class AddRole(_OfOrgan):
    """The role of an administrator for a person, with the document that designates them."""

    what: Literal["role"]
    document: Text
    valid_from: UtcTime | None = None
    valid_until: UtcTime | None = None

    def carry_out(self, shop: Workshop, act: Act) -> Outcome:
        """Designate the person."""
        request = RoleRequest(
            person=self.person,
            organ=self.organ_code,
            role="grantor_administrator",
            document=self.document,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
        )
        return {"role": persons.assign_role(shop, request, act).record.id}


class AddKey(_OfOrgan):
    """A key of a person who is an administrator."""

    what: Literal["key"]
    public_key: Base64
    document: Text
    valid_from: UtcTime | None = None
    valid_until: UtcTime | None = None
    passkey: Passkey | None = None

    def carry_out(self, shop: Workshop, act: Act) -> Outcome:
        """Register it."""
        request = KeyRequest(
            public_key=b64decode(self.public_key),
            document=self.document,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            passkey=self.passkey,
        )
        return {"key": offered_passkeys.register(shop, self.person, request, act).record.id}


class AddAdministrator(RootModel[Annotated[AddRole | AddKey, Field(discriminator="what")]]):
    """A new administrator, or a further key of one."""


CONTENTS: Final[Mapping[ProposalAction, type[Proposed] | type[RootModel[Any]]]] = {
    "issue_seal": IssueSeal,
    "rotate_key": RotateKey,
    "cancel_seal": CancelSeal,
    "destroy_seal": DestroySeal,
    "backdate_revocation": BackdateRevocation,
    "change_agreement": ChangeAgreement,
    "change_catalogue": ChangeCatalogue,
    "add_administrator": AddAdministrator,
}
"""By action. ``restore_backup`` is not among them: there is no service yet that could be asked (docs/backup.md)."""


def _grantor(shop: Workshop, connection: Connection, agreement: str) -> str:
    return shop.registry.get(connection, Agreement, agreement).record.terms.grantor

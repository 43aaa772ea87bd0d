"""Persons, what they may do at which organ and until when, and the keys they approve with."""

from typing import Annotated, Literal, Self

from pydantic import StringConstraints, model_validator

from policies.facts import Role
from registry.fields import Base64, Name, OrganCode, RecordId, Text
from registry.passkeys import Passkey
from registry.record import DatedRecord, Record

AssignedRole = Role | Literal["grantor_administrator"]


class Person(Record):
    """An account of a human. ``natural_person`` is equal for all accounts of one human."""

    name: Name
    natural_person: Annotated[str, StringConstraints(pattern=r"^hmac-sha256:[0-9a-f]{64}$")]


class RoleAssignment(DatedRecord):
    """A role of a person at an organ for a period, with the designating document [000 二(二)(三)]."""

    person: RecordId
    organ: OrganCode
    role: AssignedRole
    document: Text | None
    on_behalf_of: RecordId | None

    @model_validator(mode="after")
    def _deputy_has_a_letter(self) -> Self:
        if self.role == "deputy" and (self.document is None or self.on_behalf_of is None):
            raise ValueError("受托人须有授权书编号和委托人 / a deputy needs a 授权书 and a person on whose behalf")
        if self.role not in {"deputy", "acting_principal"} and self.on_behalf_of is not None:
            raise ValueError("只有受托人和主持工作者代他人行事 / only a deputy or acting principal acts for another")
        if self.on_behalf_of == self.person:
            raise ValueError("不能代自己行事 / nobody is a deputy of themselves")
        return self


class PersonKey(DatedRecord):
    """A principal's own approval key: what it signs counts as person_signed."""

    person: RecordId
    algorithm: Literal["ES256"]
    public_key: Base64  # SubjectPublicKeyInfo, DER
    registered_by: RecordId
    document: Text
    passkey: Passkey | None = None  # None: a key in a file or device that signs plain JWS

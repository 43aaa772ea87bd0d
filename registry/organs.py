"""Organs, and the keys they registered for signing agreements."""

from datetime import date
from typing import Literal, Self

from pydantic import model_validator

from registry.fields import Base64, Name, OrganCode, RecordId, RegionCode, Text
from registry.record import DatedRecord, Part, Record


class Succession(Part):
    """One dated step of 机构改革: from ``on`` the successor answers for the predecessor."""

    organ: OrganCode
    on: date
    document: Text


class Organ(Record):
    """单位: government body, branch office or mass organisation."""

    code: OrganCode
    legal_name: Name
    aliases: tuple[Name, ...]
    level: Literal["city", "county", "township", "branch"]
    region: RegionCode
    succeeds: tuple[Succession, ...] = ()
    succeeded_by: Succession | None = None

    @model_validator(mode="after")
    def _names_are_told_apart(self) -> Self:
        if self.legal_name in self.aliases or len(set(self.aliases)) != len(self.aliases):
            raise ValueError("别名与法定名称或彼此重复 / an alias repeats the legal name or another alias")
        if self.succeeded_by is not None and self.succeeded_by.organ == self.code:
            raise ValueError("单位不能由自身承继 / an organ cannot succeed itself")
        return self


class OrganKey(DatedRecord):
    """The public key with which an organ signs agreement terms."""

    organ: OrganCode
    algorithm: Literal["ES256"]
    public_key: Base64  # SubjectPublicKeyInfo, DER
    registered_by: RecordId
    document: Text

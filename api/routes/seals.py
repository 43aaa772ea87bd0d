"""Seals 2号章: issued for an agreement, enabled, suspended, resumed, cancelled, destroyed; and what they look like."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from api import files
from api.bodies import After, Answer, Id, Kept, Limit, Page, Reasoned, kept, page_of
from api.callers import Grantor, Insider, Requester, act_of, hidden
from api.service import Service, Serving
from registry.fields import Name, RecordId
from registry.records import Agreement, Seal, SealKey
from registry.row_guard import Stored
from registry.seal_limits import ChosenLimits
from registry.seals import CheckMark, SealLevel
from registry.store import Act
from sealing.administration import faces, outside_certificates, seals
from sealing.administration.seals import SealPolicy, SealStep

router: Final = APIRouter(prefix="/v1/seals", tags=["seals"])
_PEM: Final = "application/x-pem-file"


class PolicyBody(Reasoned):
    """How documents are sealed; ``may_lower`` lets a level that cannot be had be lowered openly instead of refused.

    ``limits`` are chosen together: a limit left out of them is lifted. Without ``limits`` they stay as they are.
    """

    level: SealLevel
    may_lower: bool
    check_mark: CheckMark
    limits: ChosenLimits | None = None

    def policy(self) -> SealPolicy:
        """What the body chooses."""
        return SealPolicy(level=self.level, may_lower=self.may_lower, check_mark=self.check_mark, limits=self.limits)


class SealStateBody(Reasoned):
    """What is to happen to the seal; the certificate is held, released or revoked with it."""

    change: SealStep


class CustodianBody(Reasoned):
    """The person who keeps the seal [000 二(三)]."""

    custodian: RecordId


class FilingBody(Reasoned):
    """The 备案 number that the filing authority gave."""

    filing_number: Name


class CertificateBody(Reasoned):
    """A certificate of a licensed authority for the seal's present key, with its chain."""

    chain: Annotated[str, Field(min_length=1, max_length=200_000, description="PEM, the seal's own first")]


class CertificateAnswer(Answer):
    """The seal's present certificate."""

    serial: str
    issuer: str
    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None
    revoked_reason: str | None
    chain: list[str]

    @classmethod
    def of(cls, key: SealKey) -> "CertificateAnswer":
        """Show a seal key by its certificate; ``chain`` is DER in base64."""
        return cls(
            serial=key.serial,
            issuer=key.issuer,
            not_before=key.not_before,
            not_after=key.not_after,
            revoked_at=key.revoked_at,
            revoked_reason=key.revoked_reason,
            chain=list(key.chain),
        )


class SealAnswer(Answer):
    """A seal and its certificate."""

    record: Seal
    version: int
    entry: int
    certificate: CertificateAnswer | None


@router.get("", operation_id="listSeals")
def list_seals(service: Serving, caller: Insider, limit: Limit = 100, after: After = None) -> Page[Seal]:
    """The seals of the caller's organs, or all for an auditor, by id."""
    store = service.shop.registry
    with service.shop.database.read() as connection:
        found = [each.record for each in store.find(connection, Seal)]
        # By id: an agreement whose row was deleted is missed by a search, and told by a reading.
        agreements = {each: store.get(connection, Agreement, each) for each in {seal.agreement for seal in found}}
    mine = [
        seal
        for seal in found
        if caller.sees(grantor=seal.owner, grantee=agreements[seal.agreement].record.terms.grantee)
    ]
    return page_of(mine, lambda seal: seal.id, after=after, limit=limit)


@router.get("/{seal_id}", operation_id="readSeal")
def read_seal(service: Serving, seal_id: Id, caller: Insider) -> SealAnswer:
    """One seal."""
    return _shown(service, _visible(service, seal_id, caller))


@router.post("/{seal_id}/state", operation_id="changeSealState")
def change_seal_state(service: Serving, seal_id: Id, caller: Grantor, body: SealStateBody) -> SealAnswer:
    """Enable, suspend, resume, cancel or destroy. What is in flight when a seal is suspended is not sealed."""
    act = _act(service, seal_id, caller, body)
    return _shown(service, seals.change_state(service.shop, seal_id, body.change, act))


@router.post("/{seal_id}/suspicion", operation_id="reportSuspicion")
def report_suspicion(service: Serving, seal_id: Id, caller: Grantor, body: Reasoned) -> SealAnswer:
    """Say that the seal's key may be in other hands: its certificates are revoked at once, the seal is suspended."""
    act = _act(service, seal_id, caller, body)
    return _shown(service, seals.suspect(service.shop, seal_id, act))


@router.put("/{seal_id}/custodian", operation_id="nameCustodian")
def name_custodian(service: Serving, seal_id: Id, caller: Grantor, body: CustodianBody) -> SealAnswer:
    """Name the person who keeps the seal."""
    act = _act(service, seal_id, caller, body)
    return _shown(service, seals.set_custodian(service.shop, seal_id, body.custodian, act))


@router.put("/{seal_id}/policy", operation_id="changeSealPolicy")
def change_seal_policy(service: Serving, seal_id: Id, caller: Grantor, body: PolicyBody) -> SealAnswer:
    """Choose level, lowering and check mark anew. What is in flight when it changes is not sealed."""
    act = _act(service, seal_id, caller, body)
    return _shown(service, seals.set_policy(service.shop, seal_id, body.policy(), act))


@router.put("/{seal_id}/filings/{position}", operation_id="fileSealChange")
def file_seal_change(
    service: Serving, seal_id: Id, position: Annotated[int, Path(ge=0, le=9999)], caller: Grantor, body: FilingBody
) -> SealAnswer:
    """Fill the 备案 slot of one change of state, counted from 0."""
    act = _act(service, seal_id, caller, body)
    return _shown(service, seals.file_change(service.shop, seal_id, position, body.filing_number, act))


@router.post("/{seal_id}/certificate-requests", operation_id="requestCertificate", response_class=Response)
def request_certificate(service: Serving, seal_id: Id, caller: Grantor, body: Reasoned) -> Response:
    """A certification request (PKCS #10, PEM) for the seal's key, for a licensed authority."""
    request = outside_certificates.request_certificate(service.shop, seal_id, _act(service, seal_id, caller, body))
    return files.file_of(request, name=f"{seal_id}.csr", media_type=_PEM)


@router.put("/{seal_id}/certificate", operation_id="importCertificate")
def import_certificate(service: Serving, seal_id: Id, caller: Grantor, body: CertificateBody) -> Kept[SealKey]:
    """Let a licensed authority's certificate be the one that seals from now on."""
    act = _act(service, seal_id, caller, body)
    return kept(outside_certificates.import_certificate(service.shop, seal_id, body.chain.encode(), act))


@router.get("/{seal_id}/face.svg", operation_id="drawSealSvg", response_class=Response)
def draw_seal_svg(service: Serving, seal_id: Id, caller: Insider) -> Response:
    """What the seal looks like, as exact lines; 样章 stands in it unless its certificate is a licensed one."""
    _visible(service, seal_id, caller)
    with service.shop.database.read() as connection:
        face = faces.face(service.shop, connection, seal_id)
    return files.file_of(face.svg().encode(), name=f"{seal_id}.svg", media_type="image/svg+xml")


@router.get("/{seal_id}/face.png", operation_id="drawSealPng", response_class=Response)
def draw_seal_png(
    service: Serving, seal_id: Id, caller: Insider, pixels: Annotated[int, Query(ge=64, le=2000)] = 496
) -> Response:
    """The same as a picture of ``pixels`` on each side."""
    _visible(service, seal_id, caller)
    with service.shop.database.read() as connection:
        face = faces.face(service.shop, connection, seal_id)
    return files.file_of(face.png(pixels), name=f"{seal_id}.png", media_type="image/png")


def _shown(service: Service, seal: Stored[Seal]) -> SealAnswer:
    with service.shop.database.read() as connection:
        key = service.shop.registry.look_one(connection, SealKey, seal=seal.record.id, current=True)
    certificate = None if key is None else CertificateAnswer.of(key.record)
    return SealAnswer(record=seal.record, version=seal.version, entry=seal.entry_index, certificate=certificate)


def _visible(service: Service, seal_id: str, caller: Requester) -> Stored[Seal]:
    store = service.shop.registry
    with service.shop.database.read() as connection:
        found = store.get(connection, Seal, seal_id)
        grantee = store.get(connection, Agreement, found.record.agreement).record.terms.grantee
    if not caller.sees(grantor=found.record.owner, grantee=grantee):
        raise hidden("seal", seal_id)
    return found


def _act(service: Service, seal_id: str, caller: Requester, body: Reasoned) -> Act:
    """The caller's act on a seal of an organ it may act for; another's reads as if it did not exist."""
    owner = _visible(service, seal_id, caller).record.owner
    if not caller.acts_for(owner):
        raise hidden("seal", seal_id)
    return act_of(caller, body.reason, service, organ=owner)

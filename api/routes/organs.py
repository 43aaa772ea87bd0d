"""Organs 单位 and the keys they sign agreements with."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path
from pydantic import Field

from api.bodies import After, Day, Id, Kept, KeyBody, Limit, Page, Reasoned, kept, page_of
from api.callers import AnyClient, Operator, act_of, hidden
from api.service import Serving
from registry.fields import Name, OrganCode, RegionCode, Text
from registry.records import Organ, OrganKey
from sealing.administration import organs
from sealing.administration.organs import OrganRequest

router: Final = APIRouter(prefix="/v1/organs", tags=["organs"])
Code = Annotated[str, Path(min_length=18, max_length=18, description="统一社会信用代码")]


class OrganBody(Reasoned):
    """An organ as it is to stand; its code is in the address or, when it is new, beside this."""

    legal_name: Name
    level: Literal["city", "county", "township", "branch"]
    region: RegionCode
    aliases: Annotated[list[Name], Field(default_factory=list)]

    def request(self, code: str) -> OrganRequest:
        """As the administration takes it."""
        return OrganRequest(
            code=code,
            legal_name=self.legal_name,
            level=self.level,
            region=self.region,
            aliases=tuple(self.aliases),
        )


class NewOrganBody(OrganBody):
    """An organ to register."""

    code: OrganCode


class SuccessionBody(Reasoned):
    """From ``on`` the organ ``successor`` answers for the one in the address 机构改革."""

    successor: OrganCode
    on: Day
    document: Text


@router.get("", operation_id="listOrgans")
def list_organs(service: Serving, _caller: AnyClient, limit: Limit = 100, after: After = None) -> Page[Organ]:
    """All organs, by code."""
    with service.shop.database.read() as connection:
        found = [each.record for each in service.shop.registry.find(connection, Organ)]
    return page_of(found, lambda organ: organ.code, after=after, limit=limit)


@router.get("/{code}", operation_id="readOrgan")
def read_organ(service: Serving, code: Code, _caller: AnyClient) -> Kept[Organ]:
    """One organ."""
    with service.shop.database.read() as connection:
        return kept(service.shop.registry.find_one(connection, Organ, code=code))


@router.post("", operation_id="registerOrgan", status_code=201)
def register_organ(service: Serving, caller: Operator, body: NewOrganBody) -> Kept[Organ]:
    """Register an organ."""
    return kept(organs.register(service.shop, body.request(body.code), act_of(caller, body.reason, service)))


@router.put("/{code}", operation_id="changeOrgan")
def change_organ(service: Serving, code: Code, caller: Operator, body: OrganBody) -> Kept[Organ]:
    """Give an organ another name, level, region or aliases; the record keeps what was."""
    return kept(organs.change(service.shop, body.request(code), act_of(caller, body.reason, service)))


@router.post("/{code}/succession", operation_id="succeedOrgan", status_code=201)
def succeed_organ(service: Serving, code: Code, caller: Operator, body: SuccessionBody) -> Kept[Organ]:
    """Record that another organ took over."""
    step = organs.succession(body.successor, body.on, body.document)
    return kept(organs.succeed(service.shop, code, step, act_of(caller, body.reason, service)))


@router.post("/{code}/keys", operation_id="registerOrganKey", status_code=201)
def register_organ_key(service: Serving, code: Code, caller: Operator, body: KeyBody) -> Kept[OrganKey]:
    """Register the key with which an organ signs agreements."""
    return kept(organs.register_key(service.shop, code, body.request(), act_of(caller, body.reason, service)))


@router.post("/{code}/keys/{key_id}/end", operation_id="endOrganKey")
def end_organ_key(service: Serving, code: Code, key_id: Id, caller: Operator, body: Reasoned) -> Kept[OrganKey]:
    """Let a key sign nothing from now on."""
    with service.shop.database.read() as connection:
        found = service.shop.registry.look(connection, OrganKey, key_id)
    if found is None or found.record.organ != code:
        raise hidden("organ_key", key_id)
    return kept(organs.end_key(service.shop, key_id, act_of(caller, body.reason, service)))

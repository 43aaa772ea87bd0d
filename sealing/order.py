"""What an approval system asks for: one seal on one PDF for one item."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ledger.canonical import canonical, digest
from policies.facts import Basis, DocumentKind, ItemKey, RequestFacts, Value
from signer.placement import Placement, parse_placement
from signer.placement import to_json as placement_json

COPY = r"^(original|duplicate [1-9][0-9]?)$"
FACT_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")  # as approvals and conditions name facts

Text = Annotated[str, Field(min_length=1, max_length=200)]
Number = Annotated[str, Field(max_length=200)]


class ItemRef(BaseModel):
    """An item by list and number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    list: Annotated[str, Field(pattern=r"^[0-9]{3}-[0-9]$", examples=["001-2"])]
    number: Annotated[int, Field(ge=1, le=9999, examples=[30])]


class Order(BaseModel):
    """A seal use as asked for. The agreement follows from the seal; the document travels beside it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    organ: Annotated[str, Field(description="统一社会信用代码 of the grantee")]
    applicant: Annotated[str, Field(description="id of the seal user 用章人员 who asks")]
    seal: Annotated[str, Field(description="id of the seal")]
    item: ItemRef
    case_number: Annotated[Text, Field(description="办件编号")]
    document_kind: DocumentKind
    copy_: Annotated[str, Field(alias="copy", pattern=COPY, description="正本 original, 副本 duplicate n")] = "original"
    basis: Basis = "new"
    predecessor: Text | None = None
    document_number: Annotated[Number | None, Field(description="审批文书编号")] = None
    licence_number: Annotated[Number | None, Field(description="证书编号")] = None
    facts: Annotated[dict[str, Value], Field(max_length=40)] = {}
    filing_number: Text | None = None
    final: Annotated[bool, Field(description="no further signature is expected on this document")] = True
    placement: Annotated[dict[str, Any], Field(examples=[{"kind": "keyword", "text": "（盖章）"}])]

    @field_validator("facts")
    @classmethod
    def _facts_are_bounded(cls, facts: dict[str, Value]) -> dict[str, Value]:
        for name, value in facts.items():
            if not FACT_NAME.fullmatch(name):
                raise ValueError(f"{name[:64]!r}: 应为小写字段名 / expected a field name, {FACT_NAME.pattern}")
            if isinstance(value, str) and len(value) > 200:  # noqa: PLR2004  as every other text of an order
                raise ValueError(f"{name}: 超过 200 字 / longer than 200 characters")
            if isinstance(value, int) and abs(value) >= 2**53:
                raise ValueError(f"{name}: 超出整数范围 / beyond the range of whole numbers")
        return facts

    def where(self) -> Placement:
        """The placement. Raises ``signer.errors.PlacementError``."""
        return parse_placement(self.placement)

    def placement_text(self) -> str:
        """The placement in its one canonical form, as approvals name it. Raises ``PlacementError``."""
        return canonical(placement_json(self.where())).decode()

    def to_json(self) -> dict[str, Any]:
        """Restricted JSON, complete, for the request digest and the stored application."""
        return self.model_dump(mode="json", by_alias=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An authenticated machine client and what it may do.

    ``address`` is the IPv4 or IPv6 address that it calls from, None where nobody can tell, as at the console.
    """

    client: str
    organs: tuple[str, ...]
    roles: tuple[str, ...]
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """An order with its document and evidence, as it arrives from one client.

    ``source`` is a private file that the seal cycle reads and never changes; ``document`` its digest. The
    approved bytes are kept as the beginning of the sealed file, so the source itself need not be.
    """

    order: Order
    idempotency_key: str
    source: Path
    document: str
    approval: str | None  # the approval statement, JWS compact

    def request_digest(self) -> str:
        """What a repeated idempotency key must repeat."""
        return digest(
            "yinxin/seal-request/v1",
            {"order": self.order.to_json(), "document": self.document, "approval": self.approval},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an application ended, or that it did before (``replayed``)."""

    application: str
    state: Literal["sealed", "refused"]
    entry: int
    impression: str | None
    sealed_digest: str | None
    findings: list[dict[str, Any]]
    replayed: bool = False
    level: str | None = None
    level_asked: str | None = None
    lowered_because: str | None = None


def request_facts(order: Order, application: str, placement: str) -> RequestFacts:
    """The order as the rules see it."""
    return RequestFacts(
        application=application,
        organ=order.organ,
        applicant=order.applicant,
        item=ItemKey(list=order.item.list, number=order.item.number),
        case_number=order.case_number,
        document_kind=order.document_kind,
        copy=order.copy_,
        basis=order.basis,
        predecessor=order.predecessor,
        document_number=order.document_number,
        licence_number=order.licence_number,
        facts=dict(sorted(order.facts.items())),  # as canonical JSON gives them back on a replay
        filing_number=order.filing_number,
        final=order.final,
        placement=placement,
    )

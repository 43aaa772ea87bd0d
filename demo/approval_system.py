"""The approval system of the grantees: orders, approvals, seal uses; all over HTTP."""

import json
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from demo.documents import Particulars
from demo.people import Grant, Registered
from demo.service import Client, DemoError
from demo.statements import APPROVAL, digest, moment, new_id
from demo.typesetting import Paper, typeset


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case (办件) under one agreement: item, basis, facts and the numbers of its documents."""

    grant: Grant
    item: tuple[str, int]
    particulars: Particulars
    facts: dict[str, str] = field(default_factory=dict)
    basis: str = "new"
    predecessor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A sealed document and its receipt, as fetched."""

    title: str
    impression: str
    document: Path
    receipt: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the service said to a seal use: an impression, or the rules that failed."""

    status: int
    impression: str | None
    findings: dict[str, str]
    """Rule or problem code → the Chinese sentence."""

    @classmethod
    def of(cls, answer: httpx2.Response) -> "Answer":
        """Read an answer. Raises :class:`DemoError` for a server error."""
        if answer.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR:
            raise DemoError(f"{answer.request.url}: {answer.status_code} {answer.text[:1000]}")
        body = answer.json()
        failed = body.get("findings") or [{"code": body.get("code"), "zh": body.get("zh") or body.get("detail")}]
        findings = {} if answer.is_success else {each["code"]: each["zh"] for each in failed}
        return cls(status=answer.status_code, impression=body.get("impression"), findings=findings)


@dataclass(slots=True, kw_only=True)
class ApprovalSystem:
    """Acts for the grantees with one client. ``folder`` is where sealed files and receipts are put."""

    client: Client
    registered: Registered
    folder: Path
    day: date
    count: int = 9000

    def case(self, name: str, item: tuple[str, int], *, word: str, **more: Any) -> Case:  # noqa: ANN401  of Case
        """A new case under the agreement ``name``; ``word`` is the 机关代字 of its numbers."""
        self.count += 1
        grant, year = self.registered.grants[name], self.day.year
        particulars = Particulars(
            issuer=grant.grantor.name,
            handled_by=grant.grantee.name,
            reviewer=grant.reviewer,
            case_number=f"XG{self.day:%Y%m%d}-{self.count}",
            document_number=f"{word}〔{year}〕{self.count}号",
            licence_number=more.pop("licence", "").format(year=year, short=year % 100, number=self.count) or None,
            day=self.day,
        )
        return Case(grant=grant, item=item, particulars=particulars, **more)

    def order(self, case: Case, paper: Paper, **changed: Any) -> dict[str, Any]:  # noqa: ANN401  fields of an order
        """The order for one paper of ``case`` as docs/api.md says it."""
        code = case.grant.grantee.code
        return {
            "organ": code,
            "applicant": self.registered.staff[code].seal_user,
            "seal": self.registered.seals[case.grant.name],
            "item": {"list": case.item[0], "number": case.item[1]},
            "case_number": case.particulars.case_number,
            "document_kind": paper.kind,
            "copy": paper.copy,
            "basis": case.basis,
            "predecessor": case.predecessor,
            "document_number": paper.document_number,
            "licence_number": paper.licence_number,
            "facts": case.facts,
            "placement": paper.placement,
            **changed,
        }

    def approve(
        self, case: Case, papers: list[tuple[Paper, bytes]], *, attested: bool = False, applicant: str | None = None
    ) -> str:
        """The principal's approval of these documents: signed with their own key, or ``attested`` by this system."""
        staff, now = self.registered.staff[case.grant.grantee.code], datetime.now(UTC)
        claims = {
            "v": 1,
            "id": new_id("apr"),
            "aud": self.registered.origin,
            "not_before": moment(now),
            "expires": moment(now + timedelta(days=5)),
            "grantee": case.grant.grantee.code,
            "seal": self.registered.seals[case.grant.name],
            "agreement": case.grant.number,
            "agreement_version": 1,
            "item": {"list": case.item[0], "number": case.item[1]},
            "case_number": case.particulars.case_number,
            "basis": case.basis,
            "predecessor": case.predecessor,
            "facts": case.facts,
            "final": True,
            "applicant": applicant or staff.seal_user,
            "principal": staff.principal,
            "on_behalf_of": None,
            "manifest": [_manifest_line(paper, content) for paper, content in papers],
            "confirms": [],
        }
        return (self.registered.attesting if attested else staff.key).sign(claims, APPROVAL)

    def ask(
        self, order: dict[str, Any], document: bytes, approval: str | None, *, client: Client | None = None
    ) -> Answer:
        """Ask for one seal at once."""
        fields = {"order": json.dumps(order, ensure_ascii=False)} | ({"approval": approval} if approval else {})
        path = f"/v1/seals/{order['seal']}/impressions"
        return Answer.of((client or self.client).ask(path, key=secrets.token_hex(12), fields=fields, document=document))

    def ask_in_two_steps(self, order: dict[str, Any], document: bytes, approval: str) -> Answer:
        """Hand in the application first, bring the approval later, then seal."""
        key, fields = secrets.token_hex(12), {"order": json.dumps(order, ensure_ascii=False)}
        received = self.client.ask("/v1/applications", key=key, fields=fields, document=document)
        if not received.is_success:
            return Answer.of(received)
        application = f"/v1/applications/{received.json()['id']}"
        self.client.post(f"{application}/approval", {"approval": approval})
        return Answer.of(self.client.ask(f"{application}/impression", key=key))

    def seal_case(
        self, case: Case, papers: list[Paper], *, attested: bool = False, steps: bool = False
    ) -> list[Sealed]:
        """Seal all papers of a case under one approval, and fetch them. Raises :class:`DemoError` for a refusal."""
        typed = [(paper, typeset(paper)) for paper in papers]
        approval = self.approve(case, typed, attested=attested)
        ask = self.ask_in_two_steps if steps else self.ask
        return [self.fetch(case, paper, ask(self.order(case, paper), content, approval)) for paper, content in typed]

    def fetch(self, case: Case, paper: Paper, answer: Answer) -> Sealed:
        """Fetch the sealed PDF and its receipt. Raises :class:`DemoError` if there is none."""
        title = paper.data.get("title") or _TITLES[paper.template].format(**paper.data)
        if answer.impression is None:
            raise DemoError(f"{title} 应能盖章，却被拒绝 / refused: {answer.findings}")
        address, stem = f"/v1/impressions/{answer.impression}", f"{case.particulars.case_number}-{paper.name}"
        document, receipt = self.folder / f"{stem}.pdf", self.folder / f"{stem}.receipt.json"
        document.write_bytes(self.client.get(f"{address}/document", accept="application/pdf").content)
        receipt.write_bytes(self.client.get(f"{address}/receipt", accept="*/*").content)
        return Sealed(title=title, impression=answer.impression, document=document, receipt=receipt)


_TITLES = {
    "equipment_licence": "特种设备使用登记证（{copy}）",
    "hygiene_licence": "公共场所卫生许可证",
    "felling_licence": "林木采伐许可证",
}


def renumbered(case: Case, document_number: str) -> Case:
    """The same case with another document number."""
    return replace(case, particulars=replace(case.particulars, document_number=document_number))


def _manifest_line(paper: Paper, content: bytes) -> dict[str, Any]:
    return {
        "digest": digest(content),
        "kind": paper.kind,
        "copy": paper.copy,
        "document_number": paper.document_number,
        "licence_number": paper.licence_number,
        # Canonical JSON as text: the approval signs the very words of the placement.
        "placement": json.dumps(paper.placement, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
    }

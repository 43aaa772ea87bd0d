"""What docs/ says of agreements, approvals and life cycles is what the code does."""

import json
import re
from pathlib import Path

import pytest
from registry_samples import GRANTOR, agreement, claims_json, terms_json

from registry import agreements, document_status, seals
from registry.agreement_terms import AgreementTerms, read_terms, terms_digest
from registry.approval import TYP, ApprovalClaims
from registry.record import read

DOCS = Path(__file__).resolve().parents[2] / "docs"
TERMS = (DOCS / "agreement-terms.md").read_text(encoding="utf-8")
APPROVAL = (DOCS / "approval-statement.md").read_text(encoding="utf-8")
CYCLES = (DOCS / "life-cycles.md").read_text(encoding="utf-8")


def example(text: str) -> dict:
    (block,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    return json.loads(block)


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def table(text: str, heading: str) -> list[list[str]]:
    """The rows of the first table after a heading, without its two head lines."""
    rows = []
    for line in text.split(f"## {heading}\n", maxsplit=1)[1].splitlines():
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            break
    return rows[2:]


def test_example_terms_are_the_sample_and_have_the_digest_told():
    assert example(TERMS) == terms_json()
    assert terms_digest(read_terms(example(TERMS))) in TERMS


def test_every_term_is_explained_and_no_other():
    assert {code for row in table(TERMS, "Fields") for code in codes(row[0])} == set(AgreementTerms.model_fields)


def test_signature_payload_is_explained():

    draft = agreement()
    payload = agreements.signature_payload(draft, draft.current, GRANTOR)
    assert {code for row in table(TERMS, "Signatures") for code in codes(row[0])} == set(payload)
    assert agreements.TYP in TERMS


def test_example_claims_are_read():
    assert example(APPROVAL) == claims_json()
    read(ApprovalClaims, example(APPROVAL))
    assert TYP in APPROVAL


def test_every_claim_is_explained_and_no_other():
    explained = {code for row in table(APPROVAL, "Claims") for code in codes(row[0])}
    assert explained == set(ApprovalClaims.model_fields)


def test_refusals_of_a_statement_are_listed():
    sources = "".join(
        (DOCS.parent / "registry" / name).read_text(encoding="utf-8")
        for name in ("approval.py", "statements.py", "passkeys.py")
    )
    raised = set(re.findall(r'"((?:statement|assertion|approval|key)-[a-z-]+)"', sources))
    assert {code for row in table(APPROVAL, "Refusals") for code in codes(row[0])} == raised


@pytest.mark.parametrize(
    ("heading", "changes", "verbs", "kind"),
    [
        ("Agreement", agreements._CHANGES, agreements.VERBS, "agreement"),
        ("Seal", seals._CHANGES, seals.VERBS, "seal"),
    ],
)
def test_state_tables(heading, changes, verbs, kind):
    told = {
        codes(change)[0]: (tuple(codes(before)), codes(after)[0], codes(entry)[0], change.split()[-1])
        for change, before, after, entry in table(CYCLES, heading)
    }
    assert told == {
        change: (before, after, f"{kind}.{verbs[change]}", zh) for change, (before, after, zh) in changes.items()
    }


def test_status_table():
    told = {codes(before)[0]: tuple(codes(after)) for before, after in table(CYCLES, "Status of a sealed document")}
    assert told == document_status._NEXT

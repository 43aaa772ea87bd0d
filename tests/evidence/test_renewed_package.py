"""A file that grew by a renewal: the entry of the renewal proves the bytes added, and nothing else does."""

import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from evidence_packing import packed
from world import START

from ledger.canonical import canonical
from sealing.court_package import build_package
from sealing.renewal import Task, renew_store

pytestmark = pytest.mark.tool("openssl")


def test_the_renewal_on_record_is_proven_and_what_is_added_to_it_is_not(stamped: Any) -> None:
    before = stamped.members()["document.pdf"]
    now = START + timedelta(days=6 * 365 - 60)
    (report,) = renew_store(stamped.shop, Task(within=timedelta(days=90), dry_run=False, clock=lambda: now))
    assert report.state == "renewed", report
    members = stamped.members(build_package(stamped.shop, stamped.impression, now))
    assert members["document.pdf"].startswith(before)
    assert len(members["document.pdf"]) > len(before)
    code, said = stamped.judge(packed(members))
    assert code == 0, said
    assert "✓ 其后追加的内容是台账所载的续期" in said
    unlisted = {name: data for name, data in members.items() if name != "entries/renewal.json"}
    for changed in (members | {"document.pdf": members["document.pdf"] + b"\n"}, unlisted):
        code, said = stamped.judge(_listed(changed))
        assert code == 2, said
        assert "? 其后追加的内容" in said


def _listed(members: dict[str, bytes]) -> bytes:
    """Packed, with a manifest that fits."""
    manifest = json.loads(members["manifest.json"])
    kept = {name: each for name, each in manifest["members"].items() if name in members}
    for name, each in kept.items():
        each["sha256"] = sha256(members[name]).hexdigest()
    return packed(members | {"manifest.json": canonical(manifest | {"members": kept})})

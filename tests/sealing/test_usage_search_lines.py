"""The index of the usage register: written with each entry, filled after an upgrade, and held against the record."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from sealing.audit import audit
from sealing.erasure import erase
from sealing.paper_use import PaperUse, paper_use
from sealing.register_lines import backfill
from sealing.tables import register_lines, register_rules


def used(installed):
    """One seal use, one refusal without an approval, one paper use."""
    world = installed.world
    sealed = installed.sealer().seal(world.submission("city", installed.folder), installed.caller)
    order = world.order("town")
    document = world.document("town", order, installed.folder)
    refused = installed.sealer().seal(world.submit(order, document, None), installed.caller)
    paper = PaperUse(order=world.order("city"), used_at=world.now, reason="系统停机", approver=None)
    return sealed, refused, paper_use(installed.shop, paper, installed.caller, installed.clock())


def rows(installed, table=register_lines):
    with installed.shop.database.read() as connection:
        return [dict(row) for row in connection.execute(select(table).order_by(table.c.entry_index)).mappings()]


def change(installed, statement):
    with installed.shop.database.engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount > 0


def broken(installed):
    return {each.code for each in audit(installed.shop, installed.clock()) if each.severity == "broken"}


def test_each_use_is_a_line_without_names(installed):
    sealed, refused, paper = used(installed)
    lines = rows(installed)
    assert [line["entry_index"] for line in lines] == [sealed.entry, refused.entry, paper.entry]
    assert [line["kind"] for line in lines] == ["seal.impressed", "seal.refused", "paper.used"]
    assert lines[0]["item"] == "001-2 30"
    assert lines[0]["document_key"].startswith("兴审批(2026)")
    assert [line["seconds"] is None for line in lines] == [False, True, True]
    assert "示例" not in str(lines)
    assert {rule["entry_index"] for rule in rows(installed, register_rules)} >= {refused.entry}
    assert broken(installed) == set()


def test_an_upgrade_fills_the_same_lines(installed):
    used(installed)
    before = rows(installed), rows(installed, register_rules)
    change(installed, "DELETE FROM register_lines")
    change(installed, "DELETE FROM register_rules")
    assert backfill(installed.shop.book) == 3
    assert (rows(installed), rows(installed, register_rules)) == before
    assert backfill(installed.shop.book) == 0
    assert broken(installed) == set()


CHANGES = {
    "grantee": ("UPDATE register_lines SET grantee = 'x'", "register-differs"),
    "waiting time": ("UPDATE register_lines SET seconds = 9 WHERE seconds IS NOT NULL", "register-differs"),
    "rule": ("DELETE FROM register_rules", "register-differs"),
    "line taken away": ("DELETE FROM register_lines WHERE kind = 'seal.impressed'", "register-without-line"),
    "line moved": ("UPDATE register_lines SET entry_index = 0 WHERE kind = 'paper.used'", "register-without-entry"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_audit_names_a_changed_line(installed, name):
    statement, code = CHANGES[name]
    used(installed)
    change(installed, statement)
    assert code in broken(installed)
    backfill(installed.shop.book)  # a line taken out of the middle is not put back silently
    assert code in broken(installed)


def test_what_is_erased_leaves_the_index(installed):
    sealed, _, _ = used(installed)
    installed.clock.forward(timedelta(minutes=1))
    act = replace(installed.world.act("保存期满"), now=installed.clock())
    erase(installed.shop, sealed.entry, ["case", "numbers"], act)
    line = rows(installed)[0]
    assert (line["case_key"], line["document_key"], line["item"]) == ("", "", "")
    assert line["seal"] == installed.world.seals["city"]
    assert broken(installed) == set()

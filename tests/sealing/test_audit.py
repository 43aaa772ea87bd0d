"""The auditor names what was changed, what is open, and what is an orphan."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import text
from world import COUNTY

from sealing.audit import audit
from sealing.paper_use import PaperUse, paper_use
from sealing.usage_register import Period, lines, table


@dataclass
class StoppedError(Exception):
    step: str


def seal(installed, name="city", at=None):
    return installed.sealer(at=at).seal(installed.world.submission(name, installed.folder), installed.caller)


def found(installed):
    return {(each.severity, each.code) for each in audit(installed.shop, installed.clock())}


def sql(installed, statement):
    with installed.shop.database.engine.begin() as connection:
        connection.execute(text(statement))


def test_a_used_installation_is_sound(installed):
    for name in ("city", "town", "forest"):
        seal(installed, name)
    walked = []

    assert audit(installed.shop, installed.clock(), lambda *step: walked.append(step[0])) == []
    assert set(walked) == {"ledger", "registry", "documents"}


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE registry_seal SET state = 'cancelled'", "row-tampered"),
        ("DELETE FROM registry_organ", "row-tampered"),
        ("UPDATE registry_person SET body = replace(body, '负责人', '头头')", "row-tampered"),
        ("UPDATE impressions SET sealed_digest = source_digest", "impression-differs"),
        ("DELETE FROM impressions", "impression-without-row"),
        ("UPDATE impressions SET application = application || 'x'", "impression-differs"),
    ],
)
def test_a_row_changed_by_sql_is_named(installed, statement, code):
    seal(installed)
    sql(installed, statement)

    assert ("broken", code) in found(installed)


def test_a_changed_leaf_is_named(installed):
    outcome = seal(installed)
    sql(installed, f"UPDATE ledger_entries SET kind = 'seal.refused' WHERE \"index\" = {outcome.entry}")

    assert any(severity == "broken" for severity, _ in found(installed))


def test_a_changed_and_a_missing_document_are_named(installed):
    one, two = seal(installed), seal(installed, "town")
    changed = installed.shop.documents.read_path(one.sealed_digest)
    changed.write_bytes(changed.read_bytes() + b" ")
    installed.shop.documents.read_path(two.sealed_digest).unlink()

    assert {("broken", "document-changed"), ("broken", "document-unknown")} <= found(installed)


def test_a_file_that_no_entry_names_is_an_orphan(installed):
    path = installed.shop.documents.unused()
    path.write_bytes(b"%PDF-1.7 left behind")
    installed.shop.documents.put(path)

    assert found(installed) == {("orphan", "orphan-document")}


def test_a_lapsed_attempt_is_open_until_recovered(installed):
    def stop(step):
        if step == "intent_committed":
            raise StoppedError(step)

    with pytest.raises(StoppedError):
        seal(installed, at=stop)
    assert found(installed) == set()
    installed.clock.forward(installed.settings.lease + timedelta(seconds=1))
    assert found(installed) == {("open", "attempt-lapsed")}


def test_an_attempt_taken_out_of_its_table_is_named(installed):
    def stop(step):
        if step == "intent_committed":
            raise StoppedError(step)

    with pytest.raises(StoppedError):
        seal(installed, at=stop)
    sql(installed, "DELETE FROM attempts")

    assert ("broken", "intent-without-outcome") in found(installed)


def test_paper_use_is_recorded_with_its_findings(installed):
    world = installed.world
    order = world.order("city")
    use = PaperUse(order=order, used_at=world.now, reason="系统停机", approver=world.staff[COUNTY].principal)

    recorded = paper_use(installed.shop, use, installed.caller, installed.clock())

    failed = {each["code"] for each in recorded.findings if not each["passed"]}
    assert "principal_approved" in failed
    assert "seal_active" not in failed
    assert installed.kinds()[-1] == "paper.used"
    assert found(installed) == set()


def test_the_usage_register_has_a_line_for_every_use(installed):
    seal(installed)
    order = installed.world.order("town", document_number="=1+1")
    document = installed.world.document("town", order, installed.folder)
    installed.sealer().seal(installed.world.submit(order, document, None), installed.caller)
    paper = PaperUse(
        order=installed.world.order("forest"), used_at=installed.world.now, reason="系统停机", approver=None
    )
    paper_use(installed.shop, paper, installed.caller, installed.clock())

    with installed.shop.database.read() as connection:
        all_lines = list(lines(connection, installed.shop, Period(organs=None)))
        of_city = list(lines(connection, installed.shop, Period(organs=(installed.world.codes["city"],))))

    assert [each.outcome for each in all_lines] == ["盖章", "拒绝", "纸质用章"]
    assert [each.outcome for each in of_city] == ["盖章"]
    sealed = all_lines[0]
    assert (sealed.item, sealed.grantor) == ("特种设备使用登记", "赣州市行政审批局")
    assert sealed.approver == "示例兴国县负责人"
    assert (sealed.document_kind, sealed.copy, sealed.assurance) == ("决定书", "正本", "本人签名")
    assert "principal_approved" in all_lines[1].refused_by
    assert table(iter(all_lines))[0][1:6] == ["用章时间", "结果", "使用的事项", "批准领导", "证书编号"]

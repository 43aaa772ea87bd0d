"""Numbers in use: who may have which again, and that two at once never both get it."""

from dataclasses import replace

import pytest
from registry_samples import GRANTOR, THIRD
from sqlalchemy import text

from ledger.entry import Draft
from ledger.ids import new_id
from policies.facts import NumberConflict
from registry.errors import ConflictError, RowTamperedError
from registry.numbers import NumberUse, check_reserved, conflicts, free, number_subjects, reserve

LINEAGE = "agr-" + "a" * 26


def use(**changes) -> NumberUse:
    values = {
        "grantor": GRANTOR,
        "lineage": LINEAGE,
        "application": new_id("app"),
        "case_number": "XG2026-0001",
        "kind": "licence",
        "copy": "original",
        "basis": "new",
        "predecessor": None,
        "document_number": "兴卫公许〔2026〕12号",
        "licence_number": "36073220260001",
    }
    return NumberUse(**{**values, **changes})


FIRST = use()
OTHER_CASE = {"case_number": "XG2026-0002"}


def names(world, wanted: NumberUse) -> set[str]:
    return {each.name for each in world.reading(conflicts, wanted)}


def test_free_number_has_no_conflict(world):
    assert names(world, FIRST) == set()
    world.writing(reserve, FIRST)
    assert names(world, use(document_number="赣另〔2026〕8号", licence_number="另证900", **OTHER_CASE)) == set()


def test_conflict_names_number_and_case(world):
    world.writing(reserve, FIRST)
    wanted = use(licence_number=None, **OTHER_CASE)
    assert world.reading(conflicts, wanted) == (
        NumberConflict(name="document_number", value=wanted.document_number, used_by="XG2026-0001"),
    )


@pytest.mark.parametrize(
    "spelling",
    ["兴卫公许（2026）12号", "兴卫公许[2026]12号", "兴卫公许【2026】１２号", "兴卫公许〔2026〕 12 号"],
)
def test_other_brackets_and_widths_are_the_same_number(world, spelling):
    world.writing(reserve, FIRST)
    assert names(world, use(document_number=spelling, licence_number=None, **OTHER_CASE)) == {"document_number"}


def test_same_application_comes_again(world):
    world.writing(reserve, FIRST)
    assert names(world, FIRST) == set()
    world.writing(reserve, FIRST)
    world.writing(reserve, replace(FIRST, document_number="兴卫公许〔2026〕13号"))
    assert names(world, use(licence_number=None, **OTHER_CASE)) == set()


@pytest.mark.parametrize("changes", [{"lineage": "agr-" + "b" * 26}, {"grantor": THIRD}, {"kind": "decision"}])
def test_other_grantor_lineage_or_kind_is_another_series(world, changes):
    world.writing(reserve, FIRST)
    assert names(world, use(**changes, **OTHER_CASE)) == set()


def test_copies_share_a_number_within_their_case_only(world):
    world.writing(reserve, FIRST)
    assert names(world, use(copy="duplicate 1")) == set()
    world.writing(reserve, use(copy="duplicate 1"))
    assert names(world, use(copy="duplicate 1", licence_number=None)) == {"document_number"}
    assert names(world, use(copy="duplicate 2", **OTHER_CASE)) == {"document_number", "licence_number"}


def test_case_is_compared_folded(world):
    world.writing(reserve, use(case_number="XG（2026）1"))
    assert names(world, use(copy="duplicate 1", case_number="xg(2026)1")) == set()


def test_licence_number_recurs_in_its_own_case(world):
    world.writing(reserve, FIRST)
    again = use(document_number="兴卫公许〔2026〕13号")
    assert names(world, again) == set()
    world.writing(reserve, again)
    assert names(world, use(document_number="兴卫公许〔2026〕14号", **OTHER_CASE)) == {"licence_number"}


@pytest.mark.parametrize("basis", ["change", "renewal", "replacement", "cancellation"])
@pytest.mark.parametrize("predecessor", ["36073220260001", "兴卫公许(2026)12号"])
def test_licence_number_recurs_in_a_basis_that_names_its_predecessor(world, basis, predecessor):
    world.writing(reserve, FIRST)
    later = use(basis=basis, predecessor=predecessor, document_number="兴卫公许〔2026〕13号", **OTHER_CASE)
    assert names(world, later) == set()
    world.writing(reserve, later)
    third = replace(later, application=new_id("app"), case_number="3", document_number="兴卫公许〔2026〕15号")
    assert names(world, third) == set()


@pytest.mark.parametrize(
    "changes",
    [
        {"basis": "new", "predecessor": "36073220260001"},
        {"basis": "renewal", "predecessor": None},
        {"basis": "renewal", "predecessor": "36073220260002"},
    ],
    ids=str,
)
def test_else_a_licence_number_does_not_recur(world, changes):
    world.writing(reserve, FIRST)
    later = use(document_number="兴卫公许〔2026〕13号", **changes, **OTHER_CASE)
    assert names(world, later) == {"licence_number"}
    with pytest.raises(ConflictError, match="36073220260001"):
        world.writing(reserve, later)


def test_document_number_never_recurs_for_a_later_basis(world):
    world.writing(reserve, FIRST)
    later = use(basis="renewal", predecessor="36073220260001", **OTHER_CASE)
    assert names(world, later) == {"document_number"}


def test_predecessor_must_be_of_the_holder(world):
    """Naming some other number of the same series does not open this one."""
    world.writing(reserve, FIRST)
    world.writing(reserve, use(document_number="赣另〔2026〕8号", licence_number="另证900", case_number="9"))
    later = use(basis="renewal", predecessor="另证900", document_number="赣再〔2026〕9号", **OTHER_CASE)
    assert names(world, later) == {"licence_number"}


def test_freed_numbers_are_free(world):
    world.writing(reserve, FIRST)
    world.writing(free, FIRST.application)
    assert names(world, use(**OTHER_CASE)) == set()
    world.writing(reserve, use(**OTHER_CASE))


def test_freeing_the_first_holder_does_not_free_a_recurring_number(world):
    world.writing(reserve, FIRST)
    world.writing(reserve, use(document_number="兴卫公许〔2026〕13号"))
    world.writing(free, FIRST.application)
    assert names(world, use(document_number="兴卫公许〔2026〕14号", **OTHER_CASE)) == {"licence_number"}


def test_what_is_given_is_kept_as_given(world):
    world.writing(reserve, FIRST)
    rows = world.reading(
        lambda c: c.execute(text('SELECT name, given, "key" FROM registry_reserved_numbers ORDER BY name')).all()
    )
    assert rows[0] == ("document_number", "兴卫公许〔2026〕12号", "兴 卫 公 许 2026 12")


def test_document_without_a_licence_number(world):
    world.writing(reserve, use(licence_number=None))
    assert names(world, use(licence_number=None, document_number="赣另〔2026〕8号", **OTHER_CASE)) == set()


def test_index_holds_when_the_check_was_passed_by_two_at_once(world, monkeypatch):
    """Were the agreement's lock forgotten, the second writer still fails, and typed."""
    world.writing(reserve, FIRST)
    monkeypatch.setattr("registry.numbers.conflicts", lambda connection, use: ())
    with pytest.raises(ConflictError) as caught:
        world.writing(reserve, use(licence_number=None, **OTHER_CASE))
    assert caught.value.code == "number-in-use"
    assert "兴卫公许〔2026〕12号" in caught.value.zh


WHOLE = "赣卫证字〔2026〕第0017号"
PIECES = [
    "赣卫证字〔2026〕第0017",
    "卫证字〔2026〕第0017号",
    "〔2026〕第0017号",
    "第0017号",
    "0017",
    "17",
    "赣卫证字〔2026〕",
    "2026",
    "<2026>0017",
    "赣卫证字2026第0017号",
    "赣卫证字202617号",
    "赣卫证字<2026>第0017号",
    "赣卫证字《2026》第0017号。",
    "、赣卫证字〔2026〕第0017號",
    "赣卫证字〔2026〕第0017号-1",
    "卫证字〔2026〕第0017号（正本）",
]


@pytest.mark.parametrize("piece", PIECES)
def test_a_piece_of_a_number_in_use_is_in_use_and_the_other_way_round(world, piece):
    for first, second in ((WHOLE, piece), (piece, WHOLE)):
        held = use(document_number=first, licence_number=None)
        world.writing(reserve, held)
        asked = use(document_number=second, licence_number=None, **OTHER_CASE)
        assert names(world, asked) == {"document_number"}
        with pytest.raises(ConflictError):
            world.writing(reserve, asked)
        world.writing(free, held.application)
        assert names(world, asked) == set()


def test_numbers_that_overlap_may_be_one_print(world):
    world.writing(reserve, use(document_number="编号赣卫证字〔2026〕第0017号", licence_number=None))
    asked = use(document_number="卫证字〔2026〕第0017号（正本2）", licence_number=None, **OTHER_CASE)
    assert names(world, asked) == {"document_number"}


def test_honest_sequences_do_not_conflict(world):
    numbers = [
        *(
            f"兴审批〔{year}〕{number}号"
            for year in (2025, 2026)
            for number in (1, 2, 7, 17, 27, 70, 71, 107, 717, 2025)
        ),
        *(f"兴审准〔2026〕{number}号" for number in (7, 17)),
        *(f"赣卫公证字〔2026〕第360732-{number:05}号" for number in (1, 7, 17, 107)),
        *(f"梯11赣B{number:05}（26）" for number in (1, 7, 11, 17, 26, 107)),
        *(f"25-{number}" for number in (1, 7, 25)),
        *(f"3607322026{number:04}" for number in (1, 7, 17, 107)),
    ]
    for case, number in enumerate(numbers):
        world.writing(reserve, use(document_number=number, licence_number=None, case_number=str(case)))


SECRET = b"s" * 32


def record(world, wanted: NumberUse, kind: str = "seal.intended", attempt: str | None = None) -> str:
    """What the seal cycle writes into the record with the rows."""
    attempt = attempt or new_id("att")
    subjects = (attempt, wanted.application)
    if kind == "seal.intended":
        subjects += number_subjects(wanted, SECRET)
    case = {"case_number": wanted.case_number, "copy": wanted.copy}
    draft = Draft(kind=kind, subjects=subjects, groups={"case": case})
    world.writing(world.store.book.append, draft, world.now)
    return attempt


def check(world, wanted: NumberUse) -> None:
    world.reading(check_reserved, world.store.book, wanted, SECRET)


def test_a_row_that_fits_its_entry_is_no_finding(world):
    check(world, FIRST)
    world.writing(reserve, FIRST)
    record(world, FIRST)
    check(world, FIRST)
    check(world, use(**OTHER_CASE))
    check(world, use(document_number="赣另〔2026〕8号", licence_number=None))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM registry_reserved_numbers",
        "UPDATE registry_reserved_numbers SET \"key\" = 'x'",
        "UPDATE registry_reserved_numbers SET lineage = 'x'",
        "UPDATE registry_reserved_numbers SET kind = 'notice'",
        "UPDATE registry_reserved_numbers SET case_number = 'XG2026-0002'",
        "UPDATE registry_reserved_numbers SET copy = 'duplicate 9'",
        "UPDATE registry_reserved_numbers SET application = 'app-x'",
    ],
)
@pytest.mark.parametrize("other", ["document_number", "licence_number"])
def test_a_row_changed_by_hand_frees_no_number(world, statement, other):
    world.writing(reserve, FIRST)
    record(world, FIRST)
    world.sql(statement)
    asked = use(**{other: None}, **OTHER_CASE)
    with pytest.raises(RowTamperedError, match="registry_reserved_numbers"):
        check(world, asked)


def test_an_abandoned_attempt_holds_nothing_unless_it_was_sealed_before(world):
    world.writing(reserve, FIRST)
    attempt = record(world, FIRST)
    world.writing(free, FIRST.application)
    with pytest.raises(RowTamperedError):
        check(world, use(**OTHER_CASE))
    record(world, FIRST, "seal.abandoned", attempt)
    check(world, use(**OTHER_CASE))
    record(world, FIRST, "seal.impressed", attempt)
    with pytest.raises(RowTamperedError):
        check(world, use(**OTHER_CASE))


def test_subjects_tell_nothing_without_the_secret():
    mine = number_subjects(FIRST, SECRET)
    assert mine == number_subjects(use(document_number="兴卫公许<2026>012号", **OTHER_CASE), SECRET)
    assert len({*mine, *number_subjects(FIRST, b"t" * 32)}) == 4
    assert all(each.startswith("num-") and len(each) == 30 for each in mine)
    for changes in ({"grantor": THIRD}, {"lineage": "agr-" + "b" * 26}, {"kind": "notice"}):
        assert not set(mine) & set(number_subjects(use(**changes), SECRET))
    assert len(number_subjects(use(licence_number=None), SECRET)) == 1

"""The record of key uses against the ledger, both ways: what is missing or too much is named with its line."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from checked_keystore import Checked
from sqlalchemy import text

from custody.uses import FIRST, UseLine, line_digest
from keystore.open import open_keystore
from ledger import merkle, store
from ledger.entry import Draft
from ledger.moments import to_text
from sealing.audit_keys import audit_keys
from sealing.errors import InstallationError


@dataclass
class Told:
    """A keystore whose record says what a test makes it say."""

    lines: list[UseLine]

    def uses_after(self, n: int) -> Iterator[UseLine]:
        yield from self.lines[n:]


def lines_of(checked: Checked) -> list[UseLine]:
    return list(checked.keystore.uses_after(0))


def chained(lines: list[UseLine]) -> list[UseLine]:
    """The same lines with numbers and chain as an attacker who holds the file would write them."""
    made, previous = list[UseLine](), FIRST
    for number, line in enumerate(lines):
        made.append(replace(line, n=number, previous=previous))
        previous = line_digest(made[-1])
    return made


def codes(checked: Checked, lines: list[UseLine] | None = None) -> list[tuple[str, str]]:
    shop = checked.shop if lines is None else replace(checked.shop, keystore=Told(lines))  # type: ignore[arg-type]
    return [(each.code, each.where) for each in audit_keys(shop).findings]


def last(lines: list[UseLine], form: str) -> int:
    return max(line.n for line in lines if line.about.get("form") == form and line.event == "use")


@pytest.fixture(scope="module")
def sealed(looked_at: Checked) -> Checked:
    """For tests that only tell another record."""
    looked_at.seal()
    return looked_at


@pytest.fixture
def own(checked: Checked) -> Checked:
    """For tests that change the ledger."""
    checked.seal()
    return checked


def test_an_installation_with_seals_a_renewed_key_and_all_services_is_clean(own: Checked) -> None:
    act = replace(own.world.act("换钥"), now=own.clock())
    own.world.two_persons("rotate_key", "city", act, seal=own.world.seals["city"], algorithm="ecdsa-p256-sha256")
    own.seal()
    own.seal(name="town")
    told = audit_keys(own.shop)
    assert told.findings == []
    forms = {str(line.about.get("form")) for line in lines_of(own) if line.event == "use"}
    assert forms == {"root", "issuer", "certificate", "checkpoint", "seal"}


def test_where_no_record_is_kept_that_is_said(sealed: Checked) -> None:
    settings = sealed.shop.settings
    plain = open_keystore(settings.keystore_uri, key_encryption_key=settings.key_encryption_key_path)
    with pytest.raises(InstallationError, match="no record of uses"):
        audit_keys(replace(sealed.shop, keystore=plain))


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ("seal", "impression-without-use"),
        ("certificate", "certificate-without-use"),
        ("checkpoint", "checkpoint-without-use"),
    ],
)
def test_a_use_that_was_taken_out_of_the_record(sealed: Checked, form: str, code: str) -> None:
    lines = lines_of(sealed)
    gone = last(lines, form)
    assert [found for found, _ in codes(sealed, chained([line for line in lines if line.n != gone]))] == [code]


def test_a_use_that_failed_made_nothing(sealed: Checked) -> None:
    lines = lines_of(sealed)
    use = lines[last(lines, "seal")]
    failure = replace(use, event="failure", about={"use": use.n, "code": "token-absent"})
    found = codes(sealed, chained([*lines, failure]))
    assert [code for code, _ in found] == ["impression-without-use"]


def test_a_record_whose_end_was_cut_off(sealed: Checked) -> None:
    lines = lines_of(sealed)
    found = {code for code, _ in codes(sealed, lines[: last(lines, "seal")])}
    assert found == {"impression-without-use"}


def test_a_line_that_was_changed_breaks_the_chain(sealed: Checked) -> None:
    lines = lines_of(sealed)
    at = last(lines, "seal") - 1
    lines[at] = replace(lines[at], time=to_text(sealed.desk.now + timedelta(days=1)))
    assert ("uses-broken", f"line {at + 1}") in codes(sealed, lines)


def _other_message(line: UseLine) -> UseLine:
    return replace(line, message="sha256:" + "0" * 64)


def _other_key(line: UseLine) -> UseLine:
    return replace(line, key="file:seal-" + "0" * 32)


def _other_entry(line: UseLine) -> UseLine:
    return replace(line, about={**line.about, "entry": 3})


def _no_such_entry(line: UseLine) -> UseLine:
    return replace(line, about={**line.about, "entry": 9_999})


def _other_intent(line: UseLine) -> UseLine:
    return replace(line, about={**line.about, "intent": "ent-" + "a" * 26})


def _unheard_of(line: UseLine) -> UseLine:
    return replace(line, about={"form": "favour"})


def _founding(line: UseLine) -> UseLine:
    return replace(line, about={"form": "issuer", "serial": "1"})


@pytest.mark.parametrize(
    "change",
    [_other_message, _other_key, _other_entry, _no_such_entry, _other_intent, _unheard_of, _founding],
    ids=lambda change: change.__name__.strip("_"),
)
def test_a_use_without_an_intent(sealed: Checked, change: Callable[[UseLine], UseLine]) -> None:
    lines = lines_of(sealed)
    extra = change(lines[last(lines, "seal")])
    found = codes(sealed, chained([*lines, extra]))
    assert found == [("use-without-intent", f"line {len(lines)}")]


def test_a_certificate_with_another_serial_than_was_intended(sealed: Checked) -> None:
    lines = lines_of(sealed)
    line = lines[last(lines, "certificate")]
    extra = replace(line, about={**line.about, "serial": "abc"})
    assert codes(sealed, chained([*lines, extra])) == [("use-without-intent", f"line {len(lines)}")]


@pytest.mark.parametrize(
    ("about", "code"),
    [
        ({"size": 5, "root": "0" * 64}, "checkpoint-of-another-log"),
        ({"size": 0, "root": "0" * 64}, "checkpoint-of-another-log"),
        ({"size": 100_000, "root": "0" * 64}, "checkpoint-ahead-of-log"),
        ({"size": "5", "root": "0" * 64}, "checkpoint-ahead-of-log"),
    ],
    ids=["another-root", "empty", "ahead", "no-size"],
)
def test_a_signed_tree_that_is_not_of_this_log(sealed: Checked, about: dict[str, Any], code: str) -> None:
    lines = lines_of(sealed)
    line = lines[last(lines, "checkpoint")]
    extra = replace(line, about={**line.about, **about})
    assert codes(sealed, chained([*lines, extra])) == [(code, f"line {len(lines)}")]


def test_a_database_put_back_does_not_have_what_was_signed(own: Checked) -> None:
    """The signed tree is longer than the log that is left."""
    with own.shop.database.write() as connection:
        connection.execute(text('DELETE FROM ledger_entries WHERE "index" > 200'))
        size = 201
        tree = merkle.range_over(store.leaf_hashes(connection, 0, size))
        connection.execute(
            text("UPDATE ledger_head SET size = :size, range = :range"), {"size": size, "range": tree.to_bytes()}
        )
    assert "checkpoint-ahead-of-log" in {code for code, _ in codes(own)}


def test_an_impression_that_somebody_wrote_without_any_use(own: Checked) -> None:
    """An intent was committed, no key was used, and still there is an impression."""
    shop, now = own.shop, own.clock()
    with shop.database.read() as connection:
        index = shop.book.indexes(connection, "seal.intended")[-1]
        intent = shop.book.entry(connection, index)
        again = {group: opening.value for group, opening in intent.openings.items()}
    with shop.database.write() as connection:
        copied = shop.book.append(connection, Draft(kind="seal.intended", subjects=(), groups=again), now)
        groups = {"application": {"intent_entry": copied.index}}
        made = shop.book.append(connection, Draft(kind="seal.impressed", subjects=(), groups=groups), now)
    assert codes(own) == [("impression-without-use", f"entry {made.index}")]


def test_a_record_begun_anew_says_since_when_it_tells(sealed: Checked) -> None:
    fresh = [line for line in lines_of(sealed) if line.about.get("form") == "checkpoint"][-1:]
    told = audit_keys(replace(sealed.shop, keystore=Told(chained(fresh))))  # type: ignore[arg-type]
    assert [(each.code, each.severity) for each in told.findings][:1] == [("uses-begin-late", "open")]
    assert told.begins == fresh[0].time


def test_an_empty_record_is_said(sealed: Checked) -> None:
    told = audit_keys(replace(sealed.shop, keystore=Told([])))  # type: ignore[arg-type]
    assert [(each.code, each.severity) for each in told.findings] == [("uses-begin-late", "open")]

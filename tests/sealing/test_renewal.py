"""Archive time-stamps before the newest lapse: over the store and over files, once, and whole after a kill."""

import shutil
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import text

from sealing.audit import audit
from sealing.impressions import get
from sealing.renewal import Task, renew_file, renew_store
from sealing.renewed_files import newest_file

LATER = timedelta(days=6 * 365 - 60)
SOON = timedelta(days=90)


@pytest.fixture(params=["sqlite"])
def kind(request):
    return request.param


def task(installed, *, dry_run=False, within=SOON):
    return Task(within=within, dry_run=dry_run, clock=installed.clock)


def run(installed, **chosen):
    return list(renew_store(installed.shop, task(installed, **chosen)))


def newest(installed, impression):
    with installed.shop.database.read() as connection:
        return newest_file(connection, installed.shop.book, get(connection, impression))


def findings(installed):
    return {(each.severity, each.code) for each in audit(installed.shop, installed.clock())}


def test_what_lapses_soon_is_renewed_once_and_keeps_its_old_bytes(installed):
    stamped, plain = installed.sealed(level="PAdES-B-LT"), installed.sealed("town", level="PAdES-B-B")
    assert [each.state for each in run(installed)] == ["current", "no-time-stamp"]
    installed.clock.forward(LATER)

    assert [each.state for each in run(installed, dry_run=True)] == ["due", "no-time-stamp"]
    assert newest(installed, stamped.outcome.impression).digest == stamped.outcome.sealed_digest
    renewed, _ = run(installed)

    kept = newest(installed, stamped.outcome.impression)
    content = installed.shop.documents.read_path(kept.digest).read_bytes()
    assert (renewed.state, renewed.subject) == ("renewed", stamped.outcome.impression)
    assert renewed.expires == kept.expires > installed.clock.now + timedelta(days=365)
    assert content.startswith(stamped.path.read_bytes())
    assert content.count(b"/DocTimeStamp") == 1
    assert kept.length == len(content)
    assert [each.state for each in run(installed)] == ["current", "no-time-stamp"]
    assert [each.state for each in run(installed, within=timedelta(days=9999))] == ["current", "no-time-stamp"]
    assert newest(installed, plain.outcome.impression).digest == plain.outcome.sealed_digest
    assert findings(installed) == set()


def test_a_second_renewal_stands_on_the_first(installed):
    sealed = installed.sealed(level="PAdES-B-LTA")
    installed.clock.forward(LATER)
    assert [each.state for each in run(installed)] == ["renewed"]
    first = newest(installed, sealed.outcome.impression)
    installed.clock.forward(first.expires - installed.clock.now - timedelta(days=30))
    (again,) = run(installed)

    assert again.state in {"renewed", "current"}, again  # current where the issuer itself ends then
    if again.state == "renewed":
        second = installed.shop.documents.read_path(newest(installed, sealed.outcome.impression).digest).read_bytes()
        assert second.startswith(installed.shop.documents.read_path(first.digest).read_bytes())
    assert findings(installed) == set()


def test_what_lapsed_is_told_and_not_repaired(installed):
    installed.sealed(level="PAdES-B-T")
    installed.clock.forward(timedelta(days=6 * 365 + 10))

    assert [each.state for each in run(installed)] == ["lapsed"]


def test_a_renewed_file_that_is_changed_or_gone_is_found(installed):
    sealed = installed.sealed(level="PAdES-B-T")
    installed.clock.forward(LATER)
    run(installed)
    path = installed.shop.documents.read_path(newest(installed, sealed.outcome.impression).digest)
    whole = path.read_bytes()
    path.write_bytes(whole + b" ")
    assert findings(installed) == {("broken", "document-changed")}
    path.unlink()
    assert findings(installed) == {("broken", "document-unknown")}


KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from datetime import timedelta
from sealing.renewal import Task, renew_store
from sealing.settings import Settings
from sealing.workshop import open_workshop

passed = []
def at(step):
    passed.append(step)
    if len(passed) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

now = datetime.fromisoformat(sys.argv[3])
with open_workshop(Settings(data=Path(sys.argv[1]), database_url=sys.argv[2], unsafe_in_process_keys=True)) as shop:
    list(renew_store(shop, Task(within=timedelta(days=90), dry_run=False, clock=lambda: now), at))
"""


def test_a_run_that_is_killed_in_the_middle_is_taken_up_by_the_next(installed):
    sealed = [installed.sealed(name, level="PAdES-B-LT") for name in ("city", "town", "forest")]
    installed.clock.forward(LATER)
    where = [str(installed.settings.data), installed.settings.database_url, installed.clock().isoformat()]
    killed = subprocess.run([sys.executable, "-c", KILLED, *where], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert installed.kinds().count("seal.renewed") == 1
    assert findings(installed) == {("orphan", "orphan-document")}  # kept, and named by no entry yet

    installed.clock.forward(timedelta(minutes=1))
    assert [each.state for each in run(installed)] == ["current", "renewed", "renewed"]
    assert installed.kinds().count("seal.renewed") == 3
    for each in sealed:
        content = installed.shop.documents.read_path(newest(installed, each.outcome.impression).digest).read_bytes()
        assert content.startswith(each.path.read_bytes())
    assert findings(installed) == {("orphan", "orphan-document")}


def test_a_file_outside_the_store_gets_a_renewed_copy_beside_it(installed, tmp_path):
    source, target = tmp_path / "mine.pdf", tmp_path / "mine.renewed.pdf"
    shutil.copy(installed.sealed(level="PAdES-B-LT").path, source)
    assert renew_file(installed.shop, source, target, task(installed)).state == "current"
    installed.clock.forward(LATER)

    assert renew_file(installed.shop, source, target, task(installed, dry_run=True)).state == "due"
    assert not target.exists()
    assert renew_file(installed.shop, source, target, task(installed)).state == "renewed"
    assert target.read_bytes().startswith(source.read_bytes())
    assert renew_file(installed.shop, source, target, task(installed)).state == "current"
    assert renew_file(installed.shop, target, tmp_path / "x.pdf", task(installed)).state == "current"
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    broken = renew_file(installed.shop, tmp_path / "broken.pdf", tmp_path / "y.pdf", task(installed))
    assert broken.state == "no-time-stamp"
    assert sorted(path.name for path in tmp_path.glob("*.pdf") if path.name in {"x.pdf", "y.pdf"}) == []
    assert list(installed.shop.documents.incoming.iterdir()) == []
    assert installed.kinds().count("seal.renewed") == 0


def test_a_row_that_points_elsewhere_is_not_renewed(installed):
    installed.sealed(level="PAdES-B-LT")
    installed.clock.forward(LATER)
    with installed.shop.database.engine.begin() as connection:
        connection.execute(text("UPDATE impressions SET sealed_digest = source_digest"))

    (told,) = run(installed)
    assert told.state == "failed"
    assert told.code == "row-tampered"


def test_two_files_of_one_name_do_not_take_each_other_for_renewed(installed, tmp_path):
    first, second, target = tmp_path / "first.pdf", tmp_path / "second.pdf", tmp_path / "out.pdf"
    for source in (first, second):
        shutil.copy(installed.sealed(level="PAdES-B-LT").path, source)
    installed.clock.forward(LATER)
    assert renew_file(installed.shop, first, target, task(installed)).state == "renewed"
    kept = target.read_bytes()

    told = renew_file(installed.shop, second, target, task(installed))
    assert (told.state, told.code) == ("failed", "target-of-another")
    assert target.read_bytes() == kept

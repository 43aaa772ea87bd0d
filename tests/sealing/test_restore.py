"""Backups of real installations, restored: what comes back is sound and seals again, and what must not, does not."""

import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from world import CITY, START, World, public_bytes

from ledger.ids import new_id
from registry.errors import EvidenceError
from registry.proposal_statements import DecisionClaims, ProposalClaims, sign_claims, statement_digest
from registry.proposals import content_digest
from registry.records import Person, PersonKey, RoleAssignment
from sealing.audit import audit
from sealing.backup import BackedUp, back_up
from sealing.errors import BackupError
from sealing.key_shares import combine, split
from sealing.order import Outcome
from sealing.restore import RESTORED, Restored, Restoring, restore
from sealing.restore_consent import Consent, rollback_content
from sealing.seal import Sealer
from sealing.settings import Settings
from sealing.workshop import open_workshop

LATER = START + timedelta(hours=1)
pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@dataclass
class Site:
    """An installation with two administrators, an age identity in a file, and a place for backups."""

    settings: Settings
    world: World
    folder: Path
    identity: Path
    recipient: str
    people: dict[str, tuple[str, str, ec.EllipticCurvePrivateKey]]

    @property
    def key(self) -> bytes:
        return self.settings.key_encryption_key_path.read_bytes()

    def backup(self, name: str = "one.age", **chosen: bool) -> tuple[Path, BackedUp]:
        with open_workshop(self.settings) as shop:
            target = self.folder / name
            return target, back_up(shop, target, [self.recipient], LATER, **chosen)

    def restore(self, backup: Path, name: str = "back", **chosen: object) -> Restored:
        values = {"key_encryption_key": self.key, "previous": [self.settings.data], **chosen}
        asked = Restoring(backup=backup, folder=self.folder / name, identity=self.identity, **values)
        return restore(self.settings, asked, LATER + timedelta(minutes=10))

    def seal(self, settings: Settings, at: timedelta = timedelta(minutes=1)) -> Outcome:
        with open_workshop(settings) as shop:
            world = replace(self.world, shop=shop, now=LATER)
            submission = world.submission("city", self.folder)
            outcome = Sealer(shop, clock=lambda: LATER + at).seal(submission, world.clients["platform"])
            assert outcome.state == "sealed", outcome.findings
            return outcome

    def at(self, name: str = "back") -> Settings:
        return self.settings.model_copy(update={"data": self.folder / name, "database_url": ""})

    def broken(self, settings: Settings) -> list[str]:
        with open_workshop(settings) as shop:
            return [each.en for each in audit(shop, LATER + timedelta(hours=1)) if each.severity == "broken"]

    def consent(self, content: dict[str, str | int], second: str = "second", choice: str = "approve") -> Consent:
        (one, kid1, key1), (two, kid2, key2) = self.people["first"], self.people[second]
        shared = {
            "v": 1,
            "id": new_id("prp"),
            "aud": self.settings.log_origin,
            "action": "restore_backup",
            "content_digest": content_digest(content),
            "organ": self.world.codes[CITY],
            "reason": "磁盘损坏",
            "made": LATER,
            "expires": LATER + timedelta(hours=2),
        }
        proposal = sign_claims(ProposalClaims(**shared, person=one), kid=kid1, key=key1)
        claims = DecisionClaims(**shared, person=two, proposal_digest=statement_digest(proposal), decision=choice)
        return Consent(proposal=proposal, decision=sign_claims(claims, kid=kid2, key=key2))


@pytest.fixture
def site(settings, templates, kind, tmp_path) -> Site:
    chosen = settings.model_copy(update={"unsafe_in_process_keys": True})
    identity = pyrage.x25519.Identity.generate()
    path = tmp_path / "identity"
    path.write_text(f"# made by a test\n{identity}\n")
    path.chmod(0o600)
    people = {}
    with open_workshop(chosen) as shop:
        world = replace(templates[kind].world, shop=shop)
        for name, number in (("first", 1), ("second", 2), ("twin", 1)):
            key = ec.generate_private_key(ec.SECP256R1())
            person = Person(id=new_id("per"), name=f"示例{name}", natural_person=f"hmac-sha256:{number:064x}")
            dated = {"valid_from": START - timedelta(days=1), "valid_until": None}
            role = RoleAssignment(
                id=new_id("rol"), person=person.id, organ=world.codes[CITY], role="grantor_administrator",
                document="示例任〔2026〕9号", on_behalf_of=None, **dated,
            )  # fmt: skip
            registered = PersonKey(
                id=new_id("pky"), person=person.id, algorithm="ES256", public_key=public_bytes(key),
                registered_by=person.id, document="示例登记表", **dated,
            )  # fmt: skip
            world.put(person, role, registered)
            people[name] = (person.id, registered.id, key)
    return Site(
        settings=chosen, world=world, folder=tmp_path, identity=path,
        recipient=str(identity.to_public()), people=people,
    )  # fmt: skip


def refused(call: Callable[[], object], code: str, kind: type[Exception] = BackupError) -> None:
    with pytest.raises(kind) as error:
        call()
    assert error.value.code == code


def test_a_restored_installation_is_sound_and_seals_again(site):
    site.seal(site.settings)
    backup, made = site.backup()
    restored = site.restore(backup)
    assert restored.entries == made.entries + 1
    assert site.broken(site.at()) == []
    assert site.seal(site.at(), timedelta(minutes=20)).state == "sealed"
    assert site.broken(site.at()) == []
    with open_workshop(site.at()) as shop, shop.database.read() as connection:
        told = shop.book.entry(connection, restored.entry)
    assert told.kind == RESTORED
    assert told.value("restored")["backup"] == made.digest
    assert not list(site.folder.glob(".back*"))


def test_the_key_encryption_key_is_not_in_a_backup_unless_asked(site):
    plain, without = site.backup("plain.age")
    whole, with_key = site.backup("whole.age", with_key_encryption_key=True)
    assert (without.key_encryption_key, with_key.key_encryption_key) == (False, True)
    refused(lambda: site.restore(plain, key_encryption_key=None), "key-encryption-key-needed")
    assert site.key not in _plain(site, plain)
    assert site.key in _plain(site, whole)
    site.restore(whole, key_encryption_key=None)
    assert site.broken(site.at()) == []


def test_shares_give_the_key_that_a_backup_lacks(site):
    backup, _ = site.backup()
    shares = split(site.key, needed=2, of=3)
    site.restore(backup, key_encryption_key=combine([shares[2], shares[0]]))
    assert site.broken(site.at()) == []


def test_a_rollback_takes_two_persons_and_is_recorded(site):
    backup, made = site.backup()
    site.seal(site.settings)
    with open_workshop(site.settings) as shop:
        known = shop.book.checkpoint(LATER + timedelta(minutes=3), made.entries + 2).size
    refused(lambda: site.restore(backup), "restore-rolls-back")
    assert not (site.folder / "back").exists()
    content = rollback_content(made.digest, known=known, entries=made.entries)
    refused(lambda: site.restore(backup, consent=site.consent(content, "twin")), "proposal-same-person", EvidenceError)
    refused(lambda: site.restore(backup, consent=site.consent(content, choice="reject")), "restore-not-approved")
    other = content | {"to_size": made.entries - 1}
    refused(lambda: site.restore(backup, consent=site.consent(other)), "proposal-other-content", EvidenceError)
    restored = site.restore(backup, consent=site.consent(content))
    assert restored.said_by == (site.people["first"][0], site.people["second"][0])
    with open_workshop(site.at()) as shop, shop.database.read() as connection:
        entry = shop.book.entry(connection, made.entries)
    assert entry.kind == RESTORED
    assert entry.value("restored")["from_size"] == known
    assert entry.value("restored")["to_size"] == made.entries
    assert site.broken(site.at()) == []


def test_a_checkpoint_of_another_log_is_not_compared(site, tmp_path):
    backup, _ = site.backup()
    note = tmp_path / "note"
    note.write_text("another/log\n1\nAAAA\n\n")
    refused(lambda: site.restore(backup, checkpoints=[note]), "checkpoint-foreign")


def test_nothing_is_overwritten(site):
    backup, _ = site.backup()
    refused(site.backup, "backup-exists")
    (site.folder / "back").mkdir()
    (site.folder / "back" / "x").touch()
    refused(lambda: site.restore(backup), "restore-not-empty")


@pytest.mark.parametrize("cut", [0, 100, 5000, -1])
def test_a_backup_that_was_cut_is_refused(site, cut):
    backup, _ = site.backup()
    content = backup.read_bytes()
    backup.write_bytes(content[:cut])
    refused(lambda: site.restore(backup), "backup-unreadable")
    assert not (site.folder / "back").exists()


def _plain(site: Site, backup: Path) -> bytes:
    identity = site.identity.read_text().splitlines()[1]
    return pyrage.decrypt(backup.read_bytes(), [pyrage.x25519.Identity.from_str(identity)])


def _packed(site: Site, plain: bytes) -> Path:
    path = site.folder / "forged.age"
    path.write_bytes(pyrage.encrypt(plain, [pyrage.x25519.Recipient.from_str(site.recipient)]))
    return path


def _header(name: str, type_: bytes, size: int = 0, link: str = "") -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = type_, size, link
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(_header("../outside", tarfile.REGTYPE), id="parent"),
        pytest.param(_header("/absolute", tarfile.REGTYPE), id="absolute"),
        pytest.param(_header("keys/../../x", tarfile.REGTYPE), id="inside"),
        pytest.param(_header(".hidden", tarfile.REGTYPE), id="hidden"),
        pytest.param(_header("keys/x", tarfile.SYMTYPE, link="/etc/passwd"), id="symlink"),
        pytest.param(_header("keys/x", tarfile.LNKTYPE, link="installation.json"), id="hardlink"),
        pytest.param(_header("keys/x", tarfile.CHRTYPE), id="device"),
        pytest.param(_header("keys/x", tarfile.FIFOTYPE), id="pipe"),
        pytest.param(_header("keys", tarfile.DIRTYPE), id="folder"),
        pytest.param(_header("x", tarfile.XHDTYPE, 2**40), id="extended"),
        pytest.param(_header("x", tarfile.GNUTYPE_LONGNAME, 2**40), id="long name"),
        pytest.param(_header("x", tarfile.GNUTYPE_SPARSE, 2**40), id="sparse"),
        pytest.param(b"x" * 512, id="garbage"),
    ],
)
def test_a_hostile_archive_is_refused_at_its_header(site, header):
    refused(lambda: site.restore(_packed(site, header + bytes(1024))), "backup-malformed")
    assert not (site.folder / "back").exists()
    assert not (site.folder / "outside").exists()


def test_an_archive_larger_than_the_disk_is_refused_before_it_is_written(site):
    refused(lambda: site.restore(_packed(site, _header("x", tarfile.REGTYPE, 2**60))), "backup-too-large")


def test_a_file_twice_and_a_file_that_the_manifest_does_not_name_are_refused(site):
    backup, _ = site.backup()
    plain = _plain(site, backup)
    twice = _packed(site, plain[:1024] + plain)
    refused(lambda: site.restore(twice), "backup-malformed")
    refused(lambda: site.restore(_packed(site, _header("extra", tarfile.REGTYPE) + plain)), "backup-incomplete")

"""What a whole file brings along for the judgement of its signatures, read once: certificates, lists, time-stamps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from authority.errors import TimeStampTokenError
from authority.signature_value import HASHES
from authority.timestamp_token import TimeStampToken, read_token
from verify.case import Case
from verify.embedded import SecurityStore, read_store, store_then
from verify.path import Path, build_path
from verify.revocation import RevocationData, embedded_good
from verify.signature_reading import Reading, Signatures, digest_of
from verify.times import Proof
from verify.timestamps import Stamp, StampJudge
from verify.verdict import Finding, warning


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentStamp:
    """A document time-stamp: what it covers (up to ``covered_end``), and what the verifier makes of its token."""

    reading: Reading
    covered_end: int
    stamp: Stamp | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """``stamps`` newest first."""

    store: SecurityStore
    revocation: RevocationData
    stamps: tuple[DocumentStamp, ...]

    def path(self, case: Case, reading: Reading) -> Path:
        """From the signer of ``reading`` to a root for documents."""
        return build_path(reading.signer, (*reading.others, *self.store.certificates), case.trust.roots, at=case.now)

    def newer(self, covered_end: int) -> tuple[Proof, ...]:
        """What the document time-stamps that cover more than ``covered_end`` bytes prove."""
        return _proofs(self.stamps, covered_end)

    def over(self, covered_end: int) -> tuple[Stamp, ...]:
        """The sound document time-stamps that cover more than ``covered_end`` bytes, innermost first."""
        over = (each.stamp for each in reversed(self.stamps) if each.covered_end > covered_end)
        return tuple(each for each in over if each is not None)

    def judge(self, case: Case) -> StampJudge:
        """Who judges tokens with this material."""
        return StampJudge(case=case, certificates=self.store.certificates, revocation=self.revocation)

    def of(self, reading: Reading) -> DocumentStamp | None:
        """The document time-stamp in ``reading``."""
        return next((each for each in self.stamps if each.reading is reading), None)

    def complete(self, path: Path, at: datetime | None) -> bool:
        """Whether the file brings along revocation data for every certificate of ``path``, for its use at ``at``.

        EN 319 142-1 6.3, level LT. A certificate that names no place to ask needs none.
        """
        if path.root is None or at is None:
            return False
        return all(
            not _names_a_place(subject) or embedded_good(self.revocation.words(subject, issuer), at)
            for subject, issuer in path.links
        )


def gather(case: Case, signatures: Signatures) -> Material:
    """Read the store, then judge the document time-stamps from the newest to the oldest."""
    store = read_store(signatures.reader.root)
    trust = case.trust
    revocation = RevocationData(
        crls=(*((each, True) for each in trust.crls), *((each, False) for each in store.crls)),
        ocsps=(*((each, True) for each in trust.ocsps), *((each, False) for each in store.ocsps)),
    )
    judge = StampJudge(case=case, certificates=store.certificates, revocation=revocation)
    stamps: list[DocumentStamp] = []
    for reading in sorted(signatures.readings, key=lambda each: -each.written.covered_end):
        if reading.is_timestamp:
            stamps.append(_document_stamp(case, reading, judge, tuple(stamps)))
    return Material(store=store, revocation=revocation, stamps=tuple(stamps))


def store_at(reading: Reading) -> SecurityStore:
    """The store as it stood in the revision of ``reading``, which covers it."""
    return store_then(reading.reader, reading.revision)


def embedded_data(store: SecurityStore) -> RevocationData:
    """The lists and answers of ``store`` alone."""
    return RevocationData(
        crls=tuple((each, False) for each in store.crls), ocsps=tuple((each, False) for each in store.ocsps)
    )


def judge_store(material: Material) -> Iterator[Finding]:
    """Entries of the store that cannot be read are told; nothing rests on them."""
    if material.store.unreadable:
        yield warning(
            "validation_data_unreadable",
            f"文件所附验证数据（DSS）中有 {material.store.unreadable} 项不可读，未予采用",
            f"{material.store.unreadable} of the file's validation data (DSS) cannot be read and are not used",
        )


def _proofs(stamps: tuple[DocumentStamp, ...], covered_end: int) -> tuple[Proof, ...]:
    return tuple(
        each.stamp.proof
        for each in stamps
        if each.stamp is not None and each.stamp.proof is not None and each.covered_end > covered_end
    )


def _document_stamp(case: Case, reading: Reading, judge: StampJudge, newer: tuple[DocumentStamp, ...]) -> DocumentStamp:
    end = reading.written.covered_end
    try:
        token = read_token(reading.cms_bytes)
    except TimeStampTokenError as error:
        return DocumentStamp(
            reading=reading, covered_end=end, stamp=None, findings=(judge.invalid(error, reading.field),)
        )
    if not _covers(case, reading, token):  # the integrity of the signature tells of it
        return DocumentStamp(reading=reading, covered_end=end, stamp=None, findings=())
    stamp = judge.judge(token, source="document", field=reading.field, newer=_proofs(newer, end))
    return DocumentStamp(reading=reading, covered_end=end, stamp=stamp, findings=stamp.findings)


def _covers(case: Case, reading: Reading, token: TimeStampToken) -> bool:
    first, length, second, rest = reading.written.byte_range
    return digest_of(case.data, HASHES[token.algorithm].name, (first, length), (second, rest)) == token.imprint


def _names_a_place(certificate: x509.Certificate) -> bool:
    """Whether the certificate says where its revocation could be asked about."""
    try:
        kinds = {type(each.value) for each in certificate.extensions}
    except ValueError:
        return True
    if x509.OCSPNoCheck in kinds:
        return False
    return bool({x509.CRLDistributionPoints, x509.AuthorityInformationAccess} & kinds)

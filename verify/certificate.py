"""The path of the signing certificate and its revocation, at the time of judging and at the time the ledger tells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from authority.certificates import is_embedded
from authority.chain import LONGEST_CHAIN, Problem, check_chain, issued_by
from authority.errors import RevocationListError
from authority.revocation import RevocationList, Revoked, read_crl
from ledger.moments import to_text
from verify.trust import Trust
from verify.verdict import Facts, Finding, doubt, failure, note, warning

_OUT_OF_BOUNDS = {"expired", "not-yet-valid"}
_CLOCKS_DIFFER = timedelta(minutes=5)
_NO_CHAIN = {"unknown-root", "not-issued-by", "chain-length"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The chain as far as it could be built, the signer's first; ``root`` only when it is a trusted one."""

    chain: tuple[x509.Certificate, ...]
    root: x509.Certificate | None

    @property
    def embedded(self) -> bool:
        """Whether an authority without a licence issued the signer's certificate."""
        return any(is_embedded(certificate) for certificate in self.chain)


def build_path(signer: x509.Certificate, others: Sequence[x509.Certificate], trust: Trust) -> Path:
    """Follow the issuers from ``signer`` among ``others`` until a trusted root issued the last."""
    chain = [signer]
    while len(chain) < LONGEST_CHAIN:
        root = next((each for each in trust.roots if chain[-1] == each or issued_by(chain[-1], each)), None)
        if root is not None:
            return Path(chain=tuple(chain), root=root)
        above = next((each for each in others if each not in chain and issued_by(chain[-1], each)), None)
        if above is None:
            break
        chain.append(above)
    return Path(chain=tuple(chain), root=None)


def judge_path(path: Path, trust: Trust, *, now: datetime) -> tuple[Finding, ...]:
    """Whether the path holds at ``now``. No outside time-stamp proves an earlier time, so now is what counts."""
    return tuple(_as_finding(problem) for problem in check_chain(path.chain, trust.roots, now))


def _as_finding(problem: Problem) -> Finding:
    if problem.code in _OUT_OF_BOUNDS:
        return doubt("certificate_out_of_bounds", problem.zh, problem.en, "OUT_OF_BOUNDS_NO_POE")
    if problem.code in _NO_CHAIN:
        return doubt("no_trusted_path", problem.zh, problem.en, "NO_CERTIFICATE_CHAIN_FOUND")
    return doubt("path_not_acceptable", problem.zh, problem.en, "CHAIN_CONSTRAINTS_FAILURE")


def judge_at_sealing(signer: x509.Certificate, sealed_at: datetime, now: datetime) -> tuple[Finding, ...]:
    """Whether the certificate held when, by the ledger, the seal was put on (seconds are what certificates know)."""
    first, last = signer.not_valid_before_utc, signer.not_valid_after_utc
    moment = sealed_at.replace(microsecond=0)
    if sealed_at > now + _CLOCKS_DIFFER:
        return (
            doubt(
                "ledger_time_ahead",
                f"台账所记用章时间 {to_text(sealed_at)} 晚于核验时间 {to_text(now)}",
                f"by the ledger sealed at {to_text(sealed_at)}, later than the time of judging, {to_text(now)}",
            ),
        )
    if first <= moment <= last:
        return ()
    zh = f"台账所记用章时间 {to_text(sealed_at)} 不在证书有效期 {to_text(first)} 至 {to_text(last)} 之内"
    en = f"by the ledger sealed at {to_text(sealed_at)}, outside {to_text(first)} to {to_text(last)}"
    code = "EXPIRED" if moment > last else "NOT_YET_VALID"
    return (failure("sealed_outside_validity", zh, en, code),)


def judge_revocation(
    path: Path, trust: Trust, *, now: datetime, sealed_at: datetime | None
) -> tuple[tuple[Finding, ...], Facts]:
    """What the given lists say of every certificate of the path below its root."""
    whole = path.chain if path.root is None or path.chain[-1] == path.root else (*path.chain, path.root)
    findings: list[Finding] = []
    states: list[str] = []
    for place, (subject, issuer) in enumerate(pairwise(whole)):
        lists = list(_lists(issuer, trust))
        if not lists:
            states.append("not_checked")
            continue
        found = _newest(lists)
        revoked = next(
            (each.revoked[subject.serial_number] for each in lists if subject.serial_number in each.revoked), None
        )
        if revoked is not None:
            states.append("revoked")
            findings.append(_revoked(revoked, sealed_at, signer=place == 0))
        elif found.current(now):
            states.append("good")
        else:
            states.append("stale")
            findings.append(_stale(found, now))
    if "not_checked" in states[:1]:
        findings.append(_not_checked())
    return tuple(findings), {"signer": states[0] if states else "not_checked", "path": states}


def _lists(issuer: x509.Certificate, trust: Trust) -> Iterator[RevocationList]:
    for data in trust.crls:
        try:
            yield read_crl(_der(data), issuer)
        except (RevocationListError, ValueError):  # of another issuer, or none: it says nothing here
            continue


def _der(data: bytes) -> bytes:
    if data.lstrip().startswith(b"-----BEGIN"):
        return x509.load_pem_x509_crl(data).public_bytes(Encoding.DER)
    return data


def _newest(lists: list[RevocationList]) -> RevocationList:
    return max(lists, key=lambda each: each.this_update)


def _revoked(revoked: Revoked, sealed_at: datetime | None, *, signer: bool) -> Finding:
    when = to_text(revoked.time)
    if sealed_at is not None and revoked.time <= sealed_at:
        return failure(
            "certificate_revoked",
            f"证书在用章之前已于 {when} 吊销（{revoked.reason}）",
            f"the certificate was revoked at {when} ({revoked.reason}), before it was used",
            "REVOKED",
        )
    return doubt(
        "certificate_revoked",
        f"证书已于 {when} 吊销（{revoked.reason}），没有外部时间证明签名在此之前",
        f"the certificate was revoked at {when} ({revoked.reason}); no outside proof tells that it was used before",
        "REVOKED_NO_POE" if signer else "REVOKED_CA_NO_POE",
    )


def _stale(found: RevocationList, now: datetime) -> Finding:
    return doubt(
        "revocation_list_stale",
        f"吊销列表有效期为 {to_text(found.this_update)} 至 {to_text(found.next_update)}，不含核验时间 {to_text(now)}",
        f"the revocation list is for {to_text(found.this_update)} to {to_text(found.next_update)}, not {to_text(now)}",
        "TRY_LATER",
    )


def _not_checked() -> Finding:
    return warning(
        "revocation_not_checked",
        "没有提供签发者的吊销列表，证书现在是否吊销未核对",
        "no revocation list of the issuer was given, so whether the certificate is revoked by now was not checked",
    )


def judge_licence(path: Path) -> tuple[Finding, ...]:
    """What is said of a seal whose certificate an embedded, unlicensed authority issued."""
    if not path.embedded:
        return ()
    return (
        warning(
            "issuer_not_licensed",
            "证书由未获许可的内置机构签发：这是样章，不是法律意义上的电子印章",
            "an embedded authority without a licence issued the certificate: a specimen, no electronic seal in law",
        ),
        note(
            "not_a_national_seal",
            "本印章为 P-256 或 RSA 的 PAdES 签名，尚非国办发〔2025〕33号所指的电子印章（GB/T 38540、SM2、持证机构）",
            "a PAdES signature is not yet an electronic seal as the State Council's 2025 measures mean it"
            " (GB/T 38540, SM2, licensed certificate)",
        ),
    )


def certificate_facts(path: Path, revocation: Facts) -> Facts:
    """The certificate in words."""
    signer = path.chain[0]
    return {
        "subject": show_name(signer.subject),
        "issuer": show_name(signer.issuer),
        "serial": f"{signer.serial_number:x}",
        "not_before": to_text(signer.not_valid_before_utc),
        "not_after": to_text(signer.not_valid_after_utc),
        "path": [show_name(each.subject) for each in path.chain],
        "root": None if path.root is None else show_name(path.root.subject),
        "revocation": dict(revocation),
    }


def signer_facts(signer: x509.Certificate) -> Facts:
    """Who: O and CN of the certificate."""
    return {
        "organisation": _attribute(signer, NameOID.ORGANIZATION_NAME),
        "common_name": _attribute(signer, NameOID.COMMON_NAME),
    }


def _attribute(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str | None:
    values = [str(each.value) for each in certificate.subject.get_attributes_for_oid(oid)]
    return printable(values[0]) if values else None


def show_name(name: x509.Name) -> str:
    """A distinguished name for people, without control characters."""
    return printable(name.rfc4514_string())


def printable(text: str) -> str:
    """Text of an untrusted file as it may be shown."""
    return "".join(each if each.isprintable() else "�" for each in text)

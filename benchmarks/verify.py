"""What a verdict costs: against pyHanko's AdES validation of the same B-LT file, for many signatures, and for a bomb.

``verify_ratio_pyhanko`` is pyHanko's time divided by ours (above 1: ours is faster), rounds alternating. Nothing stands
behind the seal, so neither side renders. ``verify_many`` divides 20 signatures by one; ``verify_hex_bomb_s`` is the
time for 2,000,000 hexadecimal digits in ``/Contents``.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from asn1crypto.crl import CertificateList
from asn1crypto.x509 import Certificate as OracleCertificate
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.ades import ades_with_time_validation
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.policy_decl import LocalKnowledge, SignatureValidationSpec
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer
from world import build_world

from sealing.administration.seals import SealPolicy
from sealing.clock import utc_now
from sealing.seal import Sealer
from sealing.workshop import open_workshop
from verify.judge import judge
from verify.trust import Trust

sys.path.insert(1, str(Path(__file__).resolve().parent.parent / "tests" / "verify"))
from verify_updates import Stranger

ROUNDS, MANY, DIGITS = 9, 20, 2_000_000


def run(out: Callable[[str], None]) -> None:
    """Print the three figures."""
    with tempfile.TemporaryDirectory() as folder:
        sealed, trust = _sealed(Path(folder))
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(_seconds(lambda: judge(sealed, receipt=None, trust=trust, now=utc_now())))
            theirs.append(_seconds(lambda: _pyhanko(sealed, trust)))
        out(f"   judge(): median {statistics.median(ours) * 1000:.1f} ms")
        out(f"   pyHanko: median {statistics.median(theirs) * 1000:.1f} ms, {_pyhanko(sealed, trust)}")
        out(f"figure verify_ratio_pyhanko {statistics.median(theirs) / statistics.median(ours):.2f}")
        one, many = (_signed(Path(folder), sealed, number) for number in (1, MANY))
        single, several = (_least(lambda path=path: _judge(path, trust)) for path in (one, many))
        out(f"   one signature {single * 1000:.1f} ms, {MANY} signatures {several * 1000:.1f} ms")
        out(f"figure verify_many {several / single:.1f}")
        bomb = _bomb(Path(folder), sealed)
        out(f"figure verify_hex_bomb_s {_least(lambda: _judge(bomb, trust)):.3f}")


def _sealed(folder: Path) -> tuple[Path, Trust]:
    """One file sealed as B-LT by a whole installation."""
    settings, plan = build_world(folder / "data", utc_now(), policy=SealPolicy(level="PAdES-B-LT", check_mark="none"))
    with open_workshop(settings) as shop:
        world = plan.fill(shop)
        order = world.order("city")
        document = world.document("city", order, folder)
        submission = world.submit(order, document, world.approve("city", order, document))
        outcome = Sealer(shop, clock=utc_now).seal(submission, world.clients["platform"])
        if outcome.state != "sealed":
            raise RuntimeError(outcome.state)
        path = folder / "sealed.pdf"
        path.write_bytes(shop.documents.read_path(outcome.sealed_digest).read_bytes())
        return path, Trust(roots=(shop.installation.root_certificate,), logs=(shop.identity,))


def _judge(path: Path, trust: Trust) -> None:
    judge(path, receipt=None, trust=trust, now=utc_now())


def _pyhanko(path: Path, trust: Trust) -> str:
    anchors = [OracleCertificate.load(each.public_bytes(Encoding.DER)) for each in trust.roots]
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(anchors), revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO)
    )
    with path.open("rb") as file:
        reader = PdfFileReader(file, strict=True)
        seal = reader.embedded_regular_signatures[0]
        store = DocumentSecurityStore.read_dss(reader)
        lists = [CRLContainer(CertificateList.load(each.get_object().data)) for each in store.crls]
        knowledge = LocalKnowledge(known_crls=lists)
        spec = SignatureValidationSpec(cert_validation_policy=policy, local_knowledge=knowledge)
        judged = ades_with_time_validation(seal.signed_data, spec, raw_digest=seal.compute_digest())
        return str(asyncio.run(judged).ades_subindic)


def _signed(folder: Path, sealed: Path, number: int) -> Path:
    """The document before its seal, with so many signatures by a stranger."""
    data = _unsealed(sealed)
    stranger = Stranger()
    for each in range(number):
        data = stranger.sign(data, field=f"S{each}")
    path = folder / f"signed-{number}.pdf"
    path.write_bytes(data)
    return path


def _unsealed(sealed: Path) -> bytes:
    data = sealed.read_bytes()
    return data[: data.index(b"%%EOF") + 6]


def _bomb(folder: Path, sealed: Path) -> Path:
    """One signature with room for so many digits, well-formed otherwise."""
    path = folder / "bomb.pdf"
    path.write_bytes(Stranger().sign(_unsealed(sealed), reserve=DIGITS))
    return path


def _least(work: Callable[[], object]) -> float:
    return min(_seconds(work) for _ in range(3))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started

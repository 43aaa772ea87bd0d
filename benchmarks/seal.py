"""What a seal costs: against pyHanko's own ``sign_pdf``, and for a large file against one SHA-256 pass.

Both sides get the same file, key, chain, page, face and certification, write to a file, and are judged by
poppler and pyHanko inside the run. Rounds alternate; the ratio is that of the medians of CPU time.
"""

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import typst
from asn1crypto import keys as peer_keys
from asn1crypto import x509 as peer_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils import layout
from pyhanko.pdf_utils.content import PdfContent, ResourceType
from pyhanko.pdf_utils.generic import DictionaryObject, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import SimpleSigner
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signer.face import Face, draw
from signer.placement import Spot
from signer.prepare import prepare
from signer.seal_file import embed, measure
from signer.specimen import Specimen

ROUNDS = 9
# A turn of either side lasts about as long, so that both run warm: ours takes a twentieth of the time.
OURS_A_ROUND, THEIRS_A_ROUND = 40, 4
BIG_BYTES = 100_000_000
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NAME = "赣州市行政审批局行政审批专用章（12）"
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A loaded key with its chain, as both sides get it."""

    algorithm: str
    private: PrivateKey
    chain: tuple[bytes, ...]

    def sign(self, message: bytes) -> bytes:
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(message, padding.PKCS1v15(), SHA256())
        return self.private.sign(message, ec.ECDSA(SHA256()))


def run(out: Callable[[str], None]) -> None:
    """Print the figures of this module, one ``figure NAME VALUE`` a line, with their medians and minima."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        source = _document(place)
        against_pyhanko(out, "p256", _key("ecdsa-p256-sha256"), source)
        against_pyhanko(out, "rsa3072", _key("rsa3072-sha256"), source)
        big_file(out, place)


def against_pyhanko(out: Callable[[str], None], name: str, key: Key, source: Path) -> None:
    """Seal the same three pages with both, in turn."""
    face = draw(Specimen(name=NAME, number=12, diameter_mm=Decimal(42), sample=True))
    ours, theirs = _ours(key, source, face), _theirs(key, source, face)
    ours_file, theirs_file = ours(), theirs()
    _judge(ours_file, key)
    _judge(theirs_file, key)
    spent: dict[str, list[float]] = {"ours": [], "pyhanko": []}
    for _ in range(ROUNDS):
        spent["ours"].append(_cpu(ours, OURS_A_ROUND))
        spent["pyhanko"].append(_cpu(theirs, THEIRS_A_ROUND))
    for who, times in spent.items():
        out(f"seal_ms_{who}_{name} median {statistics.median(times):.3f} min {min(times):.3f}")
    ratio = statistics.median(spent["pyhanko"]) / statistics.median(spent["ours"])
    out(f"figure seal_cpu_ratio_pyhanko_{name} {ratio:.1f}")


def big_file(out: Callable[[str], None], folder: Path) -> None:
    """100 MB: copy, revision, all digests, key, check and embedding, against hashing the same bytes once."""
    key, source = _key("ecdsa-p256-sha256"), _big_document(folder)
    face = draw(Specimen(name=NAME, number=12, diameter_mm=Decimal(42), sample=True))
    seal = _ours(key, source, face)
    _judge(seal(), key)
    spent: dict[str, list[float]] = {"seal": [], "sha256": []}
    for _ in range(ROUNDS):
        spent["seal"].append(_cpu(seal, 1))
        spent["sha256"].append(_cpu(lambda: _digest(source), 1))
    for what, times in spent.items():
        out(f"big_pdf_ms_{what} median {statistics.median(times):.1f} min {min(times):.1f}")
    ratio = statistics.median(spent["seal"]) / statistics.median(spent["sha256"])
    out(f"figure big_pdf_vs_sha256 {ratio:.2f}")


def _ours(key: Key, source: Path, face: Face) -> Callable[[], Path]:
    target = source.with_name(f"ours-{key.algorithm}-{source.name}")
    digest, size = _digest(source), face.diameter
    spot = Spot(page_index=2, x=300, y=300, width=size, height=size, rotation=0)

    def seal() -> Path:
        target.unlink(missing_ok=True)
        placed = prepare(
            source, target, face=face, spots=(spot,), seam=(), field=None, final=True,
            signer_name=NAME, reason="Approval", location="", now=NOW,
        )  # fmt: skip
        prepared = measure(target, placed, source_digest=digest, chain=key.chain, algorithm=key.algorithm)
        embed(prepared, key.sign(prepared.to_be_signed))
        return target

    return seal


class _PeerFace(PdfContent):
    """The same operators, colour and blending as ours, as pyHanko wants them."""

    def __init__(self, face: Face) -> None:
        super().__init__(box=layout.BoxConstraints(width=face.diameter, height=face.diameter))
        self.face = face

    def render(self) -> bytes:
        state = DictionaryObject({pdf_name("/BM"): pdf_name("/Multiply")})
        self.set_resource(ResourceType.EXT_G_STATE, pdf_name("/GS0"), state)
        return b"q /GS0 gs 1 0 0 rg " + self.face.operators + b" Q"


def _theirs(key: Key, source: Path, face: Face) -> Callable[[], Path]:
    """PyHanko's complete signer, made once and used again."""
    own, root = (peer_x509.Certificate.load(each) for each in key.chain)
    store = SimpleCertificateStore()
    store.register(root)
    pkcs8 = key.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    signer = SimpleSigner(own, peer_keys.PrivateKeyInfo.load(pkcs8), store)
    middle = layout.SimpleBoxLayoutRule(
        layout.AxisAlignment.ALIGN_MID, layout.AxisAlignment.ALIGN_MID, margins=layout.Margins(0, 0, 0, 0)
    )
    style = StaticStampStyle(background=_PeerFace(face), border_width=0, background_opacity=1, background_layout=middle)
    stated = PdfSignatureMetadata(
        field_name="Seal1", subfilter=SigSeedSubFilter.PADES, md_algorithm="sha256", name=NAME, reason="Approval",
        certify=True, docmdp_permissions=MDPPerm.NO_CHANGES,
    )  # fmt: skip
    side = round(face.diameter)
    spec = SigFieldSpec("Seal1", on_page=2, box=(300, 300, 300 + side, 300 + side))
    again = PdfSigner(stated, signer, stamp_style=style, new_field_spec=spec)
    target = source.with_name(f"pyhanko-{key.algorithm}-{source.name}")

    def sign() -> Path:
        with source.open("rb") as read, target.open("wb+") as write:
            again.sign_pdf(IncrementalPdfFileWriter(read), output=write)
        return target

    return sign


def _cpu(work: Callable[[], object], times: int) -> float:
    """Milliseconds of CPU that one piece of ``work`` takes."""
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) * 1000 / times


def _judge(path: Path, key: Key) -> None:
    """Poppler and pyHanko must both find the signature valid and the whole file covered."""
    said = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True, check=False).stdout
    if "Signature is Valid." not in said or "- Total document signed" not in said:
        raise SystemExit(f"poppler does not accept {path.name}:\n{said}")
    trusted = [peer_x509.Certificate.load(key.chain[-1])]
    with path.open("rb") as file:
        (signature,) = PdfFileReader(file).embedded_signatures
        status = validate_pdf_signature(signature, ValidationContext(trust_roots=trusted, allow_fetching=False))
    if not status.bottom_line:
        raise SystemExit(f"pyHanko does not accept {path.name}: {status.summary()}")


def _digest(path: Path) -> bytes:
    digest, block = sha256(), bytearray(1 << 18)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(block):
            digest.update(memoryview(block)[:count])
    return digest.digest()


def _document(folder: Path) -> Path:
    text = b"\n#pagebreak()\n".join([b"#lorem(400)"] * 3)
    made = typst.compile(b'#set page(paper: "a4")\n= Decision\n' + text, pdf_standards=["a-2b"])
    # The newline spares pyHanko a fault of its own in PDF/A; ours would write it.
    (folder / "document.pdf").write_bytes(made + b"\n")
    return folder / "document.pdf"


def _big_document(folder: Path) -> Path:
    """Three pages and a picture-like stream of noise, written block by block."""
    small = (folder / "document.pdf").read_bytes()
    size, at = int(small.rsplit(b"/Size ", 1)[1].split(b"/")[0]), len(small)
    trailer = small.rsplit(b"/Root", 1)[1].split(b">>\nstartxref")[0]
    path = folder / "big.pdf"
    with path.open("wb") as file:
        file.write(small)
        file.write(b"%d 0 obj\n<< /Length %d >>\nstream\n" % (size, BIG_BYTES))
        for _ in range(100):
            file.write(os.urandom(BIG_BYTES // 100))
        file.write(b"\nendstream\nendobj\n")
        start, previous = file.tell(), int(small.rsplit(b"startxref\n", 1)[1].split()[0])
        file.write(b"xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Size %d /Prev %d" % (size, at, size + 1, previous))
        file.write(b" /Root%s>>\nstartxref\n%d\n%%%%EOF\n" % (trailer, start))
    return path


def _key(algorithm: str) -> Key:
    root_key = ec.generate_private_key(ec.SECP256R1())
    private: PrivateKey = (
        rsa.generate_private_key(65537, 3072)
        if algorithm.startswith("rsa")
        else ec.generate_private_key(ec.SECP256R1())
    )
    root = _certificate("Benchmark Root", root_key.public_key(), root_key, ca=True)
    own = _certificate(NAME, private.public_key(), root_key, ca=False)
    chain = (own.public_bytes(Encoding.DER), root.public_bytes(Encoding.DER))
    return Key(algorithm=algorithm, private=private, chain=chain)


def _certificate(
    subject: str, public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, issuer: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=not ca, content_commitment=not ca, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=ca, crl_sign=ca, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (subject, "Benchmark Root")]
    return (
        x509.CertificateBuilder(issuer_name=names[1], subject_name=names[0], public_key=public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(issuer, SHA256())
    )


if __name__ == "__main__":
    run(print)

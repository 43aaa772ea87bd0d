"""What a verifier trusts, read from files."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from verify.trust import Trust, TrustError, read_logs, read_roots


def pem(archive) -> bytes:
    return b"".join(root.public_bytes(Encoding.PEM) for root in archive.trust.roots)


def test_trust_is_read_from_files(archive, tmp_path) -> None:
    (tmp_path / "roots").write_bytes(pem(archive) + archive.other_root().public_bytes(Encoding.PEM))
    (tmp_path / "logs").write_text(f"\n{archive.trust.logs[0].vkey}\n\n{archive.other_log('b.example').vkey}\n")
    (tmp_path / "list").write_bytes(archive.crl())
    trust = Trust.read((tmp_path / "roots",), (tmp_path / "logs",), (tmp_path / "list",))
    assert len(trust.roots) == 2
    assert [log.origin for log in trust.logs] == [archive.trust.logs[0].origin, "b.example"]
    assert len(trust.crls) == 1


def test_a_list_may_be_pem(archive) -> None:
    from cryptography import x509

    text = x509.load_der_x509_crl(archive.crl()).public_bytes(Encoding.PEM)
    verdict = archive.judge(archive.final.path, archive.final.receipt, trust=archive.trusting(crls=(text,)))
    assert verdict.signatures[0].certificate["revocation"]["signer"] == "good"


@pytest.mark.parametrize("text", [b"", b"\n\n", b"origin", b"a+b+c", b"\xff\xfe"])
def test_what_is_no_log_key_is_named(text) -> None:
    with pytest.raises(TrustError) as raised:
        read_logs(text)
    assert raised.value.code == "log-key-unreadable"


@pytest.mark.parametrize("text", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\x30\x82"])
def test_what_is_no_root_is_named(text) -> None:
    with pytest.raises(TrustError) as raised:
        read_roots(text)
    assert raised.value.code == "root-unreadable"


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(TrustError) as raised:
        Trust.read((tmp_path / "none",), ())
    assert raised.value.code == "trust-file-unreadable"


def test_a_huge_file_is_not_read(tmp_path) -> None:
    (tmp_path / "big").write_bytes(b"\n" * (4 * 1024 * 1024 + 1))
    with pytest.raises(TrustError) as raised:
        Trust.read((), (tmp_path / "big",))
    assert raised.value.code == "trust-file-too-large"

"""Path validation: every way in which a chain can be wrong has its own code, and honest ones pass."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding

from authority.binding import SealBinding
from authority.chain import LONGEST_CHAIN, check_chain, issued_by, show

if TYPE_CHECKING:
    from tests.authority.conftest import Authority, Mint, Minted

CA = ("key_cert_sign", "crl_sign")


def codes(chain: list[x509.Certificate], roots: list[x509.Certificate], at: datetime) -> list[str]:
    return [problem.code for problem in check_chain(chain, roots, at)]


def test_our_own_chain_is_sound_with_and_without_its_root(
    each_authority: "Authority", binding: SealBinding, now: datetime
) -> None:
    seal, issuer, root = each_authority.seal(binding), each_authority.issuer, each_authority.root
    assert check_chain([seal, issuer], [root], now) == []
    assert check_chain([seal, issuer, root], [root], now) == []


def test_a_chain_of_one_under_its_root(mint: "Mint", now: datetime) -> None:
    root = mint("root", ca=True, usage=CA)
    assert codes([mint("leaf", root).certificate], [root.certificate], now) == []


def test_the_right_root_is_found_among_many_of_the_same_name(mint: "Mint", now: datetime) -> None:
    twins = [mint("root", ca=True, usage=CA) for _ in range(3)]
    leaf = mint("leaf", twins[1]).certificate
    assert codes([leaf], [twin.certificate for twin in twins], now) == []
    assert codes([leaf], [twins[0].certificate, twins[2].certificate], now) == ["unknown-root"]


@pytest.mark.parametrize("count", [0, LONGEST_CHAIN + 1])
def test_an_empty_or_endless_chain(mint: "Mint", now: datetime, count: int) -> None:
    leaf = mint("leaf").certificate
    assert codes([leaf] * count, [leaf], now) == ["chain-length"]


def test_no_roots_means_no_trust(authority: "Authority", binding: SealBinding, now: datetime) -> None:
    chain = [authority.seal(binding), authority.issuer, authority.root]
    assert codes(chain, [], now) == ["unknown-root"]


def test_a_missing_link_is_an_unknown_root(authority: "Authority", binding: SealBinding, now: datetime) -> None:
    assert codes([authority.seal(binding)], [authority.root], now) == ["unknown-root"]


def test_the_wrong_order_is_not_put_right_quietly(authority: "Authority", binding: SealBinding, now: datetime) -> None:
    found = codes([authority.issuer, authority.seal(binding)], [authority.root], now)
    assert {"not-issued-by", "leaf-is-authority", "unknown-root"} <= set(found)


@pytest.mark.parametrize("which", ["leaf", "middle", "root"])
def test_every_certificate_must_be_valid_at_the_time(mint: "Mint", now: datetime, which: str) -> None:
    short = {"ends": now + timedelta(hours=1)}
    root = mint("root", ca=True, usage=CA, **(short if which == "root" else {}))
    middle = mint("middle", root, ca=True, usage=CA, **(short if which == "middle" else {}))
    leaf = mint("leaf", middle, **(short if which == "leaf" else {}))
    chain, roots = [leaf.certificate, middle.certificate], [root.certificate]
    assert codes(chain, roots, now) == []
    later = check_chain(chain, roots, now + timedelta(hours=2))
    assert [problem.code for problem in later] == ["expired"]
    assert f"CN={which}" in later[0].en


def test_the_bounds_of_the_validity_belong_to_it(mint: "Mint", now: datetime) -> None:
    whole = now.replace(microsecond=0)
    root = mint("root", ca=True, usage=CA)
    leaf = mint("leaf", root, begins=whole, ends=whole + timedelta(hours=1)).certificate
    roots, second = [root.certificate], timedelta(seconds=1)
    assert codes([leaf], roots, whole) == codes([leaf], roots, whole + timedelta(hours=1)) == []
    assert codes([leaf], roots, whole - second) == ["not-yet-valid"]
    assert codes([leaf], roots, whole + timedelta(hours=1) + second) == ["expired"]


@pytest.mark.parametrize(
    ("ca", "usage", "expected"),
    [
        (False, CA, ["issuer-not-authority"]),
        (None, CA, ["issuer-not-authority"]),
        (True, ("crl_sign",), ["issuer-key-usage"]),
        (True, None, []),
        (True, CA, []),
    ],
)
def test_only_an_authority_may_issue(
    mint: "Mint", now: datetime, ca: bool | None, usage: tuple[str, ...] | None, expected: list[str]
) -> None:
    root = mint("root", ca=True, usage=CA)
    middle = mint("middle", root, ca=ca, usage=usage)
    leaf = mint("leaf", middle)
    assert codes([leaf.certificate, middle.certificate], [root.certificate], now) == expected


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (("digital_signature",), []),
        (("content_commitment",), []),
        (("key_encipherment",), ["leaf-key-usage"]),
        (None, ["leaf-key-usage"]),
    ],
)
def test_the_leaf_must_be_for_signatures(
    mint: "Mint", now: datetime, usage: tuple[str, ...] | None, expected: list[str]
) -> None:
    root = mint("root", ca=True, usage=CA)
    assert codes([mint("leaf", root, usage=usage).certificate], [root.certificate], now) == expected


def test_an_authority_certificate_is_no_leaf(mint: "Mint", now: datetime) -> None:
    root = mint("root", ca=True, usage=CA)
    leaf = mint("leaf", root, ca=True, usage=("digital_signature", *CA)).certificate
    assert codes([leaf], [root.certificate], now) == ["leaf-is-authority"]


def three_levels(mint: "Mint", path_length: int | None, names: tuple[str, str] = ("upper", "lower")) -> "list[Minted]":
    root = mint("root", ca=True, usage=CA, path_length=path_length)
    upper = mint(names[0], root, ca=True, usage=CA)
    lower = mint(names[1], upper, ca=True, usage=CA)
    return [mint("leaf", lower), lower, upper, root]


@pytest.mark.parametrize(("path_length", "expected"), [(None, []), (2, []), (1, ["path-length"]), (0, ["path-length"])])
def test_the_path_length_is_kept(mint: "Mint", now: datetime, path_length: int | None, expected: list[str]) -> None:
    *chain, root = three_levels(mint, path_length)
    assert codes([each.certificate for each in chain], [root.certificate], now) == expected


def test_a_self_issued_certificate_does_not_count_for_the_path_length(mint: "Mint", now: datetime) -> None:
    """A new key under the same name (RFC 5280 4.2.1.9)."""
    *chain, root = three_levels(mint, 1, ("upper", "upper"))
    assert codes([each.certificate for each in chain], [root.certificate], now) == []


def test_our_issuer_may_not_make_issuers(authority: "Authority", mint: "Mint", now: datetime) -> None:
    """Our root allows one level: a certificate that the issuer gave to another authority leads nowhere."""
    root = mint("root", ca=True, usage=CA, path_length=1)
    issuer = mint("issuer", root, ca=True, usage=CA, path_length=0)
    rogue = mint("rogue", issuer, ca=True, usage=CA)
    leaf = mint("leaf", rogue)
    chain = [each.certificate for each in (leaf, rogue, issuer)]
    assert codes(chain, [root.certificate], now) == ["path-length", "path-length"]


def test_same_name_other_key(mint: "Mint", now: datetime) -> None:
    root = mint("root", ca=True, usage=CA)
    real, forged = (mint("middle", root, ca=True, usage=CA) for _ in range(2))
    leaf = mint("leaf", forged).certificate
    assert codes([leaf, real.certificate], [root.certificate], now) == ["not-issued-by"]
    assert not issued_by(leaf, real.certificate)


def test_a_flipped_bit_breaks_the_chain(authority: "Authority", binding: SealBinding, now: datetime) -> None:
    der = bytearray(authority.seal(binding).public_bytes(Encoding.DER))
    der[-1] ^= 1
    forged = x509.load_der_x509_certificate(bytes(der))
    assert codes([forged, authority.issuer], [authority.root], now) == ["not-issued-by"]


def test_a_critical_extension_we_do_not_process_is_a_problem(mint: "Mint", now: datetime) -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    constraints = x509.NameConstraints([x509.DNSName("example")], None)
    for value in (unknown, constraints):
        root = mint("root", ca=True, usage=CA, extra=((value, True),))
        leaf = mint("leaf", root).certificate
        assert codes([leaf], [root.certificate], now) == ["critical-extension"]
    root = mint("root", ca=True, usage=CA, extra=((unknown, False),))
    assert codes([mint("leaf", root).certificate], [root.certificate], now) == []


def test_a_sha1_signature_does_not_count(mint: "Mint", now: datetime) -> None:
    root = mint("root", ca=True, usage=CA)
    draft = asn1.Certificate.load(mint("leaf", root).certificate.public_bytes(Encoding.DER))
    for place in (draft["tbs_certificate"]["signature"], draft["signature_algorithm"]):
        place["algorithm"] = "sha1_ecdsa"
    frame = draft["tbs_certificate"].dump(force=True)
    draft["signature_value"] = root.key.sign(frame, ECDSA(SHA1()))
    weak = x509.load_der_x509_certificate(draft.dump(force=True))
    assert codes([weak], [root.certificate], now) == ["unknown-root"]
    assert not issued_by(weak, root.certificate)


def test_a_certificate_with_one_extension_twice_is_malformed(mint: "Mint", now: datetime) -> None:
    root = mint("root", ca=True, usage=CA)
    draft = asn1.Certificate.load(mint("leaf", root).certificate.public_bytes(Encoding.DER))
    extensions = draft["tbs_certificate"]["extensions"]
    extensions.append(extensions[0])
    twice = x509.load_der_x509_certificate(draft.dump(force=True))
    found = codes([twice], [root.certificate], now)
    assert "extensions-malformed" in found
    assert "leaf-key-usage" in found, "what cannot be read is not taken for good"


def test_every_problem_speaks_both_languages(mint: "Mint", now: datetime) -> None:
    old = mint("旧证书", usage=None, ends=now - timedelta(hours=1)).certificate
    problems = check_chain([old], [], now)
    assert [problem.code for problem in problems] == ["expired", "leaf-key-usage", "unknown-root"]
    for problem in problems:
        assert "旧证书" in problem.zh
        assert "旧证书" in problem.en
        assert problem.zh != problem.en


def test_a_shown_name_has_no_control_characters(mint: "Mint") -> None:
    shown = show(mint("red\x1b[31m\u202eevil").certificate.subject)
    assert shown.isprintable()
    assert "red" in shown

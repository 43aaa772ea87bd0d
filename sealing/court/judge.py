"""Judges an evidence package of Yinxin with Python's standard library and the openssl command only (see FORMAT.md).

python3 judge.py PACKAGE.zip --root root.pem --log-key log.vkey   (both from elsewhere than the package)
Exit code 0: all is proven; 1: something is false; 2: cannot tell.
"""
# ruff: noqa: ANN401, PLR2004, S603, S607, T201  a script of its own: it reads JSON, prints, and runs openssl
# fmt: off
# Short on purpose, so that an expert reads it as a whole.

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

FAILED, DOUBT, GOOD, NOTE = "✗", "?", "✓", "·"
BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*(\d{1,12})\s+(\d{1,12})\s+(\d{1,12})\s+(\d{1,12})\s*\]")
TIME_STAMP = bytes.fromhex("060b2a864886f70d010910020e")  # id-aa-timeStampToken

class Judge:
    """One package, unpacked in memory; ``work`` is a folder for what openssl must read."""

    def __init__(self, package: Path, work: Path, root: Path | None, log_key: Path | None) -> None:
        self.work, self.marks, self.sizes, self.renewed = work, set[str](), dict[int, bytes](), ""
        with zipfile.ZipFile(package) as archive:
            infos = archive.infolist()
            names = [each.filename for each in infos]
            if len(set(names)) != len(names) or sum(each.file_size for each in infos) > 1 << 30:
                raise ValueError("a member stands twice, or the package is too large")
            self.files = {name: archive.read(name) for name in names}
        self.own = root is None or log_key is None
        self.root = self.write("root.pem", root.read_bytes() if root else self.files["root.pem"])
        self.vkey = (log_key.read_text() if log_key else self.files["log.vkey"].decode()).strip()
    def say(self, good: bool, zh: str, en: str, *, bad: str = FAILED) -> bool:  # noqa: FBT001  the answer itself
        self.marks.add(GOOD if good else bad)
        print(f"{GOOD if good else bad} {zh} / {en}")
        return good
    def write(self, name: str, data: bytes) -> str:
        (self.work / name).write_bytes(data)
        return str(self.work / name)
    def openssl(self, *arguments: str) -> tuple[bool, str]:
        done = subprocess.run(["openssl", *arguments], capture_output=True, check=False, timeout=60)
        return done.returncode == 0, (done.stdout + done.stderr).decode("utf-8", "replace")
    def members(self) -> None:
        listed = json.loads(self.files["manifest.json"])["members"]
        here = {name: hashlib.sha256(data).hexdigest() for name, data in self.files.items() if name != "manifest.json"}
        wrong = sorted(n for n in here.keys() | listed.keys() if listed.get(n, {}).get("sha256") != here.get(n))
        self.say(not wrong, f"成员摘要 {wrong or ''}", f"digests of the members {wrong or ''}")
        print(f"{NOTE} 以下成员未被证明 / not proven by anything: FORMAT.md, judge.py, rules/*, manifest.json")
    def anchors(self) -> None:
        print_of = hashlib.sha256(pem_to_der(Path(self.root).read_text())).hexdigest()
        print(f"{NOTE} 根证书 / root sha256 {print_of}\n{NOTE} 账本公钥 / log key {self.vkey}")
        same = self.files["log.vkey"].decode().strip() == self.vkey
        same &= pem_to_der(self.files["root.pem"].decode()) == pem_to_der(Path(self.root).read_text())
        self.say(same, "包内根证书和账本公钥与所信任的相同", "root and log key of the package are the trusted ones")
        self.say(not self.own, "根证书和账本公钥另行给出（--root、--log-key；否则请核对上列两行）",
                 "root and log key from elsewhere (--root, --log-key; else compare the two lines above)", bad=DOUBT)
    def checkpoint(self, note: str) -> tuple[int, bytes]:
        """Size and root of a checkpoint (C2SP tlog-checkpoint) that the log signed."""
        origin, key_hash, encoded = self.vkey.split("+", 2)
        key = base64.b64decode(encoded)
        text, lines = note.encode().split(b"\n\n", 1)
        named = hashlib.sha256(origin.encode() + b"\n" + key).digest()[:4]
        pem = self.write("log.pem", to_pem(bytes.fromhex("302a300506032b6570032100") + key[1:], "PUBLIC KEY"))
        arguments = ("pkeyutl", "-verify", "-pubin", "-inkey", pem, "-rawin", "-in", self.write("note", text + b"\n"))
        good = named.hex() == key_hash and key[:1] == b"\x01" and text.startswith(origin.encode() + b"\n")
        signatures = [base64.b64decode(each.split()[2]) for each in lines.splitlines() if origin.encode() in each]
        own = [self.write("note.sig", each[4:]) for each in signatures if each[:4] == named]
        if not good or len(own) != 1 or not self.openssl(*arguments, "-sigfile", own[0])[0]:
            raise ValueError("the log did not sign this checkpoint")
        size, root = int(text.splitlines()[1]), base64.b64decode(text.splitlines()[2])
        if self.sizes.setdefault(size, root) != root:
            raise ValueError(f"two roots of {size} entries: the log has forked")
        return size, root
    def entry(self, name: str, evidence: Any) -> tuple[Any, dict[str, Any]]:
        """The leaf and the opened groups of an entry, once it is proven to be in the log."""
        size, root = self.checkpoint(evidence["checkpoint"])
        data = base64.b64decode(evidence["leaf"])
        leaf, proof = json.loads(data), [base64.b64decode(each) for each in evidence["proof"]]
        good = included(evidence["index"], size, hashlib.sha256(b"\0" + data).digest(), proof, root)
        good &= canonical(leaf) == data
        for group, opening in evidence["openings"].items():
            said = {"d": "yinxin/commitment/v1", "group": group, "salt": opening["salt"], "value": opening["value"]}
            good &= leaf["commitments"].get(group) == hashlib.sha256(canonical(said)).hexdigest()
        self.say(good, f"{name}：第 {evidence['index']} 条在账本中，内容与承诺相符",
                 f"{name}: entry {evidence['index']} is in the log and says what is shown")
        return leaf | {"index": evidence["index"]}, {name: each["value"] for name, each in evidence["openings"].items()}
    def document(self, told: Any, leaf: Any, certificate: Any) -> None:
        """The bytes, the signature, its certificate chain, and a time-stamp where there is one."""
        data, at = self.files["document.pdf"], str(int(datetime.fromisoformat(leaf["time"]).timestamp()))
        found = [[int(each) for each in match.groups()] for match in BYTE_RANGE.finditer(data)]
        ranges = [each for each in found if "sha256:" + sha(covered(data, each)) == told["byte_range_digest"]]
        good = len(ranges) == 1 and ranges[0][0] == 0 and ranges[0][2] + ranges[0][3] <= told["sealed_length"]
        if not self.say(good, "签名所盖范围的摘要与台账相符", "what the signature covers has the digest on record"):
            return
        first, length, second, _ = ranges[0]
        same = ["sha256:" + sha(data[: told[f"{n}_length"]]) == told[f"{n}_digest"] for n in ("sealed", "source")]
        self.say(all(same), "盖章文件与经批准的原文摘要相符", "sealed file and approved source as on record")
        self.say(len(data) <= told["sealed_length"] or self.renewed == "sha256:" + sha(data),
                 "其后追加的内容是台账所载的续期", "what was added later, if anything, is on record", bad=DOUBT)
        cms = bytes.fromhex(data[first + length + 1 : second - 1].decode())
        signature, signer = self.write("cms.der", cms[: tlv(cms, 0)[2]]), str(self.work / "signer.pem")
        content = self.write("covered.bin", covered(data, ranges[0]))
        time = ("-attime", at, "-purpose", "any", "-CAfile", self.root)
        arguments = ("-binary", "-inform", "DER", "-in", signature, "-content", content, "-signer", signer)
        good, _ = self.openssl("cms", "-verify", *arguments, *time, "-out", str(self.work / "out"))
        if not self.say(good, "CMS 签名有效", "the CMS signature is valid"):
            return
        ders = {pem_to_der(each) for each in (Path(signer).read_text(), self.files["chain/signer.pem"].decode())}
        good = ders == {base64.b64decode(certificate["chain"][0])}
        self.say(good, "签名证书即台账所载证书", "the signing certificate is the one on record")
        issuers = [to_pem(base64.b64decode(each), "CERTIFICATE") for each in certificate["chain"][1:]]
        untrusted = self.write("issuers.pem", b"".join(issuers))  # on record: no authority of the package's own
        good, _ = self.openssl("verify", *time, "-untrusted", untrusted, signer)
        self.say(good, "用章时证书链通向根证书", "at sealing the certificate chain led to the root")
        self.time_stamp(cms, time, untrusted)
        self.revocation(certificate["serial"])
    def time_stamp(self, cms: bytes, time: tuple[str, ...], untrusted: str) -> None:
        place = cms.find(TIME_STAMP)
        if place < 0:
            print(f"{NOTE} 签名不含时间戳，时间以台账为凭 / no time-stamp: the time is the ledger's word")
            return
        begin, _, end = tlv(cms, place + len(TIME_STAMP))
        token, value = self.write("token.der", cms[begin:end]), self.write("value.bin", signature_value(cms))
        chain = ("-CAfile", self.root, "-untrusted", untrusted, "-attime", time[1])
        good, _ = self.openssl("ts", "-verify", "-token_in", "-in", token, "-data", value, *chain)
        self.say(good, "时间戳有效，签发者通向根证书", "the time-stamp is valid and trusted", bad=DOUBT)
    def revocation(self, serial: str) -> None:
        for name, issuer in (("crl/issuer.crl", "issuers.pem"), ("crl/root.crl", "root.pem")):
            path, ca = self.write("list.crl", self.files[name]), str(self.work / issuer)
            good, text = self.openssl("crl", "-inform", "DER", "-in", path, "-CAfile", ca, "-noout", "-text")
            self.say(good and "verify OK" in text, f"{name} 由其签发者签名", f"{name} is signed by its issuer")
            listed = {each.lower().lstrip("0") for each in re.findall(r"Serial Number: ([0-9A-Fa-f]+)", text)}
            self.say(serial.lstrip("0") not in listed, f"证书不在 {name} 中", f"certificate not on {name}", bad=DOUBT)
    def holds(self, now: Any, certificate: Any, when: str) -> None:
        """By the newest record of the certificate: a hold that is over stands on no list. All times are text in UTC."""
        held = [each for each in now.get("holds", []) if each["start"] <= when < (each["end"] or "9")]
        self.say(not held and now["serial"] == certificate["serial"], "用章时证书未暂停", "not on hold when used")
        self.say(when < (now.get("revoked_effective") or "9"), "用章时证书未失效", "trusted when used", bad=DOUBT)
    def statement(self, text: str, key: Any) -> Any:
        """The payload of an ES256 JWS (RFC 7515) by this key, or of an assertion of a passkey (WebAuthn 7.2)."""
        head, payload, encoded = text.split(".")
        raw, header, passkey = unbase64url(encoded), json.loads(unbase64url(head)), key.get("passkey")
        good, message = len(raw) == 64 and header["alg"] == "ES256", f"{head}.{payload}".encode()
        if passkey:
            data, told, value = (unbase64url(each) for _, each in sorted(json.loads(raw).items()))
            asked = base64.urlsafe_b64encode(hashlib.sha256(f"{header['typ']}.{payload}".encode()).digest())
            wanted = {"type": "webauthn.get", "challenge": asked.decode().rstrip("="), "origin": passkey["origin"]}
            good = data[:32] == hashlib.sha256(passkey["rp_id"].encode()).digest() and data[32] & 5 == 5
            good &= wanted.items() <= json.loads(told).items() and header["typ"].endswith("+webauthn")
            message = data + hashlib.sha256(told).digest()
        else:
            numbers = b"".join(integer(part) for part in (raw[:32], raw[32:]))
            value = b"\x30" + bytes([len(numbers)]) + numbers
        public, signature = base64.b64decode(key["public_key"]), self.write("statement.sig", value)
        with_key = ("-verify", self.write("statement.pem", to_pem(public, "PUBLIC KEY")), "-signature", signature)
        if not (good and self.openssl("dgst", "-sha256", *with_key, self.write("statement.txt", message))[0]):
            raise ValueError("the statement is not signed with this key")
        return json.loads(unbase64url(payload))
    def approval(self, told: dict[str, Any], key: Any) -> None:
        group, seal = told["approval"], told["seal"]
        good = all(group["key"].get(name) == key.get(name) for name in ("id", "public_key", "passkey"))
        self.say(good, "批准密钥即登记的密钥", "the approval key is the one enrolled")
        payload = self.statement(group["jws"], key)
        wanted = (told["document"]["source_digest"], seal["seal"], seal["agreement"], told["case"]["case_number"])
        missing = [each for each in wanted if canonical(each) not in canonical(payload)]
        self.say(not missing, "批准声明签名有效且针对本件", f"the approval is signed and for this use {missing or ''}")
    def agreement(self, agreement: Any, seal: Any, keys: dict[str, Any]) -> None:
        version = agreement["current"]
        digest = "sha256:" + sha(canonical({"d": "yinxin/agreement-terms/v1", "v": version["terms"]}))
        good = digest == seal["terms_digest"] and version["number"] == seal["agreement_version"]
        self.say(good, "协议条款即印章证书所依据的条款", "the terms are those the seal was used under")
        organs = {version["terms"]["grantor"], version["terms"]["grantee"]}
        signed = set()
        for key, jws in ((keys[each["key"]], each["jws"]) for each in version["signatures"]):
            payload = self.statement(jws, key)
            wanted = {"terms_digest": digest, "original_digest": version["original_digest"], "organ": key["organ"]}
            signed |= {key["organ"]} if wanted.items() <= payload.items() else set()
        self.say(signed == organs, "协议经双方签署", "both organs signed the agreement")
    def consistency(self) -> None:
        told = json.loads(self.files["consistency.json"])
        size, root = self.checkpoint(told["checkpoint"])
        proofs = {each["from"]: [base64.b64decode(part) for part in each["proof"]] for each in told["proofs"]}
        good = all(consistent(n, size, self.sizes[n], root, proofs.get(n, [])) for n in self.sizes)
        self.say(good, "各检查点同属一部账本", "all checkpoints belong to one log")
    def run(self) -> int:
        self.members()
        self.anchors()
        receipt = json.loads(self.files["receipt.json"])
        leaf, told = self.entry("receipt", receipt["evidence"])
        good = [leaf["kind"], leaf["subjects"][0]] == ["seal.impressed", receipt["impression"]]
        self.say(good, "该条目是一次用章", "the entry is a seal use")
        bodies: dict[str, Any] = {}
        for name in sorted(each for each in self.files if each.startswith("entries/")):
            other, groups = self.entry(name, json.loads(self.files[name]))
            if other["kind"] == "seal.renewed" and receipt["impression"] in other["subjects"]:
                self.renewed = groups["renewal"]["after"]
                continue
            late = other["index"] > leaf["index"] and name != "entries/certificate_now.json"
            if "body" not in groups or groups["body"]["id"] not in other["subjects"] or late:
                raise ValueError(f"{name} does not hold the record it is about as of the seal use")
            bodies[name.removeprefix("entries/").removesuffix(".json")] = groups["body"]
        keys = {each["id"]: each for name, each in bodies.items() if name.startswith("organ_key")}
        wanted = [told["seal"][name] for name in ("seal", "agreement_id", "certificate_serial")]
        good = [bodies["seal"]["id"], bodies["agreement"]["id"], bodies["certificate"]["serial"]] == wanted
        self.say(good, "印章、协议、证书即用章所载", "seal, agreement and certificate are those of the use")
        self.holds(bodies.get("certificate_now", bodies["certificate"]), bodies["certificate"], leaf["time"])
        self.document(told["document"], leaf, bodies["certificate"])
        self.approval(told, bodies["approval_key"])
        self.agreement(bodies["agreement"], told["seal"], keys)
        self.consistency()
        return 1 if FAILED in self.marks else 2 if DOUBT in self.marks else 0
def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
def covered(data: bytes, at: list[int]) -> bytes:
    return data[at[0] : at[0] + at[1]] + data[at[2] : at[2] + at[3]]
def canonical(value: Any) -> bytes:
    """RFC 8785 for text, integers, true, false, null, lists and objects."""
    return json.dumps(ordered(value), ensure_ascii=False, separators=(",", ":")).encode()
def ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: ordered(value[name]) for name in sorted(value, key=lambda each: each.encode("utf-16-be"))}
    return [ordered(each) for each in value] if isinstance(value, list) else value
def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
def steps(first: int, last: int, proof: list[bytes]) -> Iterator[tuple[bool, bytes]]:
    """The hashes of a proof and whether each stands on the left (RFC 9162 2.1.3.2, 2.1.4.2)."""
    for part in proof:
        if last == 0:
            raise ValueError("the proof is too long")
        left = bool(first & 1) or first == last
        while left and not first & 1 and first:
            first, last = first >> 1, last >> 1
        yield left, part
        first, last = first >> 1, last >> 1
    if last:
        raise ValueError("the proof is too short")
def included(index: int, size: int, leaf: bytes, proof: list[bytes], root: bytes) -> bool:
    for left, part in steps(index, size - 1, proof):
        leaf = node(part, leaf) if left else node(leaf, part)
    return 0 <= index < size and leaf == root
def consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: list[bytes]) -> bool:
    if not 0 < old < new or not proof:
        return old == new and old_root == new_root
    path = [old_root, *proof] if old & (old - 1) == 0 else proof
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    one = two = path[0]
    for left, part in steps(first, last, path[1:]):
        one = node(part, one) if left else one
        two = node(part, two) if left else node(two, part)
    return (one, two) == (old_root, new_root)
def tlv(data: bytes, at: int) -> tuple[int, int, int]:
    """Of the DER value at ``at``: where its content begins, its tag, where it ends."""
    length, begin = data[at + 1], at + 2
    if length & 0x80:
        begin += length & 0x7F
        length = int.from_bytes(data[at + 2 : begin], "big")
    return begin, data[at], begin + length
def signature_value(cms: bytes) -> bytes:
    """The signature of the one SignerInfo (RFC 5652 5.3): the last OCTET STRING directly in it."""
    infos = inside(cms, inside(cms, inside(cms, tlv(cms, 0))[1])[0])[-1]  # ContentInfo, [0], SignedData
    start, _, end = [each for each in inside(cms, inside(cms, infos)[0]) if each[1] == 0x04][-1]
    return cms[start:end]
def inside(data: bytes, value: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    found, at = [], value[0]
    while at < value[2]:
        found.append(tlv(data, at))
        at = found[-1][2]
    return found
def integer(number: bytes) -> bytes:
    plain = number.lstrip(b"\0") or b"\0"
    sign = b"\0" if plain[0] & 0x80 else b""
    return b"\x02" + bytes([len(sign + plain)]) + sign + plain
def unbase64url(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
def to_pem(der: bytes, kind: str) -> bytes:
    return f"-----BEGIN {kind}-----\n{base64.encodebytes(der).decode()}-----END {kind}-----\n".encode()
def pem_to_der(pem: str) -> bytes:
    return base64.b64decode(pem.split("-----BEGIN CERTIFICATE-----")[1].split("-----END", 1)[0])
def main() -> int:
    parser = argparse.ArgumentParser(description="judge an evidence package of Yinxin")
    parser.add_argument("package", type=Path)
    parser.add_argument("--root", type=Path, help="trusted root certificate (PEM), from elsewhere")
    parser.add_argument("--log-key", type=Path, help="verifier key of the log, from elsewhere")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        try:
            result = Judge(given.package, Path(work), given.root, given.log_key).run()
        except Exception as error:  # noqa: BLE001  whatever is malformed in a package makes it false
            print(f"{FAILED} 证据包不可读或不真实 / not readable or not genuine: {type(error).__name__}: {error}")
            result = 1
    print(("通过 / PASSED", "不通过 / FAILED", "无法判定 / CANNOT TELL")[result])
    return result

if __name__ == "__main__":
    sys.exit(main())

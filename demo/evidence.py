"""What is checked afterwards, by programs that share nothing with the server: verify, pdfsig, audit; the register."""

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.approval_system import Sealed
from demo.service import Client, Server, yinxin

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_AT_ONCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What two programs say of a sealed file; ``pdfsig`` is None where poppler is not installed."""

    sealed: Sealed
    verdict: str
    pdfsig: bool | None

    @property
    def sound(self) -> bool:
        """Whether nothing speaks against it."""
        return self.verdict == "TOTAL_PASSED" and self.pdfsig is not False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFiles:
    """What a verifier needs once: the root, the log's key, the revocation lists."""

    root: Path
    log_key: Path
    revocation: Path

    @classmethod
    def fetch(cls, public: Client, folder: Path) -> "TrustFiles":
        """Fetch them; a real verifier compares root and log key with what it got by another way."""
        files = cls(root=folder / "root.pem", log_key=folder / "log.vkey", revocation=folder / "issuer.crl")
        files.root.write_bytes(public.get("/v1/authority/root.pem", accept="*/*").content)
        files.revocation.write_bytes(public.get("/v1/authority/issuer.crl", accept="*/*").content)
        files.log_key.write_text(public.get("/v1/log").json()["vkey"] + "\n", encoding="utf-8")
        return files


def judge_all(sealed: list[Sealed], trust: TrustFiles) -> list[Judged]:
    """Each file in a fresh process, without database or network."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda each: _judge(each, trust), sealed))


def _judge(sealed: Sealed, trust: TrustFiles) -> Judged:
    _, output = yinxin(
        "verify",
        str(sealed.document),
        *("--receipt", str(sealed.receipt)),
        *("--trust", str(trust.root)),
        *("--log-key", str(trust.log_key)),
        *("--crl", str(trust.revocation)),
        "--json",
        expect=(0, 1, 2),
    )
    report = sealed.document.with_suffix(".verdict.json")
    report.write_text(output, encoding="utf-8")
    return Judged(sealed=sealed, verdict=json.loads(output)["indication"], pdfsig=_pdfsig(sealed.document, trust))


def _pdfsig(document: Path, trust: TrustFiles) -> bool | None:
    program = shutil.which("pdfsig")
    if program is None:
        return None
    # -nocert: whether the chain is trusted is for `verify`, which was given the root.
    done = subprocess.run(
        [program, "-nocert", str(document)], capture_output=True, text=True, check=False, cwd=trust.root.parent
    )
    return "Signature is Valid." in done.stdout and "Total document signed" in done.stdout


def export_register(grantors: Client, folder: Path) -> tuple[Path, Path]:
    """The usage register 台账 as CSV and XLSX."""
    csv, xlsx = folder / "register.csv", folder / "register.xlsx"
    csv.write_bytes(grantors.get("/v1/register", accept="text/csv").content)
    xlsx.write_bytes(grantors.get("/v1/register", accept=XLSX).content)
    return csv, xlsx


def audit(server: Server) -> dict[str, Any]:
    """Walk the whole record in a fresh process: ``sound``, ``entries``, ``findings``."""
    _, output = yinxin("audit", "--data", str(server.data), "--json", expect=(0, 1), settings=server.settings)
    result: dict[str, Any] = json.loads(output)
    return result


def audit_keys(server: Server) -> list[Any]:
    """What speaks against the custody process's own record of key uses, compared with the ledger in a fresh process."""
    command = ("audit", "--keys", "--data", str(server.data), "--json")
    _, output = yinxin(*command, expect=(0, 1), settings=server.settings)
    findings: list[Any] = json.loads(output)["findings"]
    return findings

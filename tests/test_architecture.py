"""The shape of the code, checked by a program: import directions, homes of libraries, purity."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

MAY_IMPORT: dict[str, set[str]] = {
    "policies": set(),
    "sandbox": set(),
    "keystore": set(),
    "signer": set(),
    "demo": set(),
    "outbound": set(),
    "ledger": {"keystore"},
    "registry": {"ledger", "policies"},
    "accounts": {"keystore", "ledger", "policies", "registry"},
    "authority": {"keystore"},
    "custody": {"authority", "keystore", "ledger", "policies", "registry", "signer"},
    "verify": {"authority", "ledger", "policies", "registry", "sandbox", "signer"},
    "sealing": {
        "accounts", "authority", "custody", "keystore", "ledger", "outbound", "policies", "registry", "sandbox",
        "signer", "verify",
    },
    "witness": {"keystore", "ledger"},
    "api": {
        "accounts", "authority", "custody", "keystore", "ledger", "outbound", "policies", "registry", "sandbox",
        "sealing", "signer", "verify",
    },
    "web": {
        "accounts", "api", "authority", "keystore", "ledger", "outbound", "policies", "registry", "sandbox", "sealing",
        "signer", "verify",
    },
    "cli": {
        "accounts", "api", "authority", "custody", "demo", "keystore", "ledger", "outbound", "policies", "registry",
        "sandbox", "sealing", "signer", "verify", "web", "witness",
    },
}  # fmt: skip

HOMES: dict[str, set[str]] = {
    "sqlalchemy": {"accounts", "ledger", "registry", "sealing"},
    "argon2": {"accounts"},
    "pyotp": {"accounts"},
    "webauthn": {"accounts"},
    "alembic": {"ledger"},
    "rfc8785": {"ledger"},
    "fastapi": {"api", "web", "witness"},
    "starlette": {"api", "web", "witness"},
    "uvicorn": {"api", "cli", "witness"},
    "pyhanko": {"verify"},
    "pyhanko_certvalidator": {"verify"},
    "pikepdf": {"signer", "verify"},
    "pypdfium2": {"signer", "verify"},
    "fontTools": {"signer"},
    "cel_expr_python": {"registry"},
    "openpyxl": {"registry"},
    "xlsxwriter": {"registry"},
    "chinese_calendar": {"registry"},
    "typer": {"cli"},
    "rich": {"cli", "demo"},
    "httpx2": {"outbound", "demo"},
    "pkcs11": {"keystore"},
    "pyrage": {"sealing"},
    "shamir_mnemonic": {"sealing"},
    "ntplib": {"outbound"},
    "jinja2": {"web"},
    "limits": {"api", "web"},
    "segno": {"signer", "web"},
    "typst": {"demo", "sealing"},
    "pydantic_settings": {"sealing"},
    "structlog": {"sealing", "api"},
    "prometheus_client": {"api"},
}

VERIFY_NEVER_LOADS = {"sqlalchemy", "fastapi", "uvicorn", "keystore.files"}


def modules(package: str) -> Iterator[Path]:
    return (ROOT / package).rglob("*.py")


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_imports_go_down_only(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(package)
        for name in imported(path)
        if name.split(".")[0] in MAY_IMPORT.keys() - MAY_IMPORT[package] - {package}
    ]
    assert wrong == []


def test_each_outside_library_has_its_home() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for package in MAY_IMPORT
        for path in modules(package)
        for name in imported(path)
        if name.split(".")[0] in HOMES and package not in HOMES[name.split(".")[0]]
    ]
    assert wrong == []


def test_policies_use_the_standard_library_only() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules("policies")
        for name in imported(path)
        if name.split(".")[0] not in {*sys.stdlib_module_names, "policies"}
    ]
    assert wrong == []


CLOCKS = {"now", "utcnow", "today", "time", "time_ns"}
FILE_AND_NET = {"os", "pathlib", "socket", "subprocess", "io", "random", "secrets", "urllib", "http"}


def test_policies_have_no_clock_and_no_io() -> None:
    wrong = []
    for path in modules("policies"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        wrong += [f"{path.name} imports {n}" for n in imported(path) if n.split(".")[0] in FILE_AND_NET | {"time"}]
        for node in ast.walk(tree):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Attribute) and called.attr in CLOCKS:
                wrong.append(f"{path.name}:{node.lineno} reads a clock ({called.attr})")
            if isinstance(called, ast.Name) and called.id in {"open", "print", "input", "exec", "eval"}:
                wrong.append(f"{path.name}:{node.lineno} calls {called.id}")
    assert wrong == []


def test_the_clock_is_read_in_one_place() -> None:
    """``sealing.clock`` reads the time of day, ``custody.clock`` in the key process; measuring a duration is free."""
    readers = []
    for package in MAY_IMPORT.keys() - {"demo"}:
        for path in modules(package):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                called = node.func if isinstance(node, ast.Call) else None
                if (
                    isinstance(called, ast.Attribute)
                    and called.attr in {"now", "utcnow", "today", "time"}
                    and isinstance(called.value, ast.Name)
                    and called.value.id in {"datetime", "date", "time"}
                ):
                    readers.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    clocks = ("sealing/clock.py:", "custody/clock.py:")
    assert [each for each in readers if not each.startswith(clocks)] == []


def test_verify_needs_no_database_server_or_private_key() -> None:
    code = "import sys, verify.judge; print('\\n'.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert VERIFY_NEVER_LOADS & set(loaded.stdout.split()) == set()


def test_no_utility_modules() -> None:
    names = {path.stem for package in MAY_IMPORT for path in modules(package)}
    assert names & {"utils", "util", "helpers", "common", "manager", "misc"} == set()

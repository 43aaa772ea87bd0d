"""What reaches a terminal: one line an error, no control characters, exit codes by who can act."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli import console
from cli.exit_codes import CANNOT_TELL, INSTALLATION, INTERNAL, INTERRUPTED, REFUSED, exit_code
from cli.main import app
from keystore.interface import KeyEncryptionKeyError
from ledger.errors import ClockBehindError, DatabaseBusyError, EntryNotFoundError, HeadRolledBackError
from registry.errors import ConflictError, RecordInvalidError, RowTamperedError
from sandbox.errors import WorkerCrashedError, WorkerFailedError
from sealing.errors import InstallationError, NotAllowedError, StorageError
from signer.errors import PlacementError
from verify.receipt import ReceiptError
from verify.trust import TrustError

ROOT = Path(__file__).parents[2]


def every_command() -> list[tuple[str, ...]]:
    root = typer.main.get_command(app)
    found: list[tuple[str, ...]] = []
    for name, command in root.commands.items():
        inner = getattr(command, "commands", None)
        found += [(name, each) for each in inner] if inner else [(name,)]
    return found


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RecordInvalidError("c", "z", "e"), REFUSED),
        (ConflictError("c", "z", "e"), REFUSED),
        (NotAllowedError("c", "z", "e"), REFUSED),
        (PlacementError("c", "z", "e"), REFUSED),
        (EntryNotFoundError("z", "e"), REFUSED),
        (WorkerFailedError("c", "z", "e"), REFUSED),
        (console.UsageError("c", "z", "e"), CANNOT_TELL),
        (TrustError("c", "z", "e"), CANNOT_TELL),
        (ReceiptError("z", "e"), CANNOT_TELL),
        (InstallationError("c", "z", "e"), INSTALLATION),
        (StorageError("c", "z", "e"), INSTALLATION),
        (RowTamperedError("c", "z", "e"), INSTALLATION),
        (HeadRolledBackError("z", "e"), INSTALLATION),
        (DatabaseBusyError("z", "e"), INSTALLATION),
        (ClockBehindError("z", "e"), INSTALLATION),
        (KeyEncryptionKeyError("z", "e"), INSTALLATION),
        (WorkerCrashedError("c", "z", "e"), INSTALLATION),
        (console.SettingsError("c", "z", "e"), INSTALLATION),
        (ValueError("x"), INTERNAL),
        (OSError(28, "No space left"), INTERNAL),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else str(each),
)
def test_the_exit_code_tells_who_can_act(error, expected):
    assert exit_code(error) == expected


def failing(error: BaseException):
    probe = typer.Typer()

    @probe.command()
    @console.guarded
    def command(*, as_json: bool = typer.Option(False, "--json")) -> None:
        raise error

    return probe


def test_an_unknown_error_is_one_line_without_its_words():
    ran = CliRunner().invoke(failing(ValueError("password=hush")), [])
    assert ran.exit_code == INTERNAL
    assert len(ran.stderr.splitlines()) == 1
    assert "ValueError" in ran.stderr
    assert "hush" not in ran.output
    assert "Traceback" not in ran.output


def test_an_interrupt_is_130():
    assert CliRunner().invoke(failing(KeyboardInterrupt()), []).exit_code == INTERRUPTED


def test_an_error_as_json_is_on_standard_output():
    ran = CliRunner().invoke(failing(RecordInvalidError("record-invalid", "错", "wrong")), ["--json"])
    assert ran.exit_code == REFUSED
    assert json.loads(ran.stdout) == {"error": {"code": "record-invalid", "zh": "错", "en": "wrong"}}
    assert ran.stderr == ""


@pytest.mark.parametrize("bad", ["\x1b[2J", "\x07", "\x9b31m", "\u202e", "\r", "\x00", "\u200b"], ids=ascii)
def test_nothing_acts_on_the_terminal(bad, capsys):
    text = f"甲{bad}乙"
    console.say(text)
    console.tell(text)
    console.show_table(("列",), [[text]], about=text)
    console.show_facts({"名": text})
    out, err = capsys.readouterr()
    assert bad not in out + err.replace("\n", "")
    console.show_json({"甲": text})
    shown = capsys.readouterr().out
    assert bad not in shown
    assert json.loads(shown) == {"甲": text}


def test_a_table_reads_nothing_as_markup(capsys):
    console.show_table(("a",), [["[red]x[/red] [/] :smile:"]])
    assert "[red]x[/red] [/] :smile:" in capsys.readouterr().out


def test_a_terminal_that_cannot_show_chinese_gets_an_escape():
    program = "from cli import console; console.say('印信')"
    ran = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", program],
        capture_output=True,
        timeout=60,
        check=True,
        cwd=ROOT,
        env={"PATH": "/usr/bin", "PYTHONIOENCODING": "ascii:strict"},
    )
    assert ran.stdout == b"\\u5370\\u4fe1\n"


@pytest.mark.parametrize("command", every_command(), ids=" ".join)
def test_every_command_has_help_in_both_languages(command):
    ran = CliRunner().invoke(app, [*command, "--help"])
    assert ran.exit_code == 0
    assert " / " in ran.stdout
    assert any("\u4e00" <= each <= "\u9fff" for each in ran.stdout)


def test_every_command_of_the_task_is_there():
    daily = {"serve", "demo", "seal", "verify", "audit", "recover", "checkpoint"}
    wanted = daily | {"organ", "person", "item", "agreement", "grant", "client"}
    assert wanted <= {command[0] for command in every_command()}
    grants = {command[1] for command in every_command() if command[0] == "grant"}
    assert {"issue", "suspend", "resume", "cancel", "show"} <= grants


def test_help_loads_nothing_heavy():
    program = (
        "import sys\nfrom cli.main import app\ntry:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'sqlalchemy', 'pydantic', 'cryptography', 'fastapi', 'pikepdf', 'rich'}\n"
        "heavy |= {'sealing', 'registry', 'ledger'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT
    )
    assert ran.stderr.strip() == "[]"


def test_an_unknown_command_is_exit_2():
    assert CliRunner().invoke(app, ["nonsense"]).exit_code == 2
    assert CliRunner().invoke(app, ["organ", "show"]).exit_code == 2

"""What the command prints: JSON for programs, tables and sentences for people, one line for an error."""

import functools
import json
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn, ParamSpec, TextIO, TypeVar

import typer

from cli.exit_codes import INTERNAL, INTERRUPTED, exit_code

WIDTH = 1000
"""Columns that a table may take in a file or a pipe: there nothing is folded, so that ids can be searched for."""

P = ParamSpec("P")
T = TypeVar("T")


class CommandError(Exception):
    """Root of the errors that the command line itself finds."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        """``code`` in kebab-case; the sentences say found and expected."""
        super().__init__(f"{zh} / {en}")
        self.code, self.zh, self.en = code, zh, en


class UsageError(CommandError):
    """What was put on the command line cannot be used. The user must change it."""


class SettingsError(CommandError):
    """The settings cannot be used. An operator must change them."""


def clean(text: object) -> str:
    """The text without control, bidi and other characters that act on a terminal; lines stay."""
    return "".join(each if each.isprintable() or each == "\n" else "�" for each in str(text))


def say(*lines: object) -> None:
    """Lines for people."""
    for line in lines:
        _write(sys.stdout, clean(line))


def tell(*lines: object) -> None:
    """Lines for people beside the result, so that a pipe gets the result alone."""
    for line in lines:
        _write(sys.stderr, clean(line))


def show_json(value: Any) -> None:  # noqa: ANN401  any JSON
    """JSON for programs, Chinese readable, what acts on a terminal escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    _write(sys.stdout, "".join(each if each.isprintable() or each == "\n" else _escaped(each) for each in text))


def show_table(titles: Sequence[str], rows: Iterable[Sequence[object]], *, about: str = "") -> None:
    """A table for people. Nothing in it is read as markup."""
    from rich.console import Console  # noqa: PLC0415  loading it takes longer than most commands
    from rich.table import Table  # noqa: PLC0415  as above
    from rich.text import Text  # noqa: PLC0415  as above

    shown = Table(title=Text(clean(about)) if about else None, title_justify="left")
    for title in titles:
        shown.add_column(Text(title), overflow="fold")
    for row in rows:
        shown.add_row(*(Text("" if cell is None else clean(cell)) for cell in row))
    width = None if sys.stdout.isatty() else WIDTH
    Console(highlight=False, width=width).print(shown)


def show_facts(facts: Mapping[str, object], *, about: str = "") -> None:
    """One thing, a line a fact."""
    show_table(("", ""), ((name, _plain(value)) for name, value in facts.items()), about=about)


def progress(*, quiet: bool) -> Callable[[str, int, int], None]:
    """What shows how far long work has come, on a terminal only: what is done, how much of it, of how much."""

    def report(what: str, done: int, total: int) -> None:
        if not quiet and sys.stderr.isatty():
            end = "\n" if done == total else ""
            sys.stderr.write(f"\r{what} {done}/{total}{end}")

    return report


def guarded(command: Callable[P, T]) -> Callable[P, T]:
    """Turn every error into one line and an exit code that scripts can use; never a stack trace."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except typer.Exit:
            raise
        except KeyboardInterrupt:
            tell("", "已中断 / interrupted")
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:  # noqa: BLE001  the outermost line of the command
            fail(error, as_json=bool(kwargs.get("as_json")))

    return run


def fail(error: Exception, *, as_json: bool = False) -> NoReturn:
    """Print the error and leave with its exit code."""
    code = exit_code(error)
    facts = _internal(error) if code == INTERNAL else {"code": _of(error, "code"), **_sentences(error)}
    if as_json:
        show_json({"error": facts})
    else:
        tell(f"{facts['code']}: {facts['zh']} / {facts['en']}")
        tell(*(f"  {each}" for each in getattr(error, "bad", ())))
    raise typer.Exit(code) from None


def _sentences(error: Exception) -> dict[str, str]:
    return {"zh": _of(error, "zh"), "en": _of(error, "en")}


def _of(error: Exception, name: str) -> str:
    return str(getattr(error, name))


def _internal(error: Exception) -> dict[str, str]:
    if isinstance(error, OSError):  # a file or an address that the user named
        where = f"{error.filename}: " if error.filename else ""
        return {
            "code": "system",
            "zh": f"系统不能完成：{where}{error.strerror or error}",
            "en": f"the system cannot do it: {where}{error.strerror or error}",
        }
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} ({last.name}, line {last.lineno})"
    return {"code": "internal", "zh": f"内部错误：{place}", "en": f"internal error: {place}; please report it"}


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return "是 / yes" if value else "否 / no"
    if isinstance(value, list | tuple):
        return "\n".join(str(_plain(each)) for each in value)
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {_plain(each)}" for name, each in value.items())
    return value


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]


def _write(stream: TextIO, line: str) -> None:
    try:
        stream.write(line + "\n")
    except UnicodeEncodeError:  # a terminal that cannot show Chinese
        stream.write(line.encode("ascii", "backslashreplace").decode("ascii") + "\n")

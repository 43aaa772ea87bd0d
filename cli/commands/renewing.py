"""Add archive time-stamps before the newest ones lapse: to files, to folders, or to the whole store."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import console
from cli.exit_codes import DONE, REFUSED
from cli.options import AsJson, Data, argument, group
from cli.workplace import now, opened

if TYPE_CHECKING:
    from sealing.renewal import Report, Task
    from sealing.workshop import Workshop

commands = group("续期 / renewing")

_SUFFIX = ".renewed.pdf"


@commands.command()
@console.guarded
def renew(
    places: Annotated[
        list[Path] | None, argument("PDF 文件或目录；不填则为全部存档 / files or folders; none: the store", exists=True)
    ] = None,
    *,
    within: Annotated[str, typer.Option(help="将在多久内失效：天数或 ISO 8601 / days or ISO 8601")] = "90",
    output: Annotated[
        Path | None, typer.Option(help="新文件的目录，默认与原件同处 / folder of the new files", file_okay=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只列出，不续期 / only say what would be done")] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """在时间戳失效前加盖归档时间戳；中断后可重做；1 表示有文件未能续期 / Renew what lapses soon; 1: some failed."""
    from sealing.renewal import Task  # noqa: PLC0415  loads the database

    task = Task(within=_period(within), dry_run=dry_run, clock=now)
    if output is not None and not places:
        raise console.UsageError(
            "output-without-files", "存档的新文件留在存档内，不能指定 --output", "the store keeps its own files"
        )
    with opened(data) as shop:
        reports = list(_told(_reports(shop, task, places or [], output), quiet=as_json))
    failed = [each for each in reports if each.state in {"failed", "lapsed"}]
    if as_json:
        console.show_json([_json(each) for each in reports])
    else:
        counts = Counter(each.state for each in reports)
        told = "，".join(f"{state} {count}" for state, count in sorted(counts.items()))
        console.say(f"共 {len(reports)} 份 / files: {told}")
    raise typer.Exit(REFUSED if failed else DONE)


def _reports(shop: "Workshop", task: "Task", places: list[Path], output: Path | None) -> Iterator["Report"]:
    from sealing.renewal import renew_file, renew_store  # noqa: PLC0415  loads the database

    if not places:
        yield from renew_store(shop, task)
        return
    for source in _files(places):
        folder, name = (source.parent, source.stem + _SUFFIX) if output is None else (output, source.name)
        folder.mkdir(parents=True, exist_ok=True)
        yield renew_file(shop, source, folder / name, task)


def _files(places: list[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_dir():
            yield from sorted(each for each in place.rglob("*.pdf") if each.is_file())
        else:
            yield place


def _told(reports: Iterator["Report"], *, quiet: bool) -> Iterator["Report"]:
    """Pass the reports on; each that was or would be renewed, or failed, is a line as soon as it is known."""
    for count, each in enumerate(reports, start=1):
        if not quiet and each.state != "current":
            until = "" if each.expires is None else f" → {each.expires:%Y-%m-%d}"
            why = "" if each.code is None else f" {each.code}: {each.zh} / {each.en}"
            console.say(f"{count} {each.subject} {each.state}{until}{why}")
        yield each


def _json(report: "Report") -> dict[str, Any]:
    expires = None if report.expires is None else report.expires.isoformat()
    told = {"subject": report.subject, "state": report.state, "expires": expires}
    return told | ({} if report.code is None else {"code": report.code, "zh": report.zh, "en": report.en})


def _period(text: str) -> timedelta:
    """Days, or a duration as in ISO 8601. Raises :class:`UsageError` ``period-unreadable``."""
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415  beside its only use

    try:
        period = timedelta(days=int(text)) if text.isdigit() else TypeAdapter(timedelta).validate_python(text)
    except (ValidationError, OverflowError):
        period = timedelta(-1)
    if period < timedelta(0):
        raise console.UsageError(
            "period-unreadable",
            f"期限 {text!r} 应为天数或 ISO 8601 时段，例如 90 或 P90D",
            f"the period {text!r} should be days or a duration as in ISO 8601, e.g. 90 or P90D",
        )
    return period

"""Make a clean copy of a PDF that cannot be sealed as it is, for the principal to read and approve instead."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import console
from cli.exit_codes import REFUSED
from cli.options import AsJson, argument, group

commands = group("整理 / normalising")

_NORMALISE, _INSPECT = "signer.desk:normalise_document", "signer.desk:inspect_document"


@commands.command()
@console.guarded
def normalise(
    file: Annotated[Path, argument("PDF 文件 / the PDF", exists=True, dir_okay=False)],
    *,
    out: Annotated[Path, typer.Option(help="新文件 / the clean copy, a new file", show_default=False)],
    seconds: Annotated[int, typer.Option(help="时限，秒 / time limit, seconds", min=1, max=3600)] = 30,
    as_json: AsJson = False,
) -> None:
    """另存一份可盖章的清洁副本；1 表示仍不能盖章 / Write a clean copy; 1: it still cannot be sealed."""
    from sandbox.pool import Pool  # noqa: PLC0415  only where a foreign file is read

    if out.exists():
        raise console.UsageError("file-exists", f"{out} 已存在，不予覆盖", f"{out} exists and is never overwritten")
    with Pool(1, allowed=(_NORMALISE, _INSPECT), seconds=seconds) as pool:
        source, target = str(file.absolute()), str(out.absolute())
        removed = pool.call(_NORMALISE, {"source": source, "target": target})["removed"]
        options: dict[str, Any] = {"tolerated_fonts": [], "allowed_attachments": []}
        objections = pool.call(_INSPECT, {"source": target, **options})["objections"]
    if as_json:
        console.show_json({"removed": removed, "objections": objections})
    else:
        _show(removed, "已去除 / removed")
        _show(objections, "仍有异议 / objections that remain")
        console.say(f"{out}：请由负责人阅读并批准这一份 / have the principal read and approve this copy")
    if objections:
        raise typer.Exit(REFUSED)


def _show(found: list[dict[str, Any]], about: str) -> None:
    titles = ("代码 code", "对象 object", "说明", "what")
    if found:
        console.show_table(
            titles, [(each["code"], each["object"], each["zh"], each["en"]) for each in found], about=about
        )

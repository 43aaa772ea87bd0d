"""Options that many commands share, so that each has one name and one meaning everywhere."""

from pathlib import Path
from typing import Annotated, Any

import typer

Data = Annotated[
    Path | None,
    typer.Option("--data", help="数据目录，默认 YINXIN_DATA 或 ./data / data folder", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON")]
Why = Annotated[str, typer.Option("--why", help="原因，记入账本 / the reason, kept in the ledger")]
Document = Annotated[str, typer.Option("--document", help="依据文件 / the document that says so")]
From = Annotated[str | None, typer.Option("--from", help="起始时间 RFC 3339，默认现在 / from when, by default now")]
Until = Annotated[str | None, typer.Option("--until", help="终止时间 RFC 3339，默认无 / until when, by default open")]
KeyFile = Annotated[
    Path, typer.Option("--key", help="公钥 PEM 文件（P-256）/ public key, PEM", exists=True, dir_okay=False)
]


def group(help_: str) -> typer.Typer:
    """A group of commands: no completion, no markup, no stack traces."""
    return typer.Typer(
        help=help_,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def argument(help_: str, **more: Any) -> Any:  # noqa: ANN401  as typer gives it
    """A positional argument with its help."""
    return typer.Argument(help=help_, show_default=False, **more)

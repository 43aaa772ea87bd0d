"""Write everything about one seal use into one package that a court can judge without this service."""

from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from cli import console
from cli.options import AsJson, Data, argument, group
from cli.workplace import now, opened

commands = group("证据 / evidence")


@commands.command()
@console.guarded
def evidence(
    impression: Annotated[str, argument("用章记录编号 / id of the impression")],
    *,
    out: Annotated[Path, typer.Option(help="新文件 / the package, a new file", show_default=False)],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """出具一次用章的证据包 / Write the evidence package of one seal use."""
    from sealing.court_package import build_package  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        package = build_package(shop, impression, now())
    try:
        with out.open("xb") as file:
            file.write(package)
    except FileExistsError as error:
        raise console.UsageError(
            "file-exists", f"{out} 已存在，不予覆盖", f"{out} exists and is never overwritten"
        ) from error
    digest = f"sha256:{sha256(package).hexdigest()}"
    if as_json:
        console.show_json({"package": str(out), "length": len(package), "digest": digest})
    else:
        console.say(f"{out}：{len(package)} B，{digest}")

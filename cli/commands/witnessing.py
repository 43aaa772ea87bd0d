"""Run a witness, and see what the witnesses of this service have cosigned."""

from pathlib import Path
from typing import Annotated

import typer

from cli import console
from cli.options import AsJson, Data, argument, group
from cli.workplace import opened

commands = group("见证 / witnesses")

_HERE = "127.0.0.1"


@commands.command()
@console.guarded
def witness(
    folder: Annotated[Path, argument("见证自己的目录：密钥与状态 / the witness's own folder")],
    logs: Annotated[
        Path, typer.Option("--logs", help="所见证日志的公钥，每行一个 / verifier keys of the logs", exists=True)
    ],
    name: Annotated[str | None, typer.Option("--name", help="首次启动时的名称 / its name", show_default=False)] = None,
    host: Annotated[str, typer.Option(help="监听地址 / address")] = _HERE,
    port: Annotated[int, typer.Option(help="监听端口 / port", min=0, max=65535)] = 8421,
) -> None:
    """运行见证：核对账本只增不改并附签，不接触其数据 / Cosign checkpoints of logs that only grow."""
    from sealing.clock import utc_now  # noqa: PLC0415  the one place where the clock is read
    from witness.home import open_witness  # noqa: PLC0415  loads the keys
    from witness.server import listen, serve  # noqa: PLC0415  loads the HTTP server

    with open_witness(folder, logs, name=name) as cosigner:
        listening = listen(host, port)
        console.say(cosigner.identity.vkey)
        console.tell(f"见证 / witness: http://{host}:{listening.getsockname()[1]}/add-checkpoint")
        serve(cosigner, utc_now, listening)


@commands.command()
@console.guarded
def witnesses(*, data: Data = None, as_json: AsJson = False) -> None:
    """各见证人最近何时附签，最近一次答复如何 / When each witness last cosigned, and what it last answered."""
    from sealing.witness_states import witness_states  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        states = witness_states(shop)
    if as_json:
        rows = [
            {name: getattr(each, name) for name in ("name", "url", "vkey", "cosigned", "size", "asked", "outcome")}
            for each in states
        ]
        console.show_json({"witnesses": rows, "cosigned": sum(each.good for each in states)})
        return
    titles = ("见证人 / witness", "最近附签 / cosigned", "条数 / size", "最近询问 / asked", "结果 / outcome")
    console.show_table(titles, ((each.name, each.cosigned, each.size, each.asked, each.outcome) for each in states))
    console.say(
        f"{len(states)} 个见证人，{sum(each.good for each in states)} 个已附签 / of {len(states)} have cosigned"
    )

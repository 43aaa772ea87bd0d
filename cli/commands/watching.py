"""What the service noticed by itself."""

from dataclasses import asdict
from typing import Annotated

import typer

from cli import console
from cli.options import AsJson, Data, group
from cli.workplace import opened

commands = group("告警 / alerts")


@commands.command()
@console.guarded
def alerts(
    *,
    seal: Annotated[str | None, typer.Option(help="只列此印章 / of this seal only")] = None,
    after: Annotated[int, typer.Option(help="从账本此条之后 / behind this entry", min=-1)] = -1,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """列出用章突增的告警 / List alerts: uses of a seal beyond its usual pattern."""
    from sealing.alerts import Selection, listed  # noqa: PLC0415  loads the database

    with opened(data) as shop, shop.database.read() as connection:
        found = list(listed(connection, shop, Selection(after=after, seal=seal)))
    if as_json:
        console.show_json({"alerts": [asdict(each) for each in found]})
        return
    titles = (
        "条 / entry",
        "时间 / time",
        "印章 / seal",
        "客户端 / client",
        "来源 / from",
        "次数 / uses",
        "停用 / suspended",
    )
    rows = (
        (
            each.entry,
            each.time.isoformat(timespec="seconds"),
            each.seal_name,
            each.client,
            each.address,
            f"{each.uses} > {each.threshold}",
            "是 / yes" if each.suspended else "否 / no",
        )
        for each in found
    )
    console.show_table(titles, rows)

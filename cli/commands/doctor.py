"""Look an installation over and say what to do."""

import typer

from cli import console
from cli.exit_codes import DONE, INSTALLATION
from cli.options import AsJson, Data, group
from cli.workplace import now, opened, read_settings

commands = group("检查安装 / look an installation over")


@commands.command()
@console.guarded
def doctor(*, data: Data = None, as_json: AsJson = False) -> None:
    """检查安装各部分并说明怎么办 / Look the installation over and say what to do; exit 3 if a check failed."""
    from sealing.doctor import cannot_open, examine  # noqa: PLC0415  loads the database

    settings = read_settings(data)
    if not settings.data.is_dir():
        raise console.SettingsError(
            "data-missing", f"没有数据目录 {settings.data}", f"there is no data folder {settings.data}"
        )
    try:
        with opened(data) as shop:
            checks = examine(shop, now())
    except Exception as error:
        if not hasattr(error, "zh"):
            raise
        checks = cannot_open(settings, str(getattr(error, "zh", "")), str(getattr(error, "en", "")))
    failed = any(each.state == "failed" for each in checks)
    if as_json:
        rows = [
            {
                "check": each.name,
                "state": each.state,
                "zh": each.found[0],
                "en": each.found[1],
                "do": {"zh": each.advice[0], "en": each.advice[1]},
            }
            for each in checks
        ]
        console.show_json({"sound": not failed, "checks": rows})
    else:
        console.show_table(
            ("check", "state", "found", "do"),
            ((each.name, each.state, "\n".join(each.found), "\n".join(dict.fromkeys(each.advice))) for each in checks),
        )
    raise typer.Exit(INSTALLATION if failed else DONE)

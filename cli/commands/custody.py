"""Run the custody process: the only one that holds private keys."""

import os
import sys
from typing import Annotated

import typer

from cli import console
from cli.options import Data, group
from cli.workplace import read_settings

commands = group("密钥进程 / custody process")


@commands.command()
@console.guarded
def custody(
    data: Data = None,
    listen: Annotated[
        str | None,
        typer.Option(
            "--listen", help="套接字路径或 tls://主机:端口 / a socket's path or tls://host:port", show_default=False
        ),
    ] = None,
    users: Annotated[
        list[str] | None,
        typer.Option("--user", help="可连接的用户（名称或编号），可多次 / users that may connect", show_default=False),
    ] = None,
) -> None:
    """运行密钥进程：私钥只在其中，每次用钥自行核验并记录 / Hold the keys, check and record each use."""
    from custody.connection import command  # noqa: PLC0415  only what this command needs
    from sealing.key_service import process_settings  # noqa: PLC0415  as above

    allowed = tuple(_user(each) for each in users or ())
    settings = process_settings(read_settings(data), listen=listen, users=allowed, foreground=True)
    sys.stdout.flush()
    os.execv(sys.executable, command(settings))  # noqa: S606  the process shall load nothing of this command


def _user(text: str) -> int:
    import pwd  # noqa: PLC0415  beside its only use

    if text.isdecimal():
        return int(text)
    try:
        return pwd.getpwnam(text).pw_uid
    except KeyError:
        raise console.UsageError("user-unknown", f"系统中没有用户 {text}", f"there is no user {text} here") from None

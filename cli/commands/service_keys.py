"""Keys of the service itself, with certificates of their own: ``yinxin service-key …``."""

from typing import Annotated, Literal

import typer

from cli import console, records
from cli.options import AsJson, Data, Why, argument, group
from cli.workplace import act, opened

commands = group("服务自身的密钥：吊销应答、时间戳、核验报告 / keys of the service: OCSP, time-stamps, reports")

Serial = Annotated[str, argument("证书序列号（十六进制小写）/ serial of the certificate, lower-case hexadecimal")]
Reason = Annotated[
    Literal["key_compromise", "superseded", "cessation_of_operation"],
    typer.Option(help="吊销原因 / why it is revoked (RFC 5280 5.3.1)"),
]


@commands.command("list")
@console.guarded
def list_(*, data: Data = None, as_json: AsJson = False) -> None:
    """列出服务密钥与证书 / List the service's keys and their certificates."""
    from registry.records import ServiceKey  # noqa: PLC0415  loads the database

    with opened(data) as shop, shop.database.read() as connection:
        columns = ("purpose", "serial", "not_before", "not_after", "retired_at", "revoked_at", "revoked_reason")
        records.show_list(shop.registry.find(connection, ServiceKey), columns, json=as_json)


@commands.command()
@console.guarded
def revoke(
    serial: Serial, *, why: Why, reason: Reason = "key_compromise", data: Data = None, as_json: AsJson = False
) -> None:
    """立即吊销服务证书，下次使用时换新密钥；一人即可 / Revoke at once; the next use makes a new key. One person may."""
    from sealing.service_keys import revoke_service_key  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        records.show(revoke_service_key(shop, serial, reason, act(why)), json=as_json)

"""The command ``yinxin``: one application of all groups and commands."""

import typer

from cli.commands import (
    accounts,
    agreements,
    backup,
    ceremony,
    clients,
    custody,
    custody_pins,
    doctor,
    evidence,
    items,
    judging,
    normalising,
    operation,
    organs,
    persons,
    proposals,
    renewing,
    seal_uses,
    seals,
    service_keys,
    watching,
    witnessing,
)
from cli.options import group

app: typer.Typer = group("印信：行政审批“2号章”的签发、使用与核验 / guarded No. 2 seals: issue, use, verify")

for _commands in (
    operation.commands,
    backup.commands,
    ceremony.founding,
    doctor.commands,
    seal_uses.commands,
    judging.commands,
    normalising.commands,
    renewing.commands,
    evidence.commands,
    witnessing.commands,
    watching.commands,
    custody.commands,
):
    app.registered_commands += _commands.registered_commands

app.add_typer(organs.commands, name="organ")
app.add_typer(persons.commands, name="person")
app.add_typer(accounts.commands, name="account")
app.add_typer(items.commands, name="item")
app.add_typer(agreements.commands, name="agreement")
app.add_typer(seals.commands, name="grant")
app.add_typer(proposals.commands, name="proposal")
app.add_typer(clients.commands, name="client")
app.add_typer(custody_pins.commands, name="custody-pin")
app.add_typer(service_keys.commands, name="service-key")
app.add_typer(ceremony.commands, name="ceremony")

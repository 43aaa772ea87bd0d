"""A real installation behind the real application, with a client of every role."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import world as worlds
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.client_authentication import secret_hash
from ledger.ids import new_id
from registry.clients import ClientRole
from registry.proposals import ProposalAction
from registry.record import read
from registry.records import Client, Proposal
from sealing.order import Order
from sealing.seal import Sealer
from sealing.workshop import open_workshop

SECRET = "a-secret-of-a-test-client-0123456789abcdef"


def basic(client: str, secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{client}:{secret}".encode()).decode()}


@dataclass(slots=True)
class Service:
    """The application under test, its world, and what its clients need."""

    world: worlds.World
    app: FastAPI
    http: TestClient
    folder: Path
    clients: dict[str, str] = field(default_factory=dict)

    def register(self, name: str, roles: tuple[ClientRole, ...], organs: tuple[str, ...], **changed: Any) -> str:
        values: dict[str, Any] = {
            "id": new_id("cli"),
            "name": name,
            "organs": organs,
            "roles": roles,
            "secret_hash": secret_hash(SECRET),
            "public_key": None,
            "state": "active",
        }
        client = Client.model_validate(values | changed)
        self.world.put(client)
        self.clients[name] = client.id
        return client.id

    def token(self, name: str) -> str:
        return self.app.state.service.tokens.issue(self.clients[name], self.world.now)  # type: ignore[no-any-return]

    def headers(self, name: str | None, **more: str) -> dict[str, str]:
        mine = {} if name is None else {"Authorization": f"Bearer {self.token(name)}"}
        return mine | {key.replace("_", "-"): value for key, value in more.items()}

    def seal(self, name: str = "city", by: str = "county system", **changed: Any) -> Any:
        """Seal a well-formed document through HTTP; ``changed`` are fields of the order."""
        order = self.world.order(name, **changed)
        document = self.world.document(name, order, self.folder)
        return self.send(order, document, self.world.approve(name, order, document), by=by)

    def propose(self, action: ProposalAction, organ: str, content: dict[str, Any], *, by: str = "city office") -> Any:
        """What is answered to the proposal of the first administrator of ``organ``."""
        first, _ = self.world.administrators[organ]
        audience = self.world.shop.installation.log_origin
        statement = first.proposal(audience, action, content, self.world.now)
        body = {"action": action, "organ": first.organ, "content": content, "statement": statement}
        return self.http.post("/v1/proposals", json=body, headers=self.headers(by))

    def decide(self, proposal: dict[str, Any], organ: str, *, by: str = "city office", **changed: Any) -> Any:
        """What is answered to the decision of the second administrator of ``organ``."""
        _, second = self.world.administrators[organ]
        found = read(Proposal, proposal)
        statement = second.decision(found, self.world.shop.installation.log_origin, self.world.now, **changed)
        path = f"/v1/proposals/{found.id}/decision"
        return self.http.post(path, json={"statement": statement}, headers=self.headers(by))

    def two_persons(
        self, action: ProposalAction, organ: str, content: dict[str, Any], *, by: str = "city office"
    ) -> Any:
        """The outcome of what both administrators wanted."""
        proposed = self.propose(action, organ, content, by=by)
        assert proposed.status_code == 201, proposed.text
        decided = self.decide(proposed.json()["record"], organ, by=by)
        assert decided.status_code == 200, decided.text
        assert decided.json()["record"]["state"] == "carried_out", decided.text
        return json.loads(decided.json()["record"]["outcome"])

    def send(
        self, order: Order, document: Path, approval: str | None, *, by: str | None = "county system", **options: str
    ) -> Any:
        headers = self.headers(by, **{"Idempotency_Key": new_id("key"), **options})
        fields = {"order": json.dumps(order.to_json())} | ({} if approval is None else {"approval": approval})
        return self.http.post(
            f"/v1/seals/{order.seal}/impressions",
            headers=headers,
            data=fields,
            files={"document": ("x.pdf", document.read_bytes(), "application/pdf")},
        )


@contextmanager
def live_service(folder: Path, **settings: Any) -> Iterator[Service]:
    """An installation in ``folder`` with an application over it."""
    settings, plan = worlds.build_world(folder / "data", max_pdf_bytes=2_000_000, **settings)
    with open_workshop(settings) as shop:
        world = plan.fill(shop)
        clock = Clock(world)
        app = create_app(shop, Sealer(shop, clock=clock))
        with TestClient(app, base_url="http://127.0.0.1:8420") as http:
            made = Service(world=world, app=app, http=http, folder=folder)
            codes = world.codes
            made.register("county system", ("approval_system",), (codes[worlds.COUNTY],))
            made.register("platform", ("approval_system",), tuple(codes[o] for o in ("county", "town", "town2")))
            made.register("other system", ("approval_system",), (codes[worlds.OTHER],))
            made.register("city office", ("grantor_administrator",), (codes[worlds.CITY],))
            made.register("forestry office", ("grantor_administrator",), (codes[worlds.FORESTRY],))
            made.register("operator", ("operator",), ())
            made.register("auditor", ("auditor",), ())
            yield made


@dataclass(slots=True)
class Clock:
    """The world's time."""

    world: worlds.World

    def __call__(self) -> datetime:
        return self.world.now

"""Who may read an impression follows from its entry: a row moved to another organ by SQL gives nothing away."""

import pytest
from sqlalchemy import text

from tests.api.live import Service


@pytest.mark.parametrize("path", ["", "/document", "/receipt", "/status"])
@pytest.mark.parametrize("column", ["grantee", "grantor"])
def test_an_impression_moved_to_another_organ_is_not_given_to_it(service: Service, column: str, path: str) -> None:
    impression = service.seal().json()["impression"]
    with service.world.shop.database.write() as connection:
        connection.execute(text(f"UPDATE impressions SET {column} = :organ"), {"organ": service.world.codes["other"]})
    answer = service.http.get(f"/v1/impressions/{impression}{path}", headers=service.headers("other system"))
    assert answer.status_code == 500
    assert answer.json()["code"] == "row-tampered"


def test_an_impression_moved_to_another_organ_is_not_listed_for_it(service: Service) -> None:
    service.seal()
    with service.world.shop.database.write() as connection:
        connection.execute(text("UPDATE impressions SET grantee = :organ"), {"organ": service.world.codes["other"]})
    answer = service.http.get("/v1/impressions", headers=service.headers("other system"))
    assert answer.status_code == 500
    assert answer.json()["code"] == "row-tampered"

"""Sealing over HTTP, from a token to the sealed file."""

import hashlib

from tests.api.live import Service, basic


def test_a_client_gets_a_token_seals_and_downloads(service: Service) -> None:
    told = service.http.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers=basic(service.clients["county system"])
    )
    assert told.status_code == 200, told.text
    assert told.json()["token_type"] == "Bearer"
    answer = service.seal()
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["impression"].startswith("imp-")
    assert answer.headers["location"] == f"/v1/impressions/{body['impression']}"
    headers = {"Authorization": f"Bearer {told.json()['access_token']}"}
    pdf = service.http.get(body["document"], headers=headers)
    assert pdf.status_code == 200, pdf.text
    assert "sha256:" + hashlib.sha256(pdf.content).hexdigest() == body["sealed_digest"]
    assert pdf.headers["etag"] == f'"{body["sealed_digest"]}"'
    assert pdf.headers["content-disposition"].startswith("attachment")
    assert pdf.headers["x-content-type-options"] == "nosniff"

"""One route, three media types."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from lxml import etree
from servers import Server, running
from world import build_world

from sealing.workshop import open_workshop


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, bytes]]:
    folder = tmp_path_factory.mktemp("forms")
    settings, plan = build_world(folder / "data")
    with open_workshop(settings) as shop:
        plan.fill(shop)
    with running(settings, folder, max_verification_bytes="1000000") as server:
        yield server, Path(__file__).with_name("test_verification_forms.py").read_bytes()


def ask(server: Server, data: bytes, **headers: str) -> Any:
    return httpx2.post(
        f"{server.address}/v1/verifications", files={"document": ("名.pdf", data)}, headers=headers, timeout=60
    )


def test_json_by_default(served: tuple[Server, bytes]) -> None:
    server, data = served
    answer = ask(server, data)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["d"] == "yinxin/verdict/v1"


def test_xml_and_pdf_by_accept(served: tuple[Server, bytes]) -> None:
    server, data = served
    xml = ask(server, data, accept="application/xml")
    assert xml.headers["content-type"] == "application/xml"
    assert etree.QName(etree.fromstring(xml.content)).localname == "ValidationReport"
    pdf = ask(server, data, **{"accept": "application/pdf", "accept-language": "en-GB, zh;q=0.5"})
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.headers["content-disposition"].startswith("attachment; filename=")
    again = ask(server, pdf.content).json()
    assert again["indication"] == "TOTAL_PASSED", again
    assert pdf.content != ask(server, data, accept="application/pdf").content


def test_what_cannot_be_had(served: tuple[Server, bytes]) -> None:
    server, data = served
    assert ask(server, data, accept="image/png").status_code == 406
    assert ask(server, b"%PDF-" + b"0" * 1_000_001).status_code == 413

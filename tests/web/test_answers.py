"""What the pages answer over HTTP: headers, languages, limits, errors, tokens, and that nothing is kept."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from api.app import create_app
from api.callers import Public
from api.rate_limit import RateLimit
from sealing.check_codes import new_check_code
from sealing.seal import Sealer
from tests.api.live import Service, live_service
from tests.api.test_routes import declarations
from tests.web.site import MARKED, check_code
from web.pages import ROUTERS, add_pages
from web.verdict_token import LIFETIME, CarriedVerdict

HTML = {"Accept": "text/html,application/xhtml+xml"}
PAGES = ("/verify", "/check", "/help", "/c/7K3M-9QXA-2BCD-5FGH", "/nowhere")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("pages")
    limits = {"max_verification_bytes": 200_000, "verification_rate": "10000/minute"}
    with live_service(folder, policy=MARKED, **limits) as made:
        add_pages(made.app)
        yield made


@pytest.fixture(scope="module")
def sealed(service: Service) -> bytes:
    answer = service.seal("city").json()
    return bytes(service.http.get(answer["document"], headers=service.headers("county system")).content)


def upload(service: Service, data: bytes, *, name: str = "x.pdf", path: str = "/verify", **more: bytes):
    files = {"document": (name, data, "application/pdf")}
    files |= {part: (f"{part}.json", content, "application/json") for part, content in more.items()}
    return service.http.post(path, files=files, headers=HTML)


def test_every_page_declares_its_callers_and_what_costs_work_is_counted() -> None:
    routes = [each for router in ROUTERS for each in router.routes if isinstance(each, APIRoute)]
    assert len(routes) == 10
    for route in routes:
        (declared,) = declarations(route.dependant)
        assert isinstance(declared, Public), route.path
        counted = [each.call.what for each in route.dependant.dependencies if isinstance(each.call, RateLimit)]
        assert bool(counted) == ("POST" in route.methods), route.path
        assert not route.include_in_schema


@pytest.mark.parametrize("path", PAGES)
def test_nothing_from_outside_and_no_cookie(service: Service, path: str) -> None:
    answer = service.http.get(path, headers=HTML)
    policy = answer.headers["content-security-policy"]
    assert policy == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in answer.headers["permissions-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    for outside in ("//cdn", "https://", "style=", "onclick"):
        assert outside not in answer.text


@pytest.mark.parametrize(
    ("query", "accept", "tag"),
    [
        ("", "", "zh-CN"),
        ("", "en-GB,en;q=0.9", "en"),
        ("", "zh-TW,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("", "fr", "zh-CN"),
        ("", "en;q=nonsense,;;,=", "zh-CN"),
        ("?lang=en", "zh-CN", "en"),
        ("?lang=zh", "en", "zh-CN"),
        ("?lang=<script>", "en", "en"),
    ],
)
def test_the_language_is_chosen_by_address_then_by_the_browser(
    service: Service, query: str, accept: str, tag: str
) -> None:
    answer = service.http.get(f"/verify{query}", headers={**HTML, "Accept-Language": accept})
    assert f'<html lang="{tag}"' in answer.text
    assert answer.headers["content-language"] == tag


@pytest.mark.parametrize(
    "path", ["//elsewhere.example/x", "/%5Celsewhere.example", "/%2Felsewhere.example", "/c/%22%3E%3Cb"]
)
def test_an_address_that_a_caller_made_up_is_no_link(service: Service, path: str) -> None:
    """``//elsewhere`` in a link leads to another site, and so does a backslash in browsers."""
    text = service.http.get(f"http://127.0.0.1:8420{path}", headers=HTML).text
    links = set(re.findall(r'(?:href|action|formaction)="([^"]*)"', text))
    assert len(links) > 5
    assert all(re.fullmatch(r"/[^/\\<].*|#.*", each) for each in links), links


def test_a_verdict_is_shown_again_in_the_other_language(service: Service, sealed: bytes) -> None:
    text = upload(service, sealed, name="决定书.pdf").text
    assert 'formaction="/verify/shown?lang=en"' in text
    again = service.http.post("/verify/shown?lang=en&text=large", data={"verdict": token_of(text)}, headers=HTML)
    assert again.status_code == 200
    assert 'lang="en"' in again.text
    assert "Passed" in again.text
    assert "决定书.pdf" in again.text
    assert "not shown again" in again.text
    assert token_of(again.text) == token_of(text)  # no longer good than the first
    forged = service.http.post("/verify/shown", data={"verdict": token_of(text)[:-8]}, headers=HTML)
    assert forged.status_code == 400
    assert "verdict-token-invalid" in forged.text


def test_choices_go_along_with_every_link(service: Service) -> None:
    text = service.http.get("/verify?lang=en&text=large", headers=HTML).text
    assert 'class="large"' in text
    assert 'href="/check?lang=en&amp;text=large"' in text
    assert 'action="/verify?lang=en&amp;text=large"' in text
    assert 'href="/verify?lang=zh&amp;text=large"' in text


def test_nothing_uploaded_is_kept(service: Service, sealed: bytes) -> None:
    data = service.world.shop.settings.data
    before = {path for path in data.rglob("*") if path.is_file() and "metrics" not in path.parts}
    for content in (sealed, b"no pdf", sealed[:-40], b""):
        upload(service, content)
    upload(service, sealed, receipt=b"no receipt")
    after = {path for path in data.rglob("*") if path.is_file() and "metrics" not in path.parts}
    assert {path.name for path in after - before} <= {"last-checkpoint", "yinxin.db-wal", "yinxin.db-shm"}


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (b"", 200, "empty_file"),
        (b"no pdf at all", 200, "not_a_pdf"),
        (b"%PDF-1.7\n" + b"<<" * 5000, 200, "无法判定"),
        (b"0" * 200_001, 413, "document-too-large"),
    ],
    ids=["empty", "text", "broken", "large"],
)
def test_a_bad_upload_gets_a_page_that_says_why(service: Service, content: bytes, status: int, told: str) -> None:
    answer = upload(service, content)
    assert answer.status_code == status
    assert told in answer.text
    assert "通过</h1>" not in answer.text.replace("不通过</h1>", "")
    assert "Traceback" not in answer.text


def test_an_unreadable_receipt_is_told_at_its_field(service: Service, sealed: bytes) -> None:
    answer = upload(service, sealed, receipt=b"{}")
    assert answer.status_code == 400
    assert 'href="#receipt"' in answer.text
    assert "receipt-error" in answer.text
    assert upload(service, sealed, receipt=b"").status_code == 200


@pytest.mark.parametrize("form", [{"data": {"document": "x"}}, {"content": b"x"}, {"files": {"other": ("x", b"x")}}])
def test_a_form_that_is_none_of_ours_is_a_page_too(service: Service, form: dict) -> None:
    answer = service.http.post("/verify", headers=HTML, **form)
    assert answer.status_code in {400, 415}
    assert answer.headers["content-type"].startswith("text/html")


def test_a_program_gets_the_problem_document(service: Service) -> None:
    answer = service.http.get("/nowhere")
    assert answer.headers["content-type"] == "application/problem+json"
    assert service.http.get("/v1/nowhere", headers=HTML).headers["content-type"] == "application/problem+json"


def test_hostile_file_names_are_text(service: Service, sealed: bytes) -> None:
    text = upload(service, sealed, name="../../<b>\u202e\x01'\"&.pdf").text
    assert "<bdi>&lt;b&gt;" in text
    assert "<b>" not in text
    assert ".." not in text.partition("<main")[2].partition("</section>")[0]
    assert "\u202e" not in text


def test_a_full_lane_is_a_friendly_page(service: Service, sealed: bytes) -> None:
    lane = service.app.state.service.verifying
    taken = 0
    while lane._places.acquire(blocking=False):
        taken += 1
    try:
        answer = upload(service, sealed)
    finally:
        for _ in range(taken):
            lane._places.release()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "overloaded" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def test_asking_too_often_is_a_friendly_page(tmp_path: Path) -> None:
    with live_service(tmp_path, verification_rate="2/hour") as made:
        add_pages(made.app)
        answers = [upload(made, b"no pdf") for _ in range(3)]
        assert [each.status_code for each in answers] == [200, 200, 429]
        assert "rate-limited" in answers[2].text
        assert int(answers[2].headers["retry-after"]) > 0


# reports


def token_of(text: str) -> str:
    return text.partition('name="verdict" value="')[2].partition('"')[0]


def test_any_replica_makes_the_report_of_a_verdict(service: Service, sealed: bytes) -> None:
    token = token_of(upload(service, sealed, name="决定书.pdf").text)
    shop = service.world.shop
    other = create_app(shop, Sealer(shop, clock=lambda: service.world.now))
    add_pages(other)
    for form, kind in (("json", "application/json"), ("xml", "application/xml"), ("pdf", "application/pdf")):
        answer = TestClient(other, base_url="http://127.0.0.1:8420").post(
            "/verify/report", data={"verdict": token, "form": form}, headers=HTML
        )
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    verdict = service.http.post("/v1/verifications", files={"document": sealed}).json()
    told = service.http.post("/verify/report", data={"verdict": token, "form": "json"}).json()
    assert told == verdict
    assert told["indication"] == "TOTAL_PASSED"


@pytest.mark.parametrize("change", ["cut", "flipped", "access token", "none", "long", "other form"])
def test_only_a_verdict_of_ours_is_reported(service: Service, sealed: bytes, change: str) -> None:
    token = token_of(upload(service, sealed).text)
    header, claims, signature = token.split(".")
    changed = {
        "cut": f"{header}.{claims}",
        "flipped": f"{header}.{claims[:-8]}{'A' if claims[-8] != 'A' else 'B'}{claims[-7:]}.{signature}",
        "access token": service.token("county system"),
        "none": "",
        "long": token + "A" * 600_000,
        "other form": token,
    }[change]
    form = "exe" if change == "other form" else "json"
    answer = service.http.post("/verify/report", data={"verdict": changed, "form": form}, headers=HTML)
    assert answer.status_code == 400
    assert ("report-form-unknown" if change == "other form" else "verdict-token-invalid") in answer.text


def test_a_verdict_token_is_no_access_token_and_expires(service: Service, sealed: bytes) -> None:
    token = token_of(upload(service, sealed).text)
    refused = service.http.get("/v1/impressions", headers={"Authorization": f"Bearer {token}"})
    assert refused.status_code == 401
    service.world.now += LIFETIME + timedelta(seconds=1)
    try:
        answer = service.http.post("/verify/report", data={"verdict": token, "form": "json"}, headers=HTML)
    finally:
        service.world.now -= LIFETIME + timedelta(seconds=1)
    assert answer.status_code == 400
    assert "verdict-expired" in answer.text


def test_a_verdict_too_long_to_travel_is_not_carried(service: Service, sealed: bytes) -> None:
    tokens = service.app.state.verdict_tokens
    carried = tokens.read(token_of(upload(service, sealed).text), service.world.now)
    many = type(carried.verdict)(
        file_digest=carried.verdict.file_digest,
        file_length=1,
        judged_at=carried.verdict.judged_at,
        findings=(),
        signatures=carried.verdict.signatures * 1500,
    )
    assert tokens.issue(CarriedVerdict(verdict=many, name="x"), service.world.now) is None


# the paper


@pytest.fixture(scope="module")
def paper(service: Service) -> tuple[str, str]:
    """A check code and the number printed on its document."""
    number = "兴审批〔2026〕7081号"
    made = service.seal("city", document_number=number).json()
    return check_code(service.world, made["impression"]), number


def ask(service: Service, code: str, number: str):
    return service.http.post("/check", data={"code": code, "number": number}, headers=HTML)


@pytest.mark.parametrize("typed", ["兴审批〔2026〕7081号", "兴审批(2026) 7081号", "兴审批［２０２６］第７０８１号"])
def test_a_number_matches_however_it_is_typed(service: Service, paper: tuple[str, str], typed: str) -> None:
    answer = ask(service, paper[0].replace("-", " ").lower(), typed)
    assert answer.status_code == 200
    assert "编号相符</h1>" in answer.text
    for expected in ("特种设备使用登记", "赣州市行政审批局行政审批专用章（12）", "2026年11月2日", "有效", "决定书"):
        assert expected in answer.text
    assert "通过" not in answer.text.partition("<main")[2]


def test_a_wrong_number_learns_nothing(service: Service, paper: tuple[str, str]) -> None:
    answer = ask(service, paper[0], "兴审批〔2026〕708号")
    assert answer.status_code == 200
    assert "编号不符</h1>" in answer.text
    for hidden in ("7081", "特种设备", "专用章", "11月2日"):
        assert hidden not in answer.text


def test_unknown_and_malformed_codes_and_a_missing_number_are_told_apart(
    service: Service, paper: tuple[str, str]
) -> None:
    cases = {
        "check-code-unknown": (404, ask(service, new_check_code(), "7号")),
        "check-code-malformed": (422, ask(service, "<script>alert(1)</script>", "7号")),
        "check-number-missing": (422, ask(service, paper[0], " 。 ")),
        "check-number-too-long": (422, ask(service, paper[0], "7" * 201)),
    }
    for code, (status, answer) in cases.items():
        assert (answer.status_code, code in answer.text) == (status, True), code
        assert "<script>alert" not in answer.text
        assert "aria-invalid" in answer.text


def test_a_code_in_the_address_fills_the_form(service: Service, paper: tuple[str, str]) -> None:
    answer = service.http.get(f"/c/{paper[0].lower()}", headers=HTML)
    assert f'value="{paper[0]}"' in answer.text
    assert paper[1] not in answer.text
    bad = service.http.get(f"/c/{quote('<b>x')}", headers=HTML)
    assert bad.status_code == 422
    assert "<b>" not in bad.text


def test_a_code_cannot_be_used_to_guess_its_number(service: Service) -> None:
    made = service.seal("city").json()
    code = check_code(service.world, made["impression"])
    answers = [ask(service, code, f"兴审批〔2025〕{number}号") for number in range(21)]
    assert [each.status_code for each in answers] == [200] * 20 + [429]
    assert "code-tried-too-often" in answers[-1].text
    assert answers[-1].headers["retry-after"] == "3600"

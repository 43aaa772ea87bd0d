"""The pages in a real browser: what a visitor sees, with and without a script, by keyboard, on a phone, read aloud."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.web.site import Site
from tests.web.visits import visit

pytestmark = pytest.mark.tool("chromium")

ANSWERS = {"genuine": "通过", "covered": "不通过", "tampered": "不通过", "foreign": "无法判定", "plain": "无法判定"}


def file_of(site: Site, name: str) -> Path:
    found = getattr(site, name)
    return getattr(found, "path", found)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("name", ANSWERS)
def test_an_upload_gets_its_answer(site: Site, browser: Browser, name: str, script: bool) -> None:
    with visit(browser, script=script) as seen:
        seen.upload(site.url("/verify"), file_of(site, name))
        assert seen.heading() == ANSWERS[name]
        assert seen.page.title().startswith(ANSWERS[name])
        assert seen.page.locator(".verdict .mark").count() == 1
        assert seen.complaints == []


def test_a_genuine_document_tells_whose_seal_and_for_what(site: Site, browser: Browser) -> None:
    with visit(browser) as seen:
        seen.upload(site.url("/verify"), site.genuine.path)
        told = seen.page.inner_text("main")
        for expected in (
            "赣州市行政审批局行政审批专用章（12）",
            "样章",
            "兴国县行政审批局",
            "赣市审协〔2026〕12号",
            "特种设备使用登记",
            site.genuine.number,
            "北京时间",
            "issuer_not_licensed",
        ):
            assert expected in told
        assert seen.page.locator(".alert").count() == 0
        assert seen.page.locator(".sheet .seal-frame").count() >= 1
        shown = seen.page.evaluate("document.querySelector('.sheet image').getBoundingClientRect().width")
        assert shown > 200


def test_the_pictures_show_the_seal_itself(site: Site, browser: Browser) -> None:
    """Red ink inside the frame of the seal."""
    with visit(browser) as seen:
        seen.upload(site.url("/verify"), site.genuine.path)
        red = seen.page.evaluate(
            """async () => {
              const sheet = document.querySelector('.sheet'), picture = new Image();
              picture.src = sheet.querySelector('image').getAttribute('href');
              await picture.decode();
              const canvas = document.createElement('canvas');
              canvas.width = picture.width; canvas.height = picture.height;
              const ink = canvas.getContext('2d');
              ink.drawImage(picture, 0, 0);
              const data = ink.getImageData(0, 0, canvas.width, canvas.height).data;
              let red = 0;
              for (let i = 0; i < data.length; i += 4) if (data[i] > 180 && data[i + 1] < 110) red++;
              return red;
            }"""
        )
        assert red > 500


def test_what_was_covered_is_shown_side_by_side(site: Site, browser: Browser) -> None:
    with visit(browser) as seen:
        seen.upload(site.url("/verify"), site.covered)
        assert seen.page.locator(".pair").count() == 1
        assert seen.page.locator(".pair .change-frame").count() >= 2
        before, after = (seen.page.locator(".pair image").nth(i).get_attribute("href") for i in (0, 1))
        assert before != after
        assert "changed_after_sealing" in seen.page.inner_text("main")


def test_an_annulled_document_says_so_aloud(site: Site, browser: Browser) -> None:
    with visit(browser) as seen:
        seen.upload(site.url("/verify"), site.annulled.path)
        assert seen.heading() == "通过，但现状有变"
        told = seen.page.inner_text(".alert")
        assert "已撤销" in told
        assert "兴林撤〔2026〕1号" in told


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_another_language_keeps_the_answer(site: Site, browser: Browser, script: bool) -> None:
    with visit(browser, script=script) as seen:
        seen.upload(site.url("/verify"), site.annulled.path)
        seen.page.click(".reading >> text=English")
        seen.page.wait_for_selector("html[lang=en]")
        assert seen.heading() == "Passed, but changed since"
        assert "annulled" in seen.page.inner_text(".alert")
        seen.page.click(".reading >> text=Large text")
        seen.page.wait_for_selector("html.large")
        assert seen.heading() == "Passed, but changed since"
        seen.page.goto(site.url(f"/c/{site.genuine.code}"))
        seen.page.fill("#number", site.genuine.number)
        seen.page.click("form button")
        seen.page.click(".reading >> text=English")
        seen.page.wait_for_selector("html[lang=en]")
        assert seen.heading() == "The number matches"
        assert seen.complaints == []


def test_by_keyboard_alone(site: Site, browser: Browser) -> None:
    """Skip link first, then the form in order, and the verdict has the focus."""
    with visit(browser) as seen:
        page = seen.page
        page.goto(site.url("/verify"))
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        order = []
        for _ in range(3):
            page.keyboard.press("Tab")
            order.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        assert order == ["document", "receipt", "BUTTON"]
        page.set_input_files("#document", site.genuine.path)
        page.keyboard.press("Enter")
        page.wait_for_selector("#verdict-title")
        assert page.evaluate("document.activeElement.id") == "verdict-title"
        assert seen.complaints == []


def test_a_dropped_file_is_taken(site: Site, browser: Browser) -> None:
    with visit(browser) as seen:
        seen.page.goto(site.url("/verify"))
        seen.page.evaluate(
            """() => {
              const moved = new DataTransfer();
              moved.items.add(new File(['%PDF-'], '掉.pdf', {type: 'application/pdf'}));
              document.querySelector('.drop').dispatchEvent(new DragEvent('drop', {dataTransfer: moved}));
            }"""
        )
        assert "掉.pdf" in seen.page.inner_text("#progress")
        assert seen.page.evaluate("document.getElementById('document').files.length") == 1


@pytest.mark.parametrize(
    ("reading", "width"),
    [("lang=zh", 1280), ("lang=en", 360), ("lang=zh&text=large", 360), ("lang=en&text=large", 1280)],
)
def test_no_barriers(site: Site, browser: Browser, reading: str, width: int) -> None:
    """Every page: no WCAG 2.1 A/AA violation, never wider than any screen, nothing the policy had to block."""
    found = {}
    with visit(browser, width=width) as seen:
        for path in ("/verify", "/check", "/help", f"/c/{site.genuine.code}"):
            seen.page.goto(site.url(f"{path}?{reading}"))
            found[path] = seen.barriers()
        seen.page.fill("#number", site.genuine.number)
        seen.page.click("form button")
        found["match"] = seen.barriers()
        for name in ("covered", "annulled"):
            seen.upload(site.url(f"/verify?{reading}"), file_of(site, name))
            for each in seen.page.locator("summary").all():
                each.click()
            found[name] = seen.barriers()
        seen.page.click(".reading button:last-child")
        found["again"] = seen.barriers()
        seen.page.goto(site.url(f"/verify?{reading}"))
        assert seen.complaints == []
        seen.page.click("form button")  # no file: the error summary
        found["error"] = seen.barriers()
        seen.page.goto(site.url(f"/nowhere?{reading}"))
        found["unknown"] = seen.barriers()
        assert seen.page.get_attribute("html", "lang") == ("en" if "en" in reading else "zh-CN")
    assert {name: each for name, each in found.items() if each} == {}


def test_an_error_leads_to_its_field(site: Site, browser: Browser) -> None:
    with visit(browser, script=False) as seen:
        seen.page.goto(site.url("/verify"))
        seen.page.click("form button")
        assert "part-missing" in seen.page.inner_text(".summary")
        seen.page.click(".summary a")
        assert seen.page.url.endswith("#document")
        assert seen.page.get_attribute("#document", "aria-invalid") == "true"
        assert "document-error" in str(seen.page.get_attribute("#document", "aria-describedby"))


@pytest.mark.parametrize("form", ["json", "xml", "pdf"])
def test_reports_are_downloaded(site: Site, browser: Browser, form: str, tmp_path: Path) -> None:
    with visit(browser, script=False) as seen:
        seen.upload(site.url("/verify"), site.genuine.path)
        with seen.page.expect_download() as waiting:
            seen.page.click(f"button[value={form}]")
        kept = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(kept)
    data = kept.read_bytes()
    assert kept.name.startswith("yinxin-report-")
    assert data.startswith({"json": b"{", "xml": b"<", "pdf": b"%PDF-"}[form])
    if form == "json":
        assert json.loads(data)["indication"] == "TOTAL_PASSED"


def test_hostile_names_do_nothing(site: Site, browser: Browser, tmp_path: Path) -> None:
    hostile = tmp_path / "<img src=x onerror=alert(1)>.pdf"
    hostile.write_bytes(site.foreign.read_bytes())
    with visit(browser) as seen:
        alerts: list[str] = []
        seen.page.on("dialog", lambda shown: alerts.append(shown.message))
        seen.upload(site.url("/verify"), hostile)
        assert seen.page.title().startswith("无法判定")
        assert "<img src=x onerror=alert(1)>.pdf" in seen.page.inner_text(".verdict")
        assert "<script>" in seen.page.inner_text(".signature h2")
        assert seen.page.locator("main img, main script").count() == 0
        assert (alerts, seen.complaints) == ([], [])


def test_a_paper_is_asked_about_by_its_code(site: Site, browser: Browser) -> None:
    """Where the QR code leads, without a script: match, no match, and never "passed"."""
    with visit(browser, script=False) as seen:
        seen.page.goto(site.url(f"/c/{site.genuine.code}"))
        seen.page.fill("#number", "兴审批〔2026〕1号")
        seen.page.click("form button")
        assert seen.heading() == "编号不符"
        assert "特种设备" not in seen.page.inner_text("main")
        seen.page.goto(site.url(f"/c/{site.genuine.code}"))
        seen.page.fill("#number", site.genuine.number)
        seen.page.click("form button")
        assert seen.heading() == "编号相符"
        told = seen.page.inner_text("main")
        assert "特种设备使用登记" in told
        assert "赣州市行政审批局行政审批专用章（12）" in told
        assert "通过" not in told
        assert seen.complaints == []


def test_the_verdict_prints_without_the_navigation(site: Site, browser: Browser) -> None:
    with visit(browser) as seen:
        seen.upload(site.url("/verify"), site.genuine.path)
        seen.page.emulate_media(media="print")
        assert not seen.page.is_visible(".places")
        assert seen.page.is_visible("#verdict-title")

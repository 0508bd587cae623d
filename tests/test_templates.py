"""Parts of the notice as functions of a site's own templates."""

from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates
from starlette.testclient import TestClient

from consentkit import ConsentMiddleware, NoVisitorError, Policy, consent_context
from tests.notice import policy_of

SECRET = "a secret of more than thirty-two bytes"
PARTS = "{{ consent_cookies() }}{{ consent_preferences('de') }}{{ consent_settings_link() }}"
PAGE = "<!doctype html><html lang=en><title>Cookies</title><body><h1>Ours</h1>" + PARTS


def site(folder: Path, policy: Policy, page: str = PAGE, **options: Any) -> TestClient:
    """A site whose one page is a template."""
    (folder / "page.html").write_text(page, "utf-8")
    templates = Jinja2Templates(directory=folder, context_processors=[consent_context])

    async def show(request: Request) -> Response:
        return templates.TemplateResponse(request, "page.html")

    app = Starlette(routes=[Route("/", show)])
    covered = ConsentMiddleware(app, policy=policy, secret_key=SECRET, secure=False, **options)
    return TestClient(covered, headers={"accept": "text/html", "accept-language": "en"})


def test_a_template_puts_the_parts_where_it_wants_them(tmp_path: Path) -> None:
    """Unescaped, in the language it says, else the visitor's; the page says whose it is (R-88)."""
    answer = site(tmp_path, policy_of()).get("/")
    below = answer.text.partition("<h1>Ours</h1>")[2]
    assert 'class="consentkit consentkit-part consentkit-declaration" lang="en"' in below
    assert 'class="consentkit consentkit-part" lang="de"' in below
    assert '<a class="consentkit-link" href="/consent" lang="en">Cookie settings</a>' in below
    assert "PollTimeout-&lt;pollid&gt;" in below
    assert "private" in answer.headers["cache-control"]
    assert "Cookie" in answer.headers["vary"]


def test_a_page_with_parts_is_each_visitors_own(tmp_path: Path) -> None:
    """Nothing of it is remembered for the next one."""
    page = site(tmp_path, policy_of(), PAGE)
    before = page.get("/").text
    page.post("/consent", data={"choice": "accept-all"}, headers={"sec-fetch-site": "same-origin"})
    after = page.get("/").text
    switch = 'name="purpose" value="analytics" aria-describedby="consentkit-3-text"'
    assert f"{switch}>" in before
    assert f"{switch} checked>" in after


def test_a_language_that_is_not_offered_is_the_first_that_is(tmp_path: Path) -> None:
    """A template's author writes the tag by hand."""
    page = site(tmp_path, policy_of(), "<body>{{ consent_settings_link('fr') }}")
    assert 'lang="en">Cookie settings</a>' in page.get("/").text


def test_report_mode_shows_nothing(tmp_path: Path) -> None:
    """It changes no byte, so a template gets no part either; a soft launch shows them."""
    quiet = site(tmp_path, policy_of(), report_only=True).get("/")
    assert quiet.text.endswith("<h1>Ours</h1>")
    loud = site(tmp_path, policy_of(), report_only=True, banner=True).get("/")
    assert "consentkit-declaration" in loud.text


def test_outside_of_the_middleware_there_is_nobody(tmp_path: Path) -> None:
    """The same error as of `visitor_from`: it says what is missing."""
    with pytest.raises(NoVisitorError):
        consent_context(Request({"type": "http", "path": "/", "headers": []}))


def test_after_a_fault_of_ours_the_page_goes_out_without_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The site goes on, with less (DESIGN §9)."""
    page = site(tmp_path, policy_of())
    assert "consentkit-part" in page.get("/").text

    def fail(*_values: object, **_more: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("consentkit.enforcement.Enforcement.read", fail)
    assert page.get("/").text.endswith("<h1>Ours</h1>")
    assert "a fault in consentkit" in caplog.text

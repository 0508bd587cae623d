"""The notice's pages and words as an attacker, a regulator and a careless site see them.

Each test is a fault that was there once: words that were untrue, one visitor's page shown to
another, a template that made a no into a yes. Beside it stands a control that shows that the probe
is alive.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from consentkit.errors import TemplateError
from consentkit.notice.banner import Links, Shown, State, banner_markup
from consentkit.notice.own_templates import check_templates, check_words
from consentkit.notice.text import duration_text, words_for
from consentkit.rules.policy import DAY
from consentkit.testing import Browser
from tests.apps import DECLARED, consent, policy

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

    from consentkit import Policy
    from consentkit.testing import Response as Answer

pytestmark = pytest.mark.anyio

GPC: Final = {"sec-gpc": "1"}
LOADS: Final = b' src="https://films.test/1"'
PAGE: Final = (
    '<!doctype html><html lang="en"><head><title>A page</title></head>'
    '<body><iframe src="https://films.test/1"></iframe></body></html>'
)
ALL_OFF: Final = "all optional cookies are off"


@pytest.fixture
def anyio_backend() -> str:
    """What is said here depends on no event loop; trio has the tests of the exchange."""
    return "asyncio"


def rules(**changes: Any) -> Policy:
    """The policy of a site with films of a third party, and numbers of its own."""
    whole: dict[str, Any] = {
        "purposes": {
            "necessary": DECLARED["purposes"]["necessary"],
            "films": {"title": "Films", "description": "Films of others.", "honours": ["gpc"]},
            "numbers": {"title": "Numbers", "description": "Counts.", "honours": ["gpc"]},
        },
        "services": {
            "player": {
                "purpose": "films",
                "provider": "Films AG",
                "hosts": ["films.test"],
                "shows": "video",
            }
        },
        "cookies": {},
    }
    return policy(**{**whole, **changes})


async def page(request: Request) -> Response:
    """A page with a validator, which says when a browser has it already."""
    if request.headers.get("if-none-match") == '"1"':
        return Response(status_code=304, headers={"etag": '"1"'})
    return HTMLResponse(PAGE, headers={"etag": '"1"', "cache-control": "no-cache"})


def site(by: Policy, **options: Any) -> Browser:
    """A browser that opens the site."""
    routes = [Route("/", page), Route("/kids/1", page)]
    return Browser(consent(Starlette(routes=routes), by, **options))


async def answer(browser: Browser, sent: dict[str, str] | None = None, **form: str) -> None:
    """Post a form of the site, with what else the browser `sent`."""
    headers = {
        "origin": browser.url,
        "sec-fetch-site": "same-origin",
        "content-type": "application/x-www-form-urlencoded",
        **(sent or {}),
    }
    body = urlencode(form).encode("ascii")
    response = await browser.request("POST", "/consent", headers=headers, body=body)
    assert response.status == 303


def words(of: Answer) -> str:
    """What a person reads in the notice of a page, or in a whole page of ours."""
    found = re.search(r'<section class="consentkit .*?</section>', of.text, re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", unescape(found[0] if found else of.text)))


# Words that are true


async def test_what_is_on_is_not_called_off() -> None:
    """A service that was granted alone loads, so not all is off (GDPR 5(1)(a), 7(3))."""
    browser = site(rules())
    await browser.visit("/")
    await answer(browser, choice="reject-all")
    refused = await browser.follow("/")
    assert LOADS not in refused.body
    assert ALL_OFF in words(refused)
    await answer(browser, choice="allow", service="player")
    granted = await browser.follow("/")
    assert LOADS in granted.body
    for told in (
        granted,
        await browser.fetch("/consent/notice?saved"),
        await browser.follow("/consent"),
    ):
        assert ALL_OFF not in words(told)


async def test_nobody_refused_what_they_could_not_answer() -> None:
    """A receipt tells no refusal of 1970 that only stands for a token nobody could read (R-15)."""
    browser = site(rules(mode="opt-out"))
    browser.store("__Host-consent=garbage; Path=/; Secure")
    await browser.visit("/")
    await answer(browser, choice="allow", purpose="films")
    receipt = words(await browser.follow("/consent/receipt"))
    assert "you allowed it" in receipt
    assert "you refused it" not in receipt
    assert "1970" not in receipt
    assert "1970" not in (await browser.fetch("/consent/receipt.json")).text


@pytest.mark.parametrize(
    ("path", "sent", "said"),
    [("/", GPC, "this site keeps to it"), ("/kids/1", {}, "always off here")],
)
async def test_a_soft_launch_promises_nothing(path: str, sent: dict[str, str], said: str) -> None:
    """Where nothing is held back, nobody is told that it is (R-11, R-39; 11 CCR 7025(c)(6))."""
    by = rules(mode="opt-out", **{"child-directed": ["/kids"]})
    held = await site(by).visit(path, **sent)
    assert LOADS not in held.body
    assert said in words(held)
    soft = await site(by, report_only=True, banner=True).visit(path, **sent)
    assert LOADS in soft.body
    assert said not in words(soft)


async def test_a_page_for_children_says_one_thing() -> None:
    """Beside *always off here* nothing says that all is on (R-11)."""
    browser = site(rules(**{"child-directed": ["/kids"]}))
    await browser.visit("/")
    await answer(browser, choice="accept-all")
    assert "cookies are on" in words(await browser.fetch("/consent/notice?saved"))
    told = words(await browser.fetch("/consent/notice?children&saved"))
    assert "always off here" in told
    assert "cookies are on" not in told


def test_a_form_for_many_numbers_needs_its_number() -> None:
    """Ukrainian has one form for 1, 21 and 31: a duration without its number is untrue (R-73)."""
    # The control: in English the form stands for nothing but 1.
    one = rules(languages=["en"], texts={"en": {"durations.day.one": "a day"}})
    assert duration_text(DAY, words_for(one, "en")) == "a day"
    check_words(one)
    many = rules(languages=["en", "uk"], texts={"uk": {"durations.day.one": "один день"}})
    with pytest.raises(TemplateError, match=r"durations\.day\.one"):
        check_words(many)


async def test_a_kept_grant_can_be_seen_and_taken_back() -> None:
    """A grant that a signal outweighs comes on without it, so a receipt tells it (R-13, R-15)."""
    browser = site(rules(mode="opt-out", preset=["us-ca"]))
    await browser.visit("/", **GPC)
    await answer(browser, GPC, choice="accept-all")
    assert LOADS not in (await browser.follow("/", **GPC)).body
    assert LOADS in (await browser.follow("/")).body  # it is kept
    receipt = await browser.follow("/consent/receipt", **GPC)
    assert 'value="withdraw"' in receipt.text
    assert (await browser.fetch("/consent/receipt.json", **GPC)).json()["answeredOn"]


async def test_a_site_that_sells_has_its_link_before_any_answer() -> None:
    """A cookie banner alone is no way to opt out (R-78; 11 CCR 7026(a)(4))."""
    browser = site(rules(mode="opt-out", preset=["us-ca"]))
    asked = words(await browser.visit("/"))
    assert "Opt out" in asked
    assert "Do Not Sell or Share" in asked


@pytest.mark.parametrize(
    "words_of_one",
    [
        {"texts": {"en": {"reject_all": "Accept all"}}},
        {"texts": {"en": {"accept_all": "Reject all"}}},
        {"banner": {"reject": "Accept all"}},
    ],
    ids=["no", "yes", "banner"],
)
def test_one_label_alone_cannot_read_as_the_other(words_of_one: dict[str, Any]) -> None:
    """Beside a label of ours too, a no and a yes are told apart (R-12)."""
    shown = Shown(State.ASK, rules().optional_purposes)
    markup = banner_markup(rules(), "en", shown, Links("/consent", "a.css")).fill(b"/").decode()
    assert re.findall(r"<button[^>]*>([^<]*)", markup) == ["Reject all", "Accept all"]
    check_words(rules())
    with pytest.raises(TemplateError, match="both say"):
        check_words(rules(**words_of_one))


# Whose page it is


@pytest.mark.parametrize("first_sends", [True, False])
async def test_a_signal_that_wins_is_told_to_who_sent_it(*, first_sends: bool) -> None:
    """Two who refused, one with GPC: one page has the button, the other the reason (R-37, R-89)."""
    by = rules(mode="opt-out", preset=["us-ca"])
    app = consent(Starlette(routes=[Route("/", page)]), by)
    validators = set()
    for sends in (first_sends, not first_sends):
        sent = GPC if sends else {}
        browser = Browser(app)
        await browser.visit("/", **sent)
        await answer(browser, sent, choice="reject-all")
        if sends:  # a refusal of their own, also where the signal had answered already
            await answer(browser, choice="reject-all")
        shown = await browser.follow("/", **sent)
        document = unescape(shown.text)
        assert ("may not load it" in document) is sends
        assert ("name='service'" in document) is not sends
        validators.add(shown.header("etag"))
    assert len(validators) == 2


async def test_a_changed_template_makes_another_page(tmp_path: Path) -> None:
    """A browser is not told to keep a notice that the site has corrected (RFC 9110 §8.8.3)."""
    tags: list[str] = []
    for number, title in enumerate(("Old words", "New words", "New words")):
        folder = tmp_path / "notice"
        folder.mkdir(exist_ok=True)
        lines = (
            f'{{% extends "consentkit/banner.html" %}}{{% block title %}}{title}{{% endblock %}}'
        )
        (folder / "banner.html").write_text(lines)
        browser = site(rules(templates=str(folder)))
        sent = {"if-none-match": tags[-1]} if tags else {}
        shown = await browser.visit("/", **sent)
        assert shown.status == (304 if number == 2 else 200)
        if number < 2:
            assert title in words(shown)
        tags.append(shown.header("etag") or "")


# A site's own templates

_ON_TOP: Final = '{{% extends "consentkit/banner.html" %}}{{% block {0} %}}{1}{{% endblock %}}'


def _checks(folder: Path, template: bytes) -> None:
    (folder / "banner.html").write_bytes(template)
    check_templates(rules(templates=str(folder)))


@pytest.mark.parametrize(
    "template",
    [
        b'{% extends "banner.html" %}',
        _ON_TOP.format("title", "{{ 1 / 0 }}").encode(),
        _ON_TOP.format("title", "{{ title + 1 }}").encode(),
        _ON_TOP.format("title", "{{ t.responsible.format() }}").encode(),
        _ON_TOP.format("title", "Témoins").encode("latin-1"),
    ],
    ids=["extends itself", "arithmetic", "types", "a blank left empty", "not UTF-8"],
)
def test_whatever_fails_in_a_template_names_it(tmp_path: Path, template: bytes) -> None:
    """Who forgot a prefix is told which file it was, not how deep Python's stack is."""
    with pytest.raises(TemplateError, match=r"banner\.html"):
        _checks(tmp_path, template)


@pytest.mark.parametrize(
    "block",
    [
        ("buttons", '<input type="hidden" name="choice" value="accept-all">{{ super() }}'),
        ("words", "<p>We use cookies.</p>"),
    ],
    ids=["both buttons accept", "names no purpose"],
)
def test_a_banner_that_asks_nothing_is_none(tmp_path: Path, block: tuple[str, str]) -> None:
    """The first field *choice* counts, and a question names its purposes (R-06, R-12)."""
    _checks(tmp_path, _ON_TOP.format("buttons", "{{ super() }}").encode())
    with pytest.raises(TemplateError, match=r"banner\.html"):
        _checks(tmp_path, _ON_TOP.format(*block).encode())

"""What other makers' scripts are told, recorded by doubles of them on this machine.

The doubles do what the makers' pages say their scripts do: read a queue from the start, and then
take each call as it comes. Nothing here asks a maker's host for anything.
"""

import json
from typing import Any

import pytest

from consentkit import ConsentMiddleware
from consentkit.rules.policy_file import read_policy
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.servers import Site
from tests.browser.test_consent_js import press, ready
from tests.browser.visitors import Visitor

POLICY = """
site: {name: A site, controller: A site}
mode: explicit
purposes:
  necessary: {title: Necessary, description: d, basis: strictly-necessary, justification: security}
  analytics: {title: Analytics, description: It counts.}
  ads: {title: Advertising, description: It sells.}
cookies:
  _ga: {kind: analytics, purpose: analytics, duration: 1 day, description: d}
integrations:
"""
GOOGLE = """
  google-consent-mode:
    signals:
      ad_storage: ads
      ad_user_data: ads
      ad_personalization: [ads, analytics]
      analytics_storage: analytics
"""
DENIED, GRANTED = "denied", "granted"
DEFAULT = {
    "ad_storage": DENIED,
    "ad_user_data": DENIED,
    "ad_personalization": DENIED,
    "analytics_storage": DENIED,
    "functionality_storage": DENIED,
    "personalization_storage": DENIED,
    "security_storage": GRANTED,
    "wait_for_update": 500,
}
ANSWERED = {name: DEFAULT[name] for name in [*DEFAULT][:6]}
WITHDRAW = '<form method="post" action="/consent"><button id="no" name="choice" value="withdraw">'


@pytest.fixture
def arrive(serve: Serve, new_visitor: NewVisitor) -> Any:
    """``arrive(yaml)``: a first visit to a site that uses these integrations."""

    def arrive(integrations: str, body: str = "") -> Visitor:
        policy = read_policy(POLICY + integrations)
        held = ConsentMiddleware(Site(body=body), policy=policy, secret_key="k" * 32)
        visitor = new_visitor(serve(held))
        visitor.type_address("/")
        ready(visitor)
        return visitor

    return arrive


def commands(visitor: Visitor, queue: str) -> list[Any]:
    """What stands in a queue, calls as lists."""
    text = visitor.page.evaluate(
        "name => JSON.stringify([...(window[name]?.q ?? window[name] ?? [])]"
        ".map(one => typeof one == 'object' && Symbol.iterator in one ? [...one] : one))",
        queue,
    )
    return json.loads(text)


def withdraw(visitor: Visitor) -> list[Any]:
    """Withdraw in place; what the page was told before it went is kept for the next one."""
    visitor.page.evaluate("""() => addEventListener("pagehide", () => {
        const calls = [...(window.dataLayer ?? window._paq ?? window.uetq ?? [])];
        sessionStorage.setItem("own", JSON.stringify(calls.map(one => [...one])));
    })""")
    with visitor.answering():
        visitor.page.click("#no")
    ready(visitor)
    return json.loads(visitor.page.evaluate("sessionStorage.getItem('own')"))


# Google Consent Mode


def test_the_default_comes_first_with_all_seven_signals(arrive: Any) -> None:
    """R-56: before any tag of the page, whoever the visitor is, and no update before an answer."""
    tag = "<script>window.first = dataLayer.length; gtag('config', 'G-1')</script>"
    visitor = arrive(GOOGLE, tag)
    assert visitor.page.evaluate("first") == 2
    assert commands(visitor, "dataLayer") == [
        ["consent", "default", DEFAULT],
        ["set", "ads_data_redaction", True],
        ["config", "G-1"],
    ]
    assert (
        visitor.page.evaluate("Object.prototype.toString.call(dataLayer[0])")
        == "[object Arguments]"
    ), "Google's scripts take nothing else for a command"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("accept-all", {**ANSWERED, **dict.fromkeys([*ANSWERED][:4], GRANTED)}),
        ("reject-all", ANSWERED),
    ],
)
def test_each_answer_is_one_update(arrive: Any, choice: str, expected: dict[str, str]) -> None:
    """R-56: exactly one; a signal that names no purpose stays denied."""
    visitor = arrive(GOOGLE)
    press(visitor, choice)
    updates = [one[2] for one in commands(visitor, "dataLayer") if one[1] == "update"]
    assert updates == [expected]


def test_a_visitor_who_comes_back_is_updated_at_once(arrive: Any) -> None:
    """The default is denied again, and the answer follows before any tag of the page."""
    visitor = arrive(GOOGLE, "<script>window.first = dataLayer.length</script>")
    press(visitor, "accept-all")
    visitor.type_address("/")
    assert [one[:2] for one in commands(visitor, "dataLayer")] == [
        ["consent", "default"],
        ["set", "ads_data_redaction"],
        ["consent", "update"],
        ["set", "ads_data_redaction"],
    ]
    assert visitor.page.evaluate("first") == 4
    assert commands(visitor, "dataLayer")[3][2] is False


def test_a_withdrawal_is_told_before_the_page_is_loaded_again(arrive: Any) -> None:
    """R-18: services that run are told; the new page begins with denial."""
    visitor = arrive(GOOGLE, WITHDRAW)
    press(visitor, "accept-all")
    told = withdraw(visitor)
    assert [one[2] for one in told if one[1] == "update"][-1] == ANSWERED
    assert [one[1] for one in commands(visitor, "dataLayer")] == ["default", "ads_data_redaction"]


def test_regions_and_times_are_the_policys(arrive: Any) -> None:
    """R-57."""
    visitor = arrive(GOOGLE + "    region: [DE, US-CA]\n    wait-for-update: 900\n")
    [default] = [one[2] for one in commands(visitor, "dataLayer") if one[1] == "default"]
    assert default == {**DEFAULT, "region": ["DE", "US-CA"], "wait_for_update": 900}


def test_links_are_decorated_only_with_consent_to_advertising(arrive: Any) -> None:
    """R-57: `url_passthrough` is on while `ad_storage` is granted, and never before."""
    visitor = arrive(GOOGLE + "    url-passthrough: true\n    ads-data-redaction: false\n")
    assert [one for one in commands(visitor, "dataLayer") if one[0] == "set"] == [
        ["set", "url_passthrough", False]
    ]
    press(visitor, "accept-all")
    assert commands(visitor, "dataLayer")[-1] == ["set", "url_passthrough", True]


# Microsoft

MICROSOFT = """
  microsoft-clarity: {ad-storage: ads, analytics-storage: analytics}
  microsoft-uet: {ad-storage: ads}
"""


def test_clarity_and_uet_are_denied_until_there_is_an_answer(arrive: Any) -> None:
    """R-58: Clarity's signals have a capital S; UET has its default before everything."""
    visitor = arrive(MICROSOFT)
    no = {"ad_Storage": DENIED, "analytics_Storage": DENIED}
    assert commands(visitor, "clarity") == [["consentv2", no]]
    assert commands(visitor, "uetq") == ["consent", "default", {"ad_storage": DENIED}]
    press(visitor, "accept-all")
    yes = {"ad_Storage": GRANTED, "analytics_Storage": GRANTED}
    assert commands(visitor, "clarity") == [["consentv2", no], ["consentv2", yes]]
    assert commands(visitor, "uetq")[3:] == ["consent", "update", {"ad_storage": GRANTED}]
    visitor.type_address("/")
    assert commands(visitor, "clarity") == [["consentv2", yes]]
    assert commands(visitor, "uetq")[3:] == ["consent", "update", {"ad_storage": GRANTED}]


@pytest.mark.parametrize(
    ("used", "queue", "unused"),
    [("microsoft-uet", "uetq", "clarity"), ("microsoft-clarity", "clarity", "uetq")],
)
def test_what_is_not_used_is_not_told(arrive: Any, used: str, queue: str, unused: str) -> None:
    """The two are one file, and each stands alone."""
    visitor = arrive(f"  {used}: {{ad-storage: ads}}\n")
    press(visitor, "reject-all")
    assert commands(visitor, queue)
    assert visitor.page.evaluate("name => window[name] === undefined", unused)


# Matomo


@pytest.mark.parametrize(("waits", "word"), [("tracking", "Consent"), ("cookies", "CookieConsent")])
def test_matomo_is_told_before_the_first_view_is_counted(
    arrive: Any, waits: str, word: str
) -> None:
    """R-59: what waits is said first; a grant is told, and a withdrawal is forgotten (R-18)."""
    view = "<script>(window._paq ??= []).push(['trackPageView'])</script>" + WITHDRAW
    visitor = arrive(f"  matomo: {{purpose: analytics, consent: {waits}}}\n", view)
    assert commands(visitor, "_paq") == [[f"require{word}"], ["trackPageView"]]
    press(visitor, "accept-all")
    assert commands(visitor, "_paq")[2:] == [[f"set{word}Given"]]
    visitor.type_address("/")
    assert commands(visitor, "_paq") == [[f"require{word}"], [f"set{word}Given"], ["trackPageView"]]
    assert withdraw(visitor)[-1] == [f"forget{word}Given"]
    assert commands(visitor, "_paq") == [[f"require{word}"], ["trackPageView"]]


def test_a_refusal_tells_matomo_nothing_new(arrive: Any) -> None:
    """Nothing was given, so there is nothing to forget."""
    visitor = arrive("  matomo: {purpose: analytics}\n")
    press(visitor, "reject-all")
    assert commands(visitor, "_paq") == [["requireConsent"]]


# All of them


def test_no_maker_is_asked_for_anything(arrive: Any) -> None:
    """R-56, basic mode: interfaces are told, nothing is loaded for them; R-60: no `__tcfapi`."""
    visitor = arrive(GOOGLE + MICROSOFT + "  matomo: {purpose: analytics}\n")
    press(visitor, "accept-all")
    hosts = {url.split("/")[2] for url in visitor.requested}
    assert len(hosts) == 1
    others = "['__tcfapi', '__gpp', '__uspapi'].filter(name => name in window)"
    assert visitor.page.evaluate(others) == []
    scripts = visitor.page.evaluate(
        "[...document.head.querySelectorAll('script')].map(one => one.src.split('/').pop())"
    )
    names = [one.partition(".")[0] for one in scripts]
    assert names == ["google-consent-mode", "microsoft", "matomo"]
    assert visitor.page.evaluate("document.head.firstElementChild.localName") == "script"
    assert visitor.complaints == []

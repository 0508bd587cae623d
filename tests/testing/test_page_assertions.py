"""Assertions about pages: what they fetch, whether they ask, and what the table tells."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import RedirectResponse
from starlette.routing import Route

from consentkit import Policy
from consentkit.testing import (
    Browser,
    as_visitor,
    assert_banner,
    assert_declaration_matches,
    assert_no_third_party,
    consent_client,
)
from consentkit.testing.evidence import Evidence
from consentkit.testing.page_assertions import MOST_SHOWN
from tests.testing.sites import (
    INLINE,
    KEY,
    MAP,
    STRANGER,
    TAG,
    YAML,
    bare,
    page,
    policy,
    site,
    write,
)
from tests.testing.test_assertions import told

pytestmark = pytest.mark.anyio

SITE = "https://www.example.org"
BLOCKED = "blocked: not answered yet (purpose "


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Policy:
    """The policy of the site, from a file in the folder that the test runs in."""
    monkeypatch.chdir(tmp_path)
    return write(tmp_path)


# assert_no_third_party


@pytest.mark.parametrize(
    "answers", ["undecided", "refused", "granted", {"maps": "granted"}, "lapsed"], ids=str
)
def test_a_site_that_is_held_to_its_policy_passes_in_every_state(
    rules: Policy, answers: Any
) -> None:
    """R-53: the gate that holds tags back and the assertion read a page alike."""
    assert_no_third_party(consent_client(site(rules), answers).get("/"))


def test_what_a_page_fetches_is_told_one_by_one(rules: Policy) -> None:
    """The host and the path, never the query; the line of each service."""
    watched = consent_client(site(rules, report_only=True)).get("/")
    message = told(assert_no_third_party, watched)
    assert message.splitlines()[:6] == [
        "testserver fetches from elsewhere what may not be fetched.",
        f"  came: <iframe> from tiles.example/embed: service 'atlas', {BLOCKED}'maps')",
        f"        <script> from count.example/c.js: service 'counter', {BLOCKED}'measurement')",
        f"        an inline <script>: service 'counter', {BLOCKED}'measurement')",
        "        <img> from stranger.example/p.gif: no service declares this host",
        "  why: The visitor: measurement undecided, maps undecided.",
    ]
    assert "consent.yaml:23: atlas: {purpose: maps" in message
    assert "consent.yaml:22: services:" in message
    assert "secret" not in message


def test_the_state_decides_what_may_be_fetched(rules: Policy) -> None:
    """Of a page without a visitor nobody has answered; with one, what they granted may load."""
    body = page(MAP, TAG, INLINE)
    visitor = as_visitor(policy=rules, secret_key=KEY, answers={"maps": "granted"})
    everything = as_visitor(policy=rules, secret_key=KEY, answers="granted")
    assert_no_third_party(body, visitor=everything, site=SITE)
    message = told(assert_no_third_party, body, visitor=visitor, site=SITE)
    assert "tiles.example" not in message
    assert "count.example" in message
    assert "The visitor: measurement undecided, maps granted." in message
    assert "tiles.example" in told(assert_no_third_party, body, rules, site=SITE)
    for state in (everything, None):  # nobody may ask whom no service declares
        assert "stranger.example" in told(
            assert_no_third_party, page(STRANGER), rules, visitor=state, site=SITE
        )


def test_without_a_policy_every_other_host_is_one() -> None:
    """For a site that has none yet; its own addresses pass, in every spelling."""
    own = f'<img src="/a.png"><script src="{SITE}/a.js"></script><a href="//b.example">b</a>'
    assert_no_third_party(page(own), site=SITE)
    message = told(assert_no_third_party, page(own, STRANGER), site=SITE)
    assert "<img> from stranger.example/p.gif: another host" in message
    assert "decided by" not in message
    assert_no_third_party(page('<img src="https://cdn.example.org/a.png">'), policy(), site=SITE)
    with pytest.raises(AssertionError):
        assert_no_third_party(page('<img src="https://cdn.example.org/a.png">'), site=SITE)


def test_what_waits_is_not_fetched(rules: Policy) -> None:
    """A held tag, a script that is none, and a template that stays closed."""
    waiting = (
        '<img data-consentkit-src="https://tiles.example/a.png">'
        '<script type="text/plain">countIt()</script>'
        f'<template data-consentkit-purpose="maps">{MAP}</template>'
    )
    assert_no_third_party(page(waiting), rules, site=SITE)
    assert "tiles.example" in told(assert_no_third_party, page(MAP), rules, site=SITE)


def test_a_link_header_fetches_too(rules: Policy) -> None:
    """What is preloaded is asked for."""
    own = b"</a.css>; rel=preload, <https://www.example.org/b.css>; rel=preload"
    links = (own, b"<https://count.example/c.js>; rel=preload; as=script")
    found = Evidence(page=page().encode(), links=links, url=f"{SITE}/")
    assert "a Link header from count.example: service 'counter'" in told(
        assert_no_third_party, found, rules
    )


async def test_a_page_of_a_browser_without_a_screen(rules: Policy) -> None:
    """Its response knows the visitor and the address."""
    browser = Browser(site(rules, report_only=True), url=SITE)
    message = told(assert_no_third_party, await browser.visit("/"))
    assert message.startswith("www.example.org fetches from elsewhere")
    await browser.submit("/consent", choice="accept-all")


@pytest.mark.parametrize(
    "markup",
    [
        '<style>@import "https://fonts.example/css";</style>',
        "<style>p{background:url(//fonts.example/css)}</style>",
        "<svg><style>p{fill:url(//fonts.example/css)}</style></svg>",
        "<p>a<p style=\"background:url('https://fonts.example/css?id=secret&amp;b')\">",
        "<base href='https://fonts.example/'><base href=/><p style=background:url(/css)>",
        "<div hidden><style>@import '//fonts.example/css'</style></div>",
        "<![foo]><template></b></template><style>@import '//fonts.example/css'</style>",
    ],
)
def test_what_a_style_in_the_page_fetches_is_told(markup: str, rules: Policy) -> None:
    """The judgement on web fonts (LG München I, 3 O 17493/20) was about just this."""
    message = told(assert_no_third_party, page(markup), site=SITE)
    what = "stylesheet" if "@import" in markup else "image"
    assert f"a style's {what} from fonts.example/css: another host" in message
    assert "secret" not in message
    assert "no service declares this host" in told(
        assert_no_third_party, page(markup), rules, site=SITE
    )


@pytest.mark.parametrize(
    "markup",
    [
        f"<style>@import '{SITE}/a.css'; p{{background:url(/a.gif)}}</style>",
        "<template><style>@import '//fonts.example/css'</style></template>",
        "<textarea><p style='background:url(//fonts.example/a)'></textarea>",
        "<p title='url(//fonts.example/a)'>url(//fonts.example/a)",
        "<style>/* url(//fonts.example/a) */</style><p style='background:url(data:,x)'>",
    ],
)
def test_a_style_that_fetches_nothing_from_elsewhere_passes(markup: str) -> None:
    """The control: its own addresses, and what is no style of the page."""
    assert_no_third_party(page(markup), site=SITE)


@pytest.mark.parametrize("path", ["/nowhere", "/away"])
def test_a_page_that_is_not_there_proves_nothing(rules: Policy, path: str) -> None:
    """No tags and no question stand in an error, or in a redirect without a body."""
    app = bare()
    app.router.routes.append(Route("/away", lambda _: RedirectResponse("https://b.example/")))
    client = consent_client(site(rules, app), follow_redirects=False)
    gone = client.get(path)
    for claim in (assert_no_third_party, partial(assert_banner, expected=False)):
        message = told(claim, gone)
        assert f"answers with {gone.status_code}, so this proves nothing" in message
        assert "hand over the markup: response.text" in message
    assert_no_third_party(gone.text, rules, site=SITE)
    assert_banner(consent_client(site(rules), "refused").get("/nowhere").text, expected=False)


def test_a_declaration_that_is_not_there_declares_nothing() -> None:
    """Of a policy without cookies every page would be the declaration, an error too."""
    least = policy(
        "site: {name: x, controller: x}\nmode: explicit\n"
        "purposes: {a: {title: x, description: x}}\n"
    )
    client = consent_client(site(least))
    message = told(assert_declaration_matches, client.get("/nowhere"))
    assert "/nowhere answers with 404, and declares nothing" in message
    assert_declaration_matches(client.get("/consent/cookies"))
    assert_declaration_matches(client)


def test_not_everything_is_told() -> None:
    """A failure is read by people."""
    many = "".join(f'<img src="https://h{n}.example/a">' for n in range(MOST_SHOWN + 3))
    message = told(assert_no_third_party, page(many), site=SITE)
    assert "and 3 more" in message
    assert f"h{MOST_SHOWN}.example" not in message


def test_what_is_no_page_or_nowhere_is_a_slip_of_the_test() -> None:
    """TypeError, and what to pass."""
    with pytest.raises(TypeError, match="there is no page in this"):
        assert_no_third_party([b"p=1"], site=SITE)
    with pytest.raises(TypeError, match=r"Pass site='https://www\.example\.org'"):
        assert_no_third_party(page())


class Live:
    """A page as Playwright's sync API has it, whose scripts have been at work."""

    url = f"{SITE}/"

    def __init__(self, *, loaded: tuple[str, ...] = (), looks: Any = None, body: str = "") -> None:
        self._loaded, self._looks, self._body = loaded, looks, body or page()

    @property
    def context(self) -> "Live":
        return self

    def storage_state(self) -> Any:
        return {"cookies": [], "origins": []}

    cookies = storage_state

    def content(self) -> str:
        return self._body

    def evaluate(self, script: str) -> Any:
        return [*self._loaded] if "getEntriesByType" in script else self._looks


def test_what_scripts_load_in_a_browser_counts_too(rules: Policy) -> None:
    """Markup does not tell it: the browser does."""
    assert_no_third_party(Live(loaded=(f"{SITE}/a.js", "data:,")), rules)
    live = Live(loaded=("https://count.example/late.js?id=secret",))
    message = told(assert_no_third_party, live, rules)
    assert "loaded from count.example/late.js: service 'counter'" in message
    assert "let scripts that load others wait for the purpose too" in message
    assert "secret" not in message


# assert_banner


@pytest.mark.parametrize(
    ("answers", "is_asked"),
    [
        ("undecided", True),
        ("refused", False),
        ("granted", False),
        ("lapsed", True),
        ("older-revision", True),
        ("unreadable", True),
        ({"maps": "refused"}, True),
    ],
    ids=str,
)
def test_who_has_something_to_answer_is_asked(rules: Policy, answers: Any, is_asked: bool) -> None:  # noqa: FBT001 - what is expected
    """R-06, R-19: and nobody else is."""
    response = consent_client(site(rules), answers).get("/plain")
    assert_banner(response, expected=is_asked)
    with pytest.raises(AssertionError):
        assert_banner(response, expected=not is_asked)


def test_who_is_asked_and_was_not_to_be_is_told(rules: Policy) -> None:
    """What is open, and for whom."""
    response = consent_client(site(rules), {"maps": "refused"}).get("/plain")
    assert told(assert_banner, response, expected=False) == (
        "no banner was expected, and the page asks.\n"
        "  why: open: measurement. The visitor: measurement undecided, maps refused.\n"
        "  decided by: consent.yaml:3: revision: 2\n"
        "  do: come as a visitor who has answered: consent_client(app, 'refused')."
    )


def test_who_is_not_asked_and_was_to_be_is_told(rules: Policy) -> None:
    """A line, no page, nothing open, or hidden for a script to show."""
    refused = told(assert_banner, consent_client(site(rules), "refused").get("/plain"))
    assert "came: a quiet line, which asks nothing." in refused
    assert "why: nothing is open." in refused
    assert "do: come as a visitor who has not answered" in refused
    no_page = told(assert_banner, consent_client(site(rules)).get("/seen"))
    assert "of application/json" in no_page
    assert "do: see that the response is a page" in no_page
    assert "bytes of no type" in told(assert_banner, Evidence(page=b"x"))
    shared = policy(YAML.replace("mode:", "pages: shared\nmode:"))
    hidden = told(assert_banner, consent_client(site(shared)).get("/plain"))
    assert "came: the notice is there and hidden." in hidden
    assert "look at the page in a browser" in hidden
    shown = told(assert_banner, consent_client(site(shared)).get("/plain"), expected=False)
    assert "a script shows it to who is asked" in shown
    assert_banner(consent_client(site(shared), "refused").get("/plain"), expected=False)


BUTTONS = (
    '<section id="consentkit"><section><form>'
    '<button name="choice" value="reject-all"{}>No</button>'
    '<button name="choice" value="accept-all"{}>Yes</button>'
    "</form></section></section><button name=choice value=other class=x></button>"
)


@pytest.mark.parametrize(
    ("refuse", "accept", "said"),
    [
        (' class="quiet"', "", "the button of the refusal alone has class='quiet'"),
        ("", " hidden", "the button of the grant alone has hidden=None"),
    ],
)
def test_a_refusal_is_as_easy_as_a_grant(refuse: str, accept: str, said: str) -> None:
    """R-12: the same attributes, so the same style."""
    assert_banner(page(BUTTONS.format("", "")))
    message = told(assert_banner, page(BUTTONS.format(refuse, accept)))
    assert message.startswith("refusing is not as easy as granting.")
    assert said in message


def test_a_banner_without_a_refusal_is_none_to_have() -> None:
    """R-12."""
    only = '<div id="consentkit"><button name="choice" value="accept-all">Yes</button></div>'
    assert "there is no button that refuses" in told(assert_banner, page(only))


BUTTON = '<button name="choice" value="{}-all">x</button>'
BOTH = BUTTON.format("reject") + BUTTON.format("accept")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<template><section id=consentkit>", "</section></template>"),
        ("<textarea><section id=consentkit>", "</section></textarea>"),
        ("<section id=consentkit hidden>", "</section>"),
        ("<section id=consentkit popover>", "</section>"),
        ("<dialog id=consentkit>", "</dialog>"),
        ("<section id=consentkit style='display: NONE !important'>", "</section>"),
        ("<section id=consentkit style='color:red;visibility:hidden'>", "</section>"),
        ("<div hidden><section id=consentkit>", "</section></div>"),
        ("<div style=opacity:0><br><section id=consentkit>", "</section></div>"),
        ("<section id=consentkit><div hidden>", "</div></section>"),
    ],
)
def test_a_banner_that_nobody_sees_is_none(before: str, after: str) -> None:
    """Nothing is asked of a person by what stands in the markup alone."""
    body = page(before, BOTH, after)
    message = told(assert_banner, body)
    assert message.startswith("a banner was expected, and the page asks nothing.")
    assert_banner(body, expected=False)
    assert_banner(page("<p hidden><p><section id=consentkit>", BOTH, "</b></section>"))
    assert_banner(page("<![foo]><template></b></template><section id=consentkit>", BOTH))
    assert_banner(page("<dialog open id=consentkit>", BOTH, "</dialog>"))
    assert_banner(page("<div style='display:none;display:block' id=consentkit>", BOTH, "</div>"))


def test_what_hides_a_banner_is_told() -> None:
    """The whole, or its buttons."""
    whole = told(assert_banner, page("<div hidden><section id=consentkit>", BOTH))
    assert "came: the notice is there and hidden." in whole
    assert "look at the page in a browser" in whole
    buttons = told(assert_banner, page("<section id=consentkit><p hidden>", BOTH))
    assert "came: the notice is there and hidden." in buttons
    assert "do: show both buttons: no style may hide them." in buttons


@pytest.mark.parametrize(
    ("hidden", "said"), [("reject", "the refusal is hidden"), ("accept", "the grant is hidden")]
)
def test_a_button_that_is_hidden_alone_is_told(hidden: str, said: str) -> None:
    """R-12: of two buttons with the same choice the one that is seen counts."""
    seen = "accept" if hidden == "reject" else "reject"
    start = f"<section id=consentkit>{BUTTON.format(seen)}"
    covered = f"<div hidden>{BUTTON.format(hidden)}</div>"
    assert f"the button of {said}" in told(assert_banner, page(start, covered))
    assert_banner(page(start, covered, BUTTON.format(hidden)))
    assert_banner(page(start, BUTTON.format(hidden), covered))


LOOK = {"height": 40, "color": "rgb(0, 0, 0)"}


def test_in_a_browser_a_style_sheet_may_hide_the_banner() -> None:
    """Where the markup does not tell it, the browser does."""
    body = page(BUTTONS.format("", ""))
    seen, unseen = {**LOOK, "visible": "true"}, {**LOOK, "visible": "false"}
    hidden = Live(body=body, looks=[unseen, unseen])
    assert "do: show both buttons" in told(assert_banner, hidden)
    assert_banner(hidden, expected=False)
    half = told(assert_banner, Live(body=body, looks=[unseen, seen]))
    assert "visible: false to refuse, true to grant" in half
    assert_banner(Live(body=body, looks=[seen, seen]))


def test_in_a_browser_the_buttons_look_the_same() -> None:
    """A style sheet of the site's own may tell them apart where the markup does not."""
    body = page(BUTTONS.format("", ""))
    assert_banner(Live(body=body, looks=[LOOK, LOOK]))
    assert_banner(Live(body=body, looks=[None, LOOK]))
    assert_banner(Live(body=body, looks=[LOOK, None]))
    small = Live(body=body, looks=[{**LOOK, "height": 20}, LOOK])
    assert "height: 20 to refuse, 40 to grant" in told(assert_banner, small)


# assert_declaration_matches


def test_what_visitors_are_shown_is_the_policy(rules: Policy) -> None:
    """R-75: both forms of it, asked for by the client or handed over."""
    client = consent_client(site(rules))
    assert_declaration_matches(client)
    assert_declaration_matches(client, rules)
    for form in ("cookies", "declaration.json"):
        assert_declaration_matches(client.get(f"/consent/{form}"), rules)
    assert_declaration_matches(client.get("/consent/declaration.json").text, rules)


def test_each_difference_is_told(rules: Policy) -> None:
    """A name more, a name less, another word: what is shown, and what the policy says."""
    client = consent_client(site(rules))
    other = policy(
        YAML.replace("1 day", "2 days").replace("  once:", "  twice:").replace("Hello", "Bye")
    )
    message = told(assert_declaration_matches, client, other)
    for line in (
        'site: "Hello" is shown, and the policy says "Bye"',
        "cookies: 'twice' is declared, and is not shown",
        "cookies: 'once' is shown, and is not declared",
        "cookies: 'visits' has duration 86400, and the policy says 172800",
        "'twice' is declared, and the page lacks it",
        "'once' is on the page, and not declared",
    ):
        assert line in message
    longer = policy(YAML.replace("Counts visits.", "x" * 99))
    assert "x…" in told(assert_declaration_matches, client, longer)


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ("{", "no JSON"),
        (
            json.dumps({"cookies": 7, "purposes": [7]}),
            "cookies: 'sid' is declared, and is not shown",
        ),
    ],
)
def test_what_is_no_declaration_is_told(rules: Policy, shown: str, said: str) -> None:
    """Something answers there that is not consentkit."""
    assert said in told(assert_declaration_matches, shown, rules)


def test_a_row_without_a_name_is_told(rules: Policy) -> None:
    """Whoever answers there, each row is looked at."""
    shown = consent_client(site(rules)).get("/consent/declaration.json").json()
    shown["cookies"].append({})
    message = told(assert_declaration_matches, json.dumps(shown), rules)
    assert "came: cookies: 'None' is shown, and is not declared" in message


def test_a_list_is_no_declaration(rules: Policy) -> None:
    """JSON, and nothing with keys."""
    found = Evidence(page=b"[]", content_type="application/json")
    assert "no JSON object" in told(assert_declaration_matches, found, rules)


def test_what_was_seen_stands_in_it(rules: Policy) -> None:
    """And lives no longer than it says; our own tokens and removals are in no need of it."""
    client = consent_client(site(rules), "granted")
    answer = client.post("/consent", data={"choice": "accept-all"})
    assert_declaration_matches(client, seen=[client.get("/"), client, answer, [b"x=; Max-Age=0"]])
    kept = {"cookies": [], "origins": [{"origin": SITE, "localStorage": [{"name": "theme"}]}]}
    assert_declaration_matches(client, seen=[kept])
    kept["origins"][0]["localStorage"].append({"name": "id"})  # type: ignore[attr-defined]
    seen = [[b"visits=1; Max-Age=172800", b"sid=1; Max-Age=60"], [b"x=1"], kept]
    message = told(assert_declaration_matches, client, seen=seen)
    for line in (
        "cookie 'visits' was seen to live 2 days, and is declared for 1 day",
        "cookie 'sid' was seen to live 1 minute, and is declared for the session",
        "cookie 'x' was seen, and is not declared",
        "stored item 'id' (local) was seen, and is not declared",
        "decided by: consent.yaml:10: cookies:",
    ):
        assert line in message
    many = told(assert_declaration_matches, client, seen=[[b"c%d=1" % n for n in range(20)]])
    assert "and 8 more" in many


def test_the_policy_of_a_declaration_is_known_or_said() -> None:
    """As everywhere."""
    with pytest.raises(TypeError, match="pass policy=load_policy"):
        assert_declaration_matches("{}")

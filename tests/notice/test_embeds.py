from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.notice.embeds import (
    Can,
    abilities_of,
    is_seen,
    page_of,
    placeholder_document,
    placeholder_markup,
)
from consentkit.notice.text import LANGUAGES, direction, messages_for, signal_names
from consentkit.rules.policy import SHOWN
from consentkit.rules.signals import Signal
from tests.notice import PATH, policy_of, text_of, tree

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from consentkit.rules.policy import Policy

SHEET = f"{PATH}/assets/embed.css"
PLACE: dict[str, Any] = {"path": PATH, "stylesheet": SHEET, "next_path": b"/here"}
FILM = "https://www.youtube.com/embed/aqz-KE-bpKQ"
FILM_PAGE = "https://www.youtube.com/watch?v=aqz-KE-bpKQ"
EN = messages_for("en")
HOSTILE = (
    """</iframe></form>'"><script>x</script><img src=y onerror=z>&amp;{{7*7}}%(next)b%s"""
    ' "url" \u00fc'
)
SERVICES: dict[str, Any] = {
    "films": {"purpose": "embeds", "title": "Films", "provider": "Films Inc", "shows": "video"},
    "maps": {"purpose": ["polls", "analytics"], "provider": "Maps Ltd", "shows": "map"},
    "like": {"purpose": "polls", "title": {"en": "Like"}, "provider": "Like", "shows": "social"},
    "counter": {"purpose": "analytics", "provider": "Counter Ltd"},
    "captcha": {"purpose": ["necessary", "analytics"], "provider": "Captcha Ltd", "shows": "form"},
}


def a_policy(**changes: Any) -> Policy:
    return policy_of(**{"services": SERVICES} | changes)


POLICY = a_policy()


def document(
    service: str | None = "films", language: str = "en", policy: Policy = POLICY, **values: Any
) -> bytes:
    """The document as a browser makes it of the attribute."""
    srcdoc = placeholder_document(policy, service, language, **PLACE | {"url": FILM} | values)
    return srcdoc_of(b'<iframe srcdoc="%b"></iframe>' % srcdoc)


def srcdoc_of(page: bytes) -> bytes:
    (frame,) = tree(page).iter("iframe")
    return (frame.get("srcdoc") or "").encode("ascii", "xmlcharrefreplace")


def markup(**values: Any) -> bytes:
    return placeholder_markup(POLICY, language="en", **PLACE | values)


def elements(page: bytes) -> list[str]:
    """The names of all elements of a document, in order."""
    return [str(one.tag) for one in read(page).iter()]


def read(page: bytes) -> Element:
    parsed: Element = html5lib.parse(page.decode("ascii"), namespaceHTMLElements=False)
    return parsed


def words_of(page: bytes) -> str:
    return re.sub(r"[ \t\n\f\r]+", " ", "".join(read(page).itertext())).strip()


def forms(page: bytes) -> list[dict[str, list[str]]]:
    """What each form posts, whichever of its buttons is pressed."""
    found = []
    for form in read(page).iter("form"):
        assert form.attrib == {"method": "post", "action": PATH, "target": "_top"}
        fields: dict[str, list[str]] = {}
        for one in (*form.iter("input"), *form.iter("button")):
            fields.setdefault(one.get("name") or "", []).append(one.get("value") or "")
        found.append(fields)
    return found


def links(page: bytes) -> list[tuple[str | None, str | None, str]]:
    return [
        (one.get("href"), one.get("target"), "".join(one.itertext()))
        for one in read(page).iter("a")
    ]


# what it says and sends


def test_it_names_the_provider_and_every_purpose_before_anything_is_loaded() -> None:
    """R-53: a placeholder names provider and purpose, with a button for it, and a plain link."""
    page = document()
    words = words_of(page)
    assert "Video from Films" in words
    assert "Films (Films Inc, third party) can store cookies" in words
    assert "Purpose: Videos" in words
    assert forms(page) == [
        {"next": ["/here"], "choice": ["allow"], "service": ["films"], "purpose": ["embeds"]}
    ]
    assert links(page) == [(FILM_PAGE, "_top", "Watch it on youtube.com instead")]
    for link in read(page).iter("a"):
        assert link.get("rel") == "noopener noreferrer"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("shows", [None, *SHOWN])
def test_its_words_are_those_of_what_the_service_shows(shows: str | None, language: str) -> None:
    """The button says what is loaded: a video, a map, a button of a social network."""
    services = {"it": {"purpose": "embeds", "provider": "Someone", "shows": shows}}
    policy = a_policy(services=services)
    page, t = document("it", language, policy), messages_for(language)
    words = t.embeds[shows or "other"]
    title = words.title.format(service="Someone")
    html = read(page)
    assert (html.get("lang"), html.get("dir")) == (language, direction(language))
    assert [one.text for one in html.iter("h2")] == [title]
    assert [one.text for one in html.iter("title")] == [t.embed_not_loaded.format(title=title)]
    load, always = html.iter("button")
    assert load[0].text == words.load.format(service="Someone")
    assert load[1].text == t.embed_load.format(service="Someone")
    assert always.text == (words.always if shows else t.embed_allow.format(purposes="Videos"))


def test_always_names_the_purpose_where_more_hangs_on_it_than_what_is_shown() -> None:
    """'Always load videos' would be untrue of a purpose that covers other things as well."""
    assert "Always load videos" in words_of(document())
    maps = SERVICES | {"osm": {"purpose": "embeds", "provider": "OSM", "shows": "map"}}
    nothing = SERVICES | {"ads": {"purpose": "embeds", "provider": "Ads Ltd"}}
    cookie = {"kind": "persistent", "purpose": "embeds", "description": "Volume."}
    own = {**cookie, "service": "films"}
    assert "Always load videos" in words_of(document(policy=a_policy(cookies={"volume": own})))
    for more in (
        a_policy(services=maps),
        a_policy(services=nothing),
        a_policy(cookies={"volume": cookie}),
        a_policy(storage={"volume": {"where": "local", "purpose": "embeds", "description": "d"}}),
    ):
        assert "Always allow: Videos" in words_of(document(policy=more))


def test_always_allows_each_of_several_purposes_and_nothing_else() -> None:
    """The second button sends them all, the first none of them."""
    page = document("maps")
    assert forms(page) == [
        {"next": ["/here"], "choice": ["allow"], "service": ["maps"]},
        {"next": ["/here"], "purpose": ["polls", "analytics"], "choice": ["allow"]},
    ]
    assert "Always allow: Polls, Visits" in words_of(page)


def test_what_is_strictly_necessary_is_named_and_not_asked() -> None:
    """Nobody answers to it: a form that names it would be refused."""
    page = document("captcha")
    assert "Purpose: Strictly necessary, Visits" in words_of(page)
    assert "Always allow: Visits" in words_of(page)
    assert [fields["purpose"] for fields in forms(page)] == [["analytics"]]


def test_the_provider_is_named_once_where_the_service_has_its_name() -> None:
    """'Like (Like, third party)' says nothing twice."""
    assert "If you load it, Like (third party) can" in words_of(document("like"))


def test_it_says_how_long_the_yes_counts_and_only_where_one_can_be_given() -> None:
    """R-06: the right to withdraw is told where the consent is asked for."""
    stays = EN.embed_stays.format(service="Films")
    assert stays in words_of(document())
    for can in (Can.LEAVE, Can.OPEN, Can.READ):
        assert stays not in words_of(document(can=can))


def test_nobody_is_asked_about_a_host_that_is_not_declared() -> None:
    """There is no purpose to consent to: the plain link is all."""
    page = document(None, host="www.youtube.com")
    assert forms(page) == []
    assert "This site does not declare www.youtube.com" in words_of(page)
    assert links(page) == [(FILM_PAGE, "_top", "Open it on youtube.com instead")]
    assert "other.example" in words_of(document(None, host="other.example"))


@pytest.mark.parametrize(
    ("language", "spoken", "way"),
    [("ar-EG", "ar", "rtl"), ("tlh", "en", "ltr"), ("ckb", "en", "ltr"), ("de-AT", "de", "ltr")],
)
def test_another_language_falls_back_as_the_notice_does(
    language: str, spoken: str, way: str
) -> None:
    """One language to a document: words that are not there come in a language that is."""
    html = read(document(language=language))
    assert (html.get("lang"), html.get("dir")) == (spoken, way)


def test_the_sites_own_words_stand_in_a_placeholder_too() -> None:
    """Any text, in any of its languages; another policy has ours."""
    policy = a_policy(texts={"en": {"embeds.video.load": "Show the film"}})
    assert "Show the film" in words_of(document(policy=policy))
    assert "Load this video" in words_of(document())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("signals", [frozenset({Signal.GPC}), frozenset(Signal)])
def test_a_signal_that_outweighs_every_answer_leaves_nothing_to_press(
    language: str, signals: frozenset[Signal]
) -> None:
    """R-37, R-39: it may not load, whatever is answered, so nobody is asked and the reason said."""
    t = messages_for(language)
    reason = t.signal_stops.format(signals=signal_names(t, signals))
    stopped: dict[str, Any] = {"signals": signals, "language": language}
    for page in (document(**stopped), document("maps", **stopped)):
        assert forms(page) == []
        assert reason in words_of(page)
        assert t.embed_stays.format(service="Films") not in words_of(page)
        assert [target for _, target, _ in links(page)] == ["_top"]
    left = document(**stopped, can=Can.LEAVE)
    assert reason in words_of(left)
    assert t.embed_settings not in words_of(left), "they would change nothing"
    waiting = srcdoc_of(markup(service="films", signals=signals))
    assert forms(waiting) == []
    assert t.signal_title not in words_of(document(language=language)), "the control"
    assert reason not in words_of(document(language=language))
    assert forms(document(language=language))


# what a sandboxed iframe can do

FULL = b"allow-forms allow-same-origin allow-top-navigation-by-user-activation"


@pytest.mark.parametrize(
    ("sandbox", "can"),
    [
        (None, Can.ANSWER),
        (FULL, Can.ANSWER),
        (b"ALLOW-FORMS\tallow-same-origin\nallow-top-navigation", Can.ANSWER),
        (b"allow-form&#115; allow-same-origin allow-top-navigation", Can.ANSWER),
        (b"allow-forms allow-top-navigation", Can.LEAVE),
        (b"allow-same-origin allow-top-navigation", Can.LEAVE),
        (b"allow-forms allow-same-origin allow-popups", Can.OPEN),
        (b"allow-popups", Can.OPEN),
        (b"allow-scripts allow-same-origin", Can.READ),
        (b"", Can.READ),
        (b"\xff", Can.READ),
    ],
)
def test_a_sandbox_allows_what_its_tokens_say(sandbox: bytes | None, can: Can) -> None:
    """HTML 7.1.5: a form, the window around and another window are allowed one by one."""
    assert abilities_of(sandbox) is can


def test_a_button_that_could_not_work_is_not_there() -> None:
    """A sandboxed iframe has words and whichever link works, and says where to answer."""
    leave, opens, reads = (document(can=can) for can in (Can.LEAVE, Can.OPEN, Can.READ))
    link = "Watch it on youtube.com instead"
    assert links(leave) == [(FILM_PAGE, "_top", link), (PATH, "_top", "Cookie settings")]
    assert links(opens) == [(FILM_PAGE, "_blank", link)]
    assert links(reads) == []
    assert f"Its own page: {FILM_PAGE}" in words_of(reads)
    for page in (leave, opens, reads):
        assert forms(page) == []
        assert "Purpose: Videos" in words_of(page)
        assert EN.embed_settings in words_of(page)
    nobody = document(None, host="a.example", can=Can.LEAVE)
    assert EN.embed_settings not in words_of(nobody)
    assert links(nobody) == [(FILM_PAGE, "_top", "Open it on youtube.com instead")]


@pytest.mark.parametrize(
    ("tag", "seen"),
    [
        (b"<iframe>", True),
        (b'<iframe width="560" height="315">', True),
        (b"<iframe width=100% height=10>", True),
        (b"<iframe height=0 width=0 style='display:none'>", False),
        (b"<IFRAME HEIGHT=1>", False),
        (b"<iframe width=' 1px '>", False),
        (b"<iframe width=00.5>", False),
        (b"<iframe style='border:0;width:1px;height:1px'>", False),
        (b"<iframe style='WIDTH: 0 !important'>", False),
        (b"<iframe style='width:100px; min-height:1px'>", True),
        (b"<iframe style='display:none'>", True),
        (b"<iframe hidden>", True),
    ],
)
def test_a_box_of_one_pixel_is_seen_by_nobody(tag: bytes, seen: bool) -> None:  # noqa: FBT001
    """A pixel for tracking has no room for words; what is hidden now may be shown later."""
    assert is_seen(tag) is seen


# the plain link

PAGES = {
    FILM: FILM_PAGE,
    "//www.youtube-nocookie.com/embed/aqz-KE-bpKQ?start=1": FILM_PAGE,
    "HTTP://youtube.com/embed/aqz-KE-bpKQ": FILM_PAGE,
    "https://www.youtube.com/embed/videoseries?si=a&list=PL-1": (
        "https://www.youtube.com/playlist?list=PL-1"
    ),
    "https://www.youtube.com/embed/live_stream?channel=UC1": (
        "https://www.youtube.com/channel/UC1/live"
    ),
    "https://player.vimeo.com/video/76979871": "https://vimeo.com/76979871",
    "https://player.vimeo.com/video/76979871?h=8272103f6e&dnt=1": (
        "https://vimeo.com/76979871/8272103f6e"
    ),
    "https://www.dailymotion.com/embed/video/x1?autoplay=1": (
        "https://www.dailymotion.com/video/x1"
    ),
    "https://open.spotify.com/embed/track/0a?utm=1": "https://open.spotify.com/track/0a",
    "https://www.instagram.com/p/A-b_1/embed/captioned/": "https://www.instagram.com/p/A-b_1/",
    "https://platform.twitter.com/embed/Tweet.html?dnt=true&id=20": (
        "https://x.com/i/web/status/20"
    ),
    "https://www.facebook.com/plugins/like.php?href=https%3A%2F%2Fa.example%2F&width=9": (
        "https://www.facebook.com/sharer/sharer.php?u=https%3A%2F%2Fa.example%2F"
    ),
}


@pytest.mark.parametrize("url", PAGES)
def test_the_link_leads_to_the_page_that_a_person_can_open(url: str) -> None:
    """An address made for an iframe is of little use on its own, and some refuse to open."""
    href, host = page_of(url)
    assert href == PAGES[url]
    assert host == href.split("/")[2].removeprefix("www.")


@pytest.mark.parametrize(
    "url",
    [
        "https://www.openstreetmap.org/export/embed.html?bbox=1%2C2",
        "https://www.google.com/maps/embed?pb=!1m18",
        "https://youtube.com.evil.example/embed/aqz-KE-bpKQ",
        "https://www.youtube.com/watch?v=/embed/aqz-KE-bpKQ",
        "https://video.example:8443/embed/1#t=2",
    ],
)
def test_any_other_address_is_its_own_page(url: str) -> None:
    """Only what is known is turned into something else."""
    assert page_of(url) == (url, url.split("/")[2].removeprefix("www."))
    assert page_of(url.removeprefix("https:"))[0] == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/embed/1",
        "javascript:alert(1)//https://a.example/",
        "data:text/html,<script>",
        "https:a.example",
        "https:///a.example",
        "https://someone@a.example/",
        "https://a.example\\@b.example/",
        "https://a.example/ b",
        "https://a.example/\n",
        "ftp://a.example/",
        "https://a.example/" + "x" * 2048,
    ],
)
def test_a_hostile_address_is_no_link(url: str) -> None:
    """A link leads to a web page, and to the host it says."""
    assert page_of(url) == ("", "")
    page = document(url=url)
    assert links(page) == []
    assert forms(page)
    assert "Its own page" not in words_of(document(url=url, can=Can.READ))


# the markup holds

HEAD = ["html", "head", "meta", "title", "link", "body"]
WORDS = ["div", "h2", "p", "p", "small", "p", "small"]
FORM = ["div", "form", "input", "input", "button", "span", "span", "button"]

anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.just(HOSTILE)
octets = st.binary(max_size=40) | st.just(HOSTILE.encode())


@given(
    title=anything.filter(bool), url=anything | st.builds("https://a.example/{}".format, anything)
)
def test_nothing_from_outside_adds_an_element(title: str, url: str) -> None:
    """R-53, R-92: whatever the policy and the page say, these are the elements, and no others."""
    services = {title: {"purpose": "embeds", "title": title, "provider": title, "shows": "video"}}
    purposes = {"embeds": {"title": title, "description": "d"}}
    policy = a_policy(services=services, purposes=purposes, cookies={})
    page = document(title, policy=policy, url=url, next_path=title.encode())
    found = elements(page)
    assert found == [*HEAD, *WORDS, *FORM, *(["a"] if page_of(url)[0] else [])]
    assert {link for link, _, _ in links(page)} <= {page_of(url)[0]}


@given(url=anything, host=anything, next_path=octets)
def test_no_hole_lets_anything_out(url: str, host: str, next_path: bytes) -> None:
    """What fills a hole stays a value, in the document and in the attribute around it."""
    filled = placeholder_document(
        POLICY, None, "en", **PLACE | {"url": url, "host": host, "next_path": next_path}
    )
    assert filled.isascii()
    assert not re.search(rb'["<>]', filled)
    page = srcdoc_of(b'<iframe srcdoc="%b"></iframe>' % filled)
    assert elements(page) == [*HEAD, "div", "h2", "p", *(["a"] if page_of(url)[0] else [])]


@given(next_path=octets)
def test_the_page_to_come_back_to_arrives_as_it_was(next_path: bytes) -> None:
    """The form leads back: a path and query, whatever stands in them."""
    kept = next_path.translate(None, b"\x00\r\n" + bytes(range(0x80, 0xA0)))
    (fields,) = forms(document(next_path=kept))
    assert fields["next"] == [kept.decode("latin-1")]


@pytest.mark.parametrize("service", [None, *SERVICES])
def test_a_strict_content_security_policy_is_kept(service: str | None) -> None:
    """R-92: a `srcdoc` inherits the page's policy: nothing in it is inline."""
    html = read(document(service, host="a.example"))
    assert not [
        one for one in html.iter() if one.tag in {"style", "script"} or "style" in one.attrib
    ]
    assert not [name for one in html.iter() for name in one.attrib if name.startswith("on")]
    assert [one.attrib for one in html.iter("link")] == [{"rel": "stylesheet", "href": SHEET}]


def test_it_is_rendered_once_and_never_for_another_policy() -> None:
    """Pages are many, documents are few; a policy that is gone leaves nothing behind."""
    first = document()
    assert document() == first
    for number in range(20):
        title = f"Films {number}"
        services = {"films": SERVICES["films"] | {"title": title}}
        assert f"Video from {title}" in words_of(document(policy=a_policy(services=services)))
    assert document() == first


# before an author's template


def test_a_template_has_the_same_document_before_it() -> None:
    """One look for what waits, whoever marked it."""
    page = markup(service="films", url=FILM)
    (frame,) = tree(page).iter("iframe")
    assert frame.get("class") == "consentkit consentkit-embed consentkit-video"
    assert frame.get("title") == "Video from Films, not loaded"
    assert srcdoc_of(page) == document()
    assert srcdoc_of(markup(service="films", url=FILM, can=Can.LEAVE)) == document(can=Can.LEAVE)


@pytest.mark.parametrize(
    "around",
    [
        b"<p>Text %b more</p><p>next</p>",
        b"<form action=/own><input name=a>%b<input name=b></form>",
        b"<ul><li>%b</ul>",
        b"<h2><a href=/x>%b</a></h2>",
        b"<div>%b</div>",
    ],
)
def test_a_placeholder_adds_one_element_and_moves_none(around: bytes) -> None:
    """A form inside a form ends the author's, a section ends the paragraph: this does neither."""

    def shape(page: bytes) -> list[tuple[str, list[str]]]:
        return [
            (str(one.tag), [str(child.tag) for child in one if child.tag != "iframe"])
            for one in tree(page).iter()
            if one.tag != "iframe"
        ]

    filled, empty = around % markup(service="films"), around % b""
    assert "iframe" in elements(filled)
    assert shape(filled) == shape(empty)
    assert shape(around % b"<form></form><section></section>") != shape(empty), "the control"


def test_a_template_for_purposes_names_them_and_their_third_parties() -> None:
    """R-53: where the author names no service, the purposes' providers are named."""
    page = srcdoc_of(markup(purposes=("embeds", "polls"), url=FILM))
    words = words_of(page)
    assert "Videos, Polls" in words
    assert "Third parties: Films Inc, Maps Ltd, Like." in words
    assert "Always allow: Videos, Polls" in words
    assert [fields["purpose"] for fields in forms(page) if "purpose" in fields] == [
        ["embeds", "polls"]
    ]
    assert links(page) == [(FILM_PAGE, "_top", "Watch it on youtube.com instead")]
    assert links(srcdoc_of(markup(purposes=("embeds",)))) == []


@pytest.mark.parametrize(
    "waits",
    [
        {"service": "counter"},
        {"service": "nobody"},
        {"purposes": ("nothing", "embeds")},
        {"purposes": ()},
        {},
    ],
)
def test_what_shows_nothing_leaves_no_box(waits: dict[str, Any]) -> None:
    """A template with a counter in it would be a box about nothing on every page."""
    assert markup(**waits) == b""
    only = a_policy(services={"counter": SERVICES["counter"]})
    assert placeholder_markup(only, purposes=("analytics",), language="en", **PLACE) == b""
    assert markup(service="films"), "the control"


@given(title=anything.filter(bool), next_path=octets)
def test_a_hostile_name_stays_in_its_frame(title: str, next_path: bytes) -> None:
    """Its attributes are markup of ours, and nothing else is."""
    services = {title: {"purpose": "embeds", "title": title, "provider": title, "shows": "video"}}
    page = placeholder_markup(
        a_policy(services=services),
        service=title,
        language="en",
        **PLACE | {"next_path": next_path, "url": title},
    )
    assert page.isascii()
    (frame,) = tree(page).findall("body/*")
    assert [frame.tag, *frame] == ["iframe"]
    assert {*frame.attrib} == {"class", "title", "lang", "width", "height", "srcdoc"}
    assert text_of(page) == ""

"""What is made of a browser's events: no browser is needed to make them up."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from consentkit.audit import traffic as module
from consentkit.audit.seen import By, SeenItem, SeenRequest, SentCookie, Shape
from consentkit.audit.traffic import BINDING, EVENTS, Traffic, host_in, place_in
from consentkit.rules.policy import Where

SITE = "www.site.example"
PAGE = f"https://{SITE}/"


def is_own(host: str) -> bool:
    return host.endswith("site.example")


class Told:
    """A traffic that is told of, step by step."""

    def __init__(self) -> None:
        self.traffic = Traffic(is_own, "main")

    def request(self, one: str, url: str, **others: Any) -> None:
        event = {"requestId": one, "request": {"url": url}, "documentURL": PAGE, **others}
        self.traffic.hear("Network.requestWillBeSent", event)

    def asked(self, one: str, host: str, *cookies: tuple[str, list[str]]) -> None:
        sent = [{"cookie": {"name": name}, "blockedReasons": why} for name, why in cookies]
        event = {"requestId": one, "headers": {"Host": host}, "associatedCookies": sent}
        self.traffic.hear("Network.requestWillBeSentExtraInfo", event)

    def answered(self, one: str, *lines: str, blocked: tuple[str, ...] = ()) -> None:
        event = {
            "requestId": one,
            "headers": {"Set-Cookie": "\n".join(lines), "Server": "x"},
            "blockedCookies": [{"cookieLine": line} for line in blocked],
        }
        self.traffic.hear("Network.responseReceivedExtraInfo", event)

    def stored(self, how: str, key: str, value: str, **others: Any) -> None:
        place = {"storageKey": f"https://{SITE}/", "isLocalStorage": True, **others}
        event = {"storageId": place, "key": key, "newValue": value}
        self.traffic.hear(f"DOMStorage.domStorageItem{how}", event)

    def script(self, text: str, *, is_stored: bool) -> None:
        told = {
            "what": "cookie", "text": text, "by": f"{PAGE}a.js?x=1", "isStored": is_stored,
            "at": time.time() * 1000, "origin": f"https://{SITE}", "path": "/",
        }  # fmt: skip
        self.traffic.hear("Runtime.bindingCalled", {"name": BINDING, "payload": json.dumps(told)})


def held(name: str, **others: Any) -> dict[str, Any]:
    """A cookie of the jar, as Chromium tells it."""
    return {
        "name": name, "value": "1", "domain": SITE, "path": "/", "expires": -1, "session": True,
        "httpOnly": False, "secure": False, **others,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("url", "host", "place"),
    [
        ("https://cdn.example:8443/a.js?v=1#x", "cdn.example", "cdn.example/a.js"),
        ("https://cdn.example.", "cdn.example", "cdn.example/"),
        ("data:text/plain,x", "", ""),
        ("about:blank", "", ""),
        ("https://[", "", ""),
    ],
)
def test_an_address_is_told_without_its_query(url: str, host: str, place: str) -> None:
    """A query of somebody else's address may hold a name or a number of a visitor's."""
    assert (host_in(url), place_in(url)) == (host, place)


def test_each_hop_of_a_redirect_stores_under_its_own_address() -> None:
    """Answers are matched with addresses in turn; what the browser redirects itself has none."""
    told = Told()
    told.request("1", "http://www.site.example/")
    told.request("1", PAGE, redirectResponse={}, redirectHasExtraInfo=False)
    told.request("1", f"{PAGE}b", redirectResponse={}, redirectHasExtraInfo=True)
    told.asked("1", SITE)
    told.answered("1", "a=1")
    told.answered("1", "b=1", "c=1; Domain=other.example", blocked=("c=1; Domain=other.example",))
    told.traffic.hear("Network.responseReceived", {"requestId": "1", "hasExtraInfo": True})
    told.traffic.hear("Network.responseReceived", {"requestId": "unheard"})
    seen = {one.name: one.initiator for one in told.traffic.cookies([], [held("a"), held("b")])}
    assert seen == {"a": f"{SITE}/", "b": f"{SITE}/b"}


def test_an_answer_without_a_request_is_its_hosts() -> None:
    """A request that began before recording did is known by the host that was asked."""
    told = Told()
    told.asked("1", f"{SITE}:8000")
    told.answered("1", "a=1", "bad\x01=1")
    told.answered("2", "b=1")
    assert [(one.name, one.initiator) for one in told.traffic.cookies([], [])] == [
        ("a", f"{SITE}/"),
        ("b", ""),
    ]


def test_what_a_script_stores_counts_where_the_browser_took_it() -> None:
    """A path of its own hides a cookie from the script that set it, and not from the jar."""
    told = Told()
    told.script("seen=1", is_stored=True)
    told.script("hidden=1; Path=/far", is_stored=False)
    told.script("dropped=1; Domain=other.example", is_stored=False)
    told.script("broken\x01=1", is_stored=False)
    told.script("gone=; Max-Age=0", is_stored=False)
    told.traffic.hear("Runtime.bindingCalled", {"name": "another", "payload": "x"})
    seen = told.traffic.cookies([], [held("seen"), held("hidden", path="/far")])
    assert [(one.name, one.path, one.initiator) for one in seen] == [
        ("seen", "/", f"{SITE}/a.js"),
        ("hidden", "/far", f"{SITE}/a.js"),
    ]


def test_what_only_the_jar_knows_of_is_told_without_who_did_it() -> None:
    """A service worker stores, and nobody says so; what was there before is not told again."""
    before = [held("old"), held("renewed")]
    after = [
        held("old"),
        held("renewed", value="2", httpOnly=True),
        held(
            "new", expires=time.time() + 60, session=False, sameSite="Strict", domain=".x.example"
        ),
    ]
    seen = {one.name: one for one in Told().traffic.cookies(before, after)}
    assert {name: (one.by, one.initiator) for name, one in seen.items()} == {
        "renewed": (By.HEADER, ""),
        "new": (By.SCRIPT, ""),
    }
    new = seen["new"]
    assert (new.domain, new.host_only, new.seconds, new.same_site, new.third_party, new.shape) == (
        *("x.example", False, 60, "strict", True),
        Shape.FLAG,
    )


def test_the_life_is_what_was_asked_for_where_the_browser_gives_it() -> None:
    """A second of delay is no second of life; 400 days are the most that a browser keeps."""
    told = Told()
    told.answered("1", "day=1; Max-Age=86400", "ever=1; Max-Age=99999999")
    now = time.time()
    jar = [
        held("day", domain="", expires=now + 86_398.7, session=False),
        held("ever", domain="", expires=now + 34_560_000, session=False),
    ]
    assert [one.seconds for one in told.traffic.cookies([], jar)] == [86_400, 34_560_000]


def test_only_cookies_that_went_are_told_as_sent() -> None:
    """What the browser kept back (SameSite, third party) went nowhere."""
    told = Told()
    told.asked("1", f"{SITE}:8000", ("a", []), ("b", ["SameSiteStrict"]))
    told.asked("2", SITE, ("a", []))
    assert told.traffic.sent() == (SentCookie("a", SITE),)


def test_requests_to_others_are_told_with_who_asked() -> None:
    """The script nearest to the request, else the one that put it off, else the document."""
    told = Told()
    nearest = {"callFrames": [{"url": ""}, {"url": "https://tags.example/t.js?id=1"}]}
    put_off = {"callFrames": [{"url": ""}], "parent": nearest}
    told.request("1", "https://a.example/x?y", type="Fetch", initiator={"stack": nearest})
    told.request("2", "https://b.example", type="Ping", initiator={"stack": put_off})
    told.request("3", "https://c.example/", type="Document", frameId="main")
    told.request("4", "https://d.example/", type="Document", frameId="a", initiator={"url": PAGE})
    told.request("5", "https://e.example/", type="Preflight")
    told.request("6", f"{PAGE}own.js", type="Script")
    told.request("7", "https://f.example/", type="Image")
    told.traffic.hear("Network.loadingFailed", {"requestId": "7", "blockedReason": "csp"})
    told.request("8", "https://g.example/", type="Image")
    told.traffic.hear("Network.loadingFailed", {"requestId": "8"})
    told.traffic.hear(
        "Network.webSocketCreated", {"requestId": "9", "url": "wss://h.example/s?t=1"}
    )
    told.traffic.overhear("https://i.example/w", "fetch")
    told.traffic.overhear("https://a.example/x?y", "fetch")
    seen = [
        SeenRequest(one.host, one.path, one.what, one.initiator) for one in told.traffic.requests()
    ]
    assert seen == [
        SeenRequest("a.example", "/x", "fetch", "tags.example/t.js"),
        SeenRequest("b.example", "/", "beacon", "tags.example/t.js"),
        SeenRequest("c.example", "/", "other", f"{SITE}/"),
        SeenRequest("d.example", "/", "frame", f"{SITE}/"),
        SeenRequest("g.example", "/", "image", f"{SITE}/"),
        SeenRequest("h.example", "/s", "websocket"),
        SeenRequest("i.example", "/w", "fetch"),
    ]


def test_beginning_forgets() -> None:
    """What was heard before the answer was given is not what came of it."""
    told = Told()
    told.request("1", "https://a.example/")
    told.script("a=1", is_stored=True)
    told.traffic.begin()
    assert (told.traffic.requests(), told.traffic.cookies([], [])) == ((), ())


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_page_is_quiet_when_nothing_runs_and_nothing_was_heard() -> None:
    """A request is waited for, but not one that has no end; in any case there is a last moment."""
    told = Told()
    began = time.monotonic()
    await told.traffic.quiet(0.05, began + 9)
    assert 0.04 <= time.monotonic() - began < 5
    told.request("1", "https://a.example/", type="Fetch")
    told.request("2", "https://a.example/live", type="EventSource")
    began = time.monotonic()
    await told.traffic.quiet(0.01, began + 0.2)
    assert time.monotonic() - began >= 0.2
    told.traffic.hear("Network.loadingFinished", {"requestId": "1"})
    began = time.monotonic()
    await told.traffic.quiet(0.01, began + 9)
    assert time.monotonic() - began < 5


SAID = {"text": "a=1", "by": "", "isStored": True, "at": 0, "origin": "", "path": "/"}


@pytest.mark.parametrize(
    "payload",
    [
        *(1, "x", None, [], {}, {"what": "cookie"}, {"what": "violation"}, {"what": {}}),
        {"what": "violation", "directive": "img-src", "source": {}},
        *({"what": "cookie", **SAID, name: wrong} for name, wrong in {
            "text": 1, "by": 1, "isStored": "", "at": "x", "origin": {}, "path": 1}.items()),
    ],
)  # fmt: skip
def test_what_cannot_have_been_told_is_passed_over(payload: object) -> None:
    """A page may replace what the witness is made of; a scan does not end at it."""
    told = Told()
    for text in (json.dumps(payload), "{"):
        told.traffic.hear("Runtime.bindingCalled", {"name": BINDING, "payload": text})
    assert (told.traffic.cookies((), ()), told.traffic.violations()) == ((), ())
    told.script("control=1", is_stored=True)
    assert [one.name for one in told.traffic.cookies((), ())] == ["control"]


def test_what_a_page_makes_up_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte of path, key or directive is nobody's name, and a thousand of them no report."""
    monkeypatch.setattr(module, "MOST", 5)
    told, long = Told(), "x" * 100_000
    for n in range(9):
        violation = {"what": "violation", "directive": f"{n}{long}", "source": long}
        told.traffic.hear(
            "Runtime.bindingCalled", {"name": BINDING, "payload": json.dumps(violation)}
        )
        told.stored("Added", f"{n}{long}", long)
        told.traffic.overhear(f"https://b.example/{n}{long}", "fetch")
        told.request(str(n), f"https://a.example/{n}{long}?", initiator={"url": f"{PAGE}{long}"})
        told.script(f"c{n}=1; x={long}", is_stored=True)
    seen = (
        *(told.traffic.requests(), told.traffic.violations(), told.traffic.items()),
        told.traffic.cookies((), ()),
    )
    assert [len(each) for each in seen] == [5, 5, 5, 5]
    assert len(repr(seen)) < 5 * 5 * 2 * module.LONGEST + 5000


def test_what_is_stored_is_told_by_key_and_shape() -> None:
    """Also what is gone again; what a frame keeps is the frame's, by whichever name it is told."""
    told = Told()
    told.stored("Added", "seen", "1")
    told.stored("Updated", "seen", "")
    told.stored("Added", "seen", "1", storageKey="https://ads.example/^0https://site.example")
    told.stored("Added", "step", "1", isLocalStorage=False, securityOrigin=f"https://{SITE}")
    assert told.traffic.items() == (
        SeenItem(Where.LOCAL, "seen", SITE, shape=Shape.EMPTY),
        SeenItem(Where.LOCAL, "seen", "ads.example", third_party=True, shape=Shape.FLAG),
        SeenItem(Where.SESSION, "step", SITE, shape=Shape.FLAG),
    )


def test_every_event_has_a_hearer() -> None:
    """What is asked for is taken in."""
    assert {*Traffic(is_own)._hearers} == {*EVENTS}

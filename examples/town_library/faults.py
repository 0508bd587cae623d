"""What goes wrong with such sites, one fault at a time, and what the auditor finds of it.

It has never heard of the library's pages: a fault is an edited policy, or a layer outside of
consentkit, where a CDN stands, a tag manager at the edge, or a middleware that was added later.
What passes there passes by enforcement, as on real sites.

`FAULTS` is the table: the tests switch each on and find what it says, and the documentation's table
is printed from it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consentkit import Visitor

__all__ = ["FAULTS", "STATE", "Edge", "Fault", "policy_file", "state_of"]

HERE: Final = Path(__file__).parent
STATE: Final = "x-library-visitor"
"""The header by which the site tells the edge what a reader answered; it goes no further."""

UNTOUCHED, REFUSED, GRANTED, GPC = "untouched", "refused", "granted", "gpc"
ALWAYS: Final = (UNTOUCHED, REFUSED, GRANTED, GPC)


def state_of(visitor: Visitor) -> str:
    """What a reader answered, in a word. Who withdrew has refused."""
    if not visitor.is_decided:
        return UNTOUCHED
    if visitor.allows("measurement"):
        return GRANTED
    return REFUSED if visitor.consent.given else GPC


def policy_file(*faults: str) -> Path:
    """The policy that the site has with these faults, and that the auditor is to read.

    Raises ValueError for a name that is not in the table, and for two faults of the policy.
    """
    unknown = sorted({*faults} - FAULTS.keys())
    if unknown:
        raise ValueError(f"no such fault: {', '.join(unknown)}; there are {', '.join(FAULTS)}")
    files = {FAULTS[name].policy for name in faults} - {THE_POLICY}
    if len(files) > 1:
        raise ValueError(f"a site has one policy; these are several: {', '.join(sorted(files))}")
    return HERE / (files.pop() if files else THE_POLICY)


THE_POLICY: Final = "consent.yaml"


# The edge


@dataclass
class Answer:
    """An answer on its way out: what a layer outside of the site can see of it, and change.

    `state` is the reader's, None where no page of the site answers; `body` is None where it is
    neither a page nor JSON. `origin_of` gives the origin of a third party by its name.
    """

    path: str
    state: str | None
    headers: list[tuple[bytes, bytes]]
    body: bytes | None
    origin_of: Callable[[str], str]


Change: TypeAlias = Callable[[Answer], None]


class Edge:
    """A layer outside of the middleware, which no policy holds."""

    def __init__(
        self, app: ASGIApp, faults: Sequence[str], *, origin_of: Callable[[str], str]
    ) -> None:
        """Stand around `app`, with the changes of these faults."""
        self.app = app
        self._changes = [change for name in faults if (change := FAULTS[name].change)]
        self._origin_of = origin_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection through, and change what is answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # What it is to change must not come compressed.
        plain = [header for header in scope["headers"] if header[0] != b"accept-encoding"]
        held = _Held(scope["path"], send, self._change)
        await self.app({**scope, "headers": plain}, receive, held)

    def _change(
        self, path: str, headers: list[tuple[bytes, bytes]], body: bytes | None
    ) -> tuple[list[tuple[bytes, bytes]], bytes | None]:
        states = [value.decode() for name, value in headers if name == STATE.encode()]
        told = [header for header in headers if header[0] != STATE.encode()]
        answer = Answer(path, states[0] if states else None, told, body, self._origin_of)
        for change in self._changes:
            change(answer)
        return answer.headers, answer.body


_Changed: TypeAlias = Callable[
    [str, list[tuple[bytes, bytes]], bytes | None],
    tuple[list[tuple[bytes, bytes]], bytes | None],
]


class _Held:
    """A `send` that keeps pages and JSON until they are whole."""

    def __init__(self, path: str, send: Send, change: _Changed) -> None:
        self._path = path
        self._send = send
        self._change = change
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(name.lower(), value) for name, value in message["headers"]]
            kinds = [value for name, value in headers if name == b"content-type"]
            if any(kind.startswith((b"text/html", b"application/json")) for kind in kinds):
                self._start = {**message, "headers": headers}
                return
            headers, _ = self._change(self._path, headers, None)
            await self._send({**message, "headers": headers})
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        headers, body = self._change(self._path, start["headers"], self._body)
        body = body or b""
        rest = [header for header in headers if header[0] != b"content-length"]
        if self._body:  # an answer to HEAD, and 304, have none and keep their length
            rest.append((b"content-length", str(len(body)).encode()))
        await self._send({**start, "headers": rest if self._body else headers})
        await self._send({"type": "http.response.body", "body": body})


# What can be done there


def sets(cookie: str, *states: str, path: str = "") -> Change:
    """Sets a cookie with every page that a reader in one of the states gets, or with one alone."""

    def change(answer: Answer) -> None:
        if answer.state in states and path in ("", answer.path):
            answer.headers.append((b"set-cookie", cookie.encode()))

    return change


def tag(markup: str, *states: str) -> Change:
    """Writes markup into every page that a reader in one of the states gets.

    ``{ads}`` in it is the origin of the third party of that name.
    """

    def change(answer: Answer) -> None:
        if answer.state in states and answer.body:
            filled = re.sub(r"\{(\w+)\}", lambda name: answer.origin_of(name[1]), markup)
            answer.body = answer.body.replace(b"</main>", filled.encode() + b"</main>", 1)

    return change


def alters(name: str, pattern: str, put: str) -> Change:
    """Changes the attributes of a cookie of the site: where the pattern is found, puts a text."""

    def change(answer: Answer) -> None:
        answer.headers = [
            (key, re.sub(pattern.encode(), put.encode(), value, flags=re.IGNORECASE))
            if _is_cookie(key, value, name)
            else (key, value)
            for key, value in answer.headers
        ]

    return change


def loses_removals(name: str) -> Change:
    """Takes off what would expire a cookie."""

    def change(answer: Answer) -> None:
        answer.headers = [
            (key, value)
            for key, value in answer.headers
            if not (_is_cookie(key, value, name) and b"max-age=0" in value.lower())
        ]

    return change


def cuts(pattern: str, *, path: str = "") -> Change:
    """Cuts out of every page, or of one alone, what the pattern finds."""
    compiled = re.compile(pattern.encode(), re.DOTALL)

    def change(answer: Answer) -> None:
        if answer.body and path in ("", answer.path):
            answer.body = compiled.sub(b"", answer.body)

    return change


def cuts_row(name: str) -> Change:
    """Cuts a cookie's row out of the table, and out of the table's twin for machines."""
    row = rf'<tr role="row">\s*<th [^>]*><code dir="ltr">{name}</code>(?:(?!</tr>).)*</tr>\s*'
    cut = cuts(row)

    def change(answer: Answer) -> None:
        if answer.path.endswith("/declaration.json") and answer.body:
            table = json.loads(answer.body)
            table["cookies"] = [each for each in table["cookies"] if each["name"] != name]
            answer.body = json.dumps(table).encode()
        else:
            cut(answer)

    return change


def _is_cookie(key: bytes, value: bytes, name: str) -> bool:
    return key == b"set-cookie" and value.startswith(f"{name}=".encode())


# The table


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    `says` tells of it in a sentence; `found` has the key of every finding that comes of it (its
    kind, its subject and the name of that), and there is no other. `by_headers` has those that are
    found without a browser, None where it is all of them. `change` is done to what the site
    answers; `policy` is the file that the site is held to and judged by.
    """

    says: str
    found: frozenset[str]
    change: Change | None = None
    by_headers: frozenset[str] | None = None
    policy: str = THE_POLICY

    @property
    def found_by_headers(self) -> frozenset[str]:
        """What the witness of headers alone finds of it."""
        return self.found if self.by_headers is None else self.by_headers


NOTHING: Final = frozenset[str]()


VISITS: Final = "visits=1; Path=/; Max-Age=34128000; Secure; HttpOnly; SameSite=Lax"
SCRIPT_SETS: Final = "<script>document.cookie = 'pages_read=1; Path=/; Max-Age=2592000'</script>"
POSTER: Final = '<img src="{video}/pressed" alt="" width="1" height="1">'
BANNER: Final = r'<section class="consentkit consentkit-banner.*?</section>'
BUTTON: Final = r'<button type="submit" name="choice" value="%s">[^<]*</button>\s*'

FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        # What nobody declared
        "undeclared-cookie": Fault(
            "The load balancer in front of the site sets a cookie that nobody wrote down.",
            frozenset({"undeclared:cookie:lb_pool"}),
            sets("lb_pool=7; Path=/; Secure; HttpOnly; SameSite=Lax", *ALWAYS),
        ),
        "undeclared-script-cookie": Fault(
            "A tag that was tried out once still sets its cookie.",
            frozenset({"undeclared:cookie:ab_group"}),
            tag("<script>document.cookie = 'ab_group=b; Path=/; SameSite=Lax'</script>", *ALWAYS),
            by_headers=NOTHING,
        ),
        "undeclared-item": Fault(
            "A tag keeps something in localStorage.",
            frozenset({"undeclared:storage:theme-cache"}),
            tag("<script>localStorage.setItem('theme-cache', 'dark')</script>", *ALWAYS),
            by_headers=NOTHING,
        ),
        "undeclared-database": Fault(
            "A tag opens a database in the browser.",
            frozenset({"undeclared:storage:offline"}),
            tag("<script>indexedDB.open('offline', 1)</script>", *ALWAYS),
            by_headers=NOTHING,
        ),
        "undeclared-script": Fault(
            "The tag manager loads a script of an advertiser.",
            frozenset({"undeclared:host:ads.example"}),
            tag('<script src="{ads}/button.js"></script>', *ALWAYS),
        ),
        "undeclared-image": Fault(
            "A newsletter tool's counting pixel stands in every page.",
            frozenset({"undeclared:host:pixel.example"}),
            tag('<img src="{pixel}/pressed" alt="" width="1" height="1">', *ALWAYS),
        ),
        "undeclared-beacon": Fault(
            "A tag tells another host of every page.",
            frozenset({"undeclared:host:beacon.example"}),
            tag("<script>navigator.sendBeacon('{beacon}/collect')</script>", *ALWAYS),
            by_headers=NOTHING,
        ),
        "undeclared-frame": Fault(
            "A map of the town was put into the pages.",
            frozenset({"undeclared:host:maps.example"}),
            tag('<iframe src="{maps}/share" title="Map" width="1" height="1"></iframe>', *ALWAYS),
        ),
        "undeclared-widget": Fault(
            "A social button comes with a cookie of its host.",
            frozenset({"undeclared:host:facebook.example", "undeclared:cookie:liker"}),
            tag('<script src="{facebook}/like.js"></script>', *ALWAYS),
            by_headers=frozenset({"undeclared:host:facebook.example"}),
        ),
        # Before the answer, after a refusal, after a withdrawal, against a signal
        "before-answer": Fault(
            "The CDN counts new visitors by itself, with the site's own cookie.",
            frozenset({"before-answer:cookie:visits"}),
            sets(VISITS, UNTOUCHED),
        ),
        "before-answer-by-script": Fault(
            "The script that counts runs before anybody answered.",
            frozenset({"before-answer:cookie:pages_read"}),
            tag(SCRIPT_SETS, UNTOUCHED),
            by_headers=NOTHING,
        ),
        "third-party-early": Fault(
            "The film's poster is fetched from the films' host, before anybody answered.",
            frozenset({"third-party-early:service:films"}),
            tag(POSTER, UNTOUCHED),
        ),
        "counter-early": Fault(
            "The counter was pasted into the tag manager as well, and runs before any answer.",
            frozenset(
                {
                    "third-party-early:service:counter",
                    "before-answer:cookie:_ga",
                    "before-answer:cookie:_ga_*",
                }
            ),
            tag('<script src="{analytics}/ga.js"></script>', UNTOUCHED),
            by_headers=frozenset({"third-party-early:service:counter"}),
        ),
        "after-refusal": Fault(
            "The CDN counts those who refused; who withdraws is counted again, too.",
            frozenset({"after-refusal:cookie:visits", "still-sent:cookie:visits"}),
            sets(VISITS, REFUSED),
        ),
        "after-refusal-by-script": Fault(
            "The script that counts runs although the reader refused or withdrew.",
            frozenset({"after-refusal:cookie:pages_read", "still-sent:cookie:pages_read"}),
            tag(SCRIPT_SETS, REFUSED),
            by_headers=NOTHING,
        ),
        "after-refusal-loaded": Fault(
            "The film's poster is fetched although the reader refused or withdrew.",
            frozenset({"after-refusal:service:films", "still-sent:service:films"}),
            tag(POSTER, REFUSED),
        ),
        "still-sent": Fault(
            "A proxy loses the header that expires a cookie, so it outlives the withdrawal.",
            frozenset({"still-sent:cookie:visits"}),
            loses_removals("visits"),
        ),
        "against-signal": Fault(
            "The CDN counts visitors whose browser says Global Privacy Control.",
            frozenset({"against-signal:cookie:visits"}),
            sets(VISITS, GPC),
        ),
        "against-signal-loaded": Fault(
            "The film's poster is fetched although the browser says Global Privacy Control.",
            frozenset({"against-signal:service:films"}),
            tag(POSTER, GPC),
        ),
        # Otherwise than declared
        "lives-longer": Fault(
            "The CDN stretches the site's cookie to two years.",
            frozenset({"lives-longer:cookie:visits"}),
            alters("visits", r"Max-Age=[1-9]\d*", "Max-Age=63072000"),
        ),
        "lives-longer-by-script": Fault(
            "An old copy of the script gives its cookie a year.",
            frozenset({"lives-longer:cookie:pages_read"}),
            tag(SCRIPT_SETS.replace("2592000", "31536000"), GRANTED),
            by_headers=NOTHING,
        ),
        "session-that-stays": Fault(
            "A proxy gives the session cookie two weeks.",
            frozenset({"kind-differs:cookie:library_session"}),
            alters("library_session", "$", "; Max-Age=1209600"),
        ),
        "poll-on-view": Fault(
            "The poll's cookie is set for everybody who looks at the poll.",
            frozenset({"kind-differs:cookie:voted-{poll}"}),
            sets(
                "voted-sundays=0; Path=/; Max-Age=86400; Secure; SameSite=Lax",
                GRANTED,
                path="/poll",
            ),
        ),
        "no-http-only": Fault(
            "A proxy takes HttpOnly off the session cookie.",
            frozenset({"attributes:cookie:library_session"}),
            alters("library_session", "; HttpOnly", ""),
        ),
        "no-same-site": Fault(
            "A proxy takes SameSite off the session cookie.",
            frozenset({"attributes:cookie:library_session"}),
            alters("library_session", "; SameSite=[a-z]+", ""),
        ),
        "no-secure": Fault(
            "A proxy takes Secure off the session cookie.",
            frozenset({"attributes:cookie:library_session"}),
            alters("library_session", "; Secure", ""),
        ),
        "tracker-necessary": Fault(
            "A strictly necessary name in the policy is so wide that a tracker's passes too.",
            frozenset({"tracker-necessary:cookie:{list}_view"}),
            sets("_gat_view=1; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax", *ALWAYS),
            policy="policies/tracker-necessary.yaml",
        ),
        "never-seen": Fault(
            "The policy still has the cookie of a tool that was taken out last year.",
            frozenset({"never-seen:cookie:old_counter"}),
            by_headers=NOTHING,
            policy="policies/never-seen.yaml",
        ),
        # The notice, and the table
        "no-banner": Fault(
            "A filter in front of the site takes the banner out.",
            frozenset({"no-banner:banner:every page"}),
            cuts(BANNER),
        ),
        "no-banner-on-a-page": Fault(
            "One page is served by another machine, which knows of no banner.",
            frozenset({"no-banner:banner:/hours"}),
            cuts(BANNER, path="/hours"),
        ),
        "no-reject": Fault(
            "The button that refuses was taken out of the banner.",
            frozenset(
                {
                    "refusing-harder:banner:no button to refuse",
                    "refusing-harder:banner:clicks to refuse",
                }
            ),
            cuts(BUTTON % "reject-all"),
        ),
        "small-reject": Fault(
            "A style sheet makes the button that refuses small and pale.",
            frozenset(
                {
                    "refusing-harder:banner:size of the button to refuse",
                    "refusing-harder:banner:font of the button to refuse",
                    "refusing-harder:banner:contrast of the button to refuse",
                }
            ),
            tag(
                "<style>#consentkit button[value=reject-all] "
                "{ all: unset; align-self: center; font-size: .5rem; color: #bbb }"
                "</style>",
                *ALWAYS,
            ),
            by_headers=NOTHING,
        ),
        "no-withdrawal": Fault(
            "The button that takes everything back was taken out of the line.",
            frozenset({"refusing-harder:banner:clicks to withdraw"}),
            cuts(BUTTON % "withdraw"),
        ),
        "table-differs": Fault(
            "The page with the table is an old copy, in which a cookie has no row.",
            frozenset({"table-differs:cookie:visits"}),
            cuts_row("visits"),
        ),
    }
)
"""Every fault, by the name that switches it on."""

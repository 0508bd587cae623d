"""Reports on a library's site, written by hand, for the tests of those that show one."""

from collections.abc import Iterator
from dataclasses import replace

from consentkit import Policy
from consentkit.audit.findings import Report
from consentkit.audit.kinds import Finding, FindingKind
from consentkit.audit.seen import (
    Act,
    Banner,
    By,
    Look,
    Scan,
    SeenCookie,
    SeenItem,
    SeenRequest,
    Shape,
    State,
    Violation,
    Visit,
    Witness,
)
from consentkit.rules.policy import Where
from consentkit.rules.policy_file import read_policy

POLICY = """\
site: {name: Harrow Hill Library, controller: Harrow Hill Town Council}
mode: explicit
revision: 3
purposes:
  necessary: {basis: strictly-necessary, title: Needed, description: What the site needs.}
  counting: {title: Counting visits, description: Counts visits.}
  films: {title: Films, description: Shows films of others.}
cookies:
  session:
    kind: session
    purpose: necessary
    justification: authentication
    description: Remembers who is logged in.
  _ga: {kind: analytics, purpose: counting, duration: 13 months, description: Tells visitors apart.}
  _ga_*: {kind: analytics, purpose: counting, duration: 13 months, description: Counts visits.}
  PollTimeout-{id}: {kind: poll-timeout, purpose: counting, duration: 1 day, description: A vote.}
storage:
  volume: {where: local, purpose: films, description: How loud films are.}
services:
  films: {purpose: films, provider: Filmhouse Ltd, hosts: [player.filmhouse.example]}
"""
TAG = "tag.counter.example/gtag.js"
PAGES = ("/", "/catalogue", "/opening-hours", "/films/the-river?from=home", "/contact", "/join")
OPEN = (State.UNTOUCHED, State.SIGNAL)
ACCEPT = Look("Accept all", 148, 44, 16, "600", "rgb(255, 255, 255)", "rgb(29, 65, 97)")
REFUSE = Look("Reject all", 92, 32, 13, "400", "rgb(76, 90, 103)", "rgb(245, 247, 249)")


def policy() -> Policy:
    return read_policy(POLICY)


def cookies(state: State, page: str) -> Iterator[SeenCookie]:
    """What a page stores in a state."""
    site = "library.example"
    yield SeenCookie(
        "session", site, http_only=True, same_site="lax", moment=38, shape=Shape.SIGNED
    )
    if state not in (State.UNTOUCHED, State.SIGNAL):
        yield SeenCookie("__Host-consent", site, seconds=15_724_800, secure=True, moment=38)
    counted = {State.GRANTED, State.UNTOUCHED, State.SIGNAL, State.WITHDRAWN}
    if state in counted:
        yield SeenCookie(
            "_ga", site, host_only=False, seconds=63_072_000, by=By.SCRIPT, initiator=TAG,
            moment=412, shape=Shape.STAMPED_IDENTIFIER,
        )  # fmt: skip
        yield SeenCookie(
            "_ga_7XK2L9", site, host_only=False, seconds=63_072_000, by=By.SCRIPT, initiator=TAG,
            moment=418, shape=Shape.STAMPED_IDENTIFIER,
        )  # fmt: skip
    if page.startswith("/films") and state is not State.REFUSED:
        yield SeenCookie(
            "VISITOR_INFO1", "filmhouse.example", seconds=15_552_000, secure=True, same_site="none",
            third_party=True, initiator="player.filmhouse.example/embed/1", moment=903,
            shape=Shape.IDENTIFIER,
        )  # fmt: skip


def requests(state: State, page: str) -> Iterator[SeenRequest]:
    yield SeenRequest("fonts.type.example", "/inter.woff2", "font", "library.example/", 120)
    if state is not State.REFUSED:
        yield SeenRequest("tag.counter.example", "/gtag.js", "script", "library.example/", 96)
        yield SeenRequest("tag.counter.example", "/collect", "beacon", TAG, 455)
    if page.startswith("/films") and state is not State.REFUSED:
        yield SeenRequest("player.filmhouse.example", "/embed/1", "frame", "library.example/", 310)


def visit(page: str, state: State) -> Visit:
    return Visit(
        page,
        state,
        200,
        cookies=tuple(cookies(state, page)),
        items=(
            (SeenItem(Where.LOCAL, "volume", "library.example"),)
            if state is State.GRANTED and page.startswith("/films")
            else ()
        ),
        requests=tuple(requests(state, page)),
        violations=(Violation("img-src", "pixel.example"),) if page == "/join" else (),
        banner=Banner("unknown", ACCEPT, REFUSE, "Cookie settings", ("color-contrast",))
        if state in OPEN
        else None,
        title="Harrow Hill Library",
    )


VISITS = tuple(visit(page, state) for page in PAGES for state in State)
ACTS = (
    Act(State.REFUSED, 2, "pressed 'Manage', then 'Reject all'"),
    Act(State.GRANTED, 1, "pressed 'Accept all'"),
    Act(State.WITHDRAWN, 4, "'Cookie settings', 'Manage', 'Reject all', 'Save'"),
)
SCAN = Scan(
    "https://library.example",
    Witness.BROWSER,
    "2026-11-22T03:00:04Z",
    "2026-11-22T03:01:37Z",
    visits=VISITS,
    acts=ACTS,
    left_out={"/admin": "robots.txt asks for it", "/search?q=": "robots.txt asks for it"},
    made_by="consentkit 0.1.0",
)

DRAFT = """\
services:
  counter:
    purpose: counting
    provider: FILL IN
    hosts: [tag.counter.example]
"""
FINDINGS = (
    Finding(
        FindingKind.BEFORE_ANSWER, "cookie", "_ga",
        "'_ga' is stored before anybody answers; 'counting' waits for an answer.",
        'Load tag.counter.example/gtag.js after the grant: give its tag data-purpose="counting".',
        states=(State.UNTOUCHED,), pages=PAGES, count=6, initiator=TAG, line=14,
    ),
    Finding(
        FindingKind.STILL_SENT, "cookie", "_ga",
        "'_ga' is still sent after the withdrawal, and set again.",
        "Expire it where consent is withdrawn, for the domain library.example.",
        states=(State.WITHDRAWN,), pages=PAGES, count=6, initiator=TAG, line=14,
    ),
    Finding(
        FindingKind.UNDECLARED, "host", "tag.counter.example",
        "tag.counter.example is asked for scripts, and no service declares it.",
        "Declare it, or take the tag out of the page.", DRAFT,
        states=(State.UNTOUCHED, State.GRANTED, State.WITHDRAWN, State.SIGNAL),
        pages=PAGES[:4], count=6, initiator="library.example/",
    ),
    Finding(
        FindingKind.REFUSING_HARDER, "banner", "clicks",
        "To refuse takes 2 clicks, to accept 1; to withdraw takes 4.",
        "Put the button that refuses beside the one that accepts, on the first layer.",
    ),
    Finding(
        FindingKind.LIVES_LONGER, "cookie", "_ga",
        "'_ga' lives 2 years and is declared for 13 months.",
        "Shorten it, or declare how long it lives.",
        "cookies:\n  _ga:\n    duration: 13 months\n",
        states=(State.GRANTED,), pages=PAGES[:1], count=6, initiator=TAG, line=14,
    ),
    Finding(
        FindingKind.ATTRIBUTES, "cookie", "session",
        "'session' lacks Secure on an encrypted page.",
        "Set it with Secure.",
        states=tuple(State), pages=PAGES, count=6, line=9,
    ),
    Finding(
        FindingKind.NEVER_SEEN, "cookie", "PollTimeout-{id}",
        "'PollTimeout-{id}' is declared, and was never seen.",
        "Take it out of the policy if the site does not use it any more.", line=16,
    ),
)  # fmt: skip
REPORT = Report(
    SCAN,
    FINDINGS,
    "consent.yaml",
    unjudged=("The site shows no table of its cookies that could be read: it was not compared.",),
)

GOOD = Report(
    replace(
        SCAN,
        visits=tuple(
            replace(each, cookies=(), requests=(), items=(), banner=None) for each in VISITS
        ),
        acts=(Act(State.REFUSED, 1), Act(State.GRANTED, 1), Act(State.WITHDRAWN, 1)),
        left_out={},
    ),
    policy_file="consent.yaml",
)
"""Nothing was found on this one."""

EMPTY = Report(
    Scan(
        "https://gone.example",
        Witness.HEADERS,
        "2026-11-22T03:00:04Z",
        visits=(Visit("/", State.UNTOUCHED, error="no answer in 30 s"),),
    )
)
"""Nothing could be seen."""

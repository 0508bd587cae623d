"""Sites made of a policy alone: what a site that obeys it would have shown to whoever looked."""

from collections.abc import Callable, Iterator
from typing import Any

from consentkit import Policy
from consentkit.audit.seen import (
    Act,
    Banner,
    Look,
    Scan,
    SeenCookie,
    SeenItem,
    SeenRequest,
    SentCookie,
    ShownCookie,
    State,
    Visit,
    Witness,
)
from consentkit.notice.declaration import declaration_json
from consentkit.rules.consent import NOBODY_YET, Consent
from consentkit.rules.decision import READ, STORE, decide, decide_service, duration_of
from consentkit.rules.names import NamePattern
from consentkit.rules.policy import LONGEST, DeclaredCookie, Kind
from consentkit.rules.signals import NO_SIGNALS, Signal
from consentkit.rules.visitor import Standing
from consentkit.shell.explanations import token_names

SITE = "https://site.example"
BUTTON = Look("Reject all", 120, 44, 16, "600", "rgb(255, 255, 255)", "rgb(29, 65, 97)")
NOTICE = Banner("consentkit", accept=BUTTON, refuse=BUTTON, settings="Preferences")
ACTS = tuple(Act(state, 1) for state in (State.REFUSED, State.GRANTED, State.WITHDRAWN))


def scan_of(*visits: Visit, **changes: Any) -> Scan:
    """A scan by a browser that reached every state with one click."""
    told: dict[str, Any] = {"started": "2026-11-22T03:00:00Z", "acts": ACTS, "visits": visits}
    return Scan(
        changes.pop("site", SITE), changes.pop("witness", Witness.BROWSER), **told | changes
    )


def name_under(pattern: str) -> str:
    """A name that a declared one covers."""
    return "x".join(NamePattern.parse(pattern).pieces)


def consent_in(policy: Policy, state: State) -> Consent:
    """What a visitor of a state answered, told once more."""
    asked = policy.optional_purposes
    match state:
        case State.REFUSED | State.WITHDRAWN:
            return NOBODY_YET.refuse(asked, policy.revision, 0)
        case State.GRANTED:
            return NOBODY_YET.grant(asked, policy.revision, 0, NO_SIGNALS)
        case State.UNTOUCHED | State.SIGNAL:
            return NOBODY_YET


def standing_of(policy: Policy, state: State, page: str) -> Standing:
    signals = frozenset({Signal.GPC}) if state is State.SIGNAL else NO_SIGNALS
    for_children = policy.is_for_children(page)
    return Standing(policy, consent_in(policy, state), signals, 0, for_children=for_children)


def cookie_of(declared: DeclaredCookie) -> SeenCookie:
    """A cookie just as it is declared, set by the server."""
    life = duration_of(declared, LONGEST)
    return SeenCookie(
        name_under(declared.name),
        "other.example" if declared.party == "third" else "site.example",
        seconds=None if life is None else int(life),
        secure=True,
        http_only=True,
        same_site=declared.attributes.same_site or "lax",
        partitioned=declared.attributes.partitioned,
        third_party=declared.party == "third",
        initiator="site.example/",
    )


def pages_of(policy: Policy) -> tuple[str, ...]:
    return tuple(dict.fromkeys(("/", "/news?page=2", *policy.child_directed)))


def obeying(policy: Policy) -> Scan:
    """What a site shows that does all that it may, and nothing else."""
    visits = [_visit(policy, state, page) for page in pages_of(policy) for state in State]
    return scan_of(*visits, shown=shown_by(policy))


def shown_by(policy: Policy) -> tuple[ShownCookie, ...]:
    """The table of the site's own declaration."""
    table: Any = declaration_json(policy, token_names(policy))
    return tuple(ShownCookie(row["name"], row["kind"], row["duration"]) for row in table["cookies"])


def _visit(policy: Policy, state: State, page: str) -> Visit:
    standing = standing_of(policy, state, page.partition("?")[0])
    token = token_names(policy)[0]
    asks = bool(standing.open_purposes) and state is State.UNTOUCHED
    readable = [
        SentCookie(name_under(cookie.name), "site.example")
        for cookie in policy.cookies.values()
        if decide(policy, cookie, standing.answers, READ).allowed
    ]
    return Visit(
        page,
        state,
        200,
        cookies=(
            *(cookie_of(each) for each in policy.cookies.values() if _stores(standing, each)),
            SeenCookie(token, "site.example", secure=True, seconds=LONGEST),
        ),
        sent=(*readable, SentCookie(token, "site.example")),
        items=tuple(_items(standing)),
        requests=tuple(_requests(standing)),
        banner=NOTICE if asks else None,
    )


def _stores(standing: Standing, declared: DeclaredCookie) -> bool:
    covering = standing.policy.declaration_of(name_under(declared.name))
    return decide(standing.policy, covering, standing.answers, STORE).allowed


def _items(standing: Standing) -> Iterator[SeenItem]:
    policy = standing.policy
    allowed = judged_alike(standing)
    for name, item in policy.storage.items():
        if allowed(name):
            yield SeenItem(item.where, name_under(name), "site.example")


def judged_alike(standing: Standing) -> Callable[[str], bool]:
    """Whether an item of storage may be kept: as a persistent cookie of its purposes and age."""
    policy = standing.policy
    values = {key: getattr(policy, key) for key in Policy.model_fields}
    alike = {
        f"0stored {name}": DeclaredCookie(
            kind=Kind.PERSISTENT, purpose=item.purpose, description="", since=item.since
        )
        for name, item in policy.storage.items()
    }
    other = Policy(**values | {"cookies": {**policy.cookies, **alike}})
    return lambda name: decide(other, other.cookies[f"0stored {name}"], standing.answers).allowed


def _requests(standing: Standing) -> Iterator[SeenRequest]:
    policy = standing.policy
    for service in policy.services.values():
        for host in service.hosts:
            there = host.replace("*.", "a.")
            found = policy.service_of_host(there)
            if decide_service(policy, found, standing.answers).allowed:
                yield SeenRequest(there, "/x.js", "script", "site.example/")

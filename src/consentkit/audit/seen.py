"""What was seen on a site: pages, visited in states, with all that was stored, sent and fetched.

It has never heard of a policy, nor of how one looks: a witness of headers alone and one with a
browser give the same values, and leave empty what they cannot see.

Nothing here holds a cookie's value, an item's content or the query of a foreign address: of a value
its `Shape` is kept, of an address its host and path. Lives are whole seconds, None for the session;
moments are milliseconds since the page was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field, FiniteFloat, TypeAdapter

from consentkit.rules.policy import Where

__all__ = [
    "FORMAT",
    "LARGEST",
    "Act",
    "Banner",
    "By",
    "Look",
    "Scan",
    "SeenCookie",
    "SeenItem",
    "SeenRequest",
    "SentCookie",
    "Shape",
    "ShownCookie",
    "State",
    "Violation",
    "Visit",
    "Witness",
    "scan_from_json",
    "scan_to_json",
]

FORMAT: Final = 1
"""The number of this form of a scan; raised when a reader of the old form would misread it."""


LARGEST: Final = 10**15
"""No number of a scan is larger, or smaller: a file that somebody else wrote has any."""
Number: TypeAlias = Annotated[int, Field(ge=-LARGEST, le=LARGEST)]


class State(StrEnum):
    """What a visitor did before the page was looked at; each begins with an empty browser."""

    UNTOUCHED = "untouched"
    """Nothing: the first visit."""
    REFUSED = "refused"
    """Refused everything optional."""
    GRANTED = "granted"
    """Granted everything."""
    WITHDRAWN = "withdrawn"
    """Granted everything, saw the page, and took it all back."""
    SIGNAL = "gpc"
    """Sends Global Privacy Control, and answers nothing."""


class Witness(StrEnum):
    """Who looked: what it cannot see stays empty."""

    HEADERS = "headers"
    BROWSER = "browser"


class By(StrEnum):
    """How a cookie came into the browser."""

    HEADER = "header"
    SCRIPT = "script"


class Shape(StrEnum):
    """What a value looks like: enough to tell an identifier from a choice, and no more."""

    EMPTY = "empty"
    FLAG = "flag"
    NUMBER = "number"
    TIME = "time"
    WORD = "word"
    LANGUAGE = "language"
    IDENTIFIER = "identifier"
    """A UUID, or a long run of hexadecimal or random signs."""
    STAMPED_IDENTIFIER = "stamped identifier"
    """An identifier with a time in it, as analytics tools make them."""
    SIGNED = "signed"
    """Parts with a signature, as sessions and tokens have them."""
    STRUCTURED = "structured"
    """JSON, a list, or several fields."""
    ADDRESS = "address"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class SeenCookie:
    """A cookie that a page stored.

    `domain` is where it goes back to, without a leading dot; `seconds` what it has to live from
    when it was set, None for the session. `initiator` is the host and path of the response, or of
    the script, that set it.
    """

    name: str
    domain: str
    path: str = "/"
    host_only: bool = True
    seconds: Number | None = None
    secure: bool = False
    http_only: bool = False
    same_site: Literal["none", "lax", "strict"] | None = None
    partitioned: bool = False
    third_party: bool = False
    by: By = By.HEADER
    initiator: str = ""
    moment: Number = 0
    shape: Shape = Shape.TEXT


@dataclass(frozen=True, slots=True)
class SentCookie:
    """A cookie that the browser sent, by name, and the host it went to."""

    name: str
    host: str


@dataclass(frozen=True, slots=True)
class SeenItem:
    """A key of web storage, or a database, that a page left behind; `host` is its origin's."""

    where: Where
    key: str
    host: str
    third_party: bool = False
    shape: Shape = Shape.TEXT


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request that went to another site.

    `what` is what asked: ``script``, ``image``, ``stylesheet``, ``font``, ``frame``, ``beacon``,
    ``fetch``, ``media``, ``websocket`` or ``other``.
    """

    host: str
    path: str = "/"
    what: str = "other"
    initiator: str = ""
    moment: Number = 0


@dataclass(frozen=True, slots=True)
class Violation:
    """What a Content-Security-Policy blocked: the directive, and a host or a word (``inline``)."""

    directive: str
    source: str


@dataclass(frozen=True, slots=True)
class Look:
    """How a button looks: CSS pixels, and colours as the browser computes them."""

    label: str
    width: Number
    height: Number
    font_size: FiniteFloat
    font_weight: str
    color: str
    background: str


@dataclass(frozen=True, slots=True)
class Banner:
    """A notice that asks, as it stood on a page.

    `tool` is ``consentkit``, the name of another's tool, or ``unknown``. A button that is not on
    the first layer is None. `axe` has the rules of axe-core that it breaks, None where axe-core was
    not there to ask.
    """

    tool: str
    accept: Look | None = None
    refuse: Look | None = None
    settings: str | None = None
    axe: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """One page in one state.

    `page` is its path and query on the site. `error` says why nothing was seen, and is empty
    otherwise. `screenshot` is the name of a file beside the report, or None. What is no HTML, a
    document of JSON or a picture, `is_page` no more: no notice belongs there. `language` is the
    tag that the page says it is written in, and empty where it says none.
    """

    page: str
    state: State
    status: Number = 0
    cookies: tuple[SeenCookie, ...] = ()
    sent: tuple[SentCookie, ...] = ()
    items: tuple[SeenItem, ...] = ()
    requests: tuple[SeenRequest, ...] = ()
    violations: tuple[Violation, ...] = ()
    banner: Banner | None = None
    title: str = ""
    screenshot: str | None = None
    error: str = ""
    is_page: bool = True
    language: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """How a state was come to: `clicks` it took, None where it could not be reached, and why."""

    state: State
    clicks: Number | None
    how: str = ""


@dataclass(frozen=True, slots=True)
class ShownCookie:
    """A row of the table that the site shows its visitors; `seconds` is None for the session."""

    name: str
    kind: str = ""
    seconds: Number | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """All that was seen of one site.

    `site` is its origin, `started` and `ended` are times in ISO 8601, UTC. `acts` has each state
    that took an act. `shown` is the declaration that the site shows, None where none was found.
    `left_out` says which pages were not visited, and why.
    """

    site: str
    witness: Witness
    started: str
    ended: str = ""
    states: tuple[State, ...] = tuple(State)
    visits: tuple[Visit, ...] = ()
    acts: tuple[Act, ...] = ()
    shown: tuple[ShownCookie, ...] | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT
    made_by: str = ""


@cache
def _adapter() -> TypeAdapter[Scan]:
    return TypeAdapter(Scan)


def scan_to_json(scan: Scan) -> dict[str, Any]:
    """A scan as plain values for JSON; what is as by default is left out."""
    plain: dict[str, Any] = _adapter().dump_python(scan, mode="json", exclude_defaults=True)
    return {**plain, "format": scan.format}


def scan_from_json(plain: object) -> Scan:
    """The scan that plain values tell of; pydantic's ValidationError where they tell of none."""
    return _adapter().validate_python(plain)

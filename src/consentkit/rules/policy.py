"""What a site declares: purposes, cookies, services, and who answers for them.

It has never heard of HTTP, of files, or of a visitor.

A `Policy` is loaded, checked and compiled once, and never changes. In YAML its keys are written
with dashes (``ask-again-after``), in Python with underscores. Durations are whole seconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    TypeAlias,
    TypeVar,
    get_args,
)

from pydantic import Field, field_validator

from consentkit.rules.hosts import HostIndex, is_at_or_below, plain_host
from consentkit.rules.integrations import Integrations
from consentkit.rules.names import NameIndex
from consentkit.rules.paths import PathIndex
from consentkit.rules.shapes import (
    DAY,
    IN_A_FILE,
    ONE_OR_SEVERAL,
    Duration,
    Model,
    Purposes,
    Switch,
    Text,
    as_in_a_file,
    parse_duration,
    print_duration,
)
from consentkit.rules.signals import Signal
from consentkit.rules.yaml_print import print_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "COUNTRIES",
    "DAY",
    "IN_A_FILE",
    "LONGEST",
    "PRESETS",
    "SHOWN",
    "Banner",
    "Basis",
    "CookieAttributes",
    "Csp",
    "DeclaredCookie",
    "Duration",
    "Item",
    "Justification",
    "Kind",
    "Mode",
    "PagesMode",
    "Policy",
    "Preset",
    "PresetRules",
    "Purpose",
    "Question",
    "Service",
    "Site",
    "StoredItem",
    "TakesEffect",
    "Text",
    "TokenOptions",
    "Transfer",
    "Undeclared",
    "Where",
    "parse_duration",
    "print_duration",
]

LONGEST: Final = 400 * DAY
"""No cookie lives longer, in seconds: 400 days (RFC 6265bis §5.5; LAW R-24)."""


class Kind(StrEnum):
    """How a declared cookie lives."""

    SESSION = "session"
    PERSISTENT = "persistent"
    POLL_TIMEOUT = "poll-timeout"
    ANALYTICS = "analytics"


class Basis(StrEnum):
    """Why a purpose is allowed at all."""

    STRICTLY_NECESSARY = "strictly-necessary"
    CONSENT = "consent"
    IMPLIED = "implied"
    OPT_OUT = "opt-out"


class Mode(StrEnum):
    """The basis of every purpose that names none."""

    EXPLICIT = "explicit"
    IMPLIED = "implied"
    OPT_OUT = "opt-out"


BASIS_OF_MODE: Final = MappingProxyType(
    {Mode.EXPLICIT: Basis.CONSENT, Mode.IMPLIED: Basis.IMPLIED, Mode.OPT_OUT: Basis.OPT_OUT}
)


class Undeclared(StrEnum):
    """What happens to a cookie that no declaration covers."""

    REPORT = "report"
    BLOCK = "block"
    HIDE = "hide"


class TakesEffect(StrEnum):
    """When implied consent begins to count."""

    NEXT_PAGE = "next-page"
    AT_ONCE = "at-once"


class Csp(StrEnum):
    """Whether the answers are also said to the browser, as a Content-Security-Policy (R-55)."""

    OFF = "off"
    REPORT = "report"
    ENFORCE = "enforce"


class PagesMode(StrEnum):
    """Whose a page is: each visitor's own, or one for all, for a cache that keeps pages."""

    PRIVATE = "private"
    SHARED = "shared"


class Where(StrEnum):
    """Where a browser keeps what is no cookie (LAW R-29)."""

    LOCAL = "local"
    SESSION = "session"
    INDEXED_DB = "indexed-db"


class Preset(StrEnum):
    """A jurisdiction whose rules a policy says it keeps (LAW §2)."""

    EU = "eu"
    DE = "de"
    ES = "es"
    FR = "fr"
    IT = "it"
    NL = "nl"
    UK = "uk"
    US_CA = "us-ca"
    US_UOOM = "us-uoom"
    US_FEDERAL = "us-federal"
    US_LOCALGOV = "us-localgov"
    US_MN_GOV = "us-mn-gov"
    US_OTHER = "us-other"


class PresetRules(NamedTuple):
    """What a preset asks of a policy; of several presets the strictest rule holds.

    `bases` are those an optional purpose may have, `longest` is the most a cookie may live and
    `ask_again` the least time until a visitor is asked again, both in seconds. Where
    `signals_win`, a signal outweighs also a grant that was given while it was on (R-37).
    """

    bases: frozenset[Basis]
    longest: int
    ask_again: int
    signals_win: bool = False


class Justification(StrEnum):
    """Why an item is strictly necessary: the closed list (WP 194; LAW R-30)."""

    USER_INPUT = "user-input"
    AUTHENTICATION = "authentication"
    SECURITY = "security"
    LOAD_BALANCING = "load-balancing"
    MEDIA_PLAYBACK = "media-playback"
    INTERFACE_CHOICE = "interface-choice"
    CONSENT_RECORD = "consent-record"


COUNTRIES: Final = frozenset(
    re.findall(
        "[A-Z]{2}",
        "AT AU BE BG BR CA CH CN CY CZ DE DK EE ES FI FR GB GR HR HU IE IL IN IS IT JP KR LI LT LU "
        "LV MT NL NO NZ PL PT RO RU SE SG SI SK TR UA US ZA",
    )
)
"""Codes of the countries that every language of the notice has a name for (ISO 3166-1)."""

Transfer = Text | tuple[str, ...]
"""Where data goes: codes of countries, named in the visitor's language, or words."""

_ASKED_FIRST: Final = frozenset({Basis.CONSENT})
_ANY_BASIS: Final = frozenset({Basis.CONSENT, Basis.IMPLIED, Basis.OPT_OUT})
_HALF_A_YEAR: Final = 182 * DAY
_YEAR: Final = 365 * DAY
_EU: Final = PresetRules(_ASKED_FIRST, longest=395 * DAY, ask_again=_HALF_A_YEAR)
_US: Final = PresetRules(_ANY_BASIS, longest=LONGEST, ask_again=_YEAR)

PRESETS: Final = MappingProxyType(
    {
        **dict.fromkeys((Preset.EU, Preset.DE, Preset.ES, Preset.FR, Preset.IT, Preset.NL), _EU),
        # Statistics and appearance may rest on an objection (PECR Sch. A1 paras 5-6).
        Preset.UK: _EU._replace(bases=frozenset({Basis.CONSENT, Basis.OPT_OUT})),
        **dict.fromkeys((Preset.US_CA, Preset.US_UOOM), _US._replace(signals_win=True)),
        **dict.fromkeys(
            (Preset.US_FEDERAL, Preset.US_LOCALGOV, Preset.US_MN_GOV, Preset.US_OTHER), _US
        ),
    }
)
"""The rules of each preset that a policy can be held to; guidance, not legal advice (LAW §2)."""


class Site(Model):
    """The site and who answers for it."""

    name: str
    """The name a visitor knows the site by."""
    controller: str
    """Who answers for what is stored (GDPR 4(7)); the notice names it."""
    contact: str | None = None
    """Where a visitor may write: an e-mail address or a page."""
    updated: date | None = None
    """The day this declaration was last checked."""
    policy: str | None = None
    """The site's own privacy or cookie page; the notice links to it."""
    hosts: tuple[str, ...] = ()
    """The site's other hosts; ``*.example.com`` covers sub-domains."""


class Purpose(Model):
    """Why something is stored or read; what a visitor answers to."""

    basis: Basis | None = None
    """Why it is allowed at all; taken from the policy's `mode` where absent."""
    justification: Justification | None = None
    """For strictly necessary purposes: which of the exempt reasons holds (R-30)."""
    title: Text
    """A few words: the label of the switch."""
    description: Text
    """One or two sentences for the visitor."""
    honours: frozenset[Signal] = frozenset({Signal.GPC})
    """Signals that answer *refused* on the visitor's behalf."""
    since: int = Field(default=1, ge=1)
    """The revision at which this purpose began or last changed."""


class CookieAttributes(Model):
    """What the cookie's attributes are raised to; nothing is ever lowered."""

    secure: Switch = False
    """True: it travels over HTTPS alone."""
    http_only: Switch = False
    """True: no script of a page can read it."""
    same_site: Literal["none", "lax", "strict"] | None = None
    """Whether other sites' pages may send it: none (they may), lax (links alone) or strict."""
    partitioned: Switch = False
    """True: inside other sites' pages there is one for each of those sites."""


class DeclaredCookie(Model):
    """One admitted cookie. Its name is its key in the policy's `cookies`."""

    kind: Kind
    """How it lives: session, persistent, poll-timeout or analytics."""
    purpose: Purposes
    """One purpose or several; it is allowed only if every one is (R-28)."""
    justification: Justification | None = None
    """Which of the exempt reasons holds (R-30); may stand on the purpose instead."""
    service: str | None = None
    """The service that sets it, if it is not the site itself."""
    duration: Duration | None = None
    """How long it may live, in seconds; for session cookies nothing."""
    description: Text
    """What it does, in one or two sentences for the visitor."""
    more: str | None = None
    """A page that says more."""
    path: str = "/"
    """The path it is set for."""
    domain: str | None = None
    """The domain it is set for; absent for the host alone."""
    party: Literal["first", "third"] = "first"
    """Whose host stores it."""
    recipients: Text | None = None
    """Who else gets the data."""
    transfer: Transfer | None = None
    """The countries the data goes to: codes such as ``[US, IE]``, or words."""
    attributes: CookieAttributes = CookieAttributes()
    """Secure, HttpOnly, SameSite, Partitioned: raised to these, never lowered."""
    chunked: Switch = False
    """True if a long value is cut into ``nameC1``, ``name-0``, ``name.0`` …"""
    renew: Switch = True
    """False: a later visit never extends it (R-25)."""
    since: int = Field(default=1, ge=1)
    """The revision at which it was added or last changed."""
    name: str = Field(default="", exclude=True)


class StoredItem(Model):
    """One admitted item of web storage. Its key is its key in the policy's `storage`."""

    where: Where
    """Which storage of the browser keeps it."""
    purpose: Purposes
    """One purpose or several; it is allowed only if every one is (R-28)."""
    justification: Justification | None = None
    """Which of the exempt reasons holds (R-30); may stand on the purpose instead."""
    service: str | None = None
    """The service that stores it, if it is not the site itself."""
    duration: Duration | None = None
    """After how long the site deletes it, in seconds; absent where nothing does."""
    description: Text
    """What it does, in one or two sentences for the visitor."""
    more: str | None = None
    """A page that says more."""
    recipients: Text | None = None
    """Who else gets the data."""
    transfer: Transfer | None = None
    """The countries the data goes to: codes such as ``[US, IE]``, or words."""
    since: int = Field(default=1, ge=1)
    """The revision at which it was added or last changed."""
    name: str = Field(default="", exclude=True)


Shown = Literal["video", "map", "social", "form", "chat", "other"]

SHOWN: Final[tuple[Shown, ...]] = get_args(Shown)
"""What a service may show in a page."""


class Service(Model):
    """An outside thing embedded in the site's pages."""

    purpose: Purposes
    """One purpose or several."""
    title: Text | None = None
    """The name visitors know it by."""
    provider: str
    """The organisation behind it."""
    hosts: tuple[str, ...] = ()
    """Where it loads from; ``*.example.com`` covers sub-domains."""
    inline: tuple[str, ...] = ()
    """An inline script that has one of these texts in it belongs to the service."""
    shows: Shown | None = None
    """What it shows in a page: what a placeholder calls it."""
    privacy: str | None = None
    """Its privacy page."""
    opt_out: str | None = None
    """Where one can opt out at the provider."""
    transfer: Transfer | None = None
    """The countries the data goes to: codes such as ``[US, IE]``, or words."""
    since: int = Field(default=1, ge=1)
    """The revision at which it was added or last changed."""


class Banner(Model):
    """The site's own words for the banner; what is absent comes from the language file."""

    title: Text | None = None
    """The heading."""
    body: Text | None = None
    """What the site asks, and what for."""
    accept: Text | None = None
    """The label of the button that grants everything."""
    reject: Text | None = None
    """The label of the button that refuses everything."""
    layout: Literal["top", "sticky", "bottom", "corner"] | None = None
    """Where it stands; the default is `top`, for implied consent `bottom`."""


class TokenOptions(Model):
    """How the consent token is named and shared."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "consent"
    """Without prefix; ``__Host-`` or ``__Secure-`` is put before it."""
    domain: str | None = None
    """Shares the answers with the sub-domains of this one."""
    same_site: Literal["lax", "strict"] = "lax"
    """`strict` if not even a link from another site may bring the answers along."""


_Named = TypeVar("_Named", DeclaredCookie, StoredItem)

Item: TypeAlias = DeclaredCookie | StoredItem | Service
"""What stands under a purpose."""


class Question(NamedTuple):
    """One thing a visitor answers to: a purpose as it stands since a revision."""

    purpose: str
    since: int


def _leaves_alone_for(data: dict[str, Any]) -> int:
    rules = [PRESETS[preset] for preset in PRESETS if preset in data.get("preset", ())]
    return max((each.ask_again for each in rules), default=_HALF_A_YEAR)


class Policy(Model):
    """Everything a site declares, frozen and compiled."""

    site: Site
    """The site, with its 'name' and its 'controller'."""
    mode: Mode
    """The basis of every purpose that names none."""
    preset: Annotated[tuple[Preset, ...], ONE_OR_SEVERAL] = ()
    """The jurisdictions whose rules this policy is held to."""
    takes_effect: TakesEffect = TakesEffect.NEXT_PAGE
    """When implied consent begins to count."""
    revision: int = Field(default=1, ge=1)
    """Raise it and visitors are asked again about what changed."""
    ask_again_after: Duration = Field(default_factory=_leaves_alone_for)
    """Seconds until a visitor is asked again (R-19); six months, or what the presets ask."""
    languages: tuple[str, ...] = ("en",)
    """Language tags of the notice; the first is the fall-back."""
    purposes: dict[str, Purpose]
    """Why something is stored; each has a 'title' and a 'description'."""
    cookies: dict[str, DeclaredCookie] = Field(default={})
    """What is stored, by name."""
    storage: dict[str, StoredItem] = Field(default={})
    """What is kept in web storage, by key."""
    services: dict[str, Service] = Field(default={})
    """Outside things in the site's pages."""
    undeclared: Undeclared = Undeclared.BLOCK
    """What happens to cookies no declaration covers."""
    settings_link: Literal["auto", "manual", "always"] = "auto"
    """`manual` where the site's own pages link to the preferences; `always` shows a quiet line even
    where nothing is optional."""
    child_directed: tuple[str, ...] = ()
    """Paths of pages for children, as `/kids`: nothing optional is on there and below (R-11)."""
    csp: Csp = Csp.OFF
    """Whether a Content-Security-Policy also keeps out the hosts of what is not allowed."""
    pages: PagesMode = PagesMode.PRIVATE
    """`shared` where a cache keeps one page for all visitors."""
    guard: Switch = False
    """True: a script keeps other scripts from setting what is not allowed."""
    integrations: Integrations = Integrations()
    """Other makers' consent interfaces that are told the visitor's answers."""
    placeholders: tuple[str, ...] = ()
    """Paths of the pages in which ``data-consentkit`` elements are filled in."""
    banner: Banner = Banner()
    """The site's own words for the banner."""
    texts: dict[str, dict[str, str]] = Field(default={})
    """The site's own words for any text of the notice: by language, then by the text's key."""
    templates: str | None = None
    """A folder of the site's own templates; in a file, its path counts from the file's folder."""
    token: TokenOptions = TokenOptions()
    """How the visitor's answers are kept."""

    @field_validator("cookies", "storage", mode="before")
    @classmethod
    def _told_their_names(cls, items: object) -> object:
        # What is told before it is made need not be copied afterwards.
        if not isinstance(items, Mapping):
            return items
        return {
            name: {"name": name, **item} if isinstance(item, dict) else item
            for name, item in items.items()
        }

    @field_validator("cookies", "storage", mode="after")
    @classmethod
    def _name_each(cls, items: dict[str, _Named]) -> dict[str, _Named]:
        for name, item in items.items():
            if item.name not in ("", name):
                raise ValueError("an item's name is its key; it has no key 'name'")
        return {
            name: item if item.name else item.model_copy(update={"name": name})
            for name, item in items.items()
        }

    def declaration_of(self, name: str) -> DeclaredCookie | None:
        """The declaration that covers a cookie name, or None if it is undeclared.

        An exact name beats a pattern, the longer literal beats the shorter.
        """
        return self._names.find(name)

    def service_of_host(self, host: str) -> str | None:
        """The service that loads from a host, or None if none is declared to.

        `host` has no port and is ASCII. An exact host beats a pattern, the longest pattern wins.
        """
        return self._hosts.find(host)

    def is_for_children(self, path: str) -> bool:
        """True for a path at or below one of `child_directed`, in any spelling (LAW R-11)."""
        return bool(self.child_directed) and self._paths_for_children.covers(path)

    def is_first_party(self, host: str, page_host: str) -> bool:
        """True for a host of the site itself, seen from a page at `page_host`; both without port.

        Own is the page's host, what is below it (``www.`` aside), the site's `hosts` and the
        domain that shares the token. Except for the page's own host, a declared service's wins.
        """
        name, page = plain_host(host), plain_host(page_host)
        if name == page:
            return True
        if self._hosts.find(name) is not None:
            return False
        bare = page.removeprefix("www.")
        own = [bare if "." in bare else page, *self._token_domain]
        if any(is_at_or_below(name, domain) for domain in own):
            return True
        return self._own_hosts.find(name) is not None

    @cached_property
    def services_with_markers(self) -> Mapping[str, tuple[str, ...]]:
        """Each text by which an inline script is known, with the services that have it."""
        found: dict[str, tuple[str, ...]] = {}
        for name, service in self.services.items():
            for marker in dict.fromkeys(service.inline):
                found[marker] = (*found.get(marker, ()), name)
        return MappingProxyType(found)

    def basis_of(self, purpose: str) -> Basis:
        """Why a purpose is allowed at all."""
        return self.purposes[purpose].basis or BASIS_OF_MODE[self.mode]

    @cached_property
    def optional_purposes(self) -> tuple[str, ...]:
        """The purposes a visitor answers to, in the order of the file."""
        return tuple(
            name for name in self.purposes if self.basis_of(name) is not Basis.STRICTLY_NECESSARY
        )

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """Everything a visitor may be asked: each optional purpose since each of its changes.

        A purpose as such comes first, then what was added to it later. A grant covers what
        stood in the policy when it was given, and nothing that came after (R-08).
        """
        asked: dict[Question, None] = {}
        for name in self.optional_purposes:
            own = self._since(self.purposes[name].since)
            later = {self._since(item.since) for item in self._items_of(name)}
            asked |= dict.fromkeys(
                Question(name, since) for since in (own, *sorted(later)) if since >= own
            )
        return tuple(asked)

    @cached_property
    def longest(self) -> int:
        """The most that a cookie may live, in seconds: what browsers and the presets allow (R-24).

        >>> min(PRESETS[preset].longest for preset in ("eu", "us-ca")) // DAY
        395
        """
        return min((LONGEST, *(PRESETS[preset].longest for preset in set(self.preset))))

    @cached_property
    def signals_win(self) -> bool:
        """True where a preset lets a signal outweigh every grant (R-37)."""
        return any(PRESETS[preset].signals_win for preset in self.preset)

    def items(self) -> Iterator[tuple[str, str, Item]]:
        """Everything that stands under a purpose: its section, its name, and itself."""
        for section in ("cookies", "storage", "services"):
            for name, item in getattr(self, section).items():
                yield section, name, item

    def questions_of(self, cookie: DeclaredCookie) -> tuple[int, ...]:
        """Places in `questions` of all that must be allowed before this cookie is."""
        return self._questions_by_item["cookies", cookie.name]

    def questions_of_service(self, name: str) -> tuple[int, ...]:
        """Places in `questions` of all that must be allowed before this service may load."""
        return self._questions_by_item["services", name]

    @cached_property
    def has_unmarked_changes(self) -> bool:
        """True if the revision was raised and nothing says since when it stands as it does."""
        purposes = self.purposes.values()
        return all(
            item.since != self.revision
            for item in (*purposes, *(item for _, _, item in self.items()))
        )

    def _since(self, since: int) -> int:
        # A raised revision that marks no change means: everything changed.
        return self.revision if self.has_unmarked_changes else since

    def _items_of(self, purpose: str) -> list[Item]:
        return [item for _, _, item in self.items() if purpose in item.purpose]

    @cached_property
    def _names(self) -> NameIndex[DeclaredCookie]:
        chunked = [name for name, cookie in self.cookies.items() if cookie.chunked]
        return NameIndex(self.cookies, chunked)

    @cached_property
    def _hosts(self) -> HostIndex[str]:
        hosts: dict[str, str] = {}
        for name, service in self.services.items():
            for host in service.hosts:
                hosts.setdefault(plain_host(host), name)
        return HostIndex(hosts)

    @cached_property
    def _paths_for_children(self) -> PathIndex:
        return PathIndex(self.child_directed)

    @cached_property
    def _own_hosts(self) -> HostIndex[bool]:
        return HostIndex(dict.fromkeys(self.site.hosts, True))

    @cached_property
    def _token_domain(self) -> tuple[str, ...]:
        return (plain_host(self.token.domain),) if self.token.domain else ()

    @cached_property
    def _questions_by_item(self) -> Mapping[tuple[str, str], tuple[int, ...]]:
        place = {question: index for index, question in enumerate(self.questions)}
        return {
            (section, name): tuple(
                place[Question(purpose, self._when_both_stood(purpose, item))]
                for purpose in item.purpose
                if purpose in self.optional_purposes
            )
            for section, name, item in self.items()
        }

    def _when_both_stood(self, purpose: str, item: Item) -> int:
        return self._since(max(self.purposes[purpose].since, item.since))

    def to_yaml(self) -> str:
        """The text of a policy file that says the same; what is as by default is left out.

        `read_policy` makes an equal policy of it. Bases, frameworks and the catalogue's words are
        written out; what a service of the catalogue leaves open is filled in when it is read.
        """
        return print_yaml(as_in_a_file(self))

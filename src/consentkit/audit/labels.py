"""What a name that nobody declared probably is: a label for people, and the shape of a value.

It has never heard of a policy, nor of a decision: a name and what was seen of it in, a label out.
A label allows nothing and blocks nothing; enforcement cannot even import it.

What the catalogue knows comes first, then what frameworks store of their own, then words in the
name, with the life, the party, HttpOnly and the value's shape beside them. To take a tracker for
strictly necessary is the one error that harms visitors, so every doubt ends in ``unknown``: a sign
of tracking outweighs any other, and a session's or a login's name counts only where HttpOnly is.
How often that is right was measured on lists that others made: ``benchmarks/labels``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from consentkit.audit.seen import Shape
from consentkit.events import span_in_words
from consentkit.rules import catalogue
from consentkit.rules.names import NameIndex
from consentkit.rules.policy import DAY
from consentkit.rules.trackers import TRACKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Confidence", "Label", "Nature", "label_by_rules", "label_of", "shape_of"]


class Nature(StrEnum):
    """Which side of the law's line a name is probably on."""

    NECESSARY = "necessary"
    """Strictly necessary, as far as can be told from outside; whoever runs the site knows."""
    TRACKING = "tracking"
    UNKNOWN = "unknown"
    """Neither can be said; also a choice, a chat or a film, which are neither."""


class Confidence(StrEnum):
    """What a label rests on."""

    KNOWN = "known"
    """The catalogue has the name, and nobody else uses it."""
    LIKELY = "likely"
    """A word that is seldom used for anything else, or a name that frameworks use."""
    WEAK = "weak"
    """A short word, or what was seen of the value and the life alone."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Label:
    """What a name probably is: for people to read, and never to decide by.

    `why` is one sentence, and holds no value. `known` is the catalogue's entry, None where it has
    none or has one that others use too.
    """

    nature: Nature
    purpose: catalogue.Suggestion | None
    why: str
    known: catalogue.KnownCookie | None = None
    confidence: Confidence = Confidence.NONE

    @property
    def is_tracking(self) -> bool:
        """True for `Nature.TRACKING` alone: what is unknown may track all the same."""
        return self.nature is Nature.TRACKING


# Shapes of values

MOST_LOOKED_AT: Final = 4096
"""Characters of a value that are looked at; a cookie has no more, an item may."""
LEAST_DIGITS: Final = 9
"""A number of so many digits tells one visitor from another."""
LEAST_RANDOM: Final = 16
LEAST_HEX: Final = 12
LEAST_SIGNATURE: Final = 20

_FLAGS: Final = frozenset(
    (
        *("0", "1", "true", "false", "yes", "no", "on", "off", "y", "n", "t", "f"),
        *("null", "none", "undefined", "enabled", "disabled", "allow", "deny", "dismiss"),
        *("granted", "denied", "accepted", "rejected", "refused"),
    )
)
_LANGUAGES: Final = frozenset(
    (
        *("ar", "bg", "bs", "ca", "cs", "cy", "da", "de", "el", "en", "es", "et", "eu", "fa", "fi"),
        *("fr", "ga", "gl", "he", "hi", "hr", "hu", "id", "is", "it", "ja", "ka", "ko", "lb", "lt"),
        *("lv", "mk", "ms", "mt", "nb", "nl", "nn", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr"),
        *("sv", "th", "tr", "uk", "ur", "vi", "zh"),
    )
)
_LANGUAGE: Final = re.compile(r"([A-Za-z]{2})(?:[-_][A-Za-z]{4})?(?:[-_][A-Za-z]{2})?")
_TIME: Final = re.compile(
    r"1[0-9]{9}(?:[0-9]{3}|[0-9]{6}|\.[0-9]{1,9})?"
    r"|(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9](?:[T +][0-9:.]{4,18}(?:Z|[+-][0-9:]{4,6})?)?"
)
"""Seconds, milliseconds or microseconds from 2001 to 2033, or a day as ISO 8601 has it."""
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,8}|[0-9]{1,19}\.[0-9]{1,19})")
_ADDRESS: Final = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]{1,15}:)?//[^\s/]|/(?:[A-Za-z0-9_.~-]{0,64}/|$)"
    r"|[^\s@]{1,64}@[A-Za-z0-9-]{1,63}\.[A-Za-z]|(?:[0-9]{1,3}\.){3}[0-9]{1,3}$"
    r"|(?:[a-z0-9-]{1,63}\.){1,4}(?:com|de|eu|example|fr|io|net|org|test|uk)$"
)
_FIELDS: Final = re.compile(r"[\[{]|[A-Za-z0-9_.-]{1,64}[=:][^&|,;]{0,512}[&|,;]")
_LIST: Final = re.compile(r"[A-Za-z0-9_. -]{0,64}[,|&;]|[A-Za-z0-9_.-]{1,64}=|eyJ[A-Za-z0-9]")
_WORD: Final = re.compile(r"[A-Za-z]{1,24}(?:[-_. ][A-Za-z]{1,24}){0,3}[0-9]{0,2}")
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_RANDOM: Final = re.compile(r"[A-Za-z0-9_+/-]+={0,2}")
_SEPARATORS: Final = re.compile(r"[^A-Za-z0-9_+/=-]+|--|__")


def shape_of(value: str) -> Shape:
    """What a value looks like: any text, in time that its length bounds; nothing of it is kept.

    >>> shape_of("GA1.1.2054113279.1700000000").value, shape_of("dark").value
    ('stamped identifier', 'word')
    """
    text = value[:MOST_LOOKED_AT]
    text = (unquote(text) if "%" in text else text).strip().strip('"')
    if not text:
        return Shape.EMPTY
    return next((shape for shape, has_it in _SHAPES if has_it(text)), Shape.TEXT)


def _is_language(text: str) -> bool:
    found = _LANGUAGE.fullmatch(text)
    return found is not None and found[1].lower() in _LANGUAGES


def _is_signed(text: str) -> bool:
    """True if a signature ends it, and what is signed (more than times) stands before."""
    *signed, signature = [part for part in _SEPARATORS.split(text) if part] or [""]
    return (
        len(signature) >= LEAST_SIGNATURE
        and _is_random(signature)
        and len(_SEPARATORS.findall(text)) <= 4
        and any(not part.isdigit() for part in signed)
    )


def _is_stamped(text: str) -> bool:
    """True if there is a time among its parts, and another number or an identifier."""
    parts = [part for part in re.split(r"[^A-Za-z0-9]+", text) if part]
    times = sum(_TIME.fullmatch(part) is not None for part in parts)
    return times > 1 or (times == 1 and any(map(_is_mark, parts)))


def _is_identifier(text: str) -> bool:
    return _UUID.search(text) is not None or any(map(_is_mark, _SEPARATORS.split(text)))


def _is_mark(part: str) -> bool:
    """True for what tells one visitor from all others: a long number, or a long random text."""
    if part.isdigit():
        return len(part) >= LEAST_DIGITS and not _TIME.fullmatch(part)
    return _is_random(part)


def _is_random(part: str) -> bool:
    """True for a long run of signs that nobody wrote: digits among letters, or mixed cases."""
    if len(part) < LEAST_HEX or _RANDOM.fullmatch(part) is None:
        return False
    kinds = [any(map(is_so, part)) for is_so in (str.isdigit, str.isupper, str.islower)]
    if not set(part.lower()) - set("0123456789abcdef"):
        return kinds[0] and sum(kinds) > 1
    turns = sum(a.islower() and b.isupper() for a, b in pairwise(part))
    return len(part) >= LEAST_RANDOM and (turns > 3 or (kinds[0] and sum(kinds) > 1))


_SHAPES: Final[tuple[tuple[Shape, Callable[[str], object]], ...]] = (
    (Shape.FLAG, lambda text: text.lower() in _FLAGS),
    (Shape.LANGUAGE, _is_language),
    (Shape.TIME, _TIME.fullmatch),
    (Shape.NUMBER, _NUMBER.fullmatch),
    (Shape.ADDRESS, _ADDRESS.match),
    (Shape.STRUCTURED, _FIELDS.match),
    (Shape.SIGNED, _is_signed),
    (Shape.STAMPED_IDENTIFIER, _is_stamped),
    (Shape.IDENTIFIER, _is_identifier),
    (Shape.STRUCTURED, _LIST.match),
    (Shape.WORD, _WORD.fullmatch),
)
"""The first that fits is the shape; none needs more than a few passes over the text."""


# Signs in names


class _Sign(NamedTuple):
    """Words that speak for a nature.

    `parts` are whole parts of a name: ``_ad_id`` has ``ad``, ``adminMenu`` has not. `inside` may
    stand anywhere in it; `part` fits a part, and `whole` all of it.
    """

    nature: Nature
    purpose: catalogue.Suggestion | None
    told: str
    parts: frozenset[str]
    inside: frozenset[str] = frozenset()
    part: re.Pattern[str] | None = None
    whole: re.Pattern[str] | None = None


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TRACKING_SIGNS: Final = (
    _Sign(
        Nature.TRACKING,
        "advertising",
        "as in names that advertising uses",
        _words(
            "ad ads adv adid aff affiliate bid bids bidder buid click clickid clid clk conversion "
            "cto dclid dmp dpm dsp fbc fbclid fbp gcl gclid iab idfa msclkid n360 px pxl ssp sync "
            "syncs tdid trd ttd ttp um uids"
        ),
        _words(
            "adform adnxs adroll advert appnexus audience bidswitch bluekai campaign criteo demdex "
            "doubleclick everest exponea krux lotame mediamath openx outbrain pixel pubmatic "
            "quantcast remarket retarget rubicon sharethrough sponsor taboola tapad teads "
            "tradedesk triplelift uidsync usersync yieldlab"
        ),
        re.compile(r"ad[bcfgklnpqstx][a-z]*|rtb[a-z]*"),
    ),
    _Sign(
        Nature.TRACKING,
        "analytics",
        "as in names that tell visitors apart or count what they do",
        _words(
            "ab abtest ajs amcv amcvs bucket exps expid fathom funnel ga gac gat gid hj hp2 "
            "impression impressions insp interaction mp pk ref returning rum sbjs source stat "
            "stats track tracked tracker trc trk umami unique utm utma utmb utmc utmv utmz variant "
            "variation vis visit visits vst"
        ),
        _words(
            "amplitude analytic anonid anonymous-id anonymous_id anonymousid beacon browserid "
            "crazyegg device-id device_id deviceid experiment fingerprint first_visit firstpage "
            "firstvisit heatmap hotjar landing_page landingpage last_visit lastvisit matomo metric "
            "mixpanel optimizely page_view pageview piwik referer referrer replay snowplow "
            "statistic telemetry tracker tracking visitor"
        ),
        re.compile(r"[a-z]{0,3}(?:cid|uid|uuid|vid)"),
    ),
)
_NECESSARY_SIGNS: Final = (
    _Sign(
        Nature.NECESSARY,
        "necessary",
        "as in tokens that keep forged forms out",
        _words("csrf csrftoken xsrf antiforgery"),
        _words("antiforgery authenticity_token csrf requestverificationtoken xsrf"),
    ),
    _Sign(
        Nature.NECESSARY,
        "necessary",
        "as in what keeps an answer to a cookie notice",
        _words("consent euconsent cookieconsent cookielaw usprivacy"),
        _words("cookie-consent cookie_consent cookieconsent euconsent"),
    ),
    _Sign(
        Nature.NECESSARY,
        "necessary",
        "as in what keeps a visitor's basket",
        frozenset(),
        whole=re.compile(
            r"(?:[a-z0-9]{1,20}[_.-])?(?:shopping[_-]?)?(?:basket|cart|checkout)"
            r"(?:[_-]?(?:hash|id|items|key|session|token))?"
        ),
    ),
    _Sign(
        Nature.NECESSARY,
        "necessary",
        "as in what keeps a visitor at one of several servers",
        _words("sticky affinity loadbalancer"),
        _words("loadbalanc session_affinity sessionaffinity"),
    ),
)
_SESSION_SIGN: Final = _Sign(
    Nature.NECESSARY,
    "necessary",
    "as in sessions and logins, and no script can read it",
    _words(
        "auth jsessionid jwt logged login nonce oauth oidc phpsessid remember rememberme saml sess "
        "sessid session sessionid sid sso"
    ),
    _words("logged_in remember_me sessid session"),
)
_CHOICE_SIGN: Final = _Sign(
    Nature.UNKNOWN,
    "preferences",
    "as in what keeps a visitor's choice",
    _words(
        "collapsed color colour contrast country currency dark darkmode font fontsize lang "
        "language layout locale region sidebar sort theme timezone tz view volume"
    ),
    _words("dark_mode darkmode fontsize language locale preference timezone"),
)
_CHAT_SIGN: Final = _Sign(
    Nature.UNKNOWN,
    "chat",
    "as in chats",
    _words("chat intercom crisp tawk zopim drift livechat zendesk"),
    _words("intercom livechat tawk zendesk"),
)


# Labels

MOST_OF_A_NAME: Final = 256
"""Characters of a name that are looked at."""
LONG: Final = 30 * DAY
LONGEST_NECESSARY: Final = 400 * DAY
_PART: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_BETWEEN: Final = re.compile(r"[^A-Za-z0-9]+")
_FOR_GOOD: Final = frozenset(("local", "indexed-db"))
_MARKS: Final = frozenset((Shape.IDENTIFIER, Shape.STAMPED_IDENTIFIER))


class _Found(NamedTuple):
    """A sign, and the word of it that a name has."""

    sign: _Sign
    word: str

    @property
    def told(self) -> str:
        return f"'{self.word}' in its name, {self.sign.told}"

    @property
    def confidence(self) -> Confidence:
        return Confidence.LIKELY if len(self.word) > 3 else Confidence.WEAK


class _Seen(NamedTuple):
    """What was seen of a name, beside the name."""

    where: str
    seconds: int | None
    shape: Shape | None
    third_party: bool
    http_only: bool

    @property
    def long_life(self) -> str:
        """How long it lives, in words; nothing where that is not long."""
        if self.where in _FOR_GOOD:
            return "stays until somebody removes it"
        is_long = self.seconds is not None and self.seconds >= LONG
        return f"lives for {span_in_words(self.seconds or 0)}" if is_long else ""


def label_of(  # noqa: PLR0913  # each is a fact that a witness may have
    name: str,
    *,
    where: str = "cookie",
    seconds: int | None = None,
    shape: Shape | None = None,
    host: str | None = None,
    third_party: bool = False,
    http_only: bool = False,
) -> Label:
    """What a cookie, or a key of storage, of this name probably is; any text may be asked for.

    `where` is ``cookie``, or one of ``local``, ``session`` and ``indexed-db``. `seconds` is what it
    has to live, None for the session or where nobody knows; `host` where it goes to, or whose page
    left it.

    >>> label_of("_ga").nature.value, label_of("csrf_token").nature.value
    ('tracking', 'necessary')
    """
    known = catalogue.known_cookie(name) if where == "cookie" else catalogue.known_storage(name)
    if known is not None and not known.shared:
        return _label_of_known(known)
    framework = _framework_with(name, http_only=http_only) if where == "cookie" else None
    if framework is not None and not third_party:
        why = f"{framework.title} has a cookie of this name, which works only with it."
        return Label(Nature.NECESSARY, "necessary", why, None, Confidence.LIKELY)
    service = catalogue.service_of_host(host) if host and third_party else None
    if service is not None:
        is_tracker = service.purpose in TRACKING
        nature = Nature.TRACKING if is_tracker else Nature.UNKNOWN
        why = f"It belongs to a host of {service.title}."
        return Label(nature, service.purpose, why, None, Confidence.LIKELY)
    label = label_by_rules(
        name,
        where=where,
        seconds=seconds,
        shape=shape,
        third_party=third_party,
        http_only=http_only,
    )
    if known is not None and known.purpose in TRACKING and label.nature is Nature.NECESSARY:
        why = "Its name is a tracker's as well as others', so that it proves nothing."
        return Label(Nature.UNKNOWN, None, why)
    return label


def _label_of_known(known: catalogue.KnownCookie) -> Label:
    service = catalogue.services().get(known.service or "")
    maker = f", from {service.title}" if service else ""
    nature = Nature.UNKNOWN
    if known.purpose in TRACKING:
        nature = Nature.TRACKING
    elif known.purpose == "necessary":
        nature = Nature.NECESSARY
    why = f"The catalogue knows it{maker}."
    return Label(nature, known.purpose, why, known, Confidence.KNOWN)


_ANYBODYS: Final = frozenset({"language"})
"""Names of frameworks that say nothing, and come with nothing that can be seen."""


def _framework_with(name: str, *, http_only: bool) -> catalogue.Framework | None:
    """The first framework with a cookie of this name; what it sets with HttpOnly has to have it."""
    if name in _ANYBODYS:
        return None
    return next(
        (
            framework
            for framework, names in _frameworks()
            if (found := names.find(name)) is not None and (http_only or not _is_hidden(found))
        ),
        None,
    )


def _is_hidden(declared: Mapping[str, object]) -> bool:
    attributes = declared.get("attributes")
    return isinstance(attributes, dict) and bool(attributes.get("http-only"))


@cache
def _frameworks() -> tuple[tuple[catalogue.Framework, NameIndex[Mapping[str, object]]], ...]:
    return tuple((each, NameIndex(each.cookies)) for each in catalogue.frameworks().values())


def label_by_rules(  # noqa: PLR0913  # as above
    name: str,
    *,
    where: str = "cookie",
    seconds: int | None = None,
    shape: Shape | None = None,
    third_party: bool = False,
    http_only: bool = False,
) -> Label:
    """The label that the name and what was seen give, as if nothing else were known."""
    seen = _Seen(where, seconds, shape, third_party, http_only)
    tracking = _first_of(_TRACKING_SIGNS, name)
    necessary = _necessary_sign(name, seen)
    if tracking and necessary:
        why = f"It has {tracking.told}, and {necessary.told}."
        return Label(Nature.UNKNOWN, None, why)
    if tracking:
        return _label_by(tracking)
    if necessary:
        return _label_by(necessary)
    return _label_by_what_was_seen(name, seen)


def _label_by(found: _Found) -> Label:
    sign = found.sign
    return Label(sign.nature, sign.purpose, f"It has {found.told}.", None, found.confidence)


def _necessary_sign(name: str, seen: _Seen) -> _Found | None:
    """The sign that a name is strictly necessary, where nothing that was seen speaks against it."""
    if seen.third_party or (seen.seconds or 0) > LONGEST_NECESSARY:
        return None
    found = _first_of(_NECESSARY_SIGNS, name)
    return found or (_first_of((_SESSION_SIGN,), name) if seen.http_only else None)


def _label_by_what_was_seen(name: str, seen: _Seen) -> Label:
    """The label of a name that says nothing of tracking, nor enough of anything necessary."""
    if seen.third_party and seen.long_life:
        why = f"It belongs to another site, and {seen.long_life}."
        return Label(Nature.TRACKING, "advertising", why, None, Confidence.WEAK)
    if seen.shape in _MARKS and seen.long_life and not seen.http_only:
        why = f"It looks like an identifier that scripts can read, and {seen.long_life}."
        return Label(Nature.TRACKING, "analytics", why, None, Confidence.WEAK)
    choice = _first_of((_CHOICE_SIGN, _CHAT_SIGN), name)
    if choice:
        return _label_by(choice)
    session = _first_of((*_NECESSARY_SIGNS, _SESSION_SIGN), name)
    if session:
        why = f"It has '{session.word}' in its name, which trackers use as well."
        return Label(Nature.UNKNOWN, None, why)
    return Label(Nature.UNKNOWN, None, "Neither its name nor what was seen of it tells what it is.")


def _first_of(signs: Iterable[_Sign], name: str) -> _Found | None:
    """The first sign that a name has, and the word that is it."""
    text = name[:MOST_OF_A_NAME]
    parts = {*_PART.findall(text), *_BETWEEN.split(text)}
    small, whole = {part.lower() for part in parts}, text.lower()
    for sign in signs:
        words = [*(small & sign.parts), *(word for word in sign.inside if word in whole)]
        if sign.part is not None:
            words += filter(sign.part.fullmatch, small)
        if sign.whole is not None and sign.whole.fullmatch(whole):
            words.append(whole)
        if words:
            return _Found(sign, max(sorted(words), key=len))
    return None

"""First drafts of a policy: for a site that has none, and from what its log or its process saw.

It has never heard of a terminal or of HTTP: names, lines and a policy in, YAML text out.

Whatever is put into a draft was said by strangers (a folder's name, a cookie's name, a path), so a
value is quoted, a comment holds printable ASCII alone, and an entry that a policy could not hold is
named in a comment instead. Nothing is called strictly necessary here unless the set of a framework
that is installed says so; what nobody knows goes under the optional purpose ``unsorted``.
"""

from __future__ import annotations

import re
import textwrap
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from consentkit.errors import PolicyError
from consentkit.events import span_in_words
from consentkit.observed import LONGEST_KEPT, SeenAs, Sighting
from consentkit.rules import catalogue
from consentkit.rules.names import NameIndex, NamePattern, without_chunk_suffix
from consentkit.rules.policy import (
    BASIS_OF_MODE,
    LONGEST,
    PRESETS,
    Basis,
    Mode,
    Policy,
    parse_duration,
)
from consentkit.rules.policy_file import read_policy
from consentkit.shell.log_lines import LONGEST_NAME, MOST_PATHS, Log, Seen, read_log

__all__ = [
    "TITLES",
    "SiteFacts",
    "basis_of_new",
    "comment",
    "draft_from_log",
    "draft_of",
    "families",
    "first_policy",
    "frameworks_in_use",
    "middleware_snippet",
    "purposes_by_suggestion",
    "site_facts",
    "visible",
    "web_framework",
]

WIDTH: Final = 100

# What is installed

_COMES_WITH_US: Final = frozenset({"starlette", "itsdangerous", "jinja2", "pydantic", "pyyaml"})
"""Packages that are there because consentkit is, so they say nothing of the site."""

_WEB_FRAMEWORKS: Final = ("fastapi", "litestar", "quart", "django", "starlette")
"""The first that is installed is taken for the one that serves; starlette comes with us."""


def frameworks_in_use() -> tuple[str, ...]:
    """The catalogue's frameworks of which a package is installed beside consentkit, by key."""
    return tuple(
        key
        for key, framework in catalogue.frameworks().items()
        if any(_is_installed(name) for name in framework.packages if name not in _COMES_WITH_US)
    )


def web_framework() -> str:
    """What serves the site, judged by the packages: one of the keys `middleware_snippet` takes."""
    return next(filter(_is_installed, _WEB_FRAMEWORKS), "starlette")


def _is_installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


# The lines that add the middleware

_OPTIONS: Final = """\
    policy=load_policy({path}),
    secret_key=os.environ["CONSENT_SECRET_KEY"],  # 32 bytes or more, and random
    report_only=True,  # changes nothing, and logs what would be blocked
"""
_ADDED: Final = f"""\
app.add_middleware(  # after every other: the last one added stands outside
    ConsentMiddleware,
{_OPTIONS})
"""
_SNIPPETS: Final = MappingProxyType(
    {
        "fastapi": _ADDED,
        "starlette": _ADDED,
        "litestar": f"app = ConsentMiddleware(  # around the whole app\n    app,\n{_OPTIONS})\n",
        "quart": f"app.asgi_app = ConsentMiddleware(\n    app.asgi_app,\n{_OPTIONS})\n",
        "django": (
            "# in asgi.py, after `application = get_asgi_application()`\n"
            f"application = ConsentMiddleware(\n    application,\n{_OPTIONS})\n"
        ),
    }
)


def middleware_snippet(framework: str, path: str) -> str:
    """The lines that put the middleware around an app, in report mode, as Python text.

    `framework` is a key such as `web_framework` gives; for any other the app is wrapped as a whole.
    `path` is the policy file's.

    >>> print(middleware_snippet("quart", "consent.yaml").splitlines()[-6])
    app.asgi_app = ConsentMiddleware(
    """
    body = _SNIPPETS.get(framework, _SNIPPETS["litestar"])
    return "import os\n\nfrom consentkit import ConsentMiddleware, load_policy\n\n" + body.format(
        path=_in_python(path)
    )


def _in_python(text: str) -> str:
    is_simple = text.isascii() and text.isprintable() and not set(text) & {'"', "\\"}
    return f'"{text}"' if is_simple else ascii(text)


# YAML, written by hand: comments are half of a draft

_PLAIN: Final = re.compile(r"[A-Za-z_](?:[A-Za-z0-9 ,._/@+()-]*[A-Za-z0-9._/@+)-])?")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.{}*-]*")
_WORDS_OF_YAML: Final = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
_JOINERS: Final = "\u200c\u200d"
"""Invisible, and letters or emoji fall apart without them."""


def _scalar(text: str, plain: re.Pattern[str] = _PLAIN) -> str:
    """One line of YAML that is read as this very text."""
    if plain.fullmatch(text) and text.lower() not in _WORDS_OF_YAML:
        return text
    return '"' + "".join(map(_in_quotes, text)) + '"'


def _in_quotes(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    is_seen = character.isprintable() or character in _JOINERS
    return character if is_seen else f"\\U{ord(character):08X}"


def _key(name: str) -> str:
    return _scalar(name, _PLAIN_NAME)


def comment(text: str, indent: int = 0) -> list[str]:
    """`text` as lines of a comment: none of it breaks out, and nothing in it is unseen."""
    start = f"{' ' * indent}# "
    words = " ".join(visible(text).split())
    return textwrap.wrap(
        words,
        WIDTH,
        initial_indent=start,
        subsequent_indent=start,
        break_long_words=False,
        break_on_hyphens=False,
    )


def visible(text: str) -> str:
    """`text` with an escape for what an eye cannot see."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _entry(indent: int, key: str, value: str, why: str = "") -> list[str]:
    """A key with its value; why it is this one stands beside it, or above where that is long."""
    line = f"{' ' * indent}{key}: {value}"
    if not why:
        return [line]
    beside = f"{line}  # {visible(why)}"
    return [beside] if len(beside) <= WIDTH else [*comment(why, indent), line]


# The first policy of a site


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What `consentkit init` asks: who the site is, who answers for it, and on which basis.

    `contact` is an e-mail address or a page.
    """

    name: str
    controller: str
    contact: str | None = None
    mode: Mode = Mode.EXPLICIT


def site_facts(folder: Path) -> SiteFacts:
    """What can be guessed without asking: the project's name in ``pyproject.toml``, or `folder`'s.

    The controller is taken to be called like the site until somebody says otherwise.
    """
    name = _clean(_project_name(folder / "pyproject.toml")) or _clean(folder.resolve().name)
    return SiteFacts(name or "My site", name or "My site")


def _project_name(file: Path) -> str:
    try:
        project = tomllib.loads(file.read_text("utf-8"))["project"]["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return project if isinstance(project, str) else ""


def _clean(text: str) -> str:
    """`text` on one line, without what no reader sees: escapes, controls, overrides, halves."""
    seen = (c if c.isprintable() or c in _JOINERS else " " for c in text)
    return " ".join("".join(seen).split())


_FIRST: Final = """\
# yaml-language-server: $schema=consentkit.schema.json

# What this site stores in its visitors' browsers, and why. The middleware holds the site to it.
# `consentkit check` says what is wrong in here, and what a visitor will experience.

site:
  name: {name}
  controller: {controller}  # who answers for what is stored
  {contact}

# {mode_in_words}
mode: {mode}  # explicit | implied | opt-out

{uses}

# Why something is stored. Visitors answer to purposes; the strictly necessary ones need no answer.
purposes:
  necessary:
    basis: strictly-necessary
    title: Strictly necessary
    description: Without these the site does not work.
  # analytics:
  #   title: How the site is used
  #   description: They count which pages are read.

# What is stored: the cookies by name. Find yours with `consentkit check --from-log LOGFILE`.
# cookies:
#   basket:
#     kind: session             # session | persistent | poll-timeout | analytics
#     purpose: necessary
#     justification: user-input # whatever is strictly necessary says why
#     description: Keeps what you put into your basket.
#   _ga:
#     kind: analytics
#     purpose: analytics
#     service: google-analytics
#     duration: 13 months
#     description: Tells visitors apart.

# What the pages load from elsewhere. Well-known services bring their hosts and links along.
# services:
#   google-analytics:
#     purpose: analytics

# A cookie that stands nowhere in here: report logs it, block stops it, hide takes it from the app
# as well. Write `block` once nothing is reported any more.
undeclared: report
"""
_MODES: Final = MappingProxyType(
    {
        Mode.EXPLICIT: "Nothing optional before the visitor says yes.",
        Mode.IMPLIED: "Who reads the notice and goes on has agreed. Many places want a yes.",
        Mode.OPT_OUT: "All is allowed until the visitor says no. Many places want a yes first.",
    }
)


def first_policy(facts: SiteFacts, frameworks: Sequence[str]) -> str:
    """The text of a first ``consent.yaml``: it loads, teaches, and blocks nothing yet.

    `frameworks` are keys of the catalogue, such as `frameworks_in_use` gives.
    """
    name = _clean(facts.name) or "My site"
    contact = _clean(facts.contact or "")
    return _FIRST.format(
        name=_scalar(name),
        controller=_scalar(_clean(facts.controller) or name),
        contact=f"contact: {_scalar(contact)}" if contact else "# contact: privacy@example.org",
        mode=facts.mode.value,
        mode_in_words=_MODES[facts.mode],
        uses="\n".join(_first_uses(frameworks)),
    )


def _first_uses(frameworks: Sequence[str]) -> list[str]:
    if not frameworks:
        return [
            "# Frameworks whose own cookies the catalogue declares.",
            "# uses: [django, starlette-sessions]",
        ]
    known = catalogue.frameworks()
    return [
        "# These are installed; what they store of their own is declared by the catalogue.",
        "uses:",
        *(f"  - {_key(key)}  # {visible(known[key].title)}" for key in frameworks),
    ]


# Names that are alike

_UUID: Final = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_PART: Final = re.compile(
    rf"(?<![A-Za-z0-9])(?:{_UUID}|(?=[A-Fa-f]*[0-9])[0-9A-Fa-f]{{8,}}|"
    r"(?=[A-Za-z]*[0-9])[A-Za-z0-9]{16,})(?![A-Za-z0-9])|[0-9]+"
)
"""What looks like an identifier or a number inside a name."""
_SIGNS: Final = frozenset("{}*")
"""A stranger's name that has one would be a pattern, and cover whatever the stranger likes."""
LEAST_LITERAL: Final = 3
ENOUGH: Final = 4
"""Names that make a pattern where nothing separates the number from the rest."""


def _shape(name: str) -> tuple[str, bool] | None:
    """A name with its last number or identifier as ``{id}``; True where that stands apart."""
    parts = list(_PART.finditer(name))
    if not parts or set(name) & _SIGNS or len(name) >= LONGEST_NAME:
        return None
    part = parts[-1]
    before, after = name[: part.start()], name[part.end() :]
    if len(before + after) < LEAST_LITERAL:
        return None
    return f"{before}{{id}}{after}", not before[-1:].isalnum() and not after[:1].isalnum()


def _are_pieces(names: Sequence[str]) -> bool:
    """True if the names count up from 0 or 1, as the pieces of one long cookie do."""
    wholes = [without_chunk_suffix(name) for name in names]
    if len(names) < 2 or None in wholes:
        return False
    numbers = sorted(int(re.findall("[0-9]+", name)[-1]) for name in names)
    return numbers[0] < 2 and numbers == [*range(numbers[0], numbers[0] + len(numbers))]


def families(names: Iterable[str]) -> dict[str, list[str]]:
    """Patterns with the names that make one: several of one shape."""
    shapes: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for name in names:
        shape = _shape(name)
        if shape is not None:
            shapes[shape].append(name)
    return {
        pattern: alike
        for (pattern, apart), alike in shapes.items()
        if len(alike) >= (2 if apart else ENOUGH)
    }


# What is guessed of a name

TITLES: Final = MappingProxyType(
    {
        "necessary": ("Strictly necessary", "Without these the site does not work."),
        "preferences": ("Your choices", "They remember how you like the site to look and work."),
        "analytics": ("How the site is used", "They count which pages are read."),
        "advertising": ("Advertising", "They choose advertisements and tell whether these work."),
        "tags": ("Tag managers", "They load further services into the pages."),
        "embeds": ("Embedded content", "They come with films, maps and the like from elsewhere."),
        "chat": ("Chat", "They let you talk with us while you are here."),
        "fonts": ("Fonts", "They load typefaces from elsewhere."),
        "unsorted": ("Not sorted yet", "Nobody has said yet what these are for."),
    }
)
_UNSORTED: Final = "unsorted"
_NECESSARY: Final = "necessary"
_NOBODY_KNOWS: Final = "Nobody has said yet what this is for."


class _Guess(NamedTuple):
    """A name or pattern to declare, what the log says of it, and what the catalogue knows."""

    key: str
    names: Sequence[str]
    seen: Seen
    known: catalogue.KnownCookie | None = None

    @property
    def sure(self) -> catalogue.KnownCookie | None:
        """What the catalogue knows, unless others use the name too, so that it proves nothing."""
        return None if self.known is not None and self.known.shared else self.known


def _joined(
    key: str, names: Sequence[str], log: Log, known: catalogue.KnownCookie | None = None
) -> _Guess:
    seen = Seen()
    for name in names:
        seen.join(log.names[name])
    return _Guess(key, names, seen, known)


def _life_of(guess: _Guess, cap: int) -> tuple[str, str, str, str]:
    """The kind and why, the duration and why; no duration for the session."""
    asked, known = guess.seen.longest, guess.sure
    if known is not None and known.kind == "analytics":
        return "analytics", "as the catalogue has it", *_duration_of(guess, cap)
    if asked is not None:
        return "persistent", "it asks for a lifetime", *_duration_of(guess, cap)
    if guess.seen.seconds:
        return "session", "it asks for no lifetime", "", ""
    if known is not None and known.kind == "persistent" and _seconds_of(known.duration):
        return "persistent", "as the catalogue has it", *_duration_of(guess, cap)
    who = "a browser" if guess.seen.how else "the log"
    return "session", f"{who} does not say how long it lives", "", ""


def _duration_of(guess: _Guess, cap: int) -> tuple[str, str]:
    asked, known = guess.seen.longest, guess.sure
    maker = _seconds_of(known.duration) if known is not None else None
    if asked is not None:
        why = f"it asks for {span_in_words(asked)}"
        least = "browsers keep" if cap == LONGEST else "the preset allows"
        over = f", and {least} no more than {span_in_words(cap)}" if asked > cap else ""
        return span_in_words(min(asked, cap)), f"{why}{over}"
    if maker is not None:
        return span_in_words(min(maker, cap)), "as the catalogue has it"
    return "1 day", "nothing known: say how long it has to live"


def _seconds_of(duration: str | None) -> int | None:
    try:
        return parse_duration(duration) or None
    except ValueError:
        return None


def _attributes_of(name: str) -> str:
    """What the beginning of a name promises (RFC 6265bis §4.1.3)."""
    beginning = name.lower()
    if beginning.startswith(("__http-", "__host-http-")):
        return "{secure: true, http-only: true}"
    return "{secure: true}" if beginning.startswith(("__secure-", "__host-")) else ""


# The draft


class _Draft:
    """Sections of YAML that fit a policy: what it has already is used, and not written again."""

    def __init__(self, policy: Policy | None, frameworks: Sequence[str]) -> None:
        """`frameworks` are those that are installed; of the others there are only hints."""
        self.policy = policy
        self.uses: dict[str, list[str]] = {}
        self.purposes: dict[str, list[str]] = {}
        self.services: dict[str, list[str]] = {}
        self.cookies: list[str] = []
        self._unfit: list[str] = []
        self._missing: list[str] = []
        sets = catalogue.frameworks()
        self._in_use = {key: NameIndex(sets[key].cookies) for key in frameworks if key in sets}
        self._others = {
            key: NameIndex(each.cookies) for key, each in sets.items() if key not in self._in_use
        }
        self._declared = dict(policy.purposes) if policy else {}
        self._optional = set(policy.optional_purposes) if policy else set()
        self._patterns = [NamePattern.parse(name) for name in (policy.cookies if policy else ())]
        self._same = dict(purposes_by_suggestion(policy)) if policy else {}
        presets = policy.preset if policy else ()
        self._cap = min([LONGEST, *(PRESETS[each].longest for each in presets)])
        self._ground = _ground_of(policy)
        self._basis = basis_of_new(policy) if policy else None
        token = policy.token.name if policy else "consent"
        prefixes = ("", "__Host-", "__Secure-")
        self._own = {f"{prefix}{token}{end}" for prefix in prefixes for end in ("", "-seen")}

    def is_settled(self, name: str) -> bool:
        """True if the policy declares the name by now, or consentkit itself does."""
        declared = self.policy is not None and self.policy.declaration_of(name) is not None
        return declared or name in self._own

    def take_framework(self, name: str) -> bool:
        """True if the set of a framework in use declares the name."""
        key = next((key for key, index in self._in_use.items() if index.find(name)), None)
        if key is None:
            return False
        if key not in self.uses:
            self._patterns += map(NamePattern.parse, catalogue.frameworks()[key].cookies)
            self._need_strictly_necessary()
        self.uses.setdefault(key, []).append(name)
        return True

    def _need_strictly_necessary(self) -> None:
        # What a framework's set declares goes under the purpose that is strictly necessary.
        if self._declared.keys() <= self._optional:
            taken = _NECESSARY in self._declared
            self.declare(f"{_NECESSARY}-too" if taken else _NECESSARY, Basis.STRICTLY_NECESSARY)

    def fits(self, pattern: str) -> bool:
        """True if a pattern takes nothing away from what is declared, and rivals nothing."""
        new = NamePattern.parse(pattern)
        return not any(map(new.covers, self._own)) and not any(
            new.covers(old.text) if old.is_exact else new.overlaps(old) for old in self._patterns
        )

    def refuse(self, name: str, why: str) -> None:
        """Note a name that no entry can be written for."""
        self._unfit.append(f"- {_shown(name)}: {why.rstrip('.')}.")

    def take(self, guess: _Guess) -> bool:
        """Write an entry; False, and nothing is written, where no policy could hold it."""
        purpose, why = self._purpose_of(guess.sure)
        service = self._service_of(guess.sure)
        lines = self._entry_of(guess, purpose, why, service)
        fault = self._fault_in(lines, purpose, service)
        if fault:
            self.refuse(guess.key, fault)
            return False
        self.cookies += lines
        self._patterns.append(NamePattern.parse(guess.key))
        self.declare(purpose)
        if service is not None:
            self._declare_service(service)
        return True

    # what an entry says

    def _entry_of(self, guess: _Guess, purpose: str, why: str, service: str | None) -> list[str]:
        kind, why_kind, duration, why_duration = _life_of(guess, self._cap)
        attributes = _attributes_of(guess.key)
        return [
            f"  {_key(guess.key)}:",
            *(line for text in self._told_of(guess) for line in comment(text, 4)),
            *_entry(4, "kind", kind, why_kind),
            *_entry(4, "purpose", _key(purpose), why),
            *(_entry(4, "service", _key(service)) if service else ()),
            *(_entry(4, "duration", duration, why_duration) if duration else ()),
            *_entry(4, "description", *self._description(guess.sure)),
            *(_entry(4, "attributes", attributes, "as its name promises") if attributes else ()),
        ]

    def _told_of(self, guess: _Guess) -> Iterator[str]:
        """Where the guess comes from, one paragraph each."""
        known, seen = guess.known, guess.seen
        if known is not None:
            yield f"{_title_of(known)}: {_source_of(known)}."
        if known is not None and known.shared:
            yield "Others use this name too, so it may be something else."
        elif known is not None and known.purpose == _NECESSARY:
            yield "The catalogue takes it for strictly necessary: if it is, say so and justify it."
        names = [*map(_shown, guess.names[:3]), *(["…"] if len(guess.names) > 3 else [])]
        alike = f", as {', '.join(names)}" if guess.key != guess.names[0] else ""
        paths = [*map(_shown, list(seen.paths)[:MOST_PATHS])]
        more = " and more" if len(seen.paths) > MOST_PATHS else ""
        http_only = " Set with HttpOnly." if seen.http_only else ""
        times = _times(seen.times)
        where = f", on {', '.join(paths)}{more}" if paths else ""
        how = f": {' and '.join(seen.how)}" if seen.how else ""
        yield f"Seen {times}{alike}{where}{how}.{http_only}"
        yield from self._hints(guess)

    def _hints(self, guess: _Guess) -> Iterator[str]:
        keys = [key for key, index in self._others.items() if index.find(guess.names[0])]
        if keys:
            words = " or ".join(f"'uses: [{key}]'" for key in keys[:3])
            yield f"A framework has a cookie of this name: if this is it, write {words} instead."
        if _are_pieces(guess.names):
            yield "If these are pieces of one long cookie, declare its name with 'chunked: true'."
        if re.search("poll|vote", guess.key, re.IGNORECASE):
            yield "If a vote sets it, 'kind: poll-timeout' lets the vote itself answer for it."

    def _description(self, known: catalogue.KnownCookie | None) -> tuple[str, str]:
        words = known.description if known is not None else {}
        languages = self.policy.languages if self.policy else ("en",)
        own = {tag: words[tag] for tag in languages if tag in words}
        if len(own) > 1 and languages[0] in own:
            each = ", ".join(f"{_key(tag)}: {_quoted(text)}" for tag, text in own.items())
            return f"{{{each}}}", ""
        if words:
            return _scalar(own.get(languages[0]) or next(iter(words.values()))), ""
        return _scalar(_NOBODY_KNOWS), "for the visitor: say what it does"

    # what an entry leans on

    def _purpose_of(self, known: catalogue.KnownCookie | None) -> tuple[str, str]:
        if known is None:
            return self._free(_UNSORTED), "nothing known: say what it is for"
        if known.purpose == _NECESSARY or known.purpose not in TITLES:
            return self._free(_UNSORTED), "decide what it is for"
        if known.purpose in self._same:
            return self._same[known.purpose], "what the policy has for the like of it"
        return self._optional_or_unsorted(known.purpose), "as the catalogue suggests"

    def _optional_or_unsorted(self, purpose: str) -> str:
        is_fit = purpose not in self._declared or purpose in self._optional
        return purpose if is_fit else self._free(_UNSORTED)

    def _free(self, purpose: str) -> str:
        """This purpose, or one named like it, that is optional or not there yet."""
        while purpose in self._declared and purpose not in self._optional:
            purpose += "-too"
        return purpose

    def declare(self, purpose: str, basis: Basis | None = None) -> None:
        """Write a purpose, unless the policy has it."""
        if purpose not in self._declared:
            title, description = TITLES[purpose.removesuffix("-too")]
            basis = basis or self._basis
            self.purposes[purpose] = [
                f"  {_key(purpose)}:",
                *(_entry(4, "basis", basis.value) if basis else ()),
                *_entry(4, "title", title),
                *_entry(4, "description", description),
            ]

    def _service_of(self, known: catalogue.KnownCookie | None) -> str | None:
        service = known.service if known is not None else None
        return service if service in catalogue.services() else None

    def _declare_service(self, key: str) -> None:
        if self.policy is not None and key in self.policy.services:
            return
        service = catalogue.services()[key]
        same = self._same.get(service.purpose) or self._optional_or_unsorted(service.purpose)
        purpose = same if service.purpose in TITLES else self._free(_UNSORTED)
        self.declare(purpose)
        self.services[key] = [
            f"  {_key(key)}:",
            *comment(f"Provider, hosts and links are the catalogue's: {service.source}.", 4),
            *_entry(4, "purpose", _key(purpose), "as the catalogue suggests"),
        ]

    def take_host(self, host: str, told: str) -> None:
        """Write a service that loads from a host; what the catalogue knows is under its key."""
        known = catalogue.service_of_host(host)
        if known is None:
            self._take_unknown_host(host, told)
        elif self.policy is not None and known.key in self.policy.services:
            self._missing.append(f"- {_shown(host)}: to the 'hosts' of service '{known.key}'.")
        else:
            self._declare_service(known.key)

    def _take_unknown_host(self, host: str, told: str) -> None:
        purpose = self._free(_UNSORTED)
        lines = [
            f"  {_key(host)}:",
            *comment(f"{told} If it is the site's own, write it under 'hosts' of 'site'.", 4),
            *_entry(4, "purpose", _key(purpose), "nothing known: say what it is for"),
            *_entry(4, "provider", _scalar(host), "say which organisation is behind it"),
            *_entry(4, "hosts", f"[{_quoted(host)}]"),
        ]
        is_pattern = bool(set(host) & _SIGNS)
        fault = "with a star in it, it would be read as a pattern" if is_pattern else ""
        fault = fault or self._fault_of([*_only(purpose), "services:", *lines])
        if fault:
            self.refuse(host, fault)
        else:
            self.services[host] = lines
            self.declare(purpose)

    def _fault_in(self, entry: Sequence[str], purpose: str, service: str | None) -> str:
        return self._fault_of(
            [
                *_only(purpose),
                "services:",
                f"  {_quoted(service or 'x')}: {{purpose: {_quoted(purpose)}, provider: x}}",
                "cookies:",
                *entry,
            ]
        )

    def _fault_of(self, lines: Sequence[str]) -> str:
        """What a policy with these lines would be told, or nothing: the loader itself is asked."""
        text = [*self._ground, *lines]
        try:
            read_policy("\n".join(text))
        except PolicyError as error:
            return error.faults[0].what
        return ""

    # all of it

    def text(self, head: Iterable[str]) -> str:
        """The draft: `head` as comments, then the sections that are not empty."""
        uses = [
            line
            for key, names in self.uses.items()
            for line in [
                *comment(f"declares {', '.join(map(_shown, names[:8]))}", 2),
                f"  - {_key(key)}",
            ]
        ]
        sections = {
            "uses": uses,
            "purposes": [line for lines in self.purposes.values() for line in lines],
            "services": [line for lines in self.services.values() for line in lines],
            "cookies": self.cookies,
        }
        lines = [line for text in head for line in comment(text)]
        for key, body in sections.items():
            lines += ["", f"{key}:", *body] if body else []
        rest = {"What no policy can declare": self._unfit, "What is to be added": self._missing}
        for title, texts in rest.items():
            lines += ["", f"# {title}:"] if texts else []
            lines += [line for text in texts for line in comment(text)]
        return "\n".join(lines) + "\n"


def _only(purpose: str) -> list[str]:
    return [f"purposes: {{{_quoted(purpose)}: {{title: x, description: x}}}}"]


def _ground_of(policy: Policy | None) -> list[str]:
    """What of a policy decides whether an entry holds, in few lines."""
    start = ["site: {name: x, controller: x}"]
    if policy is None:
        return [*start, "mode: explicit"]
    languages = ", ".join(map(_quoted, policy.languages))
    token = f"token: {{name: {_quoted(policy.token.name)}}}"
    return [*start, "mode: explicit", token, f"languages: [{languages}]"]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _quoted(text: str) -> str:
    return '"' + "".join(map(_in_quotes, text)) + '"'


def _shown(text: str) -> str:
    """`text` from outside, cut to a length that a comment can bear."""
    return ascii(text if len(text) <= 60 else f"{text[:59]}~")


def _title_of(known: catalogue.KnownCookie) -> str:
    service = catalogue.services().get(known.service or "")
    return f"The catalogue knows it, from {service.title}" if service else "The catalogue knows it"


def _source_of(known: catalogue.KnownCookie) -> str:
    if known.checked:
        return f"{known.source}, read {known.read}"
    return f"it is generally known, and not checked on {known.source}"


def basis_of_new(policy: Policy) -> Basis | None:
    """What a new purpose has to name as its basis: nothing where the policy's mode will do."""
    basis = BASIS_OF_MODE[policy.mode]
    allowed = all(basis in PRESETS[each].bases for each in policy.preset)
    unseen = basis is Basis.IMPLIED and policy.banner.layout in ("top", "corner")
    return None if allowed and not unseen else Basis.CONSENT


def purposes_by_suggestion(policy: Policy) -> Iterator[tuple[str, str]]:
    """What this policy calls the purposes that the catalogue suggests, where it can be told."""
    for name, cookie in policy.cookies.items():
        known = catalogue.known_cookie(name)
        if known is not None and not known.shared and cookie.purpose[0] in policy.optional_purposes:
            yield known.purpose, cookie.purpose[0]
    for key, service in policy.services.items():
        kept = catalogue.services().get(key)
        if kept is not None and service.purpose[0] in policy.optional_purposes:
            yield kept.purpose, service.purpose[0]


def draft_from_log(
    lines: Iterable[str],
    policy: Policy | None,
    *,
    frameworks: Sequence[str] | None = None,
) -> str:
    """What the log of report mode says is undeclared, as YAML to be read and put into the policy.

    `lines` are a log's, of any shape: ours with whatever stands before it, or JSON, one object a
    line; all others are passed over. What `policy` declares is left out, and what it has (purposes,
    services) is used. `frameworks` are those in use, by default `frameworks_in_use`.
    """
    log = read_log(lines)
    draft = _Draft(policy, frameworks_in_use() if frameworks is None else frameworks)
    return draft.text(_head(log, _take_all(draft, log)))


def draft_of(
    sightings: Iterable[Sighting], policy: Policy, *, frameworks: Sequence[str] | None = None
) -> str:
    """What a running site saw and `policy` does not declare, as YAML to be put into it.

    Cookies and hosts alike; `frameworks` as in `draft_from_log`.
    """
    log, hosts = Log(), []
    draft = _Draft(policy, frameworks_in_use() if frameworks is None else frameworks)
    for one in sightings:
        if len(one.name) >= LONGEST_KEPT:
            draft.refuse(one.name, "it is so long that its end was not kept")
        elif one.how is SeenAs.ASKED:
            hosts.append(one)
        else:
            log.names.setdefault(one.name, Seen()).join(_seen(one))
    _take_all(draft, log)
    for one in hosts:
        draft.take_host(one.name, f"Seen {_times(one.times)}: {one.how}.")
    return draft.text((_EACH_IS_A_GUESS, _WHO_ASKS))


def _seen(one: Sighting) -> Seen:
    asked = one.asked
    return Seen(
        one.times,
        seconds={asked.seconds} if asked else set(),
        http_only=asked is not None and asked.http_only,
        how={str(one.how): None},
    )


def _take_all(draft: _Draft, log: Log) -> int:
    """Write what a log's names call for; how many of them are open."""
    open_names = [name for name in log.names if not draft.is_settled(name)]
    rest = [name for name in open_names if not draft.take_framework(name)]
    for guess in _guesses(rest, log):
        _take(draft, guess, log)
    return len(open_names)


def _take(draft: _Draft, guess: _Guess, log: Log) -> None:
    is_pattern = guess.key != guess.names[0]
    if is_pattern and draft.fits(guess.key) and draft.take(guess):
        return
    for name in guess.names:
        if set(name) & _SIGNS:
            draft.refuse(name, "with a brace or a star in it, it would be read as a pattern")
        elif any("\ud800" <= character <= "\udfff" for character in name):
            draft.refuse(name, "it is not UTF-8, and a policy file is")
        elif len(name) >= LONGEST_NAME:
            draft.refuse(name, "it is so long that the log may have cut it")
        else:
            draft.take(_joined(name, [name], log, guess.known))


def _guesses(names: Sequence[str], log: Log) -> Iterator[_Guess]:
    """What the catalogue knows, by its own names; then what is alike; then one by one."""
    known: dict[str, list[str]] = defaultdict(list)
    facts = {name: catalogue.known_cookie(name) for name in names}
    for name, fact in facts.items():
        if fact is not None:
            known[fact.name].append(name)
    for key, alike in known.items():
        yield _joined(key, alike, log, facts[alike[0]])
    strangers = [name for name in names if facts[name] is None]
    alike_names = families(strangers)
    pattern_of = {name: pattern for pattern, alike in alike_names.items() for name in alike}
    for pattern, alike in alike_names.items():
        yield _joined(pattern, alike, log)
    for name in strangers:
        if name not in pattern_of:
            yield _joined(name, [name], log)


_EACH_IS_A_GUESS: Final = (
    "Each entry is a guess and says where it comes from. Correct it, and put it into the policy "
    "under the key of the same name; where the policy has none, take the key as well."
)
_WHO_ASKS: Final = (
    "A site that asks its visitors already raises 'revision' and adds 'since' to what is new."
)


def _head(log: Log, found: int) -> Iterator[str]:
    if not log.ours:
        yield f"Nothing is undeclared: none of {log.lines} lines tells of an undeclared cookie."
        yield "Is it the log of a site in report mode?"
        return
    if not found:
        yield (
            f"Nothing is undeclared any more: {log.lines} lines read, and what {log.ours} of them "
            "tell of is declared by now."
        )
        return
    names = "1 name" if found == 1 else f"{found} names"
    yield (
        f"A draft from a log: {names} that nobody declared. {log.lines} lines read, {log.ours} of "
        "them tell of an undeclared cookie."
    )
    if log.left_out:
        yield f"Another {log.left_out} lines tell of further names: sort these first, then repeat."
    yield _EACH_IS_A_GUESS
    yield (
        "Whoever can write into the log can put names into this draft: declare what you know that "
        "your site sets."
    )
    yield _WHO_ASKS

"""Policies that Hypothesis makes: any of those that hold, and files that must be refused.

It has never heard of what is done with them: they may be loaded, printed, compared, enforced. In a
policy that holds the names of cookies and stored items carry a number at their beginning, so that
no pattern covers another entry's name, and nothing is named as the catalogue names it.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final, TypeAlias

from hypothesis import strategies as st

from consentkit.rules.policy import (
    COUNTRIES,
    DAY,
    LONGEST,
    PRESETS,
    SHOWN,
    Basis,
    Csp,
    Justification,
    Mode,
    PagesMode,
    Policy,
    Preset,
    PresetRules,
    Undeclared,
    Where,
)
from consentkit.rules.policy_file import policy_from
from consentkit.rules.shapes import as_in_a_file
from consentkit.rules.signals import Signal
from consentkit.rules.texts import TEXTS
from consentkit.rules.yaml_print import print_yaml

__all__ = ["SIGNS", "WORDS", "InvalidPolicy", "invalid_policies", "policies", "policy_data"]

Data: TypeAlias = dict[str, Any]

# Names and addresses of a site, most of which YAML would read as something else than a text.
_LANGUAGES: Final = ("en", "no", "de", "pt-BR", "zh-Hant-TW", "fr")
_PURPOSES: Final = (
    "necessary",
    "analytics",
    "no",
    "1",
    "null",
    "a.b-c_D",
    "2015-06-01",
    "on",
    "0x1F",
)
_SERVICES: Final = ("x-video", "5", "no", "our_map.tiles", "null", "1e3", "2015-06-01")
_HOSTS: Final = ("example.org", "*.example.org", "a-1.example", "10.0.0.1", "xn--bcher-kva.example")
_OWN_HOSTS: Final = ("static.site.example", "*.site.example", "192.0.2.1")
_PATHS: Final = (
    "/",
    "/kids",
    "/kids/",
    "/for/kids.html",
    "/f\u00fcr-kinder",
    "/a//b",
    "/..a",
    "/no",
)
_LINKS: Final = (
    "https://example.org/a?b=c#d",
    "/cookies",
    "mailto:dpo@example.org",
    "http://x.example/:#",
)

_OPTIONAL: Final = (Basis.CONSENT, Basis.IMPLIED, Basis.OPT_OUT)
_PRESETS: Final[dict[Mode, tuple[tuple[Preset, ...], ...]]] = {
    Mode.EXPLICIT: ((), (Preset.EU,), (Preset.FR, Preset.DE), (Preset.UK,), (Preset.US_CA,)),
    Mode.IMPLIED: ((), (Preset.US_OTHER,)),
    Mode.OPT_OUT: ((), (Preset.UK,), (Preset.US_CA,), (Preset.US_UOOM, Preset.US_FEDERAL)),
}
"""Presets whose rules a policy of each mode keeps."""

SIGNS: Final = (
    "-?:,[]{}#&*!|>'\"%@`~=<. \t\n\u00a0\u2028\u2029\ufeff\u200d\u200f\U0001f36aé0123yYnNe_"
)
"""What YAML has a use for, and what an editor, a browser or another reader would trip over."""
WORDS: Final = (
    "no",
    "true",
    "12",
    "- a",
    "a: b",
    "a #b",
    "---",
    "...",
    "1:30",
    "1e3",
    "x" * 130,
    "<<",
    "?",
)
"""Texts that YAML reads as something else, or that do not fit on a line."""
_TURNING: Final = "".join(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
"""What turns the direction of a text: no policy has it."""
_WRITTEN: Final = st.characters(
    exclude_categories=("Cc", "Cs"), exclude_characters=_TURNING, include_characters="\t\n"
)


@cache
def _words() -> st.SearchStrategy[str]:
    """Texts for the visitor: any that are not empty."""
    anything = st.text(_WRITTEN, max_size=40) | st.text(SIGNS, max_size=20)
    long = st.tuples(anything, st.sampled_from(WORDS), st.integers(4, 8)).map(
        lambda parts: " ".join([*parts[:2]] * parts[2])
    )
    return (anything | st.sampled_from(WORDS) | long).filter(str.strip)


@st.composite
def _texts(draw: st.DrawFn, languages: list[str]) -> str | dict[str, str]:
    """One text, or one for each of some languages, the first always among them."""
    if draw(st.booleans()):
        return draw(_words())
    spoken = [tag for tag in languages if tag == languages[0] or draw(st.booleans())]
    return {tag: draw(_words()) for tag in spoken}


_OWN: Final = (
    "settings",
    "on",
    "durations.day.two",
    "months.12",
    "countries.NO",
    "date",
    "changed_items",
)
"""Texts of each sort: with nothing filled in, with something, of a list, of a word of YAML's."""


@cache
def _own_text(key: str) -> st.SearchStrategy[str]:
    plain = _words().map(lambda text: text.replace("{", "(").replace("}", ")"))
    names = "".join(f" {{{name}}}" for name in sorted(TEXTS[key].needed))
    return plain.map(lambda text: text + names)


def _own_texts(languages: list[str]) -> st.SearchStrategy[Data]:
    """Some of the notice's texts, in some of the languages."""
    some = st.fixed_dictionaries({}, optional={key: _own_text(key) for key in _OWN})
    return st.dictionaries(st.sampled_from(languages), some)


def _may_have(draw: st.DrawFn, **values: st.SearchStrategy[Any]) -> Data:
    """Some of the keys, or all, or none."""
    # One draw says which: a policy has dozens, and each draw takes its time.
    chosen = draw(_masks(len(values)))
    return {key: draw(value) for n, (key, value) in enumerate(values.items()) if chosen >> n & 1}


@cache
def _masks(size: int) -> st.SearchStrategy[int]:
    return st.integers(0, (1 << size) - 1)


@cache
def _durations(longest: int) -> st.SearchStrategy[int]:
    whole = st.sampled_from([60, 3600, DAY, 7 * DAY, 30 * DAY, 182 * DAY, 365 * DAY, 395 * DAY])
    return whole | st.integers(1, longest) | st.integers(1, longest // DAY).map(DAY.__mul__)


@st.composite
def _purposes(draw: st.DrawFn, data: Data, rules: list[PresetRules]) -> Data:
    """Some purposes, with bases that the presets' rules allow."""
    bases = frozenset(_OPTIONAL).intersection(*(each.bases for each in rules))
    chosen = st.sampled_from([None, Basis.STRICTLY_NECESSARY, *sorted(bases)])
    heard = st.lists(st.sampled_from([*Signal]), unique=True)
    if any(each.signals_win for each in rules):
        heard = heard.map(lambda signals: sorted({Signal.GPC, *signals}))
    purposes: Data = {}
    for name in draw(st.lists(st.sampled_from(_PURPOSES), min_size=1, max_size=4, unique=True)):
        basis = draw(chosen)
        purposes[name] = {
            "title": draw(_texts(data["languages"])),
            "description": draw(_texts(data["languages"])),
            **({"basis": basis} if basis else {}),
            **_may_have(draw, honours=heard, since=st.integers(1, data["revision"])),
        }
        if basis is Basis.STRICTLY_NECESSARY:
            purposes[name]["justification"] = draw(st.sampled_from([*Justification]))
    return purposes


@st.composite
def _item(draw: st.DrawFn, data: Data) -> Data:
    """What cookies, stored items and services have in common."""
    languages, purposes = data["languages"], data["purposes"]
    names = draw(st.lists(st.sampled_from([*purposes]), min_size=1, max_size=2, unique=True))
    codes = st.lists(st.sampled_from(sorted(COUNTRIES)), min_size=1, max_size=4)
    return {
        "purpose": names[0] if len(names) == 1 and draw(st.booleans()) else names,
        **_may_have(
            draw,
            transfer=codes | _texts(languages),
            since=st.integers(1, data["revision"]),
        ),
    }


@st.composite
def _stored(draw: st.DrawFn, data: Data) -> Data:
    """What cookies and stored items have in common."""
    item = draw(_item(data))
    services = {"service": st.sampled_from([*data["services"]])} if data["services"] else {}
    item |= {"description": draw(_texts(data["languages"]))}
    item |= _may_have(
        draw,
        **services,
        more=st.sampled_from(_LINKS),
        recipients=_texts(data["languages"]),
    )
    if _is_necessary(item, data):
        item |= _may_have(draw, justification=st.sampled_from([*Justification]))
    return item


def _is_necessary(item: Data, data: Data) -> bool:
    names = [item["purpose"]] if isinstance(item["purpose"], str) else item["purpose"]
    return all(data["purposes"][name].get("basis") is Basis.STRICTLY_NECESSARY for name in names)


_NAME: Final = st.text(
    "".join(
        sign for sign in map(chr, range(0x21, 0x180)) if sign.isprintable() and sign not in "=;,{}*"
    ),
    min_size=3,
    max_size=12,
)


@st.composite
def _cookie(draw: st.DrawFn, data: Data, number: int, longest: int) -> tuple[str, Data]:
    kinds = ["session", "persistent", "poll-timeout"]
    cookie = draw(_stored(data))
    kind = draw(st.sampled_from(kinds if _is_necessary(cookie, data) else [*kinds, "analytics"]))
    name = f"{number:03}{draw(_NAME)}"
    ends = ["-{id}", "*", "_{a}_{b}"] if kind == "poll-timeout" else ["", "", "-{id}", "*"]
    end = draw(st.sampled_from(ends))
    secure = draw(st.booleans())
    cookie = {"kind": kind, **cookie, "attributes": draw(_attributes(secure=secure))}
    if kind in ("persistent", "analytics") or (kind == "poll-timeout" and draw(st.booleans())):
        cookie["duration"] = draw(_durations(longest))
    cookie |= _may_have(
        draw, path=st.sampled_from(["/", "/a b"]), renew=st.booleans(), party=st.just("third")
    )
    if not end:
        cookie |= _may_have(draw, chunked=st.booleans())
    if secure and draw(st.booleans()):
        return f"__Host-{name}{end}", cookie | {"path": "/"}
    return f"{name}{end}", cookie | _may_have(draw, domain=st.just("example.org"))


@st.composite
def _attributes(draw: st.DrawFn, *, secure: bool) -> Data:
    same_site = st.sampled_from(["none", "lax", "strict"] if secure else ["lax", "strict"])
    found = _may_have(draw, **{"http-only": st.booleans(), "same-site": same_site})
    return found | ({"secure": True} | _may_have(draw, partitioned=st.booleans()) if secure else {})


@st.composite
def _service(draw: st.DrawFn, data: Data, name: str) -> Data:
    markers = (f"{name}.init(", f'"{name}": #1', f"{name} = [")
    return {
        **draw(_item(data)),
        "provider": draw(_words()),
        "hosts": draw(st.lists(st.sampled_from(_HOSTS), max_size=3)),
        **_may_have(
            draw,
            **{"opt-out": st.sampled_from(_LINKS), "privacy": st.sampled_from(_LINKS)},
            title=_texts(data["languages"]),
            inline=st.lists(st.sampled_from(markers), max_size=2, unique=True),
            shows=st.sampled_from(SHOWN),
        ),
    }


@st.composite
def _storage(draw: st.DrawFn, data: Data) -> Data:
    where = draw(st.sampled_from([*Where]))
    own = {"duration": _durations(LONGEST)} if where is not Where.SESSION else {}
    return {"where": where, **draw(_stored(data)), **_may_have(draw, **own)}


@st.composite
def policy_data(draw: st.DrawFn) -> Data:
    """A policy that holds, as plain data: durations in seconds, keys with dashes."""
    mode = draw(st.sampled_from([*Mode]))
    preset = draw(st.sampled_from(_PRESETS[mode]))
    rules = [PRESETS[name] for name in preset]
    data: Data = {
        "site": _site(draw),
        "mode": mode,
        "preset": preset,
        "languages": draw(
            st.lists(st.sampled_from(_LANGUAGES), min_size=1, max_size=3, unique=True)
        ),
        "revision": draw(st.integers(1, 4)),
        "services": {},
    }
    data["purposes"] = draw(_purposes(data, rules))
    names = draw(st.lists(st.sampled_from(_SERVICES), max_size=2, unique=True))
    data["services"] = {name: draw(_service(data, name)) for name in names}
    longest = min((LONGEST, *(each.longest for each in rules)))
    count = draw(st.integers(0, 4))
    data["cookies"] = dict(draw(_cookie(data, number, longest)) for number in range(count))
    stored = [f"{number:03}{draw(_NAME)}" for number in range(draw(st.integers(0, 2)))]
    data["storage"] = {name: draw(_storage(data)) for name in stored}
    return data | _rest(draw, data, max((182 * DAY, *(each.ask_again for each in rules))))


def _site(draw: st.DrawFn) -> Data:
    line = _words().filter(lambda text: "\n" not in text)
    return {
        "name": draw(line),
        "controller": draw(line),
        **_may_have(
            draw,
            contact=st.sampled_from(["dpo@example.org", "/contact"]),
            updated=st.dates(date(1990, 1, 1), date(2099, 1, 1)),
            policy=st.sampled_from(["/cookies", "https://example.org/privacy"]),
            hosts=st.lists(st.sampled_from(_OWN_HOSTS), max_size=2, unique=True),
        ),
    }


def _rest(draw: st.DrawFn, data: Data, asked: int) -> Data:
    layouts, own = st.sampled_from(["sticky", "bottom"]), _texts(data["languages"])
    optional = {
        "undeclared": st.sampled_from([*Undeclared]),
        "settings-link": st.sampled_from(["auto", "manual", "always"]),
        "child-directed": st.lists(st.sampled_from(_PATHS), unique=True),
        "csp": st.sampled_from([*Csp]),
        "pages": st.sampled_from([*PagesMode]),
        "guard": st.booleans(),
        "integrations": _integrations(data["purposes"]),
        "placeholders": st.sampled_from([["*"], ["/a", "/b c"], []]),
        "ask-again-after": st.integers(asked // DAY, 400).map(DAY.__mul__),
        "banner": st.fixed_dictionaries(
            {"layout": layouts},
            optional={
                "title": own,
                "body": own,
                "accept": st.sampled_from(["Yes", "on", "1e3"]),
                "reject": st.sampled_from(["No", "off", "0o7"]),
            },
        ),
        "texts": _own_texts(data["languages"]),
        "templates": st.sampled_from(["/srv/templates", "/srv/our own: notice #1"]),
        "token": st.fixed_dictionaries(
            {"name": st.sampled_from(["answers", "no", "12", "-"])},
            optional={
                "domain": st.just("site.example"),
                "same-site": st.sampled_from(["lax", "strict"]),
            },
        ),
    }
    if data["mode"] is Mode.IMPLIED and _is_implied(data["purposes"]):
        optional["takes-effect"] = st.sampled_from(["next-page", "at-once"])
    return _may_have(draw, **optional)


@st.composite
def _integrations(draw: st.DrawFn, purposes: Data) -> Data:
    """Any of them; none where there is no purpose that a visitor answers to."""
    optional = [
        name for name, each in purposes.items() if each.get("basis") is not Basis.STRICTLY_NECESSARY
    ]
    if not optional:
        return {}
    some = st.sampled_from(optional) | st.lists(
        st.sampled_from(optional), min_size=1, max_size=2, unique=True
    )
    signals = st.fixed_dictionaries(
        {"ad_storage": some},
        optional=dict.fromkeys(("ad_user_data", "analytics_storage"), some),
    )
    google = st.fixed_dictionaries(
        {"signals": signals},
        optional={
            "wait-for-update": st.integers(0, 10_000),
            "region": st.lists(st.sampled_from(["DE", "US-CA", "GB-ENG"]), unique=True),
            "ads-data-redaction": st.booleans(),
            "url-passthrough": st.booleans(),
        },
    )
    waits = st.sampled_from(["tracking", "cookies"])
    return _may_have(
        draw,
        **{
            "google-consent-mode": google,
            "microsoft-clarity": st.fixed_dictionaries({"analytics-storage": some}),
            "microsoft-uet": st.fixed_dictionaries({"ad-storage": some}),
            "matomo": st.fixed_dictionaries({"purpose": some}, optional={"consent": waits}),
        },
    )


def _is_implied(purposes: Data) -> bool:
    return any(purpose.get("basis", "implied") == "implied" for purpose in purposes.values())


def policies() -> st.SearchStrategy[Policy]:
    """Policies that hold: of every mode, kind, basis, preset and switch, with texts as they come.

    What a policy takes from files is not in it: no catalogue, no `uses`, no `extends`.
    """
    return policy_data().map(policy_from)


# Files that must be refused


@dataclass(frozen=True)
class InvalidPolicy:
    """The text of a policy file, and what `PolicyError` says of it, among other things."""

    text: str
    why: str


def _without(*keys: str) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        place = data
        for key in keys[:-1]:
            place = place[key]
        del place[keys[-1]]

    return change


def _with(value: object, *keys: str) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        place = data
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = deepcopy(value)

    return change


_PURPOSE: Final = "asked-about"
"""An optional purpose that is put into each policy that is to be refused; no other has its name."""
_SAID: Final = {"purpose": _PURPOSE, "description": "Counts."}


def _cookie_named(name: str, **entry: object) -> Callable[[Data], None]:
    return _with({"kind": "session", **_SAID, **entry}, "cookies", name)


def _cookies(*names: str) -> Callable[[Data], None]:
    return _with({name: {"kind": "session", **_SAID} for name in names}, "cookies")


def _service_with(**entry: object) -> Callable[[Data], None]:
    return _with({"purpose": _PURPOSE, "provider": "P", **entry}, "services", "a-map")


_FAULTS: Final[tuple[tuple[str, Callable[[Data], None]], ...]] = (
    ("the policy has no 'site'", _without("site")),
    ("the policy has no 'mode'", _without("mode")),
    ("the policy has no 'purposes'", _without("purposes")),
    ("'site' has no 'controller'", _without("site", "controller")),
    ("purpose 'asked-about' has no 'title'", _without("purposes", _PURPOSE, "title")),
    ("the policy declares no purpose", _with({}, "purposes")),
    ("'mode' is 'explicitly', which it cannot be", _with("explicitly", "mode")),
    ("'revision' is too small, and is 0", _with(0, "revision")),
    ("'revision' must be a whole number, and is 'first'", _with("first", "revision")),
    ("the policy has no key 'cookeis'", _with({}, "cookeis")),
    ("the policy has no language", _with([], "languages")),
    ("'ask-again-after' is 'soon', which is no duration", _with("soon", "ask-again-after")),
    ("'preset' names 'eu' twice", _with(["eu", "eu"], "preset")),
    ("'preset' is 'moon', which it cannot be", _with("moon", "preset")),
    ("'name' cannot be a token's name", _with({"name": "two words"}, "token")),
    ("cookie '*' cannot be", _cookie_named("*")),
    ("cookie 'a;b' has ';' in its name", _cookie_named("a;b")),
    ("can cover the same name, and neither is more exact", _cookies("ab-{a}", "{a}-ab")),
    ("names purpose 'nowhere', which is not declared", _cookie_named("a", purpose="nowhere")),
    ("cookie 'a' names no purpose", _cookie_named("a", purpose=[])),
    ("'kind' is 'biscuit', which it cannot be", _cookie_named("a", kind="biscuit")),
    ("is of kind session and has a 'duration'", _cookie_named("a", duration="1 day")),
    ("lasts no time at all", _cookie_named("a", kind="persistent", duration="0 days")),
    ("'a while', which is no duration", _cookie_named("a", kind="persistent", duration="a while")),
    ("is of kind persistent and has no 'duration'", _cookie_named("a", kind="persistent")),
    ("cookie 'a' stands since revision 99", _cookie_named("a", since=99)),
    ("cookie 'a' has a justification", _cookie_named("a", justification="security")),
    ("is chunked, and its name is a pattern", _cookie_named("a-{b}", chunked=True)),
    ("cookie '__Host-a' begins with __Host-", _cookie_named("__Host-a")),
    (
        "has 'same-site: none' and no 'secure: true'",
        _cookie_named("a", attributes={"same-site": "none"}),
    ),
    (
        "has 'partitioned: true' and no 'secure: true'",
        _cookie_named("a", attributes={"partitioned": True}),
    ),
    ("has no place for the poll in its name", _cookie_named("a", kind="poll-timeout")),
    ("cookie 'a' has the path 'shop', which browsers ignore", _cookie_named("a", path="shop")),
    ("names service 'beyond', which is not declared", _cookie_named("a", service="beyond")),
    ("'maps.example/tiles', which is no host name", _service_with(hosts=["maps.example/tiles"])),
    (
        "'www.maps.example' as 'privacy', which is no link",
        _service_with(privacy="www.maps.example"),
    ),
    ("'XX' under 'transfer', which is no country code", _service_with(transfer=["XX"])),
    (
        "'where' is 'everywhere', which it cannot be",
        _with({**_SAID, "where": "everywhere"}, "storage", "a"),
    ),
    ("'kids'", _with(["kids"], "child-directed")),
)
"""What is said of a policy, and the change to one that holds after which it must be said."""

_SLIPS: Final[tuple[tuple[str, Callable[[str], str]], ...]] = (
    ("the file is empty", lambda _text: ""),
    ("the file is empty", lambda _text: "# mode: explicit\n"),
    ("the policy is a list", lambda _text: "- mode: explicit\n"),
    ("the policy is 'No cookies.'", lambda _text: "No cookies.\n"),
    ("the key 'mode' stands in line", lambda text: f"{text}\nmode: explicit\n"),
    ("the character '\\x08' cannot stand in a YAML file", lambda text: f"{text}# \x08\n"),
    ("this is not YAML", lambda text: f"{text}guard: [\n"),
    ("this is not YAML", lambda text: f"{text}guard:\n\t{{}}\n"),
    ("the tag '!!python/none' is not read", lambda text: f"{text}x: !!python/none\n"),
    ("a second document begins", lambda text: f"{text}---\n{text}"),
)
"""What is said of a text, and how the text of a policy that holds becomes it."""


@st.composite
def invalid_policies(draw: st.DrawFn) -> InvalidPolicy:
    """Policy files in which a fault was put into a policy that holds.

    The fault is one of the policy (a purpose that is not declared, a session cookie that lasts a
    day) or of the text (a bracket that is missing, a key that stands twice).
    """
    policy = draw(policies())
    if draw(st.booleans()):
        why, slip = draw(st.sampled_from(_SLIPS))
        return InvalidPolicy(slip(policy.to_yaml()), why)
    why, change = draw(st.sampled_from(_FAULTS))
    return InvalidPolicy(_spoilt(policy, change), why)


def _spoilt(policy: Policy, change: Callable[[Data], None]) -> str:
    """The text of a policy to which an optional purpose was added, and the change made."""
    data: Data = as_in_a_file(policy)
    asked = {_PURPOSE: {"title": "Asked", "description": "About."}}
    data["purposes"] = {**data["purposes"], **asked}
    change(data)
    return print_yaml(data)

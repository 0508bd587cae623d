"""Hypothesis makes policies that hold: any of them may be loaded, printed, compared, mutated.

It has never heard of what is done with them. Names carry a number at their beginning, so that no
pattern can cover another entry's name, and nothing is named as the catalogue names it.
"""

from datetime import date
from functools import cache
from typing import Any

from hypothesis import strategies as st

from consentkit.rules.policy import (
    COUNTRIES,
    DAY,
    LONGEST,
    SHOWN,
    Csp,
    Justification,
    Mode,
    PagesMode,
    Policy,
    Undeclared,
    Where,
)
from consentkit.rules.policy_file import policy_from
from consentkit.rules.signals import Signal
from consentkit.rules.texts import TEXTS

Data = dict[str, Any]

LANGUAGES = ("en", "no", "de", "pt-BR", "zh-Hant-TW", "fr")
PURPOSES = ("necessary", "analytics", "no", "1", "null", "a.b-c_D", "2015-06-01", "on", "0x1F")
SERVICES = ("x-video", "5", "no", "our_map.tiles", "null", "1e3", "2015-06-01")
HOSTS = ("example.org", "*.example.org", "a-1.example", "10.0.0.1", "xn--bcher-kva.example")
OWN_HOSTS = ("static.site.example", "*.site.example", "192.0.2.1")
PATHS = ("/", "/kids", "/kids/", "/for/kids.html", "/f\u00fcr-kinder", "/a//b", "/..a", "/no")
LINKS = ("https://example.org/a?b=c#d", "/cookies", "mailto:dpo@example.org", "http://x.example/:#")

# What YAML has a use for, and what an editor, a browser or another reader would trip over.
SIGNS = "-?:,[]{}#&*!|>'\"%@`~=<. \t\n\u00a0\u2028\u2029\ufeff\u200d\u200f\U0001f36aé0123yYnNe_"
WORDS = (
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
_TURNING = "".join(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
"""What turns the direction of a text: no policy has it."""
_written = st.characters(
    exclude_categories=("Cc", "Cs"), exclude_characters=_TURNING, include_characters="\t\n"
)


@cache
def words() -> st.SearchStrategy[str]:
    """Texts for the visitor: any that are not empty."""
    anything = st.text(_written, max_size=40) | st.text(st.sampled_from(SIGNS), max_size=20)
    long = st.lists(anything | st.sampled_from(WORDS), min_size=8, max_size=16).map(" ".join)
    return (anything | st.sampled_from(WORDS) | long).filter(str.strip)


@st.composite
def texts(draw: st.DrawFn, languages: list[str]) -> str | dict[str, str]:
    """One text, or one for each of some languages, the first always among them."""
    if draw(st.booleans()):
        return draw(words())
    spoken = [tag for tag in languages if tag == languages[0] or draw(st.booleans())]
    return {tag: draw(words()) for tag in spoken}


OWN = ("settings", "on", "durations.day.two", "months.12", "countries.NO", "date", "changed_items")
"""Texts of each sort: with nothing filled in, with something, of a list, of a word of YAML's."""


@cache
def _own_text(key: str) -> st.SearchStrategy[str]:
    plain = words().map(lambda text: text.replace("{", "(").replace("}", ")"))
    names = "".join(f" {{{name}}}" for name in sorted(TEXTS[key].needed))
    return plain.map(lambda text: text + names)


def own_texts(languages: list[str]) -> st.SearchStrategy[Data]:
    """Some of the notice's texts, in some of the languages."""
    some = st.fixed_dictionaries({}, optional={key: _own_text(key) for key in OWN})
    return st.dictionaries(st.sampled_from(languages), some)


def _may_have(draw: st.DrawFn, **values: st.SearchStrategy[Any]) -> Data:
    """Some of the keys, or all, or none."""
    chosen = {key: draw(st.none() | value) for key, value in values.items()}
    return {key: value for key, value in chosen.items() if value is not None}


@cache
def _durations(longest: int) -> st.SearchStrategy[int]:
    whole = st.sampled_from([60, 3600, DAY, 7 * DAY, 30 * DAY, 182 * DAY, 365 * DAY, 395 * DAY])
    return whole | st.integers(1, longest) | st.integers(1, longest // DAY).map(DAY.__mul__)


@st.composite
def _purposes(draw: st.DrawFn, languages: list[str], bases: list[str]) -> Data:
    purposes: Data = {}
    for name in draw(st.lists(st.sampled_from(PURPOSES), min_size=1, max_size=4, unique=True)):
        basis = draw(st.sampled_from([None, "strictly-necessary", *bases]))
        purposes[name] = {
            "title": draw(texts(languages)),
            "description": draw(texts(languages)),
            **({"basis": basis} if basis else {}),
            **_may_have(draw, honours=st.lists(st.sampled_from([*Signal]), unique=True)),
        }
        if basis == "strictly-necessary":
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
            transfer=codes | texts(languages),
            since=st.integers(1, data["revision"]),
        ),
    }


@st.composite
def _stored(draw: st.DrawFn, data: Data) -> Data:
    """What cookies and stored items have in common."""
    item = draw(_item(data))
    services = st.sampled_from([*data["services"]]) if data["services"] else st.nothing()
    item |= {"description": draw(texts(data["languages"]))}
    item |= _may_have(
        draw,
        service=services,
        more=st.sampled_from(LINKS),
        recipients=texts(data["languages"]),
    )
    if _is_necessary(item, data):
        item |= _may_have(draw, justification=st.sampled_from([*Justification]))
    return item


def _is_necessary(item: Data, data: Data) -> bool:
    names = [item["purpose"]] if isinstance(item["purpose"], str) else item["purpose"]
    return all(data["purposes"][name].get("basis") == "strictly-necessary" for name in names)


_NAME = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x17F, exclude_characters="=;,{}*\x7f").filter(
        lambda sign: not sign.isspace() and sign.isprintable()
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
        "provider": draw(words()),
        "hosts": draw(st.lists(st.sampled_from(HOSTS), max_size=3)),
        **_may_have(
            draw,
            **{"opt-out": st.sampled_from(LINKS), "privacy": st.sampled_from(LINKS)},
            title=texts(data["languages"]),
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
    is_strict = draw(st.booleans())
    mode = Mode.EXPLICIT if is_strict else draw(st.sampled_from([*Mode]))
    languages = draw(st.lists(st.sampled_from(LANGUAGES), min_size=1, max_size=3, unique=True))
    data: Data = {
        "site": _site(draw),
        "mode": mode,
        "languages": languages,
        "revision": draw(st.integers(1, 4)),
        "purposes": draw(
            _purposes(languages, ["consent"] if is_strict else ["consent", "implied", "opt-out"])
        ),
        "services": {},
    }
    longest = 395 * DAY if is_strict else LONGEST
    names = draw(st.lists(st.sampled_from(SERVICES), max_size=2, unique=True))
    data["services"] = {name: draw(_service(data, name)) for name in names}
    count = draw(st.integers(0, 4))
    data["cookies"] = dict(draw(_cookie(data, number, longest)) for number in range(count))
    stored = [f"{number:03}{draw(_NAME)}" for number in range(draw(st.integers(0, 2)))]
    data["storage"] = {name: draw(_storage(data)) for name in stored}
    return data | _rest(draw, data, is_strict=is_strict)


def _site(draw: st.DrawFn) -> Data:
    line = words().filter(lambda text: "\n" not in text)
    return {
        "name": draw(line),
        "controller": draw(line),
        **_may_have(
            draw,
            contact=st.sampled_from(["dpo@example.org", "/contact"]),
            updated=st.dates(date(1990, 1, 1), date(2099, 1, 1)),
            policy=st.sampled_from(["/cookies", "https://example.org/privacy"]),
            hosts=st.lists(st.sampled_from(OWN_HOSTS), max_size=2, unique=True),
        ),
    }


def _rest(draw: st.DrawFn, data: Data, *, is_strict: bool) -> Data:
    layouts = st.sampled_from(["sticky", "bottom"])
    optional = {
        "undeclared": st.sampled_from([*Undeclared]),
        "settings-link": st.sampled_from(["auto", "manual", "always"]),
        "child-directed": st.lists(st.sampled_from(PATHS), unique=True),
        "csp": st.sampled_from([*Csp]),
        "pages": st.sampled_from([*PagesMode]),
        "guard": st.booleans(),
        "integrations": _integrations(data["purposes"]),
        "placeholders": st.sampled_from([["*"], ["/a", "/b c"], []]),
        "ask-again-after": st.integers(182, 400).map(DAY.__mul__),
        "banner": st.fixed_dictionaries({"layout": layouts, "title": texts(data["languages"])}),
        "texts": own_texts(data["languages"]),
        "templates": st.sampled_from(["/srv/templates", "/srv/our own: notice #1"]),
        "token": st.fixed_dictionaries({"name": st.sampled_from(["answers", "no", "12", "-"])}),
    }
    if is_strict:
        optional["preset"] = st.sampled_from(["eu", ["fr", "de"], ["uk"]])
    elif data["mode"] is Mode.IMPLIED and _is_implied(data["purposes"]):
        optional["takes-effect"] = st.sampled_from(["next-page", "at-once"])
    return _may_have(draw, **optional)


@st.composite
def _integrations(draw: st.DrawFn, purposes: Data) -> Data:
    """Any of them; none where there is no purpose that a visitor answers to."""
    optional = [
        name for name, each in purposes.items() if each.get("basis") != "strictly-necessary"
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
    """Policies that hold."""
    return policy_data().map(policy_from)

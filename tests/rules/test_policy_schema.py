import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from consentkit.errors import PolicyError
from consentkit.rules import catalogue
from consentkit.rules.faults import problems_in
from consentkit.rules.names import NamePattern
from consentkit.rules.policy import Policy, parse_duration
from consentkit.rules.policy_file import inspect_policy, inspect_text
from consentkit.rules.policy_schema import policy_schema
from consentkit.rules.texts import DIGITS, TEXTS
from consentkit.rules.wording import FILE_KEYS, MODELS
from consentkit.rules.yaml_print import print_yaml
from consentkit.rules.yaml_text import compose
from consentkit.testing.strategies import policies

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(ROOT.glob("examples/*/consent.yaml"))
BAD = sorted(ROOT.glob("tests/policies/bad/*.yaml"))

RECORD = Path(__file__).with_name("policy_schema.json")

SCHEMA = policy_schema()
VALIDATOR = Draft7Validator(SCHEMA)

BEYOND_A_SCHEMA = """
a-base-outside a-basis-the-preset-does-not-know a-fault-above-a-sound-base a-folder-as-base
a-service-of-ones-own-without-a-provider
a-framework-without-a-necessary-purpose a-language-twice-in-capitals a-missing-base
a-name-that-reads-backwards a-needless-justification a-pattern-of-trackers-is-not-necessary
a-poll-that-is-a-tracker a-preset-twice a-service-of-an-undeclared-purpose
a-service-without-justification a-tag-manager-is-not-necessary a-tracker-in-storage-is-not-necessary
a-wildcard-over-a-trackers-host a-wildcard-that-swallows-another-purpose accept-and-close
an-advertising-cookie-is-not-necessary an-implied-notice-that-scrolls-away an-undeclared-purpose
an-undeclared-service an-unknown-cookie-of-a-tracker analytics-is-not-necessary
asking-sooner-than-the-preset by-continuing deaf-to-gpc-in-california faults-and-warnings
google-analytics-is-not-necessary hosts-of-everybody implied-in-the-eu improve-your-experience
itself longer-than-400-days longer-than-the-preset misleading-words-in-german no-justification
norway one-of-two-purposes-undeclared patterns-of-equal-weight since-the-future
storage-of-an-undeclared-purpose storage-patterns-of-equal-weight storage-without-justification
takes-effect-of-nothing texts-without-the-first-language the-token-itself too-many-purposes
words-in-a-stray-language
a-host-that-is-own-and-foreign a-signal-of-an-undeclared-purpose a-signal-that-nobody-answers
a-tracker-of-ones-own links-that-carry-what-nobody-agreed-to one-marker-for-two-purposes
a-no-like-the-yes a-text-that-misleads nine-digits templates-in-no-folder texts-in-a-stray-language
"""
"""The bad files whose faults lie between several places, in other files or in what words mean."""

BASE: dict[str, Any] = {
    "site": {"name": "A", "controller": "B"},
    "mode": "explicit",
    "purposes": {"p": {"title": "T", "description": "D"}},
}
COOKIE = {"kind": "session", "purpose": "p", "description": "D"}
ITEM = {"where": "local", "purpose": "p", "description": "D"}
SERVICE = {"purpose": "p", "provider": "C"}
GOOGLE: dict[str, Any] = {"signals": {"ad_storage": "p"}}
SECURE = {"attributes": {"secure": True}}


def refusals(data: object) -> list[str]:
    """The paths at which the schema refuses; the empty one is the top."""
    return sorted({".".join(map(str, error.path)) for error in VALIDATOR.iter_errors(data)})


def data_of(source: bytes | str) -> Any:
    return compose(source, "<file>").node.data


def is_yaml(file: Path) -> bool:
    try:
        return not compose(file.read_bytes(), file.name).faults
    except PolicyError:
        return False


# What is right is never underlined


def test_it_is_a_schema_of_draft_7() -> None:
    """And plain JSON: an editor reads it from a file."""
    Draft7Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.parent.name)
def test_the_examples_are_valid(file: Path) -> None:
    """They are what people start from."""
    assert refusals(data_of(file.read_bytes())) == []


@given(policies())
def test_every_policy_that_holds_is_valid(policy: Policy) -> None:
    """An editor that underlines what is right is switched off."""
    assert refusals(data_of(policy.to_yaml())) == []


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_what_the_schema_refuses_the_reader_refuses(file: Path) -> None:
    """Warnings are no faults, and a base's faults are not those of the file above it."""
    if is_yaml(file) and refusals(data_of(file.read_bytes())):
        assert inspect_policy(file).faults != ()


def test_what_may_be_empty_may_be_empty() -> None:
    """``contact:`` is a line that somebody has yet to fill in: no reason for red ink."""
    keys = ("contact", "updated", "policy")
    purpose = {"title": "T", "description": "D", "basis": None, "justification": None}
    cookie = {**COOKIE, "duration": None, "transfer": None, "attributes": {"same-site": None}}
    data = {
        **BASE,
        "site": {**BASE["site"], **dict.fromkeys(keys)},
        "purposes": {"p": purpose},
        "cookies": {"a": cookie},
        "banner": {"title": None, "layout": None},
    }
    assert refusals(data) == []
    assert inspect_text(print_yaml(data)).faults == ()


# What is wrong is underlined


def test_every_fault_of_shape_is_refused() -> None:
    """The faults that a schema cannot know are listed, so that no other one joins them unseen."""
    assert BAD
    unseen = {
        file.stem
        for file in BAD
        if is_yaml(file)
        if any(fault.file == str(file) for fault in inspect_policy(file).faults)
        if not refusals(data_of(file.read_bytes()))
    }
    assert unseen == set(BEYOND_A_SCHEMA.split())


REFUSED: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    # what is wrong                 a section with it, where, and the section put right
    "a session's duration": (
        {"cookies": {"a": COOKIE | {"duration": "1 day"}}},
        "cookies.a.duration",
        {"cookies": {"a": COOKIE | {"duration": "1 day", "kind": "persistent"}}},
    ),
    "no duration": (
        {"cookies": {"a": COOKIE | {"kind": "analytics"}}},
        "cookies.a",
        {"cookies": {"a": COOKIE | {"kind": "analytics", "duration": "13 months"}}},
    ),
    "a poll without its number": (
        {"cookies": {"a": COOKIE | {"kind": "poll-timeout"}}},
        "cookies.a.kind",
        {"cookies": {"a-{id}": COOKIE | {"kind": "poll-timeout"}}},
    ),
    "a chunked pattern": (
        {"cookies": {"a*": COOKIE | {"chunked": True}}},
        "cookies.a*.chunked",
        {"cookies": {"a": COOKIE | {"chunked": True}}},
    ),
    "SameSite=None without Secure": (
        {"cookies": {"a": COOKIE | {"attributes": {"same-site": "none"}}}},
        "cookies.a.attributes",
        {"cookies": {"a": COOKIE | {"attributes": {"same-site": "none", "secure": True}}}},
    ),
    "Partitioned without Secure": (
        {"cookies": {"a": COOKIE | {"attributes": {"partitioned": True, "secure": False}}}},
        "cookies.a.attributes.secure",
        {"cookies": {"a": COOKIE | {"attributes": {"partitioned": False}}}},
    ),
    "__secure- without Secure": (
        {"cookies": {"__secure-a": COOKIE}},
        "cookies.__secure-a",
        {"cookies": {"__secure-a": COOKIE | SECURE}},
    ),
    "__Host- with a path": (
        {"cookies": {"__Host-a": COOKIE | SECURE | {"path": "/a"}}},
        "cookies.__Host-a.path",
        {"cookies": {"__Host-a": COOKIE | SECURE | {"path": "/"}}},
    ),
    "__Host- with a domain": (
        {"cookies": {"__Host-a": COOKIE | SECURE | {"domain": "example.org"}}},
        "cookies.__Host-a.domain",
        {"cookies": {"__Host-a": COOKIE | SECURE | {"domain": None}}},
    ),
    "__Http- without HttpOnly": (
        {"cookies": {"__Http-a": COOKIE | SECURE}},
        "cookies.__Http-a.attributes",
        {"cookies": {"__Http-a": COOKIE | {"attributes": {"secure": True, "http-only": True}}}},
    ),
    "a bare star": (
        {"cookies": {"*": COOKIE}},
        "cookies",
        {"cookies": {"a*": COOKIE}},
    ),
    "a session storage's duration": (
        {"storage": {"a": ITEM | {"where": "session", "duration": "1 day"}}},
        "storage.a.duration",
        {"storage": {"a": ITEM | {"duration": "1 day"}}},
    ),
    "a service without its maker": (
        {"services": {"mine": {"purpose": "p"}}},
        "services.mine",
        {"services": {"youtube": {"purpose": "p"}}},
    ),
    "a known service without purpose": (
        {"services": {"youtube": {}}},
        "services.youtube",
        {"services": {"youtube": {"purpose": "p"}}},
    ),
    "a framework nobody knows": ({"uses": ["djnago"]}, "uses", {"uses": "django"}),
    "a preset nobody knows": ({"preset": "eurpe"}, "preset", {"preset": ["eu", "fr"]}),
    "a country nobody knows": (
        {"services": {"a": SERVICE | {"transfer": ["UK"]}}},
        "services.a.transfer",
        {"services": {"a": SERVICE | {"transfer": ["GB"]}}},
    ),
    "no words": ({"banner": {"title": " "}}, "banner.title", {"banner": {"title": "T"}}),
    "words in no language": (
        {"banner": {"title": {"e!": "T"}}},
        "banner.title",
        {"banner": {"title": {"en": "T"}}},
    ),
    "a host with a scheme": (
        {"services": {"a": SERVICE | {"hosts": ["https://a.example"]}}},
        "services.a.hosts.0",
        {"services": {"a": SERVICE | {"hosts": ["*.a.example"]}}},
    ),
    "a host of the site's own with a path": (
        {"site": {**BASE["site"], "hosts": ["a.example/b"]}},
        "site.hosts.0",
        {"site": {**BASE["site"], "hosts": ["a.example", "*.b.example"]}},
    ),
    "a service with blanks in its name": (
        {"services": {"our map": SERVICE}},
        "services",
        {"services": {"our-map": SERVICE}},
    ),
    "a script known by too little": (
        {"services": {"a": SERVICE | {"inline": ["a("]}}},
        "services.a.inline.0",
        {"services": {"a": SERVICE | {"inline": ["map("]}}},
    ),
    "a thing nobody shows": (
        {"services": {"a": SERVICE | {"shows": "film"}}},
        "services.a.shows",
        {"services": {"a": SERVICE | {"shows": "video"}}},
    ),
    "an unknown policy of content": ({"csp": "strict"}, "csp", {"csp": "enforce"}),
    "an unknown integration": (
        {"integrations": {"google": {}}},
        "integrations",
        {"integrations": {"matomo": {"purpose": "p"}}},
    ),
    "an integration without its purpose": (
        {"integrations": {"matomo": {"consent": "cookies"}}},
        "integrations.matomo",
        {"integrations": {"matomo": {"consent": "cookies", "purpose": ["p"]}}},
    ),
    "an unknown signal": (
        {"integrations": {"google-consent-mode": {"signals": {"security_storage": "p"}}}},
        "integrations.google-consent-mode.signals",
        {"integrations": {"google-consent-mode": {"signals": {"ad_storage": "p"}}}},
    ),
    "no signal at all": (
        {"integrations": {"google-consent-mode": {"signals": {}}}},
        "integrations.google-consent-mode.signals",
        {"integrations": {"google-consent-mode": {"signals": {"ad_storage": ["p"]}}}},
    ),
    "a region by its name": (
        {"integrations": {"google-consent-mode": GOOGLE | {"region": ["Bavaria"]}}},
        "integrations.google-consent-mode.region.0",
        {"integrations": {"google-consent-mode": GOOGLE | {"region": ["DE-BY", "US"]}}},
    ),
    "a wait without end": (
        {"integrations": {"google-consent-mode": GOOGLE | {"wait-for-update": 10_001}}},
        "integrations.google-consent-mode.wait-for-update",
        {"integrations": {"google-consent-mode": GOOGLE | {"wait-for-update": 10_000}}},
    ),
    "an unknown text": (
        {"texts": {"en": {"setings": "Cookies"}}},
        "texts.en",
        {"texts": {"en": {"settings": "Cookies"}}},
    ),
    "texts without a language": (
        {"texts": {"settings": "Cookies"}},
        "texts.settings",
        {"texts": {}},
    ),
    "a text that loses one of two facts": (
        {"texts": {"en": {"changed_items": "{purpose} has changed"}}},
        "texts.en.changed_items",
        {"texts": {"en": {"changed_items": "{names} of {purpose}"}}},
    ),
    "a text with a brace too many": (
        {"texts": {"en": {"responsible": "{controller}}"}}},
        "texts.en.responsible",
        {"texts": {"en": {"responsible": "{controller}, {controller}"}}},
    ),
    "a text that nothing is filled into": (
        {"texts": {"en": {"settings": "{site}"}}},
        "texts.en.settings",
        {"texts": {"en": {"durations.day.one": "a day", "months.1": "Jan."}}},
    ),
    "an empty text of the notice": (
        {"texts": {"en": {"back": " "}}},
        "texts.en.back",
        {"texts": {"en": {"back": "{site}"}}},
    ),
    "templates without a name": ({"templates": " "}, "templates", {"templates": "/srv/notice"}),
    **{
        f"the path for children {path}": (
            {"child-directed": [path]},
            "child-directed.0",
            {"child-directed": ["/", "/kids/..a", "/%"]},
        )
        for path in ("kids", "/*", "/..", "/a/../b", "/...", "/a;b", "/a%2Fb", "/a?", "/a#", "/a b")
    },
    "a line now and then": (
        {"settings-link": "sometimes"},
        "settings-link",
        {"settings-link": "always"},
    ),
    "an unknown key": ({"colour": "red"}, "", {}),
    "a partial cookie": (
        {"cookies": {"sessionid": {"duration": "1 day"}}},
        "cookies.sessionid",
        {"cookies": {"sessionid": {"duration": "1 day"}}, "uses": ["django"]},
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_keys_that_do_not_go_together_are_refused(fault: str) -> None:
    """Where the fault is; and beside each the same put right, which is not."""
    wrong, where, right = REFUSED[fault]
    assert where in refusals(BASE | wrong)
    assert refusals(BASE | right) == []


@pytest.mark.parametrize("fault", REFUSED)
def test_the_reader_sees_it_the_same_way(fault: str) -> None:
    """Two judges of one file that disagree are worse than one."""
    wrong, _, right = REFUSED[fault]
    assert inspect_text(print_yaml(BASE | wrong)).faults != ()
    if "uses" not in right:  # they need a purpose that is strictly necessary
        assert inspect_text(print_yaml(BASE | right)).faults == ()


def test_what_is_laid_upon_another_file_may_be_a_part() -> None:
    """But an entry that says its kind stands alone, and says the rest as well."""
    part = {"extends": "base.yaml", "cookies": {"a": {"duration": "1 day"}}}
    assert refusals(part) == []
    assert refusals(part | {"cookies": {"a": {"kind": "session"}}}) == ["cookies.a"]
    assert "" in refusals({"cookies": {}})


@given(st.text(st.sampled_from("ab_-{}* =;,\t\x7f\u00e9\u2003"), max_size=12))
def test_names_are_judged_as_the_reader_does(name: str) -> None:
    """Of cookies and of what is stored; there blanks may stand."""
    try:
        NamePattern.parse(name)
    except ValueError:
        can_be = False
    else:
        can_be = True
    unfit = any(sign.isspace() or sign in "=;,\x7f" for sign in name)
    assert (refusals(BASE | {"cookies": {name: COOKIE}}) == []) is (can_be and not unfit)
    if "\x7f" not in name:
        assert (refusals(BASE | {"storage": {name: ITEM}}) == []) is can_be


@given(st.from_regex(r" ?[0-9]{1,8} ?(second|minute|day|weak|month|year)s? ?", fullmatch=True))
def test_durations_are_judged_as_the_reader_does(text: str) -> None:
    """All but how long is too long: that is counted and not spelled."""
    try:
        seconds = parse_duration(text)
    except ValueError:
        seconds = 0
    assert (refusals(BASE | {"ask-again-after": text}) == []) is (seconds > 0)


@given(st.text(st.sampled_from("/.a%20*?;# \\\t"), max_size=8))
def test_paths_for_children_are_judged_as_the_reader_does(path: str) -> None:
    """Two patterns for one thing, in two dialects."""
    found = problems_in(Policy.model_validate(BASE | {"child-directed": [path]}))
    assert (refusals(BASE | {"child-directed": [path]}) == []) is (found == [])


@given(st.sampled_from([*TEXTS.keys() - {DIGITS}]), st.text(st.sampled_from("{}a \n"), max_size=8))
def test_texts_are_judged_as_the_reader_does(key: str, around: str) -> None:
    """What is filled in, and every other brace."""
    names = "".join(f"{{{name}}}" for name in TEXTS[key].allowed)
    for words in (around, f"{names}{around}"):
        data = BASE | {"texts": {"en": {key: words}}}
        found = problems_in(Policy.model_validate(data))
        assert (refusals(data) == []) is (found == [])


# Every key is explained


def shapes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema within a schema."""
    if isinstance(schema, dict):
        yield schema
        for held in schema.values():
            yield from shapes(held)
    elif isinstance(schema, list):
        for held in schema:
            yield from shapes(held)


def test_every_key_stands_in_it_with_words() -> None:
    """The models' keys and the file's own, no more and no less."""
    definitions = SCHEMA["definitions"]
    found = {(): SCHEMA, ("site",): definitions["site"], ("banner",): definitions["banner"]}
    found |= {("token",): definitions["token"], ("purposes", "*"): definitions["purpose"]}
    found |= {("cookies", "*"): definitions["cookie"], ("storage", "*"): definitions["stored-item"]}
    found |= {("cookies", "*", "attributes"): definitions["attributes"]}
    found |= {("services", "*"): definitions["service"]}
    found |= {("integrations",): definitions["integrations"]}
    known = ("google-consent-mode", "microsoft-clarity", "microsoft-uet", "matomo")
    found |= {("integrations", key): definitions[key] for key in known}
    signals = ("integrations", "google-consent-mode", "signals")
    found |= {signals: definitions["google-signals"]}
    assert found.keys() == MODELS.keys()
    assert definitions["texts"]["properties"].keys() == TEXTS.keys()
    for place, schema in found.items():
        fields = MODELS[place].model_fields.values()
        own = {str(info.alias) for info in fields if not info.exclude}
        assert schema["properties"].keys() == own | ({*FILE_KEYS} if not place else set())
        for key, shape in schema["properties"].items():
            assert len(shape["description"]) > 8, key
            assert "in seconds" not in shape["description"]


def test_every_word_of_a_closed_set_is_explained() -> None:
    """Who chooses between words needs to know what each one does."""
    explained = [shape for shape in shapes(SCHEMA) if "enumDescriptions" in shape]
    assert len(explained) > 10
    for shape in explained:
        assert len(shape["enum"]) == len(shape["enumDescriptions"])
        assert all(len(said) > 4 for said in shape["enumDescriptions"])
    closed = {frozenset(filter(None, shape["enum"])) for shape in explained}
    for enum in enums():
        assert frozenset(map(str, enum)) in closed


def enums() -> Iterator[type[StrEnum]]:
    from consentkit.rules import policy, signals

    for each in (*vars(policy).values(), *vars(signals).values()):
        if isinstance(each, type) and issubclass(each, StrEnum) and each is not StrEnum:
            yield each


def test_what_the_catalogue_knows_is_offered() -> None:
    """Services by their names, with who makes them; frameworks by theirs."""
    offered = SCHEMA["properties"]["services"]["properties"]
    assert offered.keys() == catalogue.services().keys()
    assert "Google" in offered["youtube"]["description"]
    one, several = SCHEMA["properties"]["uses"]["anyOf"]
    assert one["enum"] == several["items"]["enum"] == [*catalogue.frameworks()]


# --- On record ------------------------------------------------------------------------------------


def recorded() -> str:
    """The schema as editors get it, but for the services of the catalogue; frameworks are one."""
    whole = json.loads(json.dumps(SCHEMA))
    services = whole["properties"]["services"].pop("properties")
    whole["properties"]["services"]["properties"] = {"youtube": services["youtube"]}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def test_the_schema_is_the_one_on_record() -> None:
    """Every word of it is read by somebody in an editor: what changes is to be seen in a diff.

    ``python -m tests.rules.test_policy_schema --write`` writes it anew.
    """
    assert recorded() == RECORD.read_text("utf-8")


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    RECORD.write_text(recorded(), "utf-8")

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from consentkit.rules.policy import DAY, LONGEST, Policy, parse_duration, print_duration
from consentkit.rules.policy_file import inspect_policy, policy_from, read_policy
from consentkit.rules.yaml_print import WIDTH, print_yaml
from consentkit.rules.yaml_text import compose
from consentkit.shell.formatting import formatted
from consentkit.testing.policies import SIGNS, WORDS, policies

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(ROOT.glob("examples/*/consent.yaml"))

texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.sampled_from([*SIGNS, "\r", "\x85", "\0", "\x1b", "\\"])),
    st.lists(st.sampled_from([*WORDS, "", "\n", "word"]), max_size=60).map(" ".join),
    st.sampled_from(WORDS),
)
scalars = st.one_of(
    texts, st.booleans(), st.none(), st.integers(-(10**17), 10**17), st.dates().map(str)
)
mappings = st.dictionaries(
    texts,
    st.recursive(
        scalars,
        lambda held: st.lists(held, max_size=4) | st.dictionaries(texts, held, max_size=4),
        max_leaves=16,
    ),
    max_size=4,
)


def read(text: str) -> object:
    document = compose(text, "<printed>")
    assert document.faults == []
    return document.node.data


# What is printed is what was meant


@given(mappings)
def test_reading_undoes_printing(data: dict[str, object]) -> None:
    """Whatever text stands in a policy, the file says it exactly."""
    assert read(print_yaml(data)) == data


@given(mappings)
def test_other_readers_read_the_same(data: dict[str, object]) -> None:
    """PyYAML's own rules are YAML 1.1's: what it would take for a number stands in quotes."""
    assert yaml.safe_load(print_yaml(data)) == data


@given(policies())
def test_a_policy_survives_its_file(policy: Policy) -> None:
    """The file is the policy's other form: nothing is lost, nothing comes to it."""
    assert read_policy(policy.to_yaml()) == policy


@given(policies())
def test_what_is_printed_is_formatted_already(policy: Policy) -> None:
    """One canonical form: `fmt` finds nothing to do in what `to_yaml` wrote."""
    text = policy.to_yaml()
    assert formatted(text, "<printed>") == text


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.parent.name)
def test_the_examples_survive(file: Path) -> None:
    """Including those that name frameworks and services of the catalogue."""
    policy = inspect_policy(file).policy
    assert policy is not None
    assert read_policy(policy.to_yaml()) == policy
    assert read_policy(policy.to_yaml()).to_yaml() == policy.to_yaml()


def test_what_was_taken_away_from_a_known_service_stays_away() -> None:
    """`inline: []` says that nothing of it is inline: left out, the catalogue would fill it in."""
    known = "services: {google-analytics: {purpose: p}, youtube: {purpose: p, shows: video}}"
    less = "services: {google-analytics: {purpose: p, inline: []}, youtube: {purpose: p, shows: }}"
    purposes = "purposes: {p: {title: T, description: D}}"
    site = f"site: {{name: A, controller: B}}\nmode: explicit\n{purposes}\n"
    for text in (known, less):
        policy = read_policy(f"{site}{text}\n")
        assert read_policy(policy.to_yaml()) == policy
    assert policy.services["google-analytics"].inline == ()
    assert policy.services["youtube"].shows is None
    assert read_policy(f"{site}{known}\n").services["google-analytics"].inline != ()


def test_what_the_catalogue_supplied_is_written_out() -> None:
    """A printed policy stands alone: it names no framework, and its services say who they are."""
    policy = policy_from(
        {
            "site": {"name": "A", "controller": "A"},
            "mode": "explicit",
            "uses": ["django"],
            "purposes": {
                "needed": {
                    "basis": "strictly-necessary",
                    "title": "Needed",
                    "description": "For log-in.",
                },
                "films": {"title": "Films", "description": "Plays films."},
            },
            "services": {"youtube": {"purpose": "films"}},
        }
    )
    text = policy.to_yaml()
    assert "uses" not in text
    assert "provider: Google" in text
    assert "sessionid:" in text
    assert read_policy(text) == policy


# As people write it


def test_a_policy_reads_like_one_by_hand() -> None:
    """Sections apart, short lists in brackets, long texts folded, defaults left out."""
    policy = policy_from(
        {
            "site": {"name": "Øst: a club", "controller": "No", "updated": date(2026, 11, 22)},
            "mode": "explicit",
            "preset": ["eu"],
            "revision": 1,
            "ask-again-after": 365 * DAY,
            "languages": ["en", "no"],
            "purposes": {
                "stats": {
                    "title": {"en": "Counting", "no": "Telling"},
                    "description": "Tells us how often people come back, and which of our pages "
                    "they look at before they become members of the club.",
                    "honours": ["gpc", "dnt"],
                }
            },
            "cookies": {
                "seen-{day}": {
                    "kind": "analytics",
                    "purpose": ["stats"],
                    "description": "Line one.\nLine two.\n",
                    "duration": 395 * DAY,
                    "transfer": ["NO", "DK"],
                    "attributes": {"secure": True, "same-site": "none"},
                }
            },
            "placeholders": ["/privacy"],
        }
    )
    assert (
        policy.to_yaml()
        == """\
site:
  name: "Øst: a club"
  controller: "No"
  updated: 2026-11-22

mode: explicit
preset: eu
ask-again-after: 1 year
languages: [en, "no"]

purposes:
  stats:
    title: {en: Counting, "no": Telling}
    description: >-
      Tells us how often people come back, and which of our pages they look at before they
      become members of the club.
    honours: [dnt, gpc]

cookies:
  seen-{day}:
    kind: analytics
    purpose: stats
    duration: 13 months
    description: |
      Line one.
      Line two.
    transfer: ["NO", DK]
    attributes: {secure: true, same-site: none}

placeholders: [/privacy]
"""
    )


PLAIN = (
    *("word", "two words", "30 minutes", "13 months", "/a/b", "https://example.org/?a=b#c", "a-b"),
    *("a,b", "it's", 'the "best"', "PollTimeout-{pollid}", "_ga_*", "a:b", "a#b", "ø", "no one"),
    *("1st", "50 %", "2 + 2", "x=1", "née", "日本", "\u00a7", "a\u00a0b", "\U0001f36a"),
)
QUOTED = (
    *("", " a", "a ", "no", "Yes", "y", "N", "on", "OFF", "true", "null", "~", "12", "-1", "1.5"),
    *(
        "1e3",
        "e1",
        ".5e-1",
        "0o17",
        "0x1F",
        "012",
        "1:30",
        "1_000",
        "1,000",
        ".inf",
        "2015-06-01",
        "<<",
    ),
    *(
        "- a",
        "-a",
        "? a",
        ": a",
        "a: b",
        "a:",
        "a #b",
        "#a",
        "[a",
        "{a",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
    ),
    *("'a'", '"a"', "%a", "@a", "`a", "=", "---", "...", ",a", "\u2028", "a\tb", "\x00", "\ufeff"),
    *("a\x85b", "\u202egnal", "\u00a0a", "+1", "+0o7", "ab ", "ab:"),
)


@pytest.mark.parametrize("text", PLAIN)
def test_quotes_stand_nowhere_else(text: str) -> None:
    """A file full of quotes is one that people copy wrongly."""
    assert print_yaml({"key": text}) == f"key: {text}\n"


@pytest.mark.parametrize("text", QUOTED)
def test_what_could_be_misread_stands_in_quotes(text: str) -> None:
    """By us, by a reader of YAML 1.1 or 1.2, by an eye."""
    printed = print_yaml({"key": text})
    assert printed[5] in "'\""
    assert printed.replace("\xa0", " ").rstrip("\n").isprintable()
    assert read(printed) == {"key": text}


def test_in_brackets_more_is_quoted() -> None:
    """There a comma, a colon and a brace are signs of their own."""
    printed = print_yaml({"list": ["a,b", "a:b", "a{b}", "a?", "*.a", None, True, 1]})
    assert printed == 'list: ["a,b", "a:b", "a{b}", "a?", "*.a", null, true, 1]\n'
    assert read(printed) == yaml.safe_load(printed)


def test_nothing_is_an_empty_set_of_keys() -> None:
    """Every mapping is printed, so that every printed text is read."""
    assert print_yaml({}) == "{}\n"
    assert print_yaml({"a": {}, "b": [], "c": ()}) == "a: {}\nb: []\nc: []\n"


def test_a_list_that_does_not_fit_stands_below_its_key() -> None:
    """And so does one that holds lists or keys."""
    long = [f"https-host-number-{n}.example" for n in range(5)]
    assert print_yaml({"hosts": long}).splitlines()[:2] == ["hosts:", f"  - {long[0]}"]
    nested = {"a": [{"b": 1, "c": [[1, [2]], []]}, "text\nof two", "x" * 99 + " y"]}
    assert (
        print_yaml(nested)
        == f"""\
a:
  - b: 1
    c:
      - - 1
        - [2]
      - []
  - |-
    text
    of two
  - >-
    {"x" * 99}
    y
"""
    )
    assert read(print_yaml(nested)) == nested


def test_a_set_of_switches_stands_in_braces() -> None:
    """`attributes` on one line; anything longer, or at the top, on lines of its own."""
    switches = {"secure": True, "same-site": "lax"}
    assert print_yaml({"token": switches}) == "token:\n  secure: true\n  same-site: lax\n"
    assert print_yaml({"a": {"b": switches}}) == "a:\n  b: {secure: true, same-site: lax}\n"
    assert "{" not in print_yaml({"a": {"b": switches | {"words": "two words"}}})
    assert (
        print_yaml({"a": {"b": dict.fromkeys("abcd", 1)}}) == "a:\n  b: {a: 1, b: 1, c: 1, d: 1}\n"
    )
    assert "{" not in print_yaml({"a": {"b": dict.fromkeys("abcde", 1)}})


@pytest.mark.parametrize("of", [lambda word: {word: 1}, lambda word: {"b": word}])
def test_a_switch_is_a_short_word(of: Callable[[str], dict[str, object]]) -> None:
    """Its key, and its value; what is longer stands on a line of its own."""
    assert "{" in print_yaml({"a": {"b": of("x" * 24)}})
    assert "{" not in print_yaml({"a": {"b": of("x" * 25)}})


def lines_of(value: object) -> list[str]:
    """The lines of a value below two keys, which take seven columns."""
    return print_yaml({"key": {"key": value}}).splitlines()[1:]


def test_what_fits_stands_on_one_line() -> None:
    """To the last column of a line and no further: a list, one in another, switches."""
    room = WIDTH - len("  key: ")
    host = "x" * (room - len("[]"))
    assert lines_of([host]) == [f"  key: [{host}]"]
    assert lines_of([f"{host}x"]) == ["  key:", f"    - {host}x"]
    inner = "x" * (WIDTH - len("    - []"))
    assert lines_of([[inner]]) == ["  key:", f"    - [{inner}]"]
    assert lines_of([[f"{inner}x"]]) == ["  key:", f"    - - {inner}x"]
    switches = {"a" * 24: "b" * 24, "c" * 24: "d" * (room - len("{: , : }") - 72)}
    assert len(lines_of(switches)[0]) == WIDTH
    assert len(lines_of({**switches, "c" * 24: "d" * 10})) == 3


def test_a_folded_line_holds_what_it_can() -> None:
    """To the last column; a text that takes one line alone stands behind its key."""
    first = "x" * (WIDTH - len("    ") - 5) + " yyyy"
    assert lines_of(first) == [f"  key: {first}"]
    assert lines_of(f"{first} z") == ["  key: >-", f"    {first}", "    z"]
    assert lines_of(f"{first}y z") == ["  key: >-", f"    {first[:-5]}", "    yyyyy z"]


def test_brackets_with_nothing_in_them_stand_behind_any_key() -> None:
    """On lines of its own there would be nothing to see."""
    key = "k" * WIDTH
    assert print_yaml({key: {}, "b": {key: []}}) == f"{key}: {{}}\n\nb:\n  {key}: []\n"


def test_the_first_key_of_an_entry_in_a_list_stands_behind_the_dash() -> None:
    """As it is, whatever it begins with."""
    for key in ("X", "-", " x"):
        data = {"a": [{key: [{"b": {}}], "c": 1}]}
        assert read(print_yaml(data)) == data
    assert print_yaml({"a": [{"XX": [{"b": {}}]}]}) == "a:\n  - XX:\n      - b: {}\n"


def test_a_line_is_folded_where_it_can_be() -> None:
    """At single spaces: two in a row are part of the text."""
    text = "word " * 40 + "a  b " + "x" * 120 + " end"
    printed = print_yaml({"key": {"key": text}})
    assert read(printed) == {"key": {"key": text}}
    assert all(len(line) <= WIDTH or "x" * 120 in line for line in printed.splitlines())
    assert len(printed.splitlines()) > 3
    long = "x" * 300
    assert print_yaml({"key": long}) == f"key: {long}\n"
    assert print_yaml({"key": "a\u2028 " * 60}).count("\n") == 1
    for edge in (f" {text}", f"{text} "):
        assert print_yaml({"key": edge}) == f'key: "{edge}"\n'


def test_a_broken_text_is_a_block_where_a_block_can_hold_it() -> None:
    """Blanks at the end of a line would be lost on the way, and at the beginning be misread."""
    assert print_yaml({"key": "a\n\nb # c\n"}) == "key: |\n  a\n\n  b # c\n"
    assert print_yaml({"key": "a\n- b"}) == "key: |-\n  a\n  - b\n"
    for text in ("a \nb", " a\nb", "\na", "a\n\n", "\n", "a\n\tb", "a\n\u2028", "a\nb \n"):
        assert print_yaml({"key": text}) == f'key: "{escaped(text)}"\n'


def escaped(text: str) -> str:
    return text.replace("\n", "\\n").replace("\t", "\\t").replace("\u2028", "\\u2028")


def test_a_key_may_be_as_long_as_it_likes() -> None:
    """YAML wants the colon within 1024 characters of the key's beginning, or a question mark."""
    key = "k" * 2_000
    data = {key: {key: "a"}, "b": [{key: {"a b": "c d"}}]}
    assert print_yaml(data).startswith(f"? {key}\n:\n  ? {key}\n  : a\n")
    assert read(print_yaml(data)) == data
    longest = "k" * 900
    assert print_yaml({longest: 1}) == f"{longest}: 1\n"
    assert print_yaml({f"{longest}k": 1}) == f"? {longest}k\n: 1\n"


@given(st.integers(0, 10 * LONGEST) | st.integers(0, 5_000).map(DAY.__mul__))
def test_a_duration_is_printed_exactly(seconds: int) -> None:
    """In the largest unit that is true to the second."""
    assert parse_duration(print_duration(seconds)) == seconds


def test_a_duration_is_printed_as_people_say_it() -> None:
    """Months as regulators count them: twelve are a year."""
    said = {
        395 * DAY: "13 months",
        182 * DAY: "6 months",
        365 * DAY: "1 year",
        14 * DAY: "2 weeks",
        400 * DAY: "400 days",
        DAY: "1 day",
        3600: "1 hour",
        1800: "30 minutes",
        0: "0 seconds",
        999_999 * 60: "999999 minutes",
        1_000_000 * 60: "60000000 seconds",  # the largest count that is read has six digits
    }
    assert {seconds: print_duration(seconds) for seconds in said} == said

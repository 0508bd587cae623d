import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from consentkit.errors import PolicyError
from consentkit.rules.policy_file import inspect_text
from consentkit.rules.wording import MODELS
from consentkit.rules.yaml_text import compose, text_of
from consentkit.shell.formatting import formatted

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(ROOT.glob("examples/*/consent.yaml"))
BAD = sorted(ROOT.glob("tests/policies/bad/*.yaml"))


def form_of(text: str) -> str:
    return formatted(text, "consent.yaml")


# Files that people wrote: any order, any indentation, comments anywhere

VALUES = (
    *("text", "'single'", '"double # no comment"', "13 months", "[a, b]", "{a: 1, b: [c]}", ""),
    *("[a,\n{in}b, # inside {n}\n{in}c]", "{a: 1,\n{in}b: 2}", '"over\n{in}two # lines"'),
    *("plain text\n{in}goes on", "'a\n\n{in}b'", "true", "&anchor{n} text", "!!str 12"),
    *(">-\n{in}folded # text\n\n{in}  deeper\n{in}end", "|\n{in}text: no key\n{in}- no list"),
    *("|-\n{in}a  \n{in}b", "|2-\n{two}a\n{two} b", ">\n\n{in}late"),
)
LISTS = (
    "[a, b]",
    "\n{at}- a\n{at}# between {n}\n{at}- b",
    "\n{in}- a # item\n{in}-  - b\n{in}   - c",
)


def keys_of(place: tuple[str, ...]) -> list[str]:
    fields = MODELS[place].model_fields.values()
    return [str(info.alias) for info in fields if not info.exclude]


MAPPED = ("purposes", "cookies", "storage", "services")


class Writer:
    """Writes a policy-like file as nobody should: what is random about it is Hypothesis's."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._number = 0
        self.lines: list[str] = []

    def file(self) -> str:
        """A whole file, with the end of line of one system."""
        self.keys((), 0)
        self._comment(0, "end")
        return self._chance.choice(["\n", "\n", "\r\n"]).join(self.lines) + "\n"

    def keys(self, place: tuple[str, ...], column: int) -> None:
        """Some keys of the model at `place`, some unknown ones, and what they hold."""
        pattern = (place[0], "*", *place[2:]) if place and place[0] in MAPPED else place
        if len(place) == 1 and place[0] in MAPPED:
            known = ["_ga", "vote-{id}", "a_*", "session"]
        else:
            known = keys_of(pattern)
        some = [*known, "unknown", "extends"]
        names = self._chance.sample(some, self._chance.randint(1, min(5, len(some))))
        for name in names:
            self._key(place, name, column)
        if self._chance.random() < 0.3:
            self._comment(column, "closing")

    def _key(self, place: tuple[str, ...], name: str, column: int) -> None:
        self._number += 1
        number = self._number
        for _ in range(self._chance.choice([0, 0, 1, 2])):
            self.lines.append(self._chance.choice(["", "  ", " " * 7]))
        has_note = self._chance.random() < 0.4
        if has_note:
            self._comment(column + self._chance.choice([0, 0, 0, -column]), f"above {number}")
        note = self._chance.choice([" ", "   "]) + f"# behind\t{number}" + "  " * has_note
        inner = (*place, name)
        head = f"{' ' * column}{name}:"
        if self._holds_keys(inner):
            self.lines.append(head + note)
            self.keys(inner, column + self._chance.choice([1, 2, 3, 4]))
        else:
            self.lines += self._value(head, note if has_note else "", column, number)

    def _holds_keys(self, place: tuple[str, ...]) -> bool:
        pattern = (place[0], "*", *place[2:]) if place[1:] and place[0] in MAPPED else place
        return pattern in MODELS or (len(place) == 1 and place[0] in MAPPED)

    def _value(self, head: str, note: str, column: int, number: int) -> list[str]:
        value = self._chance.choice(LISTS if self._chance.random() < 0.2 else VALUES)
        places = {"in": " " * (column + 3), "at": " " * column, "two": " " * (column + 2)}
        for key, blanks in places.items():
            value = value.replace(f"{{{key}}}", blanks)
        first, *rest = value.replace("{n}", str(number)).split("\n")
        may_follow = not first.startswith(('"over', "'a", "plain")) or not rest
        blank = " " * bool(first)
        return [f"{head}{blank}{first}{note if may_follow else ''}", *rest]

    def _comment(self, column: int, words: str) -> None:
        self._number += 1
        ending = self._chance.choice(["", " about\tthat  "])
        self.lines.append(f"{' ' * column}# {words}{ending}")


files = st.randoms(use_true_random=False).map(lambda chance: Writer(chance).file())


def held(text: str) -> Any:
    """All that a file says, by another reader; purposes in their order."""
    data = yaml.safe_load(text)
    return data, *([*(data.get(key) or {})] for key in MAPPED)


def bare_lines(text: str) -> list[str]:
    return sorted(line.strip() for line in text.splitlines() if line.strip())


@given(files)
def test_the_file_says_the_same(text: str) -> None:
    """Judged by another reader than our own."""
    assert held(form_of(text)) == held(text)


@given(files)
def test_formatting_twice_is_formatting_once(text: str) -> None:
    """A formatter that is never done makes every commit a change."""
    once = form_of(text)
    assert form_of(once) == once


@given(files)
def test_no_line_is_lost(text: str) -> None:
    """Comments, values, blocks: every line is there, moved as a whole."""
    assert bare_lines(form_of(text)) == bare_lines(text)


@given(files)
def test_a_comment_stays_at_its_line(text: str) -> None:
    """Above its key it stays above its key, behind its value behind its value."""
    lines = [line.strip() for line in form_of(text).split("\n") if line.strip()]
    for number, line in enumerate(lines):
        if line.startswith("# above"):
            key = next(each for each in lines[number + 1 :] if not each.startswith("#"))
            behind = re.search(r"# behind\t(\d+)", key)
            is_open = not behind and re.search(r"""["']|plain""", key)
            assert is_open or (behind and behind[1] == line.split()[2])


@given(files)
def test_the_form_is_canonical(text: str) -> None:
    """LF, no blanks at ends of lines, one empty line at most, keys in order, two spaces a level."""
    form = form_of(text)
    assert "\r" not in form
    assert form.endswith("\n")
    assert not form.endswith("\n\n")
    outside = re.sub(r"(?m)^( *)\S+:.* [|>].*(\n(\1 .*)?(?=\n))*", "block", form)
    assert not re.search(r"[ \t]\n", outside)
    assert "\n\n\n" not in outside
    for place, keys in mappings(form):
        ranks = [known.index(key) for key in keys if key in (known := keys_of(place))]
        assert ranks == sorted(ranks)
    for line in re.findall(r"(?m)^( *)(?:_ga|vote-|kind|title|site|cookies|purposes)", outside):
        assert len(line) % 2 == 0


def mappings(text: str) -> list[tuple[tuple[str, ...], list[str]]]:
    """The keys of each mapping that has a model, by the model's place."""
    found: list[tuple[tuple[str, ...], list[str]]] = []

    def walk(data: object, place: tuple[str, ...]) -> None:
        if isinstance(data, dict):
            pattern = (place[0], "*", *place[2:]) if place and place[0] in MAPPED else place
            if pattern in MODELS:
                found.append((pattern, [*data]))
            for key, value in data.items():
                walk(value, (*place, key))

    walk(yaml.safe_load(text), ())
    return found


LINES = ("a: |", "  - b", "- c", "? d", ": e", "  f: [", "  ]", "g: &h", "i: *h", "---", "...")
signs = st.text(st.sampled_from("ab:- \n#'\"|>+2&*[]{}?,!\t\r\x85"), max_size=40)


@given(st.data())
def test_any_text_is_formatted_or_refused(data: st.DataObject) -> None:
    """Half a file, a slip of the pen: nothing else is raised, and nothing is changed."""
    lines = st.lists(st.sampled_from((*LINES, *MESSY.split("\n"))), max_size=12).map("\n".join)
    text = data.draw(lines | signs)
    try:
        form = form_of(text)
    except PolicyError:
        return
    assert compose(form, "-").node.data == compose(text, "-").node.data
    assert form_of(form) == form


def test_the_probe_is_alive() -> None:
    """The control: such files are in need of formatting, and have notes that could go astray."""
    texts = [Writer(Random(seed)).file() for seed in range(50)]  # noqa: S311  # the same each time
    assert sum(form_of(text) != text for text in texts) > 45
    assert sum("# above" in text and "# behind" in text for text in texts) > 30


# Real files


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.parent.name)
def test_an_example_keeps_what_it_says(file: Path) -> None:
    """The policies are equal, and every comment is there."""
    text = file.read_text("utf-8")
    form = form_of(text)
    assert inspect_text(form).policy == inspect_text(text).policy
    assert bare_lines(form) == bare_lines(text)
    assert form_of(form) == form


@pytest.mark.uncounted
def test_a_faulty_file_can_be_formatted() -> None:
    """One formats while one edits: what is wrong stays wrong in the same words."""
    formed = 0
    for file in BAD:
        try:
            text = text_of(file.read_bytes(), file.name)
            form = form_of(text)
        except PolicyError:
            continue
        formed += 1
        before, after = inspect_text(text, "f"), inspect_text(form, "f")
        said = [
            sorted(re.sub(r"\d+", "", fault.what) for fault in each.faults)
            for each in (before, after)
        ]
        assert said[0] == said[1], file.name
        assert form_of(form) == form
    assert formed > 50


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: [1", "this is not YAML"),
        ("a: 1\n\tb: 2\n", "this is not YAML"),
        ("a: *b\n", "names nothing"),
        ("a: 1\n---\nb: 2\n", "a second document"),
        ("a: \x07\n", "cannot stand in a YAML file"),
    ],
)
def test_what_is_not_yaml_is_a_policy_error(text: str, what: str) -> None:
    """With the faults that `check` shows, and no guess at what was meant."""
    with pytest.raises(PolicyError, match=what):
        form_of(text)


# Where things go

MESSY = """\
# Written by the web team.

# who
banner:
     title: Cookies   # short

token: {name: answers}
cookies:
    # Counts.
    _ga:
        purpose: stats
        # a year and a month
        duration: 13 months


        kind: analytics
        # hosts: none
    b: {purpose: stats, kind: session}
# what for
purposes:
  stats:
    description: >-
       Counts,
         and counts.
    title: Counting
mode: explicit   \t
site:
  # the city
  controller: B
  name: A
  # closing the site
# closing the file

"""
TIDY = """\
# Written by the web team.

site:
  name: A
  # the city
  controller: B
  # closing the site

mode: explicit

# what for
purposes:
  stats:
    title: Counting
    description: >-
       Counts,
         and counts.

cookies:
  # Counts.
  _ga:
    kind: analytics
    purpose: stats
    # a year and a month
    duration: 13 months
    # hosts: none
  b: {purpose: stats, kind: session}

# who
banner:
  title: Cookies   # short

token: {name: answers}
# closing the file
"""


def test_a_messy_file_becomes_a_tidy_one() -> None:
    """One look at what the formatter does, and at what it leaves alone."""
    assert form_of(MESSY) == TIDY
    assert form_of(TIDY) == TIDY
    assert form_of(MESSY.replace("\n", "\r\n")) == TIDY
    assert form_of("\ufeff" + MESSY) == TIDY


def test_a_note_to_editors_stays_at_the_top() -> None:
    """The line that names the schema, also where no empty line sets it off."""
    note = "# yaml-language-server: $schema=consentkit.schema.json\n"
    assert form_of(f"{note}# on mode\nmode: explicit\nextends: base.yaml\n") == (
        f"{note}extends: base.yaml\n# on mode\nmode: explicit\n"
    )
    assert form_of("%YAML 1.1\n---\nmode: explicit\nextends: a\n...\n") == (
        "%YAML 1.1\n---\nextends: a\nmode: explicit\n...\n"
    )


def test_texts_keep_their_order() -> None:
    """It is the order in which their author reads them; the keys around them have ours."""
    texts = "texts:\n    de: {on: An}\n    en:\n        off: No\n        label: A\n"
    text = f"templates: .\n{texts}mode: a\n"
    assert formatted(text, "-") == (
        "mode: a\n\ntexts:\n  de: {on: An}\n  en:\n    off: No\n    label: A\n\ntemplates: .\n"
    )


def test_an_unknown_key_stays_behind_the_one_before() -> None:
    """It is a slip of the pen, and whoever wrote it looks for it where it was."""
    assert form_of("colour: red\nrevison: 2\nmode: explicit\nmodel: a\nsite: {}\n") == (
        "colour: red\nrevison: 2\nsite: {}\nmode: explicit\nmodel: a\n"
    )


def test_of_a_key_that_stands_twice_the_first_stays_first() -> None:
    """It is the one that is read, until somebody takes the other away."""
    text = "token: {}\nold: 1\nmode: explicit\nold: 2\n"
    assert form_of(text) == text
    assert form_of(text.replace("old: 2", "new: 2")).startswith("mode: explicit\nnew: 2\ntoken")


def test_an_anchor_stays_before_its_aliases() -> None:
    """Only what would break keeps its order; the rest is put in order all the same."""
    text = """\
cookies:
  a:
    purpose: p
    kind: &k session
purposes:
  p:
    description: &d Words.
    title: *d
  q:
    description: Words.
    title: Q
mode: explicit
undeclared: *k
"""
    assert (
        form_of(text)
        == """\
mode: explicit

purposes:
  p:
    description: &d Words.
    title: *d
  q:
    title: Q
    description: Words.

cookies:
  a:
    kind: &k session
    purpose: p

undeclared: *k
"""
    )
    kept = "undeclared: &u block\nmode: *u\n\nsite:\n  name: A\n"
    assert form_of(kept.replace("\n\n", "\n")) == kept
    assert form_of(form_of(text)) == form_of(text)


def test_lists_stand_below_their_keys() -> None:
    """Two spaces deeper, with the comments between the items."""
    assert form_of("languages:\n- en\n# Norway\n- no\nrevision: 1\n") == (
        "revision: 1\nlanguages:\n  - en\n  # Norway\n  - no\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "{mode: explicit,\n\n\n  site: {}}\n",
        "- a\n-   b\n",
        "? mode\n: explicit\n? site\n: {}\n",
        "just a text\n",
        "# nothing yet\n",
        "",
        "mode: explicit\nsite: 'a\x85b'\n",
        "b: |+\n  a\n\nbanner:\n  title: A\n",
        "mode: |\n  explicit",
        "purposes:\n  ? p\n  : {}\n  q:   {}\n",
        "purposes:\n  -\n    a\n  - b\n",
        "mode:\n  &a\n  b: 1\n  c: 2\n",
    ],
)
def test_what_has_no_lines_of_its_own_is_left_alone(text: str) -> None:
    """Braces at the top, question marks, a last line without an end that counts."""
    assert form_of(text) == text


def test_the_last_line_gets_its_end() -> None:
    """And only one."""
    for end in ("", "\n", "\n\n\n", "\r\n \r\n"):
        assert form_of(f"mode: explicit{end}") == "mode: explicit\n"


def test_a_text_that_keeps_its_line_ends_keeps_them() -> None:
    """``|+`` says that the empty lines after it are part of it."""
    text = "site:\n    name: |+\n      A\n\n\n"
    assert form_of(text) == "site:\n  name: |+\n    A\n\n\n"
    assert yaml.safe_load(form_of(text)) == yaml.safe_load(text)

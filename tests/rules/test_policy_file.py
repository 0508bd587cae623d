import os
import re
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from consentkit.errors import Fault, PolicyError
from consentkit.rules import catalogue, policy_file, yaml_text
from consentkit.rules.policy import Basis, DeclaredCookie, Kind, Policy
from consentkit.rules.policy_file import (
    check_policy,
    inspect_policy,
    inspect_text,
    load_policy,
    policy_from,
    read_policy,
)
from consentkit.rules.problems import Problem
from consentkit.rules.wording import LONGEST_KEY, MODELS, MOST_HINTS
from consentkit.rules.yaml_text import LARGEST, compose, shown

HEAD = """\
site: {name: Staffordshire Police, controller: Staffordshire Police, updated: 2015-06-01}
mode: implied
ask-again-after: 6 months
languages: [en, no]
purposes:
  necessary: {basis: strictly-necessary, title: Strictly necessary, description: For log-in.}
  polls: {title: {en: Polls, no: Valg}, description: One vote each., honours: [gpc, dnt]}
cookies:
  clientvars:
    kind: session
    purpose: necessary
    justification: authentication
    description: Remembers your log-in for you.
    attributes: {same-site: lax, http-only: true}
"""
WHOLE = (
    HEAD
    + """\
  PollTimeout-{pollid}: {kind: poll-timeout, purpose: [polls], duration: 1 day, description: Voted.}
  _ga_*: {kind: analytics, purpose: polls, service: ga, duration: 13 months, description: Counts.}
services:
  ga: {purpose: polls, provider: Google, hosts: ["*.example.com"], privacy: https://example.com/}
"""
)


def faults_of(source: bytes | str) -> str:
    """What a faulty file's author reads."""
    with pytest.raises(PolicyError) as caught:
        read_policy(source, "consent.yaml")
    return str(caught.value)


# What a file says is what the policy is


def test_a_file_becomes_a_policy() -> None:
    """Dates, durations, lists, languages, attributes: as they were meant."""
    policy = read_policy(WHOLE)
    assert str(policy.site.updated) == "2015-06-01"
    assert policy.ask_again_after == 182 * 86_400
    assert policy.purposes["polls"].title == {"en": "Polls", "no": "Valg"}
    assert policy.cookies["clientvars"].attributes.http_only
    declared = policy.declaration_of("PollTimeout-7")
    assert declared is not None
    assert (declared.kind, declared.purpose) == (Kind.POLL_TIMEOUT, ("polls",))
    assert policy.basis_of("polls") is Basis.IMPLIED


def test_a_file_is_loaded_by_path_and_path_like(tmp_path: Path) -> None:
    """A byte-order mark is what some editors write before UTF-8; it is no fault."""
    file = tmp_path / "consent.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + WHOLE.encode())
    assert load_policy(file) == load_policy(str(file)) == read_policy(WHOLE)


def test_norwegian_is_a_language() -> None:
    """YAML 1.1 reads ``no`` as false; here only true and false are switches."""
    for key in ("no", "NO", "on", "y"):
        with pytest.raises(PolicyError, match=f"'{key}'"):
            read_policy(WHOLE.replace("no: Valg", f"{key}: Valg").replace("en, no", "en, nb"))


def test_plain_text_stays_as_it_is_written() -> None:
    """No dates, no octal numbers, no sexagesimal ones: what looks like text is text."""
    for word in ("2015-06-01", "012", "1:30", "0x10", "1.5", ".inf", "1_000", "=", "9" * 30):
        policy = read_policy(WHOLE.replace("One vote each.", word))
        assert policy.purposes["polls"].description == word


def test_a_tag_may_say_that_it_is_text() -> None:
    """``!!str`` and quotes are two ways to say so."""
    for written in ("!!str 12", "'12'", '"12"', "! 12"):
        assert (
            read_policy(WHOLE.replace("One vote each.", written)).purposes["polls"].description
            == "12"
        )


def test_an_alias_stands_for_what_it_names() -> None:
    """A text that is used twice may be written once."""
    source = WHOLE.replace("One vote each.", "&words One vote each.").replace("Voted.", "*words")
    policy = read_policy(source)
    assert policy.cookies["PollTimeout-{pollid}"].description == "One vote each."


def test_an_empty_optional_value_is_as_good_as_none() -> None:
    """``contact:`` with nothing behind it is a line somebody has yet to fill in."""
    assert read_policy(WHOLE.replace("updated: 2015-06-01", "contact: ")).site.contact is None


def test_without_libyaml_the_same_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every wheel of PyYAML has the C parser."""
    monkeypatch.setattr(yaml_text, "_LOADER", yaml.SafeLoader)
    slow = read_policy(WHOLE)
    monkeypatch.undo()
    assert slow == read_policy(WHOLE)
    monkeypatch.setattr(yaml_text, "_LOADER", yaml.SafeLoader)
    assert "more than 50 levels" in faults_of("[" * 99)


# The file itself


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    """Each with its own cure; never a traceback of something else."""
    there, check = "Check the path; it counts from where you start.", "Check the path."
    for path, what, cure in (
        (tmp_path / "missing.yaml", "there is no such file.", there),
        (tmp_path, "this is a directory.", "Name the policy file in it."),
        ("a\0b", "this file cannot be read: embedded null byte.", check),
        (tmp_path / ("x" * 300), "this file cannot be read: File name too long.", check),
    ):
        with pytest.raises(PolicyError) as caught:
            load_policy(path)
        assert caught.value.faults == (Fault(os.fspath(path), 0, 0, what, cure),)
        assert inspect_policy(path).file == os.fspath(path)


def test_a_file_is_read_as_far_as_it_may_be_long(tmp_path: Path) -> None:
    """Not to its end, which may be far away; a byte too many is one fault, and not a cut file."""
    file = tmp_path / "consent.yaml"
    file.write_bytes(WHOLE.encode().ljust(LARGEST))
    assert load_policy(file) == read_policy(WHOLE)
    for size in (LARGEST + 1, 1 << 40):
        with file.open("r+b") as stream:
            stream.truncate(size)  # what was not written takes no room on the disk
        assert [each.what for each in inspect_policy(file).faults] == [
            "the file is larger than 1 MiB."
        ]


def test_a_file_that_may_not_be_read_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user who runs the site is often not the one who wrote the file."""
    file = tmp_path / "consent.yaml"
    file.write_text(WHOLE)

    def refuse(*_: object, **__: object) -> None:
        # Root reads everything, so the suite cannot rely on a file's mode.
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PolicyError, match=r"this file may not be read\.\n    Let the user"):
        load_policy(file)


UNREADABLE: list[tuple[bytes | str, str]] = [
    (b"\xff\xfea\0", "consent.yaml: the file is UTF-16.\n    Save it as UTF-8."),
    (b"\xfe\xff\0a", "consent.yaml: the file is UTF-16.\n    Save it as UTF-8."),
    (b"PK\0\0", "consent.yaml: the file is binary.\n    Is it the right file?"),
    (b"a: 1\nb: \xff", "consent.yaml:2:4: the byte 0xff is not UTF-8.\n    Save it as UTF-8."),
    (
        "a: 1\nb: x\x07",
        (
            "consent.yaml:2:5: the character '\\x07' cannot stand in a YAML file.\n"
            "    Delete it; your editor may not show it."
        ),
    ),
    (
        "\ud800",
        (
            "consent.yaml:1:1: the character '\\ud800' cannot stand in a YAML file.\n"
            "    Delete it; your editor may not show it."
        ),
    ),
    (
        b"#" * (1 << 20) + b"\n",
        (
            "consent.yaml: the file is larger than 1 MiB.\n"
            "    A few hundred lines are usual: is it the right file?"
        ),
    ),
    *(
        (
            source,
            (
                "consent.yaml:1:1: the file is empty.\n"
                "    A policy needs 'site', 'mode' and 'purposes'."
            ),
        )
        for source in ("", b"", "\ufeff", "# nothing yet\n")
    ),
    (
        "- a",
        (
            "consent.yaml:1:1: the policy is a list, and must be keys with values.\n"
            "    Begin with 'site:', 'mode:' and 'purposes:'."
        ),
    ),
    (
        "hello",
        (
            "consent.yaml:1:1: the policy is 'hello', and must be keys with values.\n"
            "    Begin with 'site:', 'mode:' and 'purposes:'."
        ),
    ),
    (
        "a:\n\tb: 1",
        (
            "consent.yaml:2:1: this is not YAML: while scanning for the next token, "
            "found character that cannot start any token.\n"
            "    Indent with spaces, not tabs; a value that begins with '@', '`' or '%' "
            "needs quotes."
        ),
    ),
    (
        "a: b\n\tc: d",
        (
            "consent.yaml:2:1: this is not YAML: while scanning a plain scalar, "
            "found a tab character that violates indentation.\n"
            "    Indent with spaces: YAML refuses tabs."
        ),
    ),
    (
        "a: b: c",
        (
            "consent.yaml:1:5: this is not YAML: mapping values are not allowed in this context.\n"
            "    A text with ': ' in it needs quotes."
        ),
    ),
    (
        "a: 'b",
        (
            "consent.yaml:1:4: this is not YAML: while scanning a quoted scalar, "
            "found unexpected end of stream.\n    Look for a quote that is missing."
        ),
    ),
    (
        "%YAML 9.9\n---\na: 1",
        (
            "consent.yaml:1:1: this is not YAML: found incompatible YAML document.\n"
            "    Look at this line and the one before it: a bracket, a quote or an indent is amiss."
        ),
    ),
    (
        "a: *b",
        (
            "consent.yaml:1:4: the alias '*b' names nothing that stands whole before it.\n"
            "    A text that begins with '*' needs quotes."
        ),
    ),
    (
        "a: &a [*a]",
        (
            "consent.yaml:1:8: the alias '*a' names nothing that stands whole before it.\n"
            "    A text that begins with '*' needs quotes."
        ),
    ),
    (
        "[" * 100_000,
        (
            "consent.yaml:1:51: more than 50 levels stand inside one another.\n"
            "    Five levels are usual: is it the right file?"
        ),
    ),
    (
        "- " * 100_000,
        (
            "consent.yaml:1:101: more than 50 levels stand inside one another.\n"
            "    Five levels are usual: is it the right file?"
        ),
    ),
]


@pytest.mark.parametrize(("source", "fault"), UNREADABLE)
def test_what_is_no_policy_at_all_is_one_fault(source: bytes | str, fault: str) -> None:
    """Where it cannot be read on, reading stops there."""
    assert faults_of(source) == fault


def test_an_alias_bomb_does_not_go_off() -> None:
    """Nine aliases of nine aliases of …: a few hundred bytes that would be 9⁹ values."""
    bomb = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    bomb += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert faults_of("\n".join(bomb)).startswith(
        "consent.yaml:5:14: the aliases repeat more than 20000 values."
    )


# Faults that reading passes over


PASSED_OVER: list[tuple[str, str]] = [
    (
        WHOLE + "mode: explicit\n",
        (
            "consent.yaml:19:1: the key 'mode' stands in line 2, column 1 already.\n"
            "    Take one of the two away."
        ),
    ),
    (
        WHOLE + "---\nmode: explicit\n",
        (
            "consent.yaml:19:1: a second document begins.\n"
            "    Keep one in one file: take the '---' away."
        ),
    ),
    (
        WHOLE.replace("One vote each.", "!!python/name:os.system x"),
        (
            "consent.yaml:7:54: the tag '!!python/name:os.system' is not read.\n"
            "    Take it away: only texts, whole numbers, true and false are read."
        ),
    ),
    (
        WHOLE.replace("ga: {purpose", "ga: !service {purpose"),
        (
            "consent.yaml:18:7: the tag '!service' is not read.\n"
            "    Take it away: only texts, whole numbers, true and false are read."
        ),
    ),
    (
        WHOLE.replace("ga: {purpose: polls, ", "ga: {<<: {purpose: polls}, "),
        (
            "consent.yaml:18:8: the merge key '<<' is not read.\n"
            "    Write the keys out, so that everybody sees them where they count."
        ),
    ),
    (
        WHOLE.replace("kind: session", "[kind]: session"),
        (
            "consent.yaml:10:5: a key must be text.\n"
            "    If it is a name or a template with '{', '[' or '*', put it in quotes."
        ),
    ),
    (
        WHOLE.replace("attributes: {same-site", "attributes: {<<: {secure: true}, same-site"),
        (
            "consent.yaml:14:18: the merge key '<<' is not read.\n"
            "    Write the keys out, so that everybody sees them where they count."
        ),
    ),
    (
        WHOLE.replace("cookies:", "cookies:\n  {a: 1}: b"),
        (
            "consent.yaml:9:3: a key must be text.\n"
            "    If it is a name or a template with '{', '[' or '*', put it in quotes."
        ),
    ),
    (
        WHOLE.replace("site: {", "site: {<<: {a: b}, "),
        (
            "consent.yaml:1:8: the merge key '<<' is not read.\n"
            "    Write the keys out, so that everybody sees them where they count."
        ),
    ),
]


@pytest.mark.parametrize(("source", "fault"), PASSED_OVER)
def test_a_slip_of_writing_is_one_fault(source: str, fault: str) -> None:
    """Reading goes on behind it, and nothing is said of what hangs on what was left out."""
    assert faults_of(source) == fault


def test_a_quoted_merge_key_is_a_name() -> None:
    """Nothing is special that stands in quotes."""
    named = WHOLE.replace("  clientvars:", "  '<<':")
    assert read_policy(named).declaration_of("<<") is not None


def test_what_was_found_before_the_reading_stopped_is_told_too() -> None:
    """All faults of a run, sorted by line."""
    faults = faults_of("a: 1\na: !x 2\nb: '")
    assert re.findall(r"^consent.yaml:(\d:\d)", faults, re.MULTILINE) == ["2:1", "2:4", "3:4"]


# Faults of shape


def edit(old: str, new: str) -> str:
    assert old in WHOLE
    return WHOLE.replace(old, new)


SHAPES: list[tuple[str, str]] = [
    (
        edit("ask-again-after", "ask_again_after"),
        (
            "consent.yaml:3:1: the policy has no key 'ask_again_after'.\n    Its keys: site, mode, "
            "preset, takes-effect, revision, ask-again-after, languages, purposes, cookies, "
            "storage, services, undeclared, settings-link, child-directed, csp, pages, guard, "
            "integrations, placeholders, banner, texts, templates, token, extends, uses. "
            "Did you mean 'ask-again-after'?"
        ),
    ),
    (
        edit("title: Strictly", "titel: Strictly"),
        (
            "consent.yaml:6:42: purpose 'necessary' has no key 'titel'.\n    Its keys: basis, "
            "justification, title, description, honours, since. Did you mean 'title'?"
        ),
    ),
    (
        edit("    kind: session\n", ""),
        (
            "consent.yaml:9:3: cookie 'clientvars' has no 'kind'.\n"
            "    Add it: How it lives: session, persistent, poll-timeout or analytics."
        ),
    ),
    (
        edit("mode: implied\n", ""),
        (
            "consent.yaml:1:1: the policy has no 'mode'.\n"
            "    Add it: The basis of every purpose that names none."
        ),
    ),
    (
        edit("site: {", "# site: {"),
        (
            "consent.yaml:2:1: the policy has no 'site'.\n"
            "    Add it: The site, with its 'name' and its 'controller'."
        ),
    ),
    (
        edit("kind: session", "kind: sesion"),
        (
            "consent.yaml:10:11: cookie 'clientvars': 'kind' is 'sesion', which it cannot be.\n"
            "    It can be session, persistent, poll-timeout or analytics. Did you mean 'session'?"
        ),
    ),
    (
        edit("kind: session", "kind:"),
        (
            "consent.yaml:10:10: cookie 'clientvars': 'kind' has no value.\n"
            "    It can be session, persistent, poll-timeout or analytics."
        ),
    ),
    (
        edit("kind: session", "kind: 1"),
        (
            "consent.yaml:10:11: cookie 'clientvars': 'kind' is 1, which it cannot be.\n"
            "    It can be session, persistent, poll-timeout or analytics."
        ),
    ),
    (
        edit("same-site: lax", "same-site: Lax"),
        (
            "consent.yaml:14:29: cookie 'clientvars': 'attributes.same-site' is 'Lax', "
            "which it cannot be.\n    It can be none, lax or strict. Did you mean 'lax'?"
        ),
    ),
    (
        edit("gpc, dnt", "gpc, gpd"),
        (
            "consent.yaml:7:85: purpose 'polls': 'honours' is 'gpd', which it cannot be.\n"
            "    It can be gpc or dnt. Did you mean 'gpc'?"
        ),
    ),
    (
        edit("[gpc, dnt]", "gpc"),
        (
            "consent.yaml:7:79: purpose 'polls': 'honours' must be a list, and is 'gpc'.\n"
            "    Write it in brackets: [gpc]."
        ),
    ),
    (
        edit("6 months", "6"),
        (
            "consent.yaml:3:18: 'ask-again-after' is 6, which is no duration.\n    Write a number "
            "and a unit: 30 minutes, 1 day, 2 weeks, 13 months, 1 year."
        ),
    ),
    (
        edit("6 months", "half a year"),
        (
            "consent.yaml:3:18: 'ask-again-after' is 'half a year', which is no duration.\n    "
            "Write a number and a unit: 30 minutes, 1 day, 2 weeks, 13 months, 1 year."
        ),
    ),
    (
        edit("One vote each.", "true"),
        (
            "consent.yaml:7:54: purpose 'polls': 'description' must be text, or one text for each "
            "language, and is true.\n    Put it in quotes, if it is what you mean."
        ),
    ),
    (
        edit("no: Valg", "no: [Valg]"),
        (
            "consent.yaml:7:34: purpose 'polls': 'title.no' must be text, and is a list.\n"
            "    Put it in quotes, if it is what you mean."
        ),
    ),
    (
        edit("One vote each.", ""),
        (
            "consent.yaml:7:41: purpose 'polls': 'description' has no value.\n"
            "    Write one, or take the line away."
        ),
    ),
    (
        edit("2015-06-01", "June 2015"),
        (
            "consent.yaml:1:79: 'site': 'updated' must be a day, and is 'June 2015'.\n"
            "    Write it as 2015-06-01."
        ),
    ),
    (
        edit("http-only: true", "http-only: maybe"),
        (
            "consent.yaml:14:45: cookie 'clientvars': 'attributes.http-only' must be true or "
            "false, and is 'maybe'.\n    Write true or false."
        ),
    ),
    (
        edit("attributes: {same-site: lax, http-only: true}", "since: first"),
        (
            "consent.yaml:14:12: cookie 'clientvars': 'since' must be a whole number, "
            "and is 'first'.\n    Write digits alone."
        ),
    ),
    (
        edit("attributes: {same-site: lax, http-only: true}", "since: 0"),
        (
            "consent.yaml:14:12: cookie 'clientvars': 'since' is too small, and is 0.\n"
            "    Write 1 or more."
        ),
    ),
    (
        edit("attributes: {same-site: lax, http-only: true}", "attributes: secure"),
        (
            "consent.yaml:14:17: cookie 'clientvars': 'attributes' must be keys with values, "
            "and is 'secure'.\n    Write its keys below it, each with a colon, indented."
        ),
    ),
    (
        edit("attributes: {same-site: lax, http-only: true}", "name: cfid"),
        (
            "consent.yaml:14:5: cookie 'clientvars' is also named 'cfid'.\n"
            "    Its name is its key: take 'name' away."
        ),
    ),
    (
        HEAD + "services: [ga]\n",
        (
            "consent.yaml:15:11: 'services' must be keys with values, and is a list.\n"
            "    Write its keys below it, each with a colon, indented."
        ),
    ),
    (
        HEAD + "services:\n",
        "consent.yaml:15:1: 'services' has no value.\n    Write one, or take the line away.",
    ),
    (
        HEAD + "services: {ga: {purpose: {polls: true}, provider: Google}}\n",
        (
            "consent.yaml:15:26: service 'ga': 'purpose' must be a list, and is a set of keys.\n"
            "    Write it in brackets: [one, two]."
        ),
    ),
    (
        HEAD + "token: {name: a b}\n",
        (
            "consent.yaml:15:15: 'token': 'name' cannot be a token's name, and is 'a b'.\n"
            "    Use letters, digits, '-' and '_', at most 64."
        ),
    ),
    (
        HEAD + f"token: {{name: {'a b' * 99}}}\n",
        (
            "consent.yaml:15:15: 'token': 'name' cannot be a token's name, and is "
            f"'{('a b' * 99)[:59]}….\n    Use letters, digits, '-' and '_', at most 64."
        ),
    ),
    (
        edit("purpose: necessary", "purpose: [necessary, 3]"),
        (
            "consent.yaml:11:26: cookie 'clientvars': 'purpose' must be text, and is 3.\n"
            "    Put it in quotes, if it is what you mean."
        ),
    ),
    (
        edit("services:\n", "services:\n  str: 3\n"),
        (
            "consent.yaml:18:8: service 'str' must be keys with values, and is 3.\n"
            "    Write its keys below it, each with a colon, indented."
        ),
    ),
]


@pytest.mark.parametrize(("source", "fault"), SHAPES)
def test_a_wrong_shape_is_one_fault_in_our_words(source: str, fault: str) -> None:
    """At the key where the key is wrong, at the value where the value is; no follow-up faults."""
    assert faults_of(source) == fault


def test_a_word_is_repeated_in_a_cure_as_long_as_it_is_short() -> None:
    """A list of one word is what was meant; a long text in brackets is not."""
    short = "x" * LONGEST_KEY
    for word, meant in ((short, short), (f"{short}x", "one, two"), ("3", "one, two")):
        said = faults_of(edit("[gpc, dnt]", word))
        assert said.endswith(f"\n    Write it in brackets: [{meant}].")


@pytest.mark.parametrize(
    "line", ["banner: {title: {en: A, str: 3}}", "purposes: {p: {title: {en: A, str: 3}}}"]
)
def test_a_language_may_be_named_as_words_of_the_validation(line: str) -> None:
    """It is a key like any other: what stands under it is told of."""
    said = re.findall(r"'title\.str' must be text, and is 3\.$", faults_of(line), re.MULTILINE)
    assert len(said) == 1


def test_what_was_meant_is_looked_for_as_often_as_it_pays() -> None:
    """A file of nothing but slips is told of all the same, each in full."""
    rest = "purpose: polls, description: D."
    slips = "".join(f"  c{n:03}: {{kind: sesion, {rest}}}\n" for n in range(MOST_HINTS + 2))
    cure = "It can be session, persistent, poll-timeout or analytics."
    told = inspect_text(HEAD + slips).faults
    assert [each.cure for each in told] == [f"{cure} Did you mean 'session'?"] * 100 + [cure] * 2
    told = inspect_text(f"uses: [{', '.join(['djanjo'] * (MOST_HINTS + 2))}]\n{BASE}").faults
    cure = f"It knows those of: {', '.join(catalogue.frameworks())}."
    assert [each.cure for each in told] == [f"{cure} Did you mean 'django'?"] * 100 + [cure] * 2


def test_faults_of_shape_and_of_sense_come_together_sorted_by_line() -> None:
    """One slip does not hide the others."""
    source = (
        WHOLE.replace("mode: implied", "mode: implicit\nmode: implied")
        .replace("honours: [gpc, dnt]", "honours: gpc")
        .replace("service: ga", "service: gu")
        .replace("purpose: [polls]", "purpose: [poll]")
    )
    faults = faults_of(source).split("\n")[::2]
    assert faults == [
        "consent.yaml:2:7: 'mode' is 'implicit', which it cannot be.",
        "consent.yaml:3:1: the key 'mode' stands in line 2, column 1 already.",
        "consent.yaml:8:79: purpose 'polls': 'honours' must be a list, and is 'gpc'.",
        (
            "consent.yaml:16:55: cookie 'PollTimeout-{pollid}' names purpose 'poll', "
            "which is not declared."
        ),
        "consent.yaml:17:53: cookie '_ga_*' names service 'gu', which is not declared.",
    ]


def test_a_fault_of_sense_stands_at_its_key_or_value() -> None:
    """The example of the design, to the column."""
    assert faults_of(WHOLE.replace("purpose: polls, service", "purpose: analitics, service")) == (
        "consent.yaml:16:37: cookie '_ga_*' names purpose 'analitics', which is not declared.\n"
        "    Declared purposes: necessary, polls."
    )
    assert faults_of(WHOLE + "takes-effect: at-once\nbanner: {layout: top}\n") == (
        "consent.yaml:20:18: the banner's layout is 'top', and consent is implied by going on.\n"
        "    Write 'sticky' or 'bottom': a notice that has scrolled away has not been seen."
    )


def test_a_problem_whose_key_is_not_in_the_file_stands_at_what_holds_it() -> None:
    """What is wrong may be what nobody wrote."""
    root = compose("a: 1\nb:\n  c: 2\n", "consent.yaml").node
    places = [
        policy_file._placed(Problem(loc, "wrong", "mend it"), root)
        for loc in ((), ("b", "x", "c"), ("a", "b"), ("b", "c"))
    ]
    assert [(fault.line, fault.column) for fault in places] == [(1, 1), (3, 3), (1, 4), (3, 6)]


# Built in Python


def data(**changes: Any) -> dict[str, Any]:
    cookie = {"kind": "session", "purpose": "p", "description": "C"}
    whole: dict[str, Any] = {
        "site": {"name": "A", "controller": "B"},
        "mode": "explicit",
        "purposes": {"p": {"title": "A", "description": "B"}},
        "cookies": {"_ga": cookie},
    }
    return {**whole, **changes}


def path_faults(changes: dict[str, Any]) -> str:
    with pytest.raises(PolicyError) as caught:
        policy_from(data(**changes))
    assert {fault.line for fault in caught.value.faults} == {0}
    return str(caught.value)


def test_a_policy_may_be_built_in_python() -> None:
    """Keys with underscores or dashes, seconds, and values that are made already."""
    made = DeclaredCookie(kind=Kind.SESSION, purpose=("p",), description="C")
    policy = policy_from(data(ask_again_after=60, cookies={"a": made}))
    assert (policy.ask_again_after, policy.cookies["a"].name) == (60, "a")
    assert policy_from(data(**{"ask-again-after": "1 minute"})).ask_again_after == 60


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"cookies": {"_ga": {"kind": "session", "purpose": "q", "description": "C"}}},
            (
                "<policy>: cookies._ga.purpose: cookie '_ga' names purpose 'q', "
                "which is not declared.\n    Declared purposes: p."
            ),
        ),
        (
            {"ask_again_after": "soon"},
            (
                "<policy>: ask_again_after: 'ask_again_after' is 'soon', which is no duration.\n"
                "    Write a number and a unit: 30 minutes, 1 day, 2 weeks, 13 months, 1 year."
            ),
        ),
        (
            {"ask_again_after": -1},
            (
                "<policy>: ask_again_after: 'ask_again_after' is too small, and is -1.\n"
                "    Write 0 or more."
            ),
        ),
        (
            {"revision": 1.5},
            (
                "<policy>: revision: 'revision' must be a whole number, and is of type float.\n"
                "    Write digits alone."
            ),
        ),
        (
            {"languages": None},
            "<policy>: languages: 'languages' has no value.\n    Write one, or take the line away.",
        ),
        (
            {"services": {"a": {"purpose": "p", "provider": b"\xff"}}},
            (
                "<policy>: services.a.provider: service 'a': 'provider' cannot be: "
                "Input should be a valid string, unable to parse raw data as a unicode string, "
                "and is of type bytes.\n"
                "    Correct it."
            ),
        ),
        (
            {"ask_again_after": True},
            (
                "<policy>: ask_again_after: 'ask_again_after' is true, which is no duration.\n"
                "    Write a number and a unit: 30 minutes, 1 day, 2 weeks, 13 months, 1 year."
            ),
        ),
        (
            {"purposes": {"p": {"title": "A", "description": "B"}, 7: {}}},
            (
                "<policy>: purposes: 'purposes' has the key 7, which is not text.\n"
                "    Write it as a string."
            ),
        ),
        (
            {"cookies": {None: {}}},
            (
                "<policy>: cookies: 'cookies' has a key of type NoneType, which is not text.\n"
                "    Write it as a string."
            ),
        ),
        (
            {"\ud800": 1},
            (
                "<policy>: the policy has the key '\\ud800', which has half of a character in it.\n"
                "    Write it as a string."
            ),
        ),
        (
            {"cookies": {"c": {(1, 2): 3, "kind": "sesion"}}},
            (
                "<policy>: cookies.c: cookie 'c' has a key of type tuple, which is not text.\n"
                "    Write it as a string."
            ),
        ),
        (
            {"revision": 10**5000},
            (
                "<policy>: revision: 'revision' is a number of more than 18 digits.\n"
                "    Write a smaller one."
            ),
        ),
        (
            {"x" * 1000: 1, "revision": 0},
            (
                "<policy>: revision: 'revision' is too small, and is 0.\n    Write 1 or more.\n"
                f"<policy>: {'x' * 60}…: the policy has no key '{'x' * 59}….\n"
                "    Its keys: site, mode, preset, takes-effect, revision, ask-again-after, "
                "languages, purposes, cookies, storage, services, undeclared, settings-link, "
                "child-directed, csp, pages, guard, integrations, placeholders, banner, texts, "
                "templates, token, extends, uses."
            ),
        ),
        (
            {"purposes": {}, "cookies": {}},
            (
                "<policy>: purposes: the policy declares no purpose.\n"
                "    Declare at least one, with a 'title' and a 'description'."
            ),
        ),
        (
            {
                "integrations": {
                    "google_consent_mode": {"signals": {"ad_store": []}, "wait_for_update": -1}
                }
            },
            (
                "<policy>: integrations.google_consent_mode.signals.ad_store: 'signals' of "
                "'integrations' has no key 'ad_store'.\n    Its keys: ad_storage, ad_user_data, "
                "ad_personalization, analytics_storage, functionality_storage, "
                "personalization_storage. Did you mean 'ad_storage'?\n"
                "<policy>: integrations.google_consent_mode.wait_for_update: 'integrations': "
                "'google_consent_mode.wait_for_update' is too small, and is -1.\n"
                "    Write 0 or more."
            ),
        ),
        (
            {
                "cookies": {
                    "a": DeclaredCookie(
                        name="b", kind=Kind.SESSION, purpose=("p",), description="C"
                    )
                }
            },
            (
                "<policy>: cookies.a.name: cookie 'a' is also named 'b'.\n"
                "    Its name is its key: take 'name' away."
            ),
        ),
    ],
)
def test_a_fault_in_python_has_the_path_of_its_keys(changes: dict[str, Any], fault: str) -> None:
    """The same checks and the same words; there is no line to name."""
    assert path_faults(changes) == fault


def test_keys_of_the_policy_that_are_not_text_are_refused() -> None:
    """Python's dicts may have any key."""
    assert path_faults({}.fromkeys(["p"], 1)).startswith("<policy>: p: the policy has no key 'p'.")
    for key, named in ((4, "the key 4"), (None, "a key of type NoneType"), (b"x", "a key of type")):
        with pytest.raises(PolicyError, match=f"the policy has {named}.*, which is not text"):
            policy_from({**data(), key: 5})  # type: ignore[dict-item]


def test_what_is_no_set_of_keys_is_a_fault() -> None:
    """A program may hand in what its own reader made of an empty file."""
    for wrong in (None, [1], "abc", 5, b"x"):
        with pytest.raises(PolicyError) as caught:
            policy_from(wrong)  # type: ignore[arg-type]
        assert str(caught.value) == (
            f"<policy>: the policy is {shown(wrong)}, and must be keys with values.\n"
            "    Give it 'site', 'mode' and 'purposes'."
        )


@pytest.mark.uncounted
def test_data_that_has_no_end_is_a_fault() -> None:
    """What holds itself, what is too deep, and what is too much; each at its first key."""
    circle: dict[str, Any] = {}
    circle["x"] = circle
    ring: list[Any] = []
    ring.append(ring)
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"x": deep}
    much = [[[[None] * 100] * 100] * 100]
    for wrong, said in ((circle, "50 levels"), (ring, "50 levels"), (deep, "50"), (much, "200000")):
        with pytest.raises(PolicyError, match=f"^<policy>: x: the policy has more than {said}"):
            policy_from(data(x=wrong))
    just: Any = 1
    for _ in range(49):
        just = [just]
    with pytest.raises(PolicyError, match="the policy has no key 'x'"):
        policy_from(data(x=just))


def test_values_are_counted_wherever_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each set of keys, each list, and what they hold: so many as there may be, and no more."""
    least = {"site": {"name": "A", "controller": "B"}, "mode": "explicit", "preset": ["eu", "uk"]}
    both = {**least, "purposes": {"p": {"title": "T", "description": "D"}}}
    monkeypatch.setattr(policy_file, "MOST_VALUES", 12)
    assert policy_from(both).mode == "explicit"
    monkeypatch.setattr(policy_file, "MOST_VALUES", 11)
    with pytest.raises(PolicyError) as caught:
        policy_from(both)
    assert str(caught.value) == (
        "<policy>: purposes: the policy has more than 11 values.\n"
        "    Does it hold itself? Five levels are usual."
    )


def test_levels_are_counted_to_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as in a file, counted from the policy's own keys."""

    def lists(levels: int) -> Any:
        inner: Any = 1
        for _ in range(levels):
            inner = [inner]
        return inner

    assert "the policy has no key 'x'" in path_faults({"x": lists(49)})
    for key, said in (("x", "x"), ("x" * 60, "x" * 60), ("x" * 61, f"{'x' * 60}…")):
        assert path_faults({key: lists(50)}) == (
            f"<policy>: {said}: the policy has more than 50 levels inside one another.\n"
            "    Does it hold itself? Five levels are usual."
        )
    # On the last level itself there may be a value too many, which is no level too many.
    monkeypatch.setattr(policy_file, "MOST_VALUES", 50)
    with pytest.raises(PolicyError, match="x: the policy has more than 50 values"):
        policy_from({"x": lists(49)})


@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_may_have_as_many_digits_as_in_a_file(sign: int) -> None:
    """To the last digit; what has more is told at its place and left out."""
    what = "'site.name' is a number of more than 18 digits.\n    Write a smaller one."
    site = {"name": sign * 10**18, "controller": "B"}
    assert path_faults({"site": site}) == f"<policy>: site.name: {what}"
    site["name"] = sign * (10**18 - 1)
    assert path_faults({"site": site}).startswith("<policy>: site.name: 'site': 'name' must be te")


def test_any_mapping_and_any_sequence_will_do() -> None:
    """Read-only views and tuples are data as well."""
    made = MappingProxyType({**data(languages=("en", "de")), "cookies": MappingProxyType({})})
    assert policy_from(made).languages == ("en", "de")


def test_a_missing_part_of_python_data_has_no_path() -> None:
    """What is not there has no key to point at."""
    with pytest.raises(PolicyError, match=r"^<policy>: the policy has no 'mode'"):
        policy_from({key: value for key, value in data().items() if key != "mode"})


def test_a_policy_value_is_checked_when_the_site_starts() -> None:
    """Models know the shape, the check knows the sense."""
    policy = Policy.model_validate(data())
    check_policy(policy)
    with pytest.raises(PolicyError, match=r"^<policy>: languages: the policy has no language\."):
        check_policy(policy.model_copy(update={"languages": ()}))


# What the module promises of itself


def test_every_part_of_a_policy_has_its_keys_known() -> None:
    """The table of models is complete: each model that is reached is in it."""

    def reached(model: type[BaseModel]) -> set[type[BaseModel]]:
        names = {
            name for info in model.model_fields.values() for name in _models_in(info.annotation)
        }
        return {model}.union(*(reached(each) for each in names))

    assert reached(Policy) == set(MODELS.values())


def test_every_key_stands_in_the_reference() -> None:
    """A key nobody can read of is a key nobody can use."""
    page = Path(__file__).resolve().parents[2] / "docs" / "reference" / "policy-file.md"
    documented = set(re.findall("`([a-z_-]+)`", page.read_text("utf-8")))
    for model in MODELS.values():
        keys = {info.alias for info in model.model_fields.values() if not info.exclude}
        assert keys <= documented
        assert keys


def _models_in(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    inner = getattr(annotation, "__args__", ())
    return set().union(*map(_models_in, inner)) if inner else set()


LINES = WHOLE.splitlines(keepends=True)
SNIPPETS = st.sampled_from(
    [
        *("", " ", "  ", "\n", "\r", "\u2028", "\t", "\0", "\x07", "é", "\ud800"),
        *(":", ": ", "- ", "[", "]", "{", "}", "'", '"', "#", "|", ">", "%", "@", "? "),
        *("*", "&a ", "*a", "!x ", "<<: ", "---\n", "...\n"),
        *("no", "null", "true", "12", "9" * 40, "1 day", "999999 years"),
        *("consent", "str", "dict[str,str]", "name: x", "__Host-", "{a}{b}", "a=b"),
    ]
)


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """The whole file after a few slips: text put in, cut out, moved, lines lost and doubled."""
    text = WHOLE
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        put = draw(st.one_of(SNIPPETS, st.sampled_from(LINES), st.text(max_size=3)))
        text = text[:start] + put + text[end:]
    return text


@given(mutations())
def test_any_mutation_is_a_policy_or_a_policy_error(source: str) -> None:
    """Never another exception; each fault says where, what and what to do."""
    try:
        policy = read_policy(source, "consent.yaml")
    except PolicyError as error:
        assert error.faults  # noqa: PT017
        assert list(error.faults) == sorted(error.faults)  # noqa: PT017
        assert all(each.what.endswith(".") for each in error.faults)  # noqa: PT017
    else:
        check_policy(policy)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_policy_error(source: bytes) -> None:
    """No policy is that short."""
    with pytest.raises(PolicyError):
        read_policy(source)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
ODD_KEYS: st.SearchStrategy[Any] = (
    st.integers()
    | st.none()
    | st.binary(max_size=2)
    | st.just(())
    | st.sampled_from(["\ud800", ""])
)
VALUES = st.recursive(
    SCALARS | st.binary(max_size=3) | st.just(10**4000),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.text(max_size=3) | ODD_KEYS, inner, max_size=2)
    ),
    max_leaves=5,
)
KEYS = st.sampled_from([info.alias for info in Policy.model_fields.values()])


@given(st.dictionaries(KEYS | st.text(max_size=3) | ODD_KEYS, VALUES, max_size=3))
def test_any_python_data_is_a_policy_or_a_policy_error(changes: dict[Any, Any]) -> None:
    """Whatever a program hands in."""
    try:
        check_policy(policy_from({**data(), **changes}))
    except PolicyError as error:
        assert error.faults  # noqa: PT017


# Files that extend one another


def written(folder: Path, **files: str) -> Path:
    """A folder with these files, and the last one's path."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder / f"{name}.yaml"


def faults_in(path: Path) -> list[str]:
    """What is wrong with a file: each fault without its cure, files by their bare names."""
    found = inspect_policy(path)
    assert found.policy is None
    assert found.faults
    said = (str(fault).split("\n")[0] for fault in found.faults)
    return [line.replace(f"{path.parent}{os.sep}", "") for line in said]


BASE = """\
site: {name: The county, controller: The council}
mode: explicit
purposes:
  necessary: {basis: strictly-necessary, title: Needed, description: Works.}
  statistics: {title: Statistics, description: Counts.}
cookies:
  session: {kind: session, purpose: necessary, justification: user-input, description: Visit.}
  _count: {kind: persistent, duration: 1 year, purpose: statistics, description: Counts.}
"""


def test_a_file_is_laid_upon_the_one_it_extends(tmp_path: Path) -> None:
    """Sites of one county share a declaration, and each says what is its own."""
    ours = """\
extends: base.yaml
site: {name: The police}
purposes: {statistics: {title: {en: How often}}, videos: {title: Films, description: Shows.}}
cookies:
  session: {description: Ours.}
  _count: {kind: session, purpose: videos, description: No longer kept.}
"""
    policy = load_policy(written(tmp_path, base=BASE, ours=ours))
    assert (policy.site.name, policy.site.controller) == ("The police", "The council")
    assert list(policy.purposes) == ["necessary", "statistics", "videos"]
    assert policy.purposes["statistics"].title == {"en": "How often"}
    assert policy.cookies["session"].justification == "user-input"
    assert policy.cookies["session"].description == "Ours."
    # It names its kind, so it stands alone: nothing of the base's duration is left.
    assert policy.cookies["_count"].duration is None


def test_a_purpose_told_anew_is_what_its_own_file_says(tmp_path: Path) -> None:
    """Otherwise a base could make strictly necessary, unread, what the site asks about."""

    def loaded(purpose: str) -> Policy:
        ours = f"extends: base.yaml\npurposes: {{necessary: {{{purpose}}}}}\ncookies: {{session: "
        alone = "{kind: session, purpose: necessary, description: D.}}\n"
        base = BASE.replace("Needed,", "Needed, justification: security,")
        return load_policy(written(tmp_path, base=base, ours=ours + alone))

    anew = loaded("title: Films, description: Shows films.")
    assert (anew.basis_of("necessary"), anew.purposes["necessary"].justification) == (
        Basis.CONSENT,
        None,
    )
    assert list(anew.purposes) == ["necessary", "statistics"]
    # The control: one of the two alone is a word changed, and the basis stands.
    for change in ("title: Films", "description: Shows films."):
        assert loaded(change).basis_of("necessary") is Basis.STRICTLY_NECESSARY


def test_a_text_is_replaced_whole(tmp_path: Path) -> None:
    """A visitor would otherwise read two sites' words, by language."""
    base = (
        "languages: [en, de]\nbanner: {title: {en: Old, de: Alt}, layout: bottom}\n"
        + BASE.replace("Counts.", "{en: Counts., de: Zählt.}").replace(
            "purpose: statistics,", "purpose: statistics, transfer: {en: A, de: B},"
        )
    )
    ours = """\
extends: base.yaml
purposes: {statistics: {description: {en: Sells.}}}
cookies: {_count: {transfer: {en: C}}}
banner: {title: {en: New}}
"""
    policy = load_policy(written(tmp_path, base=base, ours=ours))
    assert policy.purposes["statistics"].description == {"en": "Sells."}
    assert policy.cookies["_count"].description == {"en": "Counts.", "de": "Zählt."}
    assert policy.cookies["_count"].transfer == {"en": "C"}
    assert (policy.banner.title, policy.banner.layout) == ({"en": "New"}, "bottom")


def test_what_is_no_text_is_merged(tmp_path: Path) -> None:
    """Whatever an entry is named, and whatever keys stand in one of its keys."""
    base = BASE.replace("statistics:", "title:").replace("purpose: statistics", "purpose: title")
    base = base.replace(
        "purpose: title,", "purpose: title, attributes: {secure: true, http-only: true},"
    )
    ours = """\
extends: base.yaml
purposes: {title: {title: Ours}}
cookies: {_count: {attributes: {http-only: false}}}
"""
    policy = load_policy(written(tmp_path, base=base, ours=ours))
    assert policy.purposes["title"].title == "Ours"
    assert policy.purposes["title"].description == "Counts."
    attributes = policy.cookies["_count"].attributes
    assert (attributes.secure, attributes.http_only) == (True, False)


def test_a_policy_that_lists_no_language_speaks_english(tmp_path: Path) -> None:
    """Of the words of a base, and of the catalogue, those in English are its own."""
    base = BASE.replace("Counts.", "{en: C., de: Z.}")
    ours = written(tmp_path, base=base, ours="extends: base.yaml\n")
    assert load_policy(ours).cookies["_count"].description == {"en": "C."}
    described = read_policy(f"uses: django\n{BASE}").cookies["csrftoken"].description
    assert isinstance(described, dict)
    assert described.keys() == {"en"}


def test_a_bases_words_in_other_languages_are_passed_over(tmp_path: Path) -> None:
    """Sites that share a base need not all speak the same; one's own stray words are a slip."""
    base = "languages: [en, de, fr]\n" + BASE.replace("Counts.", "{en: C., de: Z., fr: D.}")
    ours = "extends: base.yaml\nlanguages: [en, fr]\n"
    policy = load_policy(written(tmp_path, base=base, ours=ours))
    assert policy.cookies["_count"].description == {"en": "C.", "fr": "D."}
    assert policy.purposes["statistics"].description == {"en": "C.", "fr": "D."}
    stray = "banner: {title: {en: A, de: B}}\n"
    assert faults_in(written(tmp_path, base=base, ours=ours + stray)) == [
        "ours.yaml:3:25: 'banner' has words in 'de', which is not among the languages."
    ]
    only = "extends: base.yaml\nlanguages: [it]\n"
    assert faults_in(written(tmp_path, base=base, ours=only))[0] == (
        "base.yaml:6:35: purpose 'statistics' has no 'description' in 'it', the first language."
    )


def test_a_text_of_the_notice_is_replaced_by_itself(tmp_path: Path) -> None:
    """A base may have a county's words, and a site changes one of them."""
    base = f"{BASE}texts: {{en: {{settings: Cookies, label: Cookies}}}}\n"
    ours = "extends: base.yaml\ntexts: {en: {settings: Choice, close: Shut}}\n"
    policy = load_policy(written(tmp_path, base=base, ours=ours))
    assert policy.texts == {"en": {"settings": "Choice", "label": "Cookies", "close": "Shut"}}


def test_a_bases_texts_in_other_languages_are_passed_over(tmp_path: Path) -> None:
    """Of the base's; in the site's own file they are a slip, also beside those of the base."""
    base = f"languages: [en, de]\n{BASE}texts: {{en: {{label: C}}, de: {{label: K}}}}\n"
    ours = "extends: base.yaml\nlanguages: [en]\n"
    assert load_policy(written(tmp_path, base=base, ours=ours)).texts == {"en": {"label": "C"}}
    stray = "texts: {de: {close: Zu}}\n"
    assert faults_in(written(tmp_path, base=base, ours=ours + stray)) == [
        "ours.yaml:3:9: 'texts' has words in 'de', which is not among the languages."
    ]


def test_templates_count_from_the_file_that_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a site is started, and whoever lays the file beneath another one."""
    (tmp_path / "shared" / "notice").mkdir(parents=True)
    (tmp_path / "site").mkdir()
    base = written(tmp_path / "shared", base=f"{BASE}templates: notice\n")
    monkeypatch.chdir(tmp_path / "shared")
    for path in (base, "base.yaml"):
        templates = load_policy(path).templates
        assert templates is not None
        assert Path(templates).is_absolute()
        assert Path(templates).samefile(tmp_path / "shared" / "notice")
    ours = written(tmp_path / "site", ours="extends: ../shared/base.yaml\n")
    policy = load_policy(ours)
    assert policy.templates == os.fspath(tmp_path / "site" / ".." / "shared" / "notice")
    assert read_policy(policy.to_yaml()) == policy
    own = written(tmp_path / "site", own="extends: ../shared/base.yaml\ntemplates: ../site\n")
    templates = load_policy(own).templates
    assert templates is not None
    assert Path(templates).samefile(tmp_path / "site")


def test_a_whole_path_of_templates_is_left_as_it_is(tmp_path: Path) -> None:
    """So that what was loaded can be written, and read again elsewhere."""
    folder = os.fspath(tmp_path)
    assert load_policy(written(tmp_path, ours=f"{BASE}templates: {folder}\n")).templates == folder


@pytest.mark.parametrize(
    "name",
    ["ours.yaml", "nowhere", "x" * 5000, "a\\0b"],
    ids=["a file", "nothing", "a name too long", "a name that no system has"],
)
def test_templates_are_in_a_folder(tmp_path: Path, name: str) -> None:
    """A page would otherwise be made of ours, and nobody would know why."""
    ours = written(tmp_path, ours=f'{BASE}templates: "{name}"\n')
    (fault,) = inspect_policy(ours).faults
    assert "'templates' is " in fault.what
    assert fault.what.endswith(", and there is no such folder.")
    assert (fault.line, fault.column) == (9, 12)


def test_templates_that_may_not_be_looked_at_are_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's refusal is played: where a test runs as root it does not refuse."""
    ours = written(tmp_path, ours=f"{BASE}templates: .\n")
    assert inspect_policy(ours).faults == ()

    def refuse(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", refuse)
    (fault,) = inspect_policy(ours).faults
    assert fault.what == "'templates' is '.', and there is no such folder."


def test_templates_of_a_text_are_where_it_says() -> None:
    """A text stands in no folder: its author is told, and nothing is looked for."""
    text = f"{BASE}templates: notice\n"
    assert read_policy(text).templates == "notice"
    (warning,) = inspect_text(text).warnings
    assert warning.what == "'templates' is 'notice', and this policy stands in no folder."
    assert inspect_text(f"{BASE}templates: /no/such/folder\n").warnings == ()
    assert policy_from({**yaml.safe_load(BASE), "templates": "notice"}).templates == "notice"


@pytest.mark.parametrize("value", ["' '", "5", "[a]"])
def test_templates_that_are_no_path_are_one_fault(tmp_path: Path, value: str) -> None:
    """One slip is told once: nothing is looked for where no path is."""
    assert len(faults_in(written(tmp_path, ours=f"{BASE}templates: {value}\n"))) == 1


@pytest.mark.parametrize(
    ("texts", "what", "cure"),
    [
        (
            "{settings: Cookies}",
            "'texts': 'settings' must be keys with values, and is 'Cookies'.",
            "Write them below their language, as in 'en: {settings: …}'.",
        ),
        (
            "Cookies",
            "'texts' must be keys with values, and is 'Cookies'.",
            "Write them below their language, as in 'en: {settings: …}'.",
        ),
        (
            "{en: {asks: {consent: {title: May we?}}}}",
            "'texts': 'en.asks' must be text, and is a set of keys.",
            "Write its whole key in one, with dots, as in 'asks.consent.title: …'.",
        ),
        (
            "{en: {months.1: 1}}",
            "'texts': 'en.months.1' must be text, and is 1.",
            "Put it in quotes, if it is what you mean.",
        ),
        ("{en: {settings: }}", "'texts': 'en.settings' has no value.", "Write one, or take"),
        # Keys that are words of the validation's own.
        ("{en: {str: 1}}", "'texts': 'en.str' must be text, and is 1.", "Put it in quotes"),
        ('{en: {"tuple[str, ...]": 1}}', "'texts': 'en.tuple[str, ...]' must be", "Put it in"),
    ],
)
def test_texts_of_a_wrong_shape_are_told_how_they_are_written(
    texts: str, what: str, cure: str
) -> None:
    """By language, and below it by whole keys: neither is what one would guess."""
    (fault,) = inspect_text(f"{BASE}texts: {texts}\n").faults
    assert fault.what.startswith(what)
    assert fault.cure.startswith(cure)


def test_a_path_leads_where_the_system_says(tmp_path: Path) -> None:
    """Behind a link, '..' is the folder that the link points into."""
    (tmp_path / "deep" / "sites").mkdir(parents=True)
    (tmp_path / "here").symlink_to(tmp_path / "deep" / "sites")
    written(tmp_path, base="mode: one that is never read\n")
    written(tmp_path / "deep", base=BASE)
    written(tmp_path / "deep" / "sites", ours="extends: ../base.yaml\n")
    report = inspect_policy(tmp_path / "here" / "ours.yaml")
    assert report.policy is not None
    assert report.sources[os.fspath(tmp_path / "here" / ".." / "base.yaml")] == BASE


def test_what_is_no_regular_file_is_never_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe waits for ever, and a device may do something."""
    monkeypatch.chdir(tmp_path)
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    device = tmp_path / "device.yaml"
    device.symlink_to(os.devnull)
    folder = tmp_path / "folder.yaml"
    folder.mkdir()
    ear = socket.socket(socket.AF_UNIX)
    ear.bind("ear.yaml")
    ear.close()
    for name, what in (
        *((name, "no regular file") for name in ("pipe", "device", "ear")),
        ("folder", "a directory"),
    ):
        path = f"{name}.yaml"
        assert [each.what for each in inspect_policy(path).faults] == [f"this is {what}."]
        ours = written(tmp_path, ours=f"extends: {path}\n").name
        assert faults_in(Path(ours)) == [
            f"ours.yaml:1:10: '{path}' cannot be extended: this is {what}."
        ]


def test_what_another_file_holds_is_never_told(tmp_path: Path) -> None:
    """A message may go into a log that others read; secrets stand in files of other names."""
    (tmp_path / ".env").write_text("SECRET_KEY: hunter2\n")
    said = faults_in(written(tmp_path, ours=f"extends: .env\n{BASE}"))
    assert said == [
        "ours.yaml:1:10: 'extends' is '.env', and must be a relative path of a .yaml file."
    ]
    assert "hunter2" not in str(inspect_policy(tmp_path / "ours.yaml").sources)


def test_a_base_may_extend_a_base_in_another_folder(tmp_path: Path) -> None:
    """Each path counts from the folder of the file that names it."""
    (tmp_path / "shared").mkdir()
    written(tmp_path / "shared", all=BASE, county="extends: all.yaml\nrevision: 3\n")
    ours = written(tmp_path, ours="extends: shared/county.yaml\nlanguages: [en, de]\n")
    policy = load_policy(ours)
    assert (policy.revision, policy.languages) == (3, ("en", "de"))
    report = inspect_policy(ours)
    assert [Path(name).name for name in report.sources] == ["ours.yaml", "county.yaml", "all.yaml"]
    place = report.place_of("cookies", "_count", "duration")
    assert place is not None
    assert (Path(place.file).name, place.line) == ("all.yaml", 8)


def test_a_fault_stands_in_the_file_that_says_it(tmp_path: Path) -> None:
    """Whoever mends it opens that file."""
    base = BASE.replace("purpose: statistics", "purpose: statistic")
    ours = "extends: base.yaml\npurposes: {videos: {titel: Films, description: Shows.}}\n"
    assert faults_in(written(tmp_path, base=base, ours=ours)) == [
        "base.yaml:8:57: cookie '_count' names purpose 'statistic', which is not declared.",
        "ours.yaml:2:21: purpose 'videos' has no key 'titel'.",
    ]


CHAINS: list[tuple[dict[str, str], str]] = [
    ({"ours": "extends: ours.yaml\n"}, "ours.yaml:1:10: 'ours.yaml' is extended in a circle."),
    (
        {"a": "extends: b.yaml\n", "b": "extends: ours.yaml\n", "ours": "extends: a.yaml\n"},
        "b.yaml:1:10: 'ours.yaml' is extended in a circle.",
    ),
    (
        {"ours": "extends: gone.yaml\n"},
        "ours.yaml:1:10: 'gone.yaml' cannot be extended: there is no such file.",
    ),
    (
        {"ours": "extends: '\\x00.yaml'\n".replace("'", '"')},
        (
            "ours.yaml:1:10: '\\x00.yaml' cannot be extended: this file cannot be read: "
            "embedded null byte."
        ),
    ),
    *(
        (
            {"ours": f'extends: "{path}"\n'},
            f"ours.yaml:1:10: 'extends' is '{path}', and must be a relative path of a .yaml file.",
        )
        for path in (".", ".env", "/etc/passwd", "/x.yaml", "//x.yaml", "C:x.yaml", "x.yaml/")
    ),
    (
        {"ours": "extends: [a.yaml]\n" + BASE},
        "ours.yaml:1:10: 'extends' must be the path of one file, and is a list.",
    ),
    (
        {"ours": "extends: ''\n" + BASE},
        "ours.yaml:1:10: 'extends' must be the path of one file, and is ''.",
    ),
    (
        {"ours": "extends:\n" + BASE},
        "ours.yaml:1:9: 'extends' must be the path of one file, and is nothing.",
    ),
    ({"a": "", "ours": "extends: a.yaml\n"}, "a.yaml:1:1: the file is empty."),
    (
        {"a": "- b\n", "ours": "extends: a.yaml\n"},
        "a.yaml:1:1: the policy is a list, and must be keys with values.",
    ),
    (
        {f"f{n}": f"extends: f{n + 1}.yaml\n" for n in range(12, -1, -1)},
        "f9.yaml:1:10: more than 10 files extend one another.",
    ),
]


@pytest.mark.parametrize(("files", "fault"), CHAINS)
def test_a_chain_that_leads_nowhere_is_one_fault(
    files: dict[str, str], fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A circle, a gap, a directory: said at the key that leads there."""
    monkeypatch.chdir(tmp_path)
    assert faults_in(Path(written(tmp_path, **files).name)) == [fault]


def test_ten_files_are_no_fault(tmp_path: Path) -> None:
    """The control of the longest chain."""
    chain = {f"f{n}": f"extends: f{n + 1}.yaml\n" for n in range(8, -1, -1)}
    assert load_policy(written(tmp_path, f9=BASE, **chain)).mode == "explicit"


def test_a_text_extends_no_file() -> None:
    """It stands in no folder; a path that happened to fit would be a surprise."""
    assert faults_of(f"extends: base.yaml\n{BASE}") == (
        "consent.yaml:1:10: 'extends' names a file, and this policy stands in no folder.\n"
        "    Save it as a file, and load it with load_policy."
    )
    with pytest.raises(PolicyError) as caught:
        policy_from({**yaml.safe_load(BASE), "extends": "base.yaml"})
    assert str(caught.value) == (
        "<policy>: extends: 'extends' names a file, and this policy stands in no folder.\n"
        "    Save it as a file, and load it with load_policy."
    )


# What the catalogue supplies


def test_a_framework_declares_its_own_cookies() -> None:
    """Nobody need know by heart what Django sets (U-22)."""
    policy = read_policy(f"uses: [django]\n{BASE}")
    declared = policy.cookies["csrftoken"]
    assert (declared.purpose, declared.justification) == (("necessary",), "security")
    assert policy.cookies.keys() > {"csrftoken", "sessionid", "session", "_count"}
    assert read_policy(f"uses: django\n{BASE}") == policy
    assert policy_from({**yaml.safe_load(BASE), "uses": ["django"]}).cookies == policy.cookies


def test_a_frameworks_cookies_speak_the_policys_languages() -> None:
    """Where the first language has no words, English stands for all of them."""

    def description(languages: str) -> object:
        source = f"uses: django\nlanguages: {languages}\n{BASE}"
        return read_policy(source).cookies["csrftoken"].description

    both = description("[de, en]")
    assert isinstance(both, dict)
    assert both.keys() == {"de", "en"}
    assert description("[en]") == {"en": both["en"]}
    assert description("[de, fr]") == {"de": both["de"]}
    assert description("[fr, de]") == both["en"]


def test_an_entry_of_ones_own_is_laid_over_the_frameworks() -> None:
    """One key alone may be changed; a kind of one's own stands alone."""
    plain = read_policy(f"uses: django\n{BASE}").cookies["sessionid"]
    ours = read_policy(f"uses: django\n{BASE}  sessionid: {{description: Ours.}}\n")
    assert ours.cookies["sessionid"] == plain.model_copy(update={"description": "Ours."})
    alone = "  sessionid: {kind: session, purpose: statistics, description: Ours.}\n"
    declared = read_policy(f"uses: django\n{BASE}{alone}").cookies["sessionid"]
    assert (declared.kind, declared.duration, declared.justification) == ("session", None, None)


def test_a_frameworks_cookie_that_is_asked_about_is_justified_by_nothing() -> None:
    """The site says that it is not strictly necessary, so the catalogue has nothing to add."""

    def cookie(purpose: str) -> DeclaredCookie:
        ours = f"  sessionid: {{purpose: {purpose}}}\n"
        return read_policy(f"uses: django\n{BASE}{ours}").cookies["sessionid"]

    for purpose in ("statistics", "[necessary, statistics]"):
        assert cookie(purpose).justification is None
    # The control: what is strictly necessary keeps the reason.
    assert cookie("necessary").justification == cookie("[necessary]").justification != None  # noqa: E711


def test_a_framework_named_twice_is_named_once() -> None:
    """Ten thousand times would be ten thousand layers."""
    once = read_policy(f"uses: [django]\n{BASE}")
    assert read_policy(f"uses: [{', '.join(['django'] * 5000)}]\n{BASE}") == once


USES: list[tuple[str, str]] = [
    ("uses: [djanjo]", "consent.yaml:1:8: 'uses' names 'djanjo', whose cookies the catalogue"),
    ("uses: djanjo", "consent.yaml:1:7: 'uses' names 'djanjo', whose cookies the catalogue"),
    ("uses: [3]", "consent.yaml:1:8: 'uses' names 3, whose cookies the catalogue does not know"),
    ("uses: {django: }", "consent.yaml:1:7: 'uses' must be a list, and is a set of keys."),
    ("uses:", "consent.yaml:1:6: 'uses' must be a list, and is nothing."),
]


@pytest.mark.parametrize(("line", "fault"), USES)
def test_a_framework_that_nobody_knows_is_a_fault(line: str, fault: str) -> None:
    """With the names that are known, and the one that was meant."""
    said = faults_of(f"{line}\n{BASE}")
    assert said.startswith(fault)
    assert ("\n    Write it in brackets: [django]." in said) is ("must be a list" in fault)
    assert ("Did you mean 'django'?" in said) is ("djanjo" in line)


def test_a_frameworks_cookies_need_a_purpose_that_is_strictly_necessary() -> None:
    """It is not made up: visitors read its title."""
    source = "uses: [django]\n" + BASE.replace("basis: strictly-necessary, ", "")
    said = faults_of(source.replace("justification: user-input, ", ""))
    assert said == (
        "consent.yaml:1:8: 'django' sets cookies that are strictly necessary, and no purpose is.\n"
        "    Add one to 'purposes': 'necessary: {basis: strictly-necessary, title: …, "
        "description: …}'."
    )


def test_a_fault_of_a_frameworks_cookie_stands_where_it_is_named() -> None:
    """No line of the file says what is wrong, so the one that brought it in is shown."""
    pattern = "  csrf*: {kind: session, purpose: statistics, description: Ours.}\n"
    inspection = inspect_text(f"uses: [django]\n{BASE}{pattern}", "consent.yaml")
    assert inspection.policy is None
    assert inspection.place_of("cookies", "csrftoken") == ("consent.yaml", 1, 8)


def test_a_known_service_needs_no_more_than_its_purpose() -> None:
    """Hosts, provider and links come from the catalogue; what is written here counts instead."""
    written_out = "services: {youtube: {purpose: statistics, provider: Ours, hosts: [a.example]}}"
    policy = read_policy(f"{BASE}services: {{youtube: {{purpose: statistics}}}}\n")
    known, ours = policy.services["youtube"], read_policy(f"{BASE}{written_out}\n")
    assert known.provider
    assert any("youtube" in host for host in known.hosts)
    assert ours.services["youtube"].hosts == ("a.example",)
    assert ours.services["youtube"].provider == "Ours"
    assert ours.services["youtube"].title == known.title
    assert known.shows == ours.services["youtube"].shows == "video"
    data = yaml.safe_load(BASE) | {"services": {"youtube": {"purpose": "statistics"}}}
    assert policy_from(data).services["youtube"] == known


def test_a_service_that_one_runs_oneself_is_not_where_the_catalogue_says() -> None:
    """Matomo on a site's own server sends nothing to Matomo's cloud, and its links are others."""

    def service(key: str, said: str) -> Any:
        ours = f"services: {{{key}: {{purpose: statistics, {said}}}}}\n"
        return read_policy(BASE + ours).services[key]

    for said in ("provider: The council", "provider: The council, hosts: [stats.example.org]"):
        own = service("matomo", said)
        assert (own.title, own.provider) == ("Matomo", "The council")
        assert (own.privacy, own.opt_out, own.transfer) == (None, None, None)
    assert own.hosts == ("stats.example.org",)
    assert own.inline == ("_paq",)  # its script is Matomo's, wherever it runs
    assert service("matomo", "provider: The council, inline: []").inline == ()
    # The control: what says neither is the provider's.
    theirs = service("matomo", "since: 1")
    assert theirs.hosts
    assert theirs.privacy
    said = faults_of(f"{BASE}services: {{matomo: {{purpose: statistics, hosts: []}}}}\n")
    assert said == (
        "consent.yaml:9:12: service 'matomo' has no 'provider'.\n    Add it: The organisation "
        "behind it. The catalogue's stands only beside its own 'hosts'."
    )


def test_a_service_built_in_python_may_spell_its_keys_either_way() -> None:
    """`opt_out` and `opt-out` are one key, so the catalogue does not add a second."""
    link = "https://example.org/out"
    services = {"google-analytics": {"purpose": "statistics", "opt_out": link, "since": 1}}
    policy = policy_from({**yaml.safe_load(BASE), "services": services})
    assert policy.services["google-analytics"].opt_out == link


def test_an_unknown_service_has_to_say_who_provides_it() -> None:
    """The control: nothing is made up for a name that nobody knows."""
    assert "service 'ours' has no 'provider'" in faults_of(
        f"{BASE}services: {{ours: {{purpose: statistics}}}}\n"
    )


# Inspection


def test_an_inspection_tells_everything_and_raises_nothing(tmp_path: Path) -> None:
    """Faults and warnings apart, the texts that were read, and the place of each key."""
    file = written(tmp_path, consent=BASE.replace("explicit", "implied"))
    report = inspect_policy(file, spoken=("de",))
    assert report.policy is not None
    assert report.faults == ()
    assert [str(each).partition("warning: ")[2].split("\n")[0] for each in report.warnings] == [
        "the notice has no words of its own in 'en'.",
        "no regulator of the EU, the EEA or the UK accepts consent by going on.",
    ]
    assert report.sources == {str(file): BASE.replace("explicit", "implied")}
    assert report.file == str(file)
    assert report.place_of("cookies", "session", "kind") == (str(file), 7, 13)
    assert report.place_of("cookies", "nobody") is None
    assert report.place_of("cookies", "session", "kind", "deeper") is None
    assert inspect_policy(tmp_path / "missing.yaml").faults[0].what == "there is no such file."
    assert inspect_text(b"\xff\xfe").faults[0].what == "the file is UTF-16."
    assert inspect_text(b"\xff\xfe").place_of("site") is None


def test_a_fault_hides_no_warning_and_a_warning_no_fault() -> None:
    """One run shows everything."""
    report = inspect_text(BASE.replace("explicit", "implied") + "languages: []\n", "f")
    assert [each.is_warning for each in (*report.faults, *report.warnings)] == [False, True]


def test_countries_are_codes_or_words() -> None:
    """A list is named in the visitor's language, a text is shown as it is (R-73)."""

    def source(transfer: str) -> str:
        return BASE.replace("purpose: statistics,", f"purpose: statistics, transfer: {transfer},")

    assert read_policy(source("[US, IE]")).cookies["_count"].transfer == ("US", "IE")
    assert read_policy(source("Mars")).cookies["_count"].transfer == "Mars"
    for wrong, said in (
        ("[us]", "cookie '_count' has 'us' under 'transfer', which is no "),
        ("[US, 3]", "cookie '_count': 'transfer' must be text, and is 3."),
        ("3", "cookie '_count': 'transfer' must be text, or one text for each language, and is 3"),
        ("{en: 3}", "cookie '_count': 'transfer.en' must be text, and is 3."),
    ):
        (fault,) = inspect_text(source(wrong)).faults
        assert said in fault.what
    assert "Did you mean 'US'?" in faults_of(source("[us]"))


def test_an_item_of_storage_is_declared_like_a_cookie() -> None:
    """The rules cover web storage too: an item says which it is in (EDPB 2/2023; R-29)."""

    def source(where: str, more: str = "", name: str = "draft-{n}") -> str:
        return (
            f"{BASE}storage:\n"
            f"  {name}: {{where: {where}, purpose: statistics, description: D.{more}}}\n"
        )

    item = read_policy(source("local", ", duration: 30 days")).storage["draft-{n}"]
    assert (item.where, item.purpose, item.duration) == ("local", ("statistics",), 30 * 86_400)
    for where, more, said in (
        ("session", ", duration: 1 day", "is kept in session storage and has a 'duration'"),
        ("local", ", duration: 0 days", "lasts no time at all"),
        ("locale", "", "stored item 'draft-{n}': 'where' is 'locale', which it cannot be"),
        ("local", ", service: maps", "names service 'maps', which is not declared"),
        ("local", ", justification: security", "has a justification, and the visitor is asked"),
        ("local", ", name: other", "stored item 'draft-{n}' is also named 'other'"),
        ("local", ", more: 'javascript:x'", "as 'more', which is no link"),
        ("local", ", transfer: [XX]", "has 'XX' under 'transfer'"),
    ):
        assert said in faults_of(source(where, more))
    for name, said in (("'*'", "it would cover every"), ("''", "the empty name")):
        assert said in faults_of(source("local", name=name))


def test_a_character_that_no_page_can_show_is_a_fault() -> None:
    """A YAML escape can bring in what no editor would have shown."""
    for place, name in (
        ("name: The county", 'name: "The\\x07county"'),
        ("description: Counts.}", 'description: "Counts\\x9b."}'),
    ):
        assert "no page can show it" in faults_of(BASE.replace(place, name))
    with pytest.raises(PolicyError, match="no page can show it"):
        policy_from({**yaml.safe_load(BASE), "banner": {"title": {"en": "\ud800"}}})


def test_the_text_is_there_also_where_it_is_no_yaml() -> None:
    """Whoever shows the fault shows the line."""
    report = inspect_text("a: b: c\n", "f")
    assert [fault.line for fault in report.faults] == [1]
    assert report.sources == {"f": "a: b: c\n"}


# What a faulty file costs


def _cost(source: str) -> int:
    """Calls of functions that an inspection makes: its time, were there no noise."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event.endswith("call")

    sys.setprofile(count)
    try:
        inspect_text(source)
    finally:
        sys.setprofile(None)
    return calls


MANY = 500
FAULTY: list[tuple[str, Callable[[int], str]]] = [
    ("unknown keys of the policy", lambda n: BASE + "".join(f"zzcookie{i}: 1\n" for i in range(n))),
    (
        "unknown keys of a cookie",
        lambda n: BASE + "  c:\n" + "".join(f"    descriptio{i}: 1\n" for i in range(n)),
    ),
    (
        "unknown frameworks",
        lambda n: f"uses: [{', '.join(f'django{i}' for i in range(n))}]\n{BASE}",
    ),
    ("frameworks again", lambda n: f"uses: [{', '.join(['django'] * n)}]\n{BASE}"),
    ("durations", lambda n: BASE + "".join(f"  c{i}: {{duration: bla}}\n" for i in range(n))),
    (
        "slips in a closed list",
        lambda n: BASE + "".join(f"  c{i}: {{kind: sesion{i}}}\n" for i in range(n)),
    ),
]


@pytest.mark.parametrize("faulty", [each for _, each in FAULTY], ids=[name for name, _ in FAULTY])
@pytest.mark.uncounted
def test_faults_cost_about_what_they_weigh(faulty: Callable[[int], str]) -> None:
    """Twice as many take about twice as long: whoever checks a bad file waits no longer."""
    _cost(faulty(MANY))  # what is read once is read
    few, many = (_cost(faulty(n)) for n in (MANY, 4 * MANY))
    assert inspect_text(faulty(9)).faults or "django" in faulty(9)
    assert many < 6 * few


def test_a_policy_is_validated_a_few_times_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out of one round is checked no more; after the last, everything is left out."""
    wrong = BASE.replace("kind: session", "kind: sesion")
    in_two = inspect_text(wrong).faults
    monkeypatch.setattr(policy_file, "MOST_ROUNDS", 1)
    assert inspect_text(wrong).faults == in_two
    assert inspect_text(wrong).policy is None


HOLED = [
    ("site: {name: The county, controller", "site: {<<: {name: A}, controller"),
    ("  session: {", "  <<: {}\n  session: {"),
    ("{kind: session,", "{<<: {kind: session},"),
    ("cookies:", "integrations: {matomo: {<<: {purpose: statistics}}}\ncookies:"),
    ("  necessary: {basis: strictly-necessary,", "  necessary: {<<: {basis: strictly-necessary},"),
]


@pytest.mark.parametrize(("whole", "holed"), HOLED)
@pytest.mark.parametrize("wrong", ["", "languages: en\n", "services: {s: {purpos: p}}\n"])
def test_nothing_hangs_on_a_hole(whole: str, holed: str, wrong: str, tmp_path: Path) -> None:
    """Of what is left out nothing is said: neither beside other slips, nor upon a base."""
    assert whole in BASE
    source = BASE.replace(whole, holed) + wrong
    merge = "the merge key '<<' is not read."
    others = [each.what for each in inspect_text(BASE + wrong).faults]
    for path in (
        written(tmp_path, ours=source),
        written(tmp_path, base="revision: 2\n", ours=f"extends: base.yaml\n{source}"),
    ):
        assert sorted(each.what for each in inspect_policy(path).faults) == sorted([merge, *others])
    assert bool(others) is bool(wrong)


def test_a_known_service_that_is_no_set_of_keys_is_one_fault() -> None:
    """The catalogue has nothing to lay beneath a word."""
    (fault,) = inspect_text(f"{BASE}services: {{youtube: provider}}\n").faults
    assert fault.what == "service 'youtube' must be keys with values, and is 'provider'."


def test_a_text_has_a_name_in_faults() -> None:
    """Whoever reads it without a file."""
    assert inspect_text("").file == "<policy>"
    assert inspect_text(WHOLE).file == "<policy>"
    with pytest.raises(PolicyError, match=r"^<policy>:1:1: the file is empty"):
        read_policy("")


def test_what_a_first_look_hides_is_told_too() -> None:
    """A section is looked at as a whole once its entries are left out that are faulty."""
    slips = "  a: {kind: sesion}\n  b: {kind: session, purpose: p, description: D., name: c}\n"
    slips += "services: {s: {purpose: nobody, provider: S}}\n"
    assert [(each.line, each.column) for each in inspect_text(BASE + slips).faults] == [
        (9, 3),
        (9, 3),
        (9, 13),
        (10, 51),
        (11, 25),
    ]


def test_a_fault_that_nothing_left_out_would_mend_is_told_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After the last round all is left out, so that there is an end."""
    wrong = BASE.replace("kind: session", "kind: sesion")
    told = inspect_text(wrong).faults
    monkeypatch.setattr(policy_file, "_part_of", lambda _loc: ("nothing that is there",))
    assert inspect_text(wrong).faults == told
    assert len(told) == 1


def test_a_list_with_a_hole_where_names_should_be_is_one_fault() -> None:
    """A part that cannot be read may be of any shape."""
    source = BASE.replace("cookies:", "services: [{<<: {a: b}}]\ncookies:")
    assert re.findall("^consent.*", faults_of(source), re.MULTILINE) == [
        "consent.yaml:6:11: 'services' must be keys with values, and is a list.",
        "consent.yaml:6:13: the merge key '<<' is not read.",
    ]

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.rules.names import NameIndex, NamePattern, OverlapIndex, without_chunk_suffix

LITERALS = st.text("ab", min_size=1, max_size=3)
NAMES = st.text("ab", max_size=6)
"""Two letters, so that patterns and names meet often."""


@st.composite
def patterns(draw: st.DrawFn) -> str:
    """A declared name: literals, gaps between them, perhaps a gap at either end."""
    middle = draw(st.lists(LITERALS, min_size=1, max_size=3))
    start, end = draw(st.sampled_from(["", "{x}"])), draw(st.sampled_from(["", "{x}", "*"]))
    return start + "{y}".join(middle) + end


def as_regex(declared: str) -> re.Pattern[str]:
    """The oracle: the same pattern as a backtracking regular expression."""
    parts = re.split(r"(\{\w\}|\*)", declared)
    kinds = {"*": ".*"}
    source = "".join(kinds.get(p, ".+" if p.startswith("{") else re.escape(p)) for p in parts)
    return re.compile(source)


def weight(declared: str) -> int:
    return len(re.sub(r"\{\w\}|\*", "", declared))


def oracle(declared: list[str], name: str) -> set[str]:
    """The names an index may find: the exact one, else the heaviest patterns that match."""
    if name in declared:
        return {name}
    fits = [each for each in declared if as_regex(each).fullmatch(name)]
    heaviest = max(map(weight, fits), default=0)
    return {each for each in fits if weight(each) == heaviest}


@given(patterns(), NAMES)
def test_a_pattern_covers_what_its_regular_expression_matches(declared: str, name: str) -> None:
    """A placeholder is one character or more, a trailing star any run."""
    assert NamePattern.parse(declared).covers(name) == bool(as_regex(declared).fullmatch(name))


def test_a_placeholder_is_not_made_of_the_end() -> None:
    """No letter is counted twice: between the beginning and the end stands one of its own."""
    pattern = NamePattern.parse("ab{any}b")
    assert not pattern.covers("abb")
    assert pattern.covers("abbb")


@given(st.lists(patterns(), max_size=6, unique=True), st.lists(NAMES, max_size=4))
def test_an_index_finds_what_brute_force_finds(declared: list[str], names: list[str]) -> None:
    """An exact name beats a pattern, a longer literal beats a shorter one."""
    index = NameIndex({each: each for each in declared})
    for name in [*names, *names]:
        found, right = index.find(name), oracle(declared, name)
        assert found in right if right else found is None


@given(patterns(), patterns())
def test_patterns_overlap_exactly_if_a_name_exists_that_both_cover(one: str, two: str) -> None:
    """Two letters and names up to both literals plus the gaps are enough for a witness."""
    left, right = NamePattern.parse(one), NamePattern.parse(two)
    fits = (as_regex(one), as_regex(two))
    # Pieces set one after the other, with one letter in each gap, are the longest needed.
    witnesses = _interleaved(left, right)
    found = any(all(each.fullmatch(name) for each in fits) for name in witnesses)
    assert left.overlaps(right) == right.overlaps(left) == found


def _interleaved(left: NamePattern, right: NamePattern) -> list[str]:
    starts = [left.pieces[0], right.pieces[0]]
    ends = [left.pieces[-1], right.pieces[-1]]
    middle = "a".join(["", *left.pieces[1:-1], *right.pieces[1:-1], ""])
    short = ["".join(letters) for n in range(4) for letters in product("ab", repeat=n)]
    long = [f"{start}a{middle}a{end}" for start in starts for end in ends]
    exact = [pattern.text for pattern in (left, right) if pattern.is_exact]
    return [*short, *long, *exact]


PLACEHOLDERS = "a placeholder is written {name}, with letters, digits, '_' and '-'"


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ("", "the empty name"),
        ("*", "it would cover every name there is"),
        ("{name}", "it would cover every name there is"),
        ("a*b", "'*' may only stand at the end"),
        ("a*{b}", "'*' may only stand at the end"),
        ("a{b}{c}d", "two placeholders need a literal between them"),
        *((name, PLACEHOLDERS) for name in ("a{b", "a{b c}", "a{}", "a}", "{{a}b")),
    ],
)
def test_a_pattern_that_cannot_be_is_refused(declared: str, reason: str) -> None:
    """A bare star would admit every cookie there is (R-76)."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # its words are compared whole
        NamePattern.parse(declared)
    assert str(refused.value) == reason


def test_an_exact_name_beats_a_pattern_and_a_heavier_pattern_a_lighter() -> None:
    """The most exact declaration is the one that was meant."""
    index = NameIndex({"_ga*": 1, "_ga_{id}": 2, "_ga_main": 3})
    assert [index.find(name) for name in ("_ga", "_ga_7", "_ga_main", "_gid")] == [1, 2, 3, None]


def test_a_literal_may_have_any_letter() -> None:
    """What is refused is a sign of a placeholder that is none, and no letter."""
    pattern = NamePattern.parse("X-{id}-X*")
    assert (pattern.pieces, pattern.gaps) == (("X-", "-X", ""), (1, 0))


@pytest.mark.parametrize("chunk", ["sessionC1", "session-0", "session.0", "session-12"])
def test_a_chunk_is_covered_by_its_cookie(chunk: str) -> None:
    """Frameworks cut values over 4 KB; only a cookie that is declared chunked may be."""
    entries = {"session": 1, "s*": 2}
    assert NameIndex(entries, ["session"]).find(chunk) == 1
    assert NameIndex(entries).find(chunk) == 2


@pytest.mark.parametrize("name", ["session", "session-", "session-123", "session_1", "-0", "C1"])
def test_what_is_no_chunk_has_no_whole(name: str) -> None:
    """One or two digits, after a letter C, a dash or a dot, and something before."""
    assert without_chunk_suffix(name) is None
    assert without_chunk_suffix("session-0") == "session"


def test_a_chunked_pattern_is_no_name_of_its_own() -> None:
    """A browser may send the pattern's own text as a name; that must not break the look-up."""
    index = NameIndex({"s{id}t": 1}, ["s{id}t"])
    assert index.find("s{id}t-0") is None
    assert index.find("s{id}t") == 1


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names come from browsers, so an attacker chooses how many there are and how long."""
    monkeypatch.setattr(NameIndex, "MEMORY", 3)
    index = NameIndex({"a*": 1})
    for count in range(10):
        assert index.find(f"a{count}") == 1
        assert index.find("a" * 1000 + str(count)) == 1
        assert 1 <= len(index._remembered) <= 3


@given(st.lists(patterns(), unique=True, max_size=8), patterns())
def test_an_index_of_overlaps_finds_what_brute_force_finds(filed: list[str], asked: str) -> None:
    """Only what begins or ends alike is asked, and nothing is missed by it."""
    index = OverlapIndex(map(NamePattern.parse, filed))
    pattern = NamePattern.parse(asked)
    right = [text for text in filed if pattern.overlaps(NamePattern.parse(text))]
    assert sorted(each.text for each in index.overlapping(pattern)) == sorted(right)


def test_patterns_that_end_alike_are_found_by_their_ends() -> None:
    """Those that begin with a placeholder are filed backwards: a longer end by a shorter one."""
    index = OverlapIndex(map(NamePattern.parse, ["{x}ab", "{x}b", "{x}ba", "{x}cab"]))
    found = index.overlapping(NamePattern.parse("{y}ab"))
    assert sorted(each.text for each in found) == ["{x}ab", "{x}b", "{x}cab"]

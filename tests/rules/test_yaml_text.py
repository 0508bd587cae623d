from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from consentkit.errors import PolicyError
from consentkit.rules import yaml_text
from consentkit.rules.yaml_text import (
    DEEPEST,
    LARGEST,
    MOST_REPEATED,
    Node,
    Place,
    compose,
    merged,
    node_of,
    shown,
    text_of,
)

HERE = Place("here.yaml", 1, 1)

values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=4)
    ),
    max_leaves=12,
)
mappings = st.dictionaries(st.text("abc", max_size=2), values, max_size=4)


def data_of(node: Node) -> Any:
    """A node's data, spelled out from what it holds."""
    if isinstance(node.data, dict):
        return {key: data_of(child) for key, child in node.children()}
    if isinstance(node.data, list):
        return [data_of(child) for _, child in node.children()]
    return node.data


def places_in(node: Node) -> Iterator[Place]:
    """The places of a node, of its keys, and of all that it holds."""
    yield node.place
    for place, child in (node.items or {}).values():
        yield place
        yield from places_in(child)


@given(values)
def test_a_node_of_data_holds_that_data(data: Any) -> None:
    """What was not written in a file is read as if it were, all of it at one place."""
    node = node_of(data, HERE)
    assert node.data == data_of(node) == data
    assert set(places_in(node)) == {HERE}


def laid(base: Any, over: Any) -> Any:
    """The rule itself: keys are merged, all else is replaced."""
    if isinstance(base, dict) and isinstance(over, dict):
        keys = [*base, *(key for key in over if key not in base)]
        return {
            key: laid(base[key], over[key])
            if key in base and key in over
            else {**base, **over}[key]
            for key in keys
        }
    return over


@given(mappings, mappings)
def test_the_upper_part_counts_and_the_lower_shows_through(base: Any, over: Any) -> None:
    """A file that extends another changes what it names, and keeps the rest."""
    node = merged(node_of(base, HERE), node_of(over, HERE))
    assert node.data == data_of(node) == laid(base, over)


entries = st.dictionaries(
    st.text("abc", max_size=2), st.dictionaries(st.text("abc", max_size=2), st.integers(-9, 9))
)


@given(entries, entries, entries)
def test_a_chain_may_be_laid_together_from_either_end(one: Any, two: Any, three: Any) -> None:
    """A base of a base is what one base of both would be."""
    a, b, c = (node_of(data, HERE) for data in (one, two, three))
    assert merged(merged(a, b), c).data == merged(a, merged(b, c)).data


def test_each_part_keeps_its_own_place() -> None:
    """A fault in the base is shown in the base."""
    base = compose("a: 1\nb:\n  c: 2\n", "base.yaml").node
    over = compose("# ours\nb:\n  d: 3\n", "ours.yaml").node
    both = (merged(base, over).items or {})["b"][1].items or {}
    assert both["c"][0] == Place("base.yaml", 3, 3)
    assert both["d"][0] == Place("ours.yaml", 3, 3)


def test_what_the_lower_part_left_out_is_not_known_of_the_whole() -> None:
    """Nothing may be said of what a part lacks that could not be read whole."""
    holed = compose("a: 1\n<<: {b: 2}\n", "base.yaml")
    assert len(holed.faults) == 1
    assert merged(holed.node, compose("c: 3\n", "ours.yaml").node).has_holes
    assert merged(compose("c: 3\n", "ours.yaml").node, holed.node).has_holes
    assert not merged(compose("a: 1\n", "f").node, compose("c: 3\n", "f").node).has_holes


def test_the_order_is_the_bases_unless_all_of_it_is_named_anew() -> None:
    """Visitors read purposes in this order."""
    base = node_of({"a": 1, "b": 2}, HERE)
    assert list(merged(base, node_of({"c": 0, "b": 0}, HERE)).data) == ["a", "b", "c"]
    assert list(merged(base, node_of({"c": 0, "b": 0, "a": 0}, HERE)).data) == ["c", "b", "a"]
    assert list(merged(base, node_of({"b": 0, "a": 0}, HERE)).data) == ["b", "a"]


def test_a_part_that_stands_alone_is_laid_over_whole() -> None:
    """Nothing shows through it, and it keeps the place that its key had below."""
    base, over = node_of({"a": {"x": 1}, "b": {"x": 1}}, HERE), node_of({"a": {"y": 2}}, HERE)
    both = merged(base, over, lambda path, node: path == ("a",) and node.get("y") is not None)
    assert both.data == data_of(both) == {"a": {"y": 2}, "b": {"x": 1}}
    assert list(both.data) == ["a", "b"]
    assert merged(base, over).data == {"a": {"x": 1, "y": 2}, "b": {"x": 1}}


def levels_of(data: Any) -> int:
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else None
    return 0 if inner is None else 1 + max(map(levels_of, inner), default=0)


@given(values)
def test_a_node_knows_how_deep_it_is(data: Any) -> None:
    """An alias may hang it below others."""
    node = compose(yaml.safe_dump(data), "f").node
    assert node.levels == levels_of(node.data)


@pytest.mark.counted
@given(st.integers(1, DEEPEST - 1), st.integers(1, DEEPEST - 1))
def test_aliases_lead_no_deeper_than_levels_do(outer: int, inner: int) -> None:
    """Deep values hung below one another would be too deep for whatever walks them."""
    source = f"a: &a {'[' * inner}{']' * inner}\nb: {'[' * outer}*a{']' * outer}\n"
    if outer + inner < DEEPEST:
        assert compose(source, "f").node.levels == 1 + outer + inner
    else:
        with pytest.raises(PolicyError, match="more than 50 levels stand inside one another"):
            compose(source, "f")


def test_aliases_repeat_as_many_values_as_they_may_and_no_more() -> None:
    """Counted are the values that they stand for, with what these hold."""
    source = f"a: &a [{'x,' * 199}]\nb: [{'*a,' * 99}{'*a'}]\n"
    assert MOST_REPEATED == 100 * 200
    assert compose(source, "f").faults == []
    with pytest.raises(PolicyError) as caught:
        compose(f"{source}c: &c x\nd: *c\n", "f")
    assert str(caught.value) == (
        "f:4:4: the aliases repeat more than 20000 values.\n    Write the values out."
    )


@pytest.mark.parametrize("source", ["# ", b"# "])
def test_a_file_may_be_as_large_as_it_may(source: bytes | str) -> None:
    """In bytes, or in characters of a text."""
    whole = source.ljust(LARGEST)
    assert text_of(whole, "f") == "# ".ljust(LARGEST)
    with pytest.raises(PolicyError, match="the file is larger than 1 MiB"):
        text_of(whole.ljust(LARGEST + 1), "f")


def test_a_byte_order_mark_takes_no_column() -> None:
    """No editor shows it."""
    for source in (b"\xef\xbb\xbfa: \xff", b"\xef\xbb\xbfa: \x07", "\ufeffa: \x07"):
        with pytest.raises(PolicyError) as caught:
            compose(source, "f")
        (fault,) = caught.value.faults
        assert (fault.line, fault.column) == (1, 4)


def test_what_hangs_on_the_last_level_may_still_be_a_text() -> None:
    """The control: an alias of a text adds no level."""
    compose(f"a: &a x\nb: {'[' * 49}*a{']' * 49}\n", "f")


LINE_BREAKS = ("\n", "\r", "\r\n", "\x85", "\u2028", "\u2029")


@given(st.lists(st.tuples(st.sampled_from(["", "# ä", "a: 1"]), st.sampled_from(LINE_BREAKS))))
def test_lines_are_counted_as_yaml_counts_them(lines: list[tuple[str, str]]) -> None:
    """Whoever reads a message goes to that line in an editor, whichever system wrote the file."""
    text = "".join(f"{line}{end}" for line, end in lines)
    with pytest.raises(PolicyError) as ours:
        compose(text + "é\x07", "f")
    with pytest.raises(PolicyError) as bytes_of_it:
        compose((text + "é").encode() + b"\xff", "f")
    with pytest.raises(PolicyError) as theirs:
        compose(text + "é: '", "f")
    line, column = theirs.value.faults[-1].line, theirs.value.faults[-1].column
    assert column == 4
    for caught in (ours, bytes_of_it):
        (fault,) = caught.value.faults
        assert (fault.line, fault.column) == (line, 2)


def test_half_a_character_is_no_part_of_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML's own reader takes the escape, which libyaml refuses; no UTF-8 could carry it."""
    source = 'a: 1\n"b\\ud800": 2\n'
    with pytest.raises(PolicyError, match="invalid Unicode character escape code"):
        compose(source, "f")
    monkeypatch.setattr(yaml_text, "_LOADER", yaml.SafeLoader)
    node, faults, _ = compose(source, "f")
    assert (node.data, node.has_holes) == ({"a": 1}, True)
    assert [str(fault) for fault in faults] == [
        (
            "f:2:1: the key 'b\\ud800' has half of a character in it.\n"
            "    Write the character itself in place of the '\\u…'."
        )
    ]


def test_a_value_is_shown_in_few_words() -> None:
    """As it would stand in the file; what is long is cut."""
    values: list[object] = [{}, [], (), True, False, None, 3, "a", 1.5]
    assert [shown(each) for each in values] == [
        "a set of keys",
        "a list",
        "a list",
        "true",
        "false",
        "nothing",
        "3",
        "'a'",
        "of type float",
    ]
    assert shown("x" * 60) == f"'{'x' * 60}'"
    assert shown("x" * 61) == shown("x" * 1000) == f"'{'x' * 59}…"
    # Python writes no number out that has more than 4,300 digits.
    assert shown(-(10**5000)) == "a huge number"
    assert shown(10**60) == shown(-(10**60)) == "a huge number"
    assert shown(10**60 - 1) == "9" * 60
    assert shown(1 - 10**60) == "-" + "9" * 60

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from consentkit.rules.yaml_text import Node, Place, compose, merged, node_of, shown

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


@given(values)
def test_a_node_of_data_holds_that_data(data: Any) -> None:
    """What was not written in a file is read as if it were, all of it at one place."""
    node = node_of(data, HERE)
    assert node.data == data_of(node) == data
    places = [node.place]
    for _, child in node.children():
        places.append(child.place)
    assert set(places) == {HERE}


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
    assert not merged(compose("a: 1\n", "f").node, compose("c: 3\n", "f").node).has_holes


def test_the_order_is_the_bases_unless_all_of_it_is_named_anew() -> None:
    """Visitors read purposes in this order."""
    base = node_of({"a": 1, "b": 2}, HERE)
    assert list(merged(base, node_of({"c": 0, "b": 0}, HERE)).data) == ["a", "b", "c"]
    assert list(merged(base, node_of({"c": 0, "b": 0, "a": 0}, HERE)).data) == ["c", "b", "a"]


def test_a_value_is_shown_in_few_words() -> None:
    """As it would stand in the file; what is long is cut."""
    values: list[object] = [{}, [], (), True, None, 3, "a", 1.5]
    assert [shown(each) for each in values] == [
        "a set of keys",
        "a list",
        "a list",
        "true",
        "nothing",
        "3",
        "'a'",
        "of type float",
    ]
    assert len(shown("x" * 1000)) == 61

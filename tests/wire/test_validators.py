from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consentkit.wire.validators import (
    links_without,
    plain_condition,
    plain_precondition,
    plain_range_condition,
    variant_etag,
)

opaque = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters='"\x7f'), max_size=20
) | st.sampled_from(["a,b", "abc-ck.k1", "abc-ck.", "-ck.k2", "a-ck.b-ck.k1", "W/", "x y"])
etags = st.builds(
    lambda weak, text: f'{weak}"{text}"'.encode("latin-1"), st.sampled_from(["", "W/"]), opaque
)
keys = st.sampled_from([b"k1", b"k2", b"0", b"Zz_9" * 16])
foreign = etags.filter(lambda tag: b"-ck." not in tag)


def variant(etag: bytes, key: bytes) -> bytes:
    made = variant_etag(etag, key)
    assert made is not None
    return made


# ETags


@given(etags, keys)
@example(b'"abc-ck.k1"', b"k1")
@example(b'""', b"k1")
def test_a_variant_comes_back_as_what_it_was(etag: bytes, key: bytes) -> None:
    """Whatever the app calls its representations, names like ours included."""
    made = variant(etag, key)
    assert made != etag
    assert made.startswith(b"W/") == etag.startswith(b"W/")
    assert plain_condition(made, key) == etag
    assert plain_precondition(made) == etag


@given(etags, etags, keys, keys)
def test_no_two_variants_have_one_etag(
    etag: bytes, other: bytes, key: bytes, other_key: bytes
) -> None:
    """An ETag names one sequence of bytes (RFC 9110 §8.8.3)."""
    same = variant(etag, key) == variant(other, other_key)
    assert same == ((etag, key) == (other, other_key))


@given(etags, keys, keys)
def test_a_variant_of_another_state_is_no_question_to_the_app(
    etag: bytes, key: bytes, other: bytes
) -> None:
    """The app would say that it has not changed, and the browser would show what it was."""
    assert plain_condition(variant(etag, other), key) == (etag if key == other else None)


@pytest.mark.parametrize(
    "etag",
    [b"", b"abc", b'"abc', b'w/"abc"', b'"a"b"', b'"a\x00b"', b'"a\nb"', b'"%b"' % (b"x" * 1023)],
)
def test_what_is_no_etag_gets_no_variant(etag: bytes) -> None:
    """A validator that cannot be told apart from another state's is none at all."""
    assert variant_etag(etag, b"k1") is None


def test_an_etag_may_be_long_and_stand_between_spaces() -> None:
    """Header values come as the server hands them over."""
    assert variant_etag(b' "abc"\t', b"k1") == b'"abc-ck.k1"'
    assert variant_etag(b'"%b"' % (b"x" * 1022), b"k1") == b'"%b-ck.k1"' % (b"x" * 1022)


# If-None-Match


@given(st.lists(st.tuples(etags, keys) | foreign.map(lambda tag: (tag, None))), keys)
def test_of_a_list_ours_become_plain_and_others_go(
    listed: list[tuple[bytes, bytes | None]], key: bytes
) -> None:
    """The order stays, and so does what never came from us."""
    sent = b", ".join(tag if of is None else variant(tag, of) for tag, of in listed)
    expected = b", ".join(tag for tag, of in listed if of in {None, key})
    assert plain_condition(sent, key) == (expected or None)
    ours = b", ".join(tag for tag, of in listed if of == key)
    assert plain_condition(sent, key, is_ours_alone=True) == (ours or None)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (b"*", b"*"),
        (b'"abc"', b'"abc"'),
        (b'"a",W/"b" ,  "c"', b'"a",W/"b" ,  "c"'),
        (b'W/"a-ck.k1","b-ck.k1"', b'W/"a", "b"'),
        (b'"a,b-ck.k1", "c,d-ck.k2"', b'"a,b"'),
        (b'"abc-ck.k1-gzip", "abc-ck.k1;br"', None),
        (b'"abc-ck.", "x"', b'"x"'),
        (b'"abc-ck.%b"' % (b"k" * 65), None),
        (b'abc-ck.k1, "x"', b'"x"'),
        (b'"abc-ck.k1', None),
        (b'"abc, "x-ck.k1"', None),
        (b'w/"abc-ck.k1"', None),
        (b'"abc', b'"abc'),
        (b"abc, def", b"abc, def"),
        (b"", None),
        (b" , ,", None),
    ],
)
def test_what_cannot_be_read_confirms_nothing(value: bytes, plain: bytes | None) -> None:
    """Foreign values stay as they came; what has our mark, and is broken, goes."""
    assert plain_condition(value, b"k1") == plain


@given(st.binary() | st.text('"-ck.W/ ,').map(str.encode), keys)
def test_nothing_but_what_was_asked_is_asked(value: bytes, key: bytes) -> None:
    """Of any bytes at all: what is asked stood in the value, as it is or as our variant."""
    plain = plain_condition(value, key)
    if plain is not None and plain != value:
        assert b"-ck." in value
        for tag in plain.split(b", "):
            assert tag in value or tag[:-1] + b"-ck." + key + b'"' in value


@pytest.mark.parametrize("value", [b"*", b'"abc"', b"abc", b'"abc'])
def test_where_every_response_is_a_variant_plain_ones_are_of_a_time_before(value: bytes) -> None:
    """A browser may hold the page from before the site asked anybody."""
    assert plain_condition(value, b"k1", is_ours_alone=True) is None
    assert plain_condition(value, b"k1") == value


# If-Match, If-Range


@given(st.lists(st.tuples(etags, keys), min_size=1))
def test_an_unsafe_request_is_guarded_whatever_variant_was_seen(
    listed: list[tuple[bytes, bytes]],
) -> None:
    """An answer given meanwhile is no change of the resource, and no reason to overwrite one."""
    sent = b", ".join(variant(tag, key) for tag, key in listed)
    assert plain_precondition(sent) == b", ".join(tag for tag, _ in listed)


@pytest.mark.parametrize(
    "value", [b"*", b'"abc" ,"x"', b'"abc-ck.k1', b'"a-ck.k1-gzip"', b"", b","]
)
def test_a_guard_is_never_taken_off(value: bytes) -> None:
    """An If-Match that fails asks to try again; one that is gone loses an update."""
    assert plain_precondition(value) == value


@given(etags, keys)
def test_a_range_of_a_variant_is_not_continued_from_the_apps_bytes(etag: bytes, key: bytes) -> None:
    """Two halves of two pages make no page."""
    assert plain_range_condition(variant(etag, key)) is None


@pytest.mark.parametrize("value", [b'"abc"', b'W/"abc"', b"Sat, 29 Oct 1994 19:43:31 GMT", b"?"])
def test_other_range_conditions_stay(value: bytes) -> None:
    """A date, or an ETag that is no variant."""
    assert plain_range_condition(value) == value


# Link


def only(*hosts: str) -> Callable[[str], bool]:
    return lambda host: host in hosts


rels = st.sampled_from(
    [
        "preload",
        "PreLoad",
        "modulepreload",
        "preconnect",
        "dns-prefetch",
        "prefetch",
        "stylesheet",
        "prerender",
        "icon",
        "shortcut icon",
        "manifest",
        "apple-touch-icon",
        "alternate stylesheet",
    ]
)
harmless = st.sampled_from(["next", "canonical", "alternate", "https://x.example/preload", "me"])
targets = st.sampled_from(
    [
        "https://no.example/a,b;c",
        "//no.example",
        "https://ok.example/x",
        "/own",
        "a.css",
        "",
        "HTTPS:\\\\No.Example",
        "https://u@no.example:8443",
        "data:,https://no.example",
        "/\t/no.example",
        "https://ok.example/?a=1&amp;b=//no.example",
    ]
)
more = st.lists(
    st.sampled_from(
        [
            "as=script",
            'title="a, <//no.example>; rel=preload"',
            "crossorigin",
            'x="\\""',
            "",
            "rel=me",
            "title*=UTF-8'en'a",
            "media = all",
            "imagesrcset",
            'imagesrcset="/a.png 1x"',
        ]
    ),
    max_size=2,
)


@st.composite
def links(draw: st.DrawFn) -> tuple[str, bool]:
    """One link, and whether something is fetched by it from no.example."""
    fetches, target = draw(st.booleans()), draw(targets)
    rel = draw(rels if fetches else harmless)
    quoted = f'"{rel}"' if " " in rel or "/" in rel or draw(st.booleans()) else rel
    name = draw(st.sampled_from(["rel", "REL", "Rel "]))
    params = [f"{name}={quoted}", *draw(more)]
    srcset = draw(st.sampled_from(["", "", '; imagesrcset="/a.png, //NO.example/b.png 2x"']))
    between = draw(st.sampled_from([";", "; ", " ; "]))
    is_elsewhere = "no.example" in target.lower() and not target.startswith(("data", "https://ok"))
    text = f"<{target}>{srcset}{between}{between.join(params)}"
    return text, fetches and (is_elsewhere or bool(srcset))


@pytest.mark.counted
@given(st.lists(links(), min_size=1), st.sampled_from([", ", ",", " , "]))
def test_links_that_fetch_from_elsewhere_go_and_the_others_stay(
    listed: list[tuple[str, bool]], between: str
) -> None:
    """R-54: what is taken out of a page is not left in its headers."""
    value = between.join(text for text, _ in listed).encode()
    left = between.join(text for text, goes in listed if not goes).encode()
    kept = links_without(value, only("ok.example"))
    assert (kept or b"").strip() == left.strip()
    assert links_without(value, only("ok.example", "no.example")) == value


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (b"<//no.example>; rel=next; rel=preload", b"<//no.example>; rel=next; rel=preload"),
        (b"<//no.example>; rel=preload; rel=next", None),
        (b"<//no.example>; rel='preload'", None),
        (b'<//no.example>; rel="pre\\load"', None),
        (b"<//no.example>", b"<//no.example>"),
        (b"<//no.example>;", b"<//no.example>;"),
        (b"<https:&#47;&#47;own>; rel=preload", None),
        (b"", b""),
        (b" , ,", b" , ,"),
        (b",<//no.example>;rel=preload,", None),
        (b" <//no.example>;rel=preload , </a>;rel=next ,", b"</a>;rel=next"),
    ],
)
def test_a_link_is_read_as_browsers_read_it(value: bytes, left: bytes | None) -> None:
    """The first ``rel`` counts (RFC 8288 §3.3), names have no case, and there are no references."""
    assert links_without(value, only()) == left


@pytest.mark.parametrize(
    "value",
    [
        b"<//no.example; rel=preload",
        b'</own>; title="x, <//no.example>; rel=preload',
        b"</own>, x <//no.example>; rel=preload",
        b"//no.example; rel=preload",
        b"<//no.example>; rel=preload as=script",
        b"<//no.example>; =preload; rel=(preload)",
        b"<//no.example> rel=preload",
        b"</own>; a=<b, <//no.example/>; rel=preload>",
        b'<https:\t//no.example> ;; rel="preload"x',
    ],
)  # fmt: skip
def test_what_cannot_be_read_goes_if_it_could_fetch_from_elsewhere(value: bytes) -> None:
    """A browser may read it in a way of its own."""
    left = links_without(value, only())
    assert left is None or b"no.example" not in left
    assert links_without(value, only("no.example")) == value
    harmless = value.replace(b"preload", b"next")
    assert links_without(harmless, only()) == harmless


@given(st.text("<>\"\\;,= \trel=preload/'no.example").map(str.encode) | st.binary())
def test_whatever_is_kept_is_kept_byte_for_byte(value: bytes) -> None:
    """Of any bytes at all: parts of the list go, and nothing is written anew."""
    assert links_without(value, lambda host: True) == value
    left = links_without(value, only())
    if left is not None and left != value:
        for link in left.split(b","):
            assert link.strip() in value

"""Elements that wait for markup."""

import pytest
from hypothesis import given, settings

from consentkit.wire.gate import Gate
from tests.wire.cut_pages import cut, pages_in_chunks


def fill(value: str) -> bytes:
    return b"[%s]" % value.encode() if value else b""


def new_gate() -> Gate:
    return Gate(lambda tag: None, is_own=lambda host: False, attribute=b"data-slot", fill=fill)


def filled(*chunks: bytes) -> bytes:
    filling = new_gate()
    out = [filling.feed(chunk, last=False) for chunk in chunks[:-1]]
    return b"".join([*out, filling.feed(chunks[-1], last=True)])


@pytest.mark.parametrize(
    ("page", "result"),
    [
        (b"<div data-slot=a></div>", b"<div data-slot=a>[a]</div>"),
        (b"<DIV\nDATA-SLOT = 'a'>old</DIV>", b"<DIV\nDATA-SLOT = 'a'>[a]old</DIV>"),
        (b'<p x="a>b"data-slot="a&amp;b">', b'<p x="a>b"data-slot="a&amp;b">[a&b]'),
        (b"<p data-slot=a data-slot=b>", b"<p data-slot=a data-slot=b>[a]"),
        (b"<p =data-slot=a x/data-slot=b>", b"<p =data-slot=a x/data-slot=b>[b]"),
        (b"<noscript><p data-slot=a></noscript>", b"<noscript><p data-slot=a>[a]</noscript>"),
        (b"a < b <p data-slot=a>", b"a < b <p data-slot=a>[a]"),
        (b"&<p data-slot=a>", b"&<p data-slot=a>[a]"),
        (b"</><i data-slot=a>", b"</><i data-slot=a>[a]"),
        (b"<svg><p data-slot=a>", b"<svg><p data-slot=a>[a]"),
        (
            b"<svg><desc><p data-slot=a></p></desc><g data-slot=b></svg><p data-slot=c>",
            b"<svg><desc><p data-slot=a>[a]</p></desc><g data-slot=b></svg><p data-slot=c>[c]",
        ),
        (b"<svg><style><p data-slot=a>", b"<svg><style><p data-slot=a>[a]"),
        (b"<math><annotation-xml><b data-slot=a>", b"<math><annotation-xml><b data-slot=a>[a]"),
        (b"<style></style><p data-slot=a>", b"<style></style><p data-slot=a>[a]"),
    ],
)
def test_markup_stands_right_after_the_start_tag(page: bytes, result: bytes) -> None:
    """Attribute names are matched without case (13.2.5.33); the first of two counts."""
    assert filled(page) == result
    assert filled(*cut(page, list(range(len(page))))) == result


@pytest.mark.parametrize(
    "page",
    [
        b"<p data-slot>",
        b"<p data-slot=''>",
        b"<p data-slots=a data-slo=a xdata-slot=a>",
        b"<p x='data-slot=a'>data-slot=a",
        b"<!-- <p data-slot=a> -->",
        b"<!x <p data-slot=a",
        b"<script><!--<script></script><p data-slot=a></script>",
        b"<textarea><p data-slot=a></textarea>",
        b"<plaintext><p data-slot=a>",
        b"<svg><![CDATA[<p data-slot=a>]]></svg>",
        b"<svg><rect data-slot=a></svg>",
        b"</p data-slot=a>",
        b"<img data-slot=a>",
        b"<script data-slot=a></script>",
        b"<p data-slot=a",
    ],
)
def test_what_only_looks_like_a_slot_is_left_alone(page: bytes) -> None:
    """Only a start tag that may have markup inside, with a value that is known, is filled."""
    control = b"<p data-slot=z>"
    assert filled(page) == page
    assert filled(*cut(page, list(range(len(page))))) == page
    assert filled(control + page) == control + b"[z]" + page


@given(pages_in_chunks())
@settings(max_examples=600)
def test_a_page_cut_anywhere_is_filled_alike(chunks: list[bytes]) -> None:
    """How a server cuts a page into chunks is no part of the page."""
    page = b"".join(chunks)
    result = filled(*chunks)
    assert result == filled(page)
    assert result.replace(b"[a]", b"").replace(b"[b]", b"") == page


def test_only_an_open_tag_waits_for_the_next_chunk() -> None:
    """A stream that pauses must show what it has sent."""
    filling = new_gate()
    assert filling.feed(b"<p>Hello <!-- a long comm", last=False).startswith(b"<p>Hello <!-- a l")
    assert filling.feed(b"ent --><script>1 <", last=False).endswith(b"--><script>")
    assert filling.feed(b" 2</script>x<p data-", last=False).endswith(b"</script>x")
    assert filling.feed(b"slot=a>y", last=False) == b"<p data-slot=a>[a]y"


def test_a_tag_beyond_its_limit_passes_and_the_reading_goes_on() -> None:
    """1 MiB is held back at most; that one tag passes as it is."""
    filling = new_gate()
    assert filling.feed(b"<p data-slot=a><p data-slot=b x='", last=False) == b"<p data-slot=a>[a]"
    long = b"y" * (1 << 20)
    assert filling.feed(long, last=False) == b"<p data-slot=b x='" + long
    assert filling.feed(b"z", last=False) == b"z"
    assert filling.feed(b"'><p data-slot=a>", last=True) == b"'><p data-slot=a>[a]"

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.audit.sheets import fetched_by


@pytest.mark.parametrize(
    ("css", "fetched"),
    [
        ("p { color: red }", []),
        ("@import 'a.css';", [("a.css", "stylesheet")]),
        ("@import url(b.css) print;", [("b.css", "stylesheet")]),
        ("@font-face { src: url('f.woff2') format('woff2') } p { background: URL( c.png ) }",
         [("f.woff2", "font"), ("c.png", "image")]),
        ("/* url(no.png) */ p { content: 'url(no.png)' } q { background: url(\"yes.png\") }",
         [("yes.png", "image")]),
        ("@namespace url(http://www.w3.org/1999/xhtml);", []),
        ("/* never closed url(no.png)", []),
        ('p { content: "never closed url(no.png)', []),
        ('@import "a" supports(background: url(b)); p{c:url(d)}',
         [("a", "stylesheet"), ("b", "image"), ("d", "image")]),
        ("@font-face{font-family:x;src:local(y),src('f')} p{c:url(d)}",
         [("f", "font"), ("d", "image")]),
        ("image-set('a' type('image/png') 1x, url(b) 2x, ('c'))", [("a", "image"), ("b", "image")]),
        ("url() url(  ) url('') )(", []),
        (r"u\52L(a) \75 rl(b) \000075\72l(c) \75\72 l(d)", [("a", "image"), ("b", "image"),
         ("c", "image"), ("d", "image")]),
        ("url('a\\\nb') url('\\0\\d800\\110000 \\') url(\\(\\\")", [("ab", "image"),
         ("\ufffd\ufffd\ufffd') url((\")", "image")]),
    ],
)  # fmt: skip
def test_what_a_sheet_fetches_is_known(css: str, fetched: list[tuple[str, str]]) -> None:
    """R-29: a font or a picture of another host is a request like that of a tag."""
    assert [*fetched_by(css)] == fetched


@given(st.text(alphabet="@importur(l)'\"/*{};ab\n", max_size=80))
def test_any_text_is_read_to_its_end(css: str) -> None:
    """A page's words: what comes out stands in them, and nothing is made up."""
    assert all(address and address in css for address, _ in fetched_by(css))


@given(st.text(alphabet="url(a)'\"\\2f @;}", max_size=80))
def test_an_escape_changes_nothing_of_what_has_none(css: str) -> None:
    """CSS Syntax 3, 4.3.7: the same sheet with a name spelled otherwise fetches the same."""
    plain = css.replace("\\", "")
    assert fetched_by(plain.replace("u", "\\75 ")) == fetched_by(plain)
    assert all(address for address, _ in fetched_by(css))


@pytest.mark.parametrize(
    "piece",
    ["@import ", "url(", "/*", "'\\", '"', "@namespace ", "url('", "\\", "(", "url \\(", "a", "-"],
)
def test_a_hostile_sheet_of_any_length_is_read(piece: str) -> None:
    """A megabyte of beginnings that never end: a reader that goes back would not come to an end."""
    assert all(address for address, _ in fetched_by(piece * (1_000_000 // len(piece))))

"""Pages that others wrote and a server sends as they are: three manuals from Debian."""

import functools
import itertools
import pathlib
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from consentkit.wire.body_start import NOWHERE, BodyStart, head_start

DOCS = pathlib.Path("/usr/share/doc")
MANUALS = {
    "python3-doc": "python3.*/html",
    "apache2-doc": "apache2-doc/manual",
    "postgresql-doc-15": "postgresql-doc-*/html",
}
# Debian's own versions change; a manual that shrank to less than this is not the whole manual.
FEWEST_PAGES = {"python3-doc": 400, "apache2-doc": 600, "postgresql-doc-15": 900}
MARK = "put-in-by-the-test"
MARKUP = f'<section id="{MARK}">Hi</section>'.encode()
# 1,009 is odd and prime, so that the cuts fall everywhere.
CHUNK = 1009


@functools.cache
def pages_of(package: str) -> tuple[bytes, ...]:
    files = (file for folder in DOCS.glob(MANUALS[package]) for file in folder.rglob("*.html"))
    return tuple(file.read_bytes() for file in sorted(files) if file.is_file())


@pytest.fixture(params=MANUALS)
def pages(request: pytest.FixtureRequest) -> tuple[bytes, ...]:
    found = pages_of(request.param)
    if not found:
        pytest.skip(
            f"no pages of {request.param} in {DOCS}: apt-get install {request.param}. Where it is "
            "installed, a path-exclude in /etc/dpkg/dpkg.cfg.d kept its pages away: remove that "
            f"line, then apt-get install --reinstall its packages"
        )
    assert len(found) >= FEWEST_PAGES[request.param]
    return found


def stream(page: bytes, size: int) -> Iterator[bytes]:
    """What goes out for a page that comes in chunks of `size` bytes, as a server would send it."""
    start: BodyStart | None = BodyStart()
    for at in range(0, len(page), size):
        chunk = page[at : at + size]
        if start is None:
            yield chunk
            continue
        place = start.feed(chunk, last=at + size >= len(page))
        if place is not None:
            assert place != NOWHERE
            yield from (start.held[:place], MARKUP, start.held[place:])
            start = None


@pytest.mark.uncounted
def test_every_page_gets_the_markup_right_after_its_body_tag(pages: tuple[bytes, ...]) -> None:
    """Byte for byte the author's page around it, whole and in chunks of an odd size.

    A second opinion on the place: the first thing in the page that looks like the tag.
    """
    for page in pages:
        looks_like_body = re.search(rb"<body\b[^>]*>", page, re.IGNORECASE)
        assert looks_like_body
        end = looks_like_body.end()
        expected = page[:end] + MARKUP + page[end:]
        assert b"".join(stream(page, len(page))) == expected
        assert b"".join(stream(page, CHUNK)) == expected


def test_every_page_gets_its_scripts_right_after_its_head_tag(pages: tuple[bytes, ...]) -> None:
    """The scripts stand before the author's own, whatever those are."""
    for page in pages:
        looks_like_head = re.search(rb"<head\b[^>]*>", page, re.IGNORECASE)
        assert looks_like_head
        assert head_start(page) == looks_like_head.end()


@pytest.mark.uncounted
def test_markup_in_ascii_reads_the_same_in_every_charset() -> None:
    """The Apache manual is in UTF-8, ISO-8859-1 and EUC-KR; none of its letters changes."""
    pages = pages_of("apache2-doc")
    if not pages:
        pytest.skip("no pages of apache2-doc: apt-get install apache2-doc")
    seen = Counter[str]()
    for page in pages:
        found = re.search(rb"charset=[\"']?([\w-]+)", page)
        charset = found[1].decode().lower() if found else "utf-8"
        seen[charset] += 1
        changed = b"".join(stream(page, CHUNK)).decode(charset)
        assert changed.replace(MARKUP.decode(), "") == page.decode(charset)
    assert seen.keys() == {"utf-8", "iso-8859-1", "euc-kr"}


@pytest.mark.filterwarnings("ignore")
def test_a_parser_finds_the_markup_first_in_the_body(pages: tuple[bytes, ...]) -> None:
    """A sample, since html5lib is slow: of every manual the smallest pages."""
    html5lib = pytest.importorskip("html5lib", reason="html5lib judges the pages: pip install it")
    for page in itertools.islice(sorted(pages, key=len), 5):
        tree = html5lib.parse(b"".join(stream(page, CHUNK)), namespaceHTMLElements=False)
        assert tree.find("body")[0].get("id") == MARK

"""Paths and their spellings: what is served as a page for children is never taken for another."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.rules.paths import MOST_ENCODINGS, PathIndex
from tests.apps import policy

INDEX = PathIndex(["/kids", "/school/games/", "/für-kinder", "/a.b"])
COVERED = ("/kids", "/school/games", "/für-kinder", "/a.b")

_names = st.text(st.sampled_from("abkids-_.0é ~"), min_size=1, max_size=6).filter(
    lambda name: name.strip(". ") and name == name.rstrip(". ")
)


def _encoded(path: str, places: set[int]) -> str:
    """The path with the characters at some places percent-encoded, slashes among them."""
    return "".join(
        "".join(f"%{byte:02x}" for byte in sign.encode()) if at in places else quote(sign, safe="/")
        for at, sign in enumerate(path)
    )


@st.composite
def _other_spellings(draw: st.DrawFn) -> str:
    """A covered path, or one below it, as a server, a router or a file system takes it for one."""
    names = [*draw(st.sampled_from(COVERED)).split("/")[1:], *draw(st.lists(_names, max_size=2))]
    changes: list[Callable[[str], str]] = [
        str,
        str.upper,
        str.title,
        lambda name: f"{name};v=1",
        lambda name: f"{name}.",
        lambda name: f"{name} ",
        lambda name: f"./{name}",
        lambda name: f"/{name}",
        lambda name: f"\\{name}",
    ]
    spelled = "/" + "/".join(draw(st.sampled_from(changes))(name) for name in names)
    spelled += draw(st.sampled_from(["", "/", "//", ";"]))
    for _ in range(draw(st.integers(0, MOST_ENCODINGS))):
        spelled = _encoded(spelled, draw(st.sets(st.integers(1, len(spelled)), max_size=3)))
    return spelled


@given(_other_spellings())
def test_no_spelling_gets_around_it(path: str) -> None:
    """R-11: encoded, doubled slashes, letter case, parameters, dots: it is the same page."""
    assert INDEX.covers(path)


@given(st.lists(_names, max_size=4))
def test_a_path_is_covered_name_by_name(names: list[str]) -> None:
    """``/kidsclub`` is not below ``/kids``: a name is compared whole, and nothing else counts."""
    own = [covered.split("/")[1:] for covered in COVERED]
    expected = any(names[: len(each)] == each for each in own)
    for path in ("/" + "/".join(names), "/" + quote("/".join(names)), "/" + "/".join(names) + "/"):
        assert INDEX.covers(path) is expected


@pytest.mark.parametrize(
    "path",
    ["", "/", "/kid", "/kidsclub", "/kids.html", "/kids-1", "/de/kids", "/school", "/school/games1",
     "/news/..kids", "/news/a..b", "/100%", "/%zz", "/k%", "/news/.", "/\udcff", "/a_b", "/.",
     "/news;/kids=1", "/%00", "/kids%00"],
)  # fmt: skip
def test_what_is_like_it_is_another_page(path: str) -> None:
    """The rest of the site goes on as it was."""
    assert not INDEX.covers(path)


@pytest.mark.parametrize(
    "path",
    ["/news/../kids", "/..", "/news/..", "/../news", "/news/%2e%2E/kids", "/news/..;v=1/kids",
     "/news/%252e./kids", "/news\\..\\kids", "/news/.. /kids", "/news/\uff0e\uff0e/kids",
     "news", "kids", "https://site.example/news", "*", "?kids", "\n/news",
     "/%25252525",
    ],
)  # fmt: skip
def test_who_is_in_doubt_says_yes(path: str) -> None:
    """What may be another page than it seems, to whoever reads it next, may be one of these."""
    assert INDEX.covers(path)


def test_encoding_upon_encoding_is_read_up_to_a_point() -> None:
    """Read, the path says what it is; beyond that nobody knows, and it may be any."""
    path = "/n%65ws"
    for _ in range(MOST_ENCODINGS - 1):
        path = path.replace("%", "%25")
    assert PathIndex(["/news"]).covers(path)
    assert not INDEX.covers(path)
    assert INDEX.covers(path.replace("%", "%25"))


@pytest.mark.parametrize("letter", ["\u212aids", "\uff4bids", "ki\u1e0bs"])
def test_one_letter_is_one_letter(letter: str) -> None:
    """A file system that folds letters or composes them serves the same file."""
    assert PathIndex(["/kids", "/ki\u0064\u0307s"]).covers(f"/{letter}")


@pytest.mark.parametrize("path", ["", "/", "/news", "/kids/../x", "x"])
def test_the_whole_site_may_be_meant(path: str) -> None:
    """``/`` is above all others."""
    assert PathIndex(["/"]).covers(path)
    assert PathIndex(["/.."]).covers(path)  # which no policy may say


@given(st.text())
def test_any_text_may_be_asked_about(path: str) -> None:
    """Whatever a client sends is answered, and what comes below is as covered as what is above."""
    assert INDEX.covers(f"/kids/{path}")
    assert INDEX.covers(f"{path}/..")


def test_a_policy_says_which_pages_are_for_children() -> None:
    """R-11: those paths, and all below them; of a policy that names none, no page is."""
    some = policy(**{"child-directed": ["/kids", "/games/young"]})
    assert some.is_for_children("/kids/animals")
    assert some.is_for_children("/games/young/")
    assert not some.is_for_children("/games")
    assert not policy().is_for_children("/kids")


@pytest.mark.parametrize(("path", "covered"), [("", False), ("\\news", False), ("\\Kids", True)])
def test_a_path_may_begin_with_a_backslash_or_be_empty(path: str, *, covered: bool) -> None:
    """WHATWG URL §4.4: browsers write a slash for both, so that it can be read for sure."""
    assert PathIndex(["/kids"]).covers(path) is covered

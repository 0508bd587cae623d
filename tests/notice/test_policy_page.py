"""The declaration as a page of its own: what a visitor is told, and the search in its table."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.notice.chapters import chapters_of
from consentkit.notice.declaration import (
    LONGEST_QUERY,
    Observed,
    declaration_page,
    declaration_table,
)
from consentkit.notice.text import LANGUAGES, messages_for
from consentkit.rules.policy import Policy
from tests.notice import PAGE, PATH, TOKENS, asking_nothing, changed, policy_of, text_of, tree

WORDS = messages_for("en")


def page(policy: Policy | None = None, language: str = "en", **more: Any) -> bytes:
    return declaration_page(
        policy or policy_of(), language, **{**PAGE, "tokens": TOKENS[:1], **more}
    )


def names(markup: bytes) -> list[str]:
    """The names in the rows of the table, in order."""
    return [
        "".join(cell.itertext())
        for row in tree(markup).iter("tr")
        if row[0].get("scope") == "row" and (cell := row[0].find("code")) is not None
    ]


def headings(markup: bytes) -> list[str]:
    return ["".join(one.itertext()) for one in tree(markup).iter("h2")]


def links(markup: bytes) -> list[str]:
    return [one.get("href", "") for one in tree(markup).iter("a")]


# What the page says


def test_it_says_who_is_responsible_when_it_was_checked_and_which_revision_it_is() -> None:
    """GDPR 13(1)(a); the revision is the one that a receipt names."""
    said = text_of(page(policy_of(revision=4)))
    assert "Responsible: Moorland District Council. Contact: webmaster@moorland.example" in said
    assert "Entries: 4. Last checked on 1 June 2026 · Revision 4" in said
    assert "mailto:webmaster@moorland.example" in links(page())
    unchecked = policy_of(site={"name": "S", "controller": "C"})
    assert "Entries: 4 · Revision 1" in text_of(page(unchecked))


def test_it_says_what_the_visitors_choice_is() -> None:
    """R-13, R-19, R-36: how to change an answer, for how long it stands, and what a signal does."""
    policy = changed(policy_of(ask_again_after="12 months"), analytics={"honours": ["gpc", "dnt"]})
    markup = page(policy)
    assert headings(markup)[:3] == ["Your choice", "Purposes", "Every cookie"]
    said = text_of(markup)
    assert WORDS.choice_body in said
    assert "If your browser sends Global Privacy Control and Do Not Track, we take it" in said
    assert "We keep your answer. We ask again after: 1 year." in said
    assert links(markup).count(PATH) == 2


def test_a_signal_that_no_purpose_honours_is_not_spoken_of() -> None:
    """A policy page promises what happens, and nothing else."""
    deaf = changed(policy_of(), **{name: {"honours": []} for name in policy_of().optional_purposes})
    assert "If your browser sends" not in text_of(page(deaf))
    assert "If your browser sends Global Privacy Control, we take it" in text_of(page())


def test_where_nothing_is_optional_there_is_no_choice_to_speak_of() -> None:
    """R-74: the declaration is there all the same, and leads nobody to an empty page."""
    markup = page(asking_nothing())
    assert headings(markup) == ["Purposes", "Every cookie"]
    assert WORDS.declaration_nothing in text_of(markup)
    assert PATH not in links(markup)
    assert names(markup) == ["form"]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("mode", ["explicit", "implied", "opt-out"])
def test_every_purpose_says_what_it_is_for_and_when_it_is_on(mode: str, language: str) -> None:
    """R-06: before the table, in the visitor's language."""
    policy = policy_of(mode)
    listed = tree(page(policy, language)).find(".//ul[@class='consentkit-list']")
    assert listed is not None
    said = [" ".join("".join(item.itertext()).split()) for item in listed]
    chapters = chapters_of(policy, language, TOKENS[:1])
    assert said == [f"{one.title} {one.status} {one.description}" for one in chapters]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_row_tells_all_that_is_to_be_told(language: str) -> None:
    """R-73: name, kind, provider, party, purpose, duration, recipients, country, basis."""
    policy = policy_of()
    rows = [
        " ".join("".join(row.itertext()).split())
        for row in tree(page(policy, language)).iter("tr")
        if row[0].get("scope") in ("row", "rowgroup")
    ]
    expected: list[list[str]] = []
    for chapter in chapters_of(policy, language, TOKENS[:1]):
        if chapter.entries:
            expected.append([chapter.title, chapter.status])
        for one in chapter.entries:
            told = one._replace(service=None)._asdict().values()
            expected.append([part for part in told if isinstance(part, str)])
    assert len(rows) == len(expected)
    for row, parts in zip(rows, expected, strict=True):
        assert [part for part in parts if " ".join(part.split()) not in row] == []


def test_a_table_in_a_sites_own_page_has_the_same_rows_and_no_search() -> None:
    """What the search does to our page it does not do to the site's."""
    part = declaration_table(policy_of(), "en", tokens=TOKENS[:1])
    assert names(part) == names(page())
    assert b'role="search"' not in part
    assert b'role="search"' in page()


# The search


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("_ga", ["_ga"]),
        ("_GA", ["_ga"]),
        ("  _ga  ", ["_ga"]),
        ("apart", ["_ga"]),
        ("counter ltd", ["_ga"]),
        ("ltd counter", ["_ga"]),
        ("analytics", ["_ga"]),
        ("visits", ["_ga"]),
        ("polls", ["PollTimeout-<pollid>"]),
        ("<pollid>", ["PollTimeout-<pollid>"]),
        ("moorland council", ["clientvars", "__Host-consent", "PollTimeout-<pollid>"]),
        ("session log-in", ["clientvars"]),
        ("_ga polls", []),
        ("zzz", []),
    ],
)
def test_a_search_leaves_the_rows_that_have_every_word(query: str, found: list[str]) -> None:
    """Name, kind, description, provider and purpose, in any case; without a script."""
    markup = page(query=query)
    assert names(markup) == found
    caption = tree(markup).find(".//caption")
    if found:
        assert caption is not None
        assert caption.text == f"Found: {len(found)}"
    else:
        assert caption is None
        assert f"Nothing found for “\u2068{query}\u2069”." in text_of(markup)
    assert f"{PATH}/cookies#consentkit-table" in links(markup)
    assert names(page()) == ["clientvars", "__Host-consent", "PollTimeout-<pollid>", "_ga"]


def test_a_search_is_a_form_that_works_without_a_script() -> None:
    """A landmark with a named field; the answer is the same page, at the table."""
    form = tree(page(query="_ga")).find(".//form")
    assert form is not None
    assert (form.get("role"), form.get("method")) == ("search", "get")
    assert form.get("action") == f"{PATH}/cookies#consentkit-table"
    field = form.find("input")
    label = form.find("label")
    assert field is not None
    assert label is not None
    assert (field.get("name"), field.get("value")) == ("q", "_ga")
    assert field.get("dir") == "auto"  # a cookie's name reads from left to right in any language
    assert label.get("for") == field.get("id")
    assert tree(page(query="_ga")).find(".//h2[@id='consentkit-table']") is not None


def test_a_search_keeps_the_language_that_the_address_names() -> None:
    """A page of one language has links to the declaration in that language."""
    markup = page(language="de", query="_ga", asked_language="de")
    fields = {one.get("name"): one.get("value") for one in tree(markup).iter("input")}
    assert fields == {"lang": "de", "q": "_ga"}
    assert f"{PATH}/cookies?lang=de#consentkit-table" in links(markup)
    fields = {one.get("name"): one.get("value") for one in tree(page(query="_ga")).iter("input")}
    assert fields == {"q": "_ga"}


def test_what_the_page_says_besides_the_table_stays_in_a_search() -> None:
    """It is one page: who reads the answer still learns who is responsible, and how to change."""
    markup = page(query="_ga")
    assert headings(markup) == headings(page())
    assert "Entries: 4. Last checked on 1 June 2026" in text_of(markup)


@pytest.mark.parametrize("query", ["", " ", "\t\n", "\x00\x01", "\u202e"])
def test_a_search_for_nothing_is_the_whole_page(query: str) -> None:
    """Pressing the button with an empty field hides nothing."""
    assert page(query=query) == page()


@pytest.mark.parametrize(
    ("told", "query"),
    [
        ("Zählt Besuche.", "ZÄHLT"),
        ("Za\u0308hlt Besuche.", "zählt"),
        ("Straße", "STRASSE"),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER C}ount", "count"),
        ("قياس الزيارات", "الزيارات"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # noqa: RUF001 - the letters are Persian ones
        ("アクセスを数えます。", "アクセス"),
    ],
)
def test_letters_are_compared_however_they_are_written(told: str, query: str) -> None:
    """Case and composition are the keyboard's business (UAX #15)."""
    cookie = {"kind": "session", "purpose": "analytics", "description": told}
    policy = policy_of(cookies={"one": cookie, "other": {**cookie, "description": "?"}})
    assert names(page(policy, query=query)) == ["one"]


HOSTILE = (
    '"><script>alert(1)</script>',
    "</p><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{count}{query}",
    "%s\u2028\u2029\ud800",
    "a\x00b",
    "&lt;b&gt;",
)


@pytest.mark.parametrize("query", HOSTILE)
def test_what_is_searched_for_is_text_and_nothing_else(query: str) -> None:
    """The query is a stranger's words, and whoever made the link may not be who follows it."""
    root = tree(page(query=query))
    assert [one.tag for one in root.iter() if one.tag in ("script", "img")] == []
    assert [one.tag for one in root.iter("input")] == ["input"]
    assert root.find(".//input").get("value") == " ".join(  # type: ignore[union-attr] # see above
        "".join(sign if sign.isprintable() else " " for sign in query).split()
    )


def test_a_search_looks_at_so_many_characters_and_no_more() -> None:
    """A query costs what its bound costs, however long it is."""
    longest = "_ga" + " " * (LONGEST_QUERY - 3)
    assert names(page(query=longest + "zzz")) == ["_ga"]
    assert names(page(query=longest[:-1] + "z")) == []
    assert len(page(query="x" * 100_000)) < len(page()) + 2_000


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


@given(st.text(max_size=20) | st.sampled_from(["_ga cou", "log", "moor", "e", "s s", "Ltd _GA"]))
def test_a_search_finds_what_has_the_words_and_nothing_else(query: str) -> None:
    """Whatever is asked: a row is there if, and only if, every word stands in what it tells."""
    policy = policy_of()
    words = folded("".join(c if c.isprintable() or c in "\u200c\u200d" else " " for c in query))
    expected = [
        one.name
        for chapter in chapters_of(policy, "en", TOKENS[:1])
        for one in chapter.entries
        if all(
            word
            in folded(f"{one.name}\n{one.kind}\n{one.description}\n{one.provider}\n{chapter.title}")
            for word in words.split()
        )
    ]
    assert names(page(policy, query=query)) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_search_speaks_every_language(language: str) -> None:
    """The words of the search are words of the locale, filled in."""
    words = messages_for(language)
    said = " ".join(text_of(page(language=language, query="zzz")).split())
    nothing = words.found_nothing.format(query="\u2068zzz\u2069")
    for text in (words.search_label, words.show_all, nothing):
        assert " ".join(text.split()) in said


# What was seen, for the people who run the site


def test_what_was_seen_and_is_not_declared_has_a_part_of_its_own() -> None:
    """A name with how it was seen, and what would declare it; English, as a policy's keys are."""
    seen = Observed(
        (("stray", "set by the app"), ("<b>x", "sent by a browser")), "cookies:\n  a: b"
    )
    root = tree(page(observed=seen))
    part = root.find(".//section[@aria-labelledby='consentkit-observed']")
    assert part is not None
    assert [" ".join("".join(one.itertext()).split()) for one in part.iter("li")] == [
        "stray set by the app",
        "<b>x sent by a browser",
    ]
    assert part.find(".//b") is None
    block = part.find(".//pre")
    assert block is not None
    assert "".join(block.itertext()) == "cookies:\n  a: b"
    assert WORDS.observed_body in text_of(page(observed=seen))


def test_where_nothing_was_seen_the_part_says_so_by_being_empty() -> None:
    """Staff who find the heading and no name know that nothing was seen."""
    root = tree(page(observed=Observed((), "")))
    part = root.find(".//section[@aria-labelledby='consentkit-observed']")
    assert part is not None
    assert list(part.iter("li")) == list(part.iter("pre")) == []


def test_for_everybody_else_the_part_is_not_there() -> None:
    """The control: the same page without it."""
    with_it, without = page(observed=Observed((), "")), page()
    assert WORDS.observed_title in text_of(with_it)
    assert WORDS.observed_title not in text_of(without)


def test_where_nobody_is_asked_yet_the_page_leads_to_no_preferences() -> None:
    """In report mode there are none; that there is nothing to choose would be untrue as well."""
    markup = page(observed=Observed((), "", is_no_choice=True))
    assert PATH not in links(markup)
    assert WORDS.choice_title not in headings(markup)
    assert WORDS.declaration_nothing not in text_of(markup)

from __future__ import annotations

import json

import pytest

from consentkit.notice.declaration import declaration_json, declaration_page, declaration_table
from consentkit.notice.text import LANGUAGES, messages_for
from tests.notice import (
    PAGE,
    PATH,
    SHEETS,
    TOKENS,
    asking_nothing,
    changed,
    policy_of,
    text_of,
    tree,
)

COLUMNS = ("name", "kind", "provider", "party", "purposes", "duration", "recipients", "transfer")


def rows(markup: bytes) -> list[list[str]]:
    """The cells of every row of a cookie, in words."""
    return [
        [" ".join("".join(cell.itertext()).split()) for cell in row]
        for row in tree(markup).iter("tr")
        if row[0].get("scope") == "row"
    ]


def test_the_table_has_every_column_for_every_cookie() -> None:
    """R-73 (Planet49 C-673/17; AEPD): name, kind, provider, party, purpose, duration, who else."""
    assert rows(declaration_table(policy_of(), "en", tokens=TOKENS[:1])) == [
        [
            "clientvars Session",
            "Log-in.",
            "Moorland Council First party",
            "Until you close the browser",
            "Nobody",
            "Strictly necessary: log-in",
        ],
        [
            "__Host-consent Persistent",
            "Remembers your answers about cookies.",
            "Moorland Council First party",
            "400 days",
            "Nobody",
            "Strictly necessary: your answer",
        ],
        [
            "PollTimeout-<pollid> Poll time-out",
            "You voted.",
            "Moorland Council First party",
            "1 day",
            "Nobody",
            "Your vote asks for it",
        ],
        [
            "_ga Analytics",
            "Tells browsers apart.",
            "Counter Ltd First party",
            "13 months",
            "Counter Ltd Data goes to: USA",
            "Your permission",
        ],
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_cells_keep_their_roles_and_labels_where_rows_become_cards(language: str) -> None:
    """`display: block` takes a table's semantics away, so they stand in the markup."""
    words = messages_for(language)
    root = tree(declaration_table(policy_of(), language))
    assert {one.get("role") for one in root.iter("td")} == {"cell"}
    assert {one.get("role") for one in root.iter("tr")} == {"row"}
    assert {one.get("role") for one in root.iter("th")} == {"columnheader", "rowheader"}
    labels = {one.get("data-label") for one in root.iter("td")} - {None}
    assert labels == {
        f"{column}:"
        for column in (
            words.column_provider,
            words.column_duration,
            words.column_recipients,
            words.column_basis,
        )
    }


def test_the_table_stands_in_any_page_as_one_element() -> None:
    """It brings its own isolation, and style sheets only where the page has none."""
    body = tree(declaration_table(policy_of(), "de", stylesheets=SHEETS)).find("body")
    assert body is not None
    (element,) = body
    assert "consentkit" in (element.get("class") or "").split()
    assert (element.get("lang"), element.get("dir")) == ("de", "ltr")
    assert [one.get("href") for one in element.iter("link")] == [*SHEETS]
    assert b"<link" not in declaration_table(policy_of(), "de")


def test_a_page_of_its_own_names_who_answers_and_the_way_to_the_answers() -> None:
    """R-15, R-74: reachable without an answer."""
    markup = declaration_page(policy_of("implied"), "en", **PAGE, tokens=TOKENS)
    words = text_of(markup)
    assert "Responsible: Moorland District Council." in words
    assert "Entries: 5. Last checked on 1 June 2026" in words
    assert [one.get("href") for one in tree(markup).iter("a")] == [
        "/",
        "mailto:webmaster@moorland.example",
        PATH,
        PATH,
        "https://counter.example/privacy",
        "https://counter.example/opt-out",
        f"{PATH}/declaration.json",
    ]
    assert markup.isascii()


def test_what_is_not_known_is_left_out() -> None:
    """No date, no contact, no services: no empty words about them."""
    site = {"name": "S", "controller": "C"}
    bare = policy_of(site=site, services={}, cookies={})
    words = text_of(declaration_page(bare, "en", **PAGE))
    assert "Last checked" not in words
    assert "Contact" not in words
    assert "Services" not in words
    assert "Entries: 0" in words
    full = text_of(declaration_page(policy_of(), "en", **PAGE))
    assert "Services of third parties Counter Counter Ltd" in full


def test_a_contact_that_is_no_link_is_text() -> None:
    """A telephone number, or a hostile address."""
    site = {"name": "S", "controller": "C", "contact": "call 101"}
    markup = declaration_page(policy_of(site=site), "en", **PAGE)
    assert "Contact: call 101" in text_of(markup)
    assert b'href="call' not in markup


@pytest.mark.parametrize(
    ("more", "links"),
    [("https://more.example/", ["https://more.example/"]), ("javascript:alert(1)", [])],
)
def test_a_page_that_says_more_is_a_link_if_it_can_be_one(more: str, links: list[str]) -> None:
    """Only http, https, mailto and relative links are rendered as links, others as text."""
    cookies = {
        "a": {"kind": "session", "purpose": "polls", "description": "</td><script>", "more": more}
    }
    markup = declaration_table(policy_of(cookies=cookies, services={}), "en")
    assert more in text_of(markup) or links
    assert [one.get("href") for one in tree(markup).iter("a")] == links
    assert not [*tree(markup).iter("script")]


def test_the_count_is_of_cookies_not_of_rows() -> None:
    """A cookie with two purposes stands in two rows and is one cookie."""
    cookies = {"x": {"kind": "session", "purpose": ["polls", "analytics"], "description": "."}}
    markup = declaration_table(policy_of(cookies=cookies), "en")
    assert len(rows(markup)) == 2
    assert "Entries: 1." in text_of(markup)


def test_a_service_of_two_purposes_is_listed_once() -> None:
    """The list is of services."""
    services = {"films": {"purpose": ["polls", "embeds"], "provider": "Films Inc"}}
    markup = declaration_table(policy_of(services=services, cookies={}), "en")
    assert text_of(markup).count("Films Inc") == 1


def test_the_declaration_for_machines_holds_what_the_table_holds() -> None:
    """R-77: JSON with revision and lastUpdate."""
    copy = json.loads(json.dumps(declaration_json(policy_of("implied", revision=3), TOKENS)))
    assert (copy["revision"], copy["lastUpdate"]) == (3, "2026-06-01")
    assert copy["controller"]["name"] == "Moorland District Council"
    assert [one["name"] for one in copy["purposes"]] == [
        "necessary",
        "polls",
        "analytics",
        "embeds",
    ]
    assert [one["basis"] for one in copy["purposes"]] == ["strictly-necessary", *["implied"] * 3]
    cookies = {one["name"]: one for one in copy["cookies"]}
    assert [*cookies] == ["clientvars", "PollTimeout-{pollid}", "_ga", *TOKENS]
    assert all(column in one for one in cookies.values() for column in COLUMNS)
    assert [one["duration"] for one in cookies.values()] == [
        None,
        86_400,
        395 * 86_400,
        400 * 86_400,
        400 * 86_400,
    ]
    assert cookies["_ga"]["recipients"] == cookies["_ga"]["provider"] == "Counter Ltd"
    assert cookies["_ga"]["transfer"] == "USA"
    assert cookies[TOKENS[0]]["bases"] == ["strictly-necessary"]
    assert [one["name"] for one in copy["services"]] == ["counter", "films"]


def test_our_tokens_are_strictly_necessary_also_where_no_purpose_is() -> None:
    """R-30: they have a basis whatever the policy declares."""
    optional = changed(policy_of("implied"), necessary={"basis": "consent"})
    cookies = declaration_json(optional, TOKENS)["cookies"]
    assert isinstance(cookies, list)
    assert [one["bases"] for one in cookies[-2:]] == [["strictly-necessary"]] * 2


def test_a_policy_without_a_date_says_null() -> None:
    """An unknown date is not today's."""
    undated = policy_of(site={"name": "S", "controller": "C"})
    assert declaration_json(undated)["lastUpdate"] is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_nothing_is_optional_our_tokens_are_not_declared(language: str) -> None:
    """They are never set there, and "session cookies only" would be contradicted by the table."""
    for markup in (
        declaration_table(asking_nothing(), language, tokens=TOKENS),
        declaration_page(asking_nothing(), language, **PAGE, tokens=TOKENS),
    ):
        assert [row[0].split()[0] for row in rows(markup)] == ["form"]
    cookies = declaration_json(asking_nothing(), TOKENS)["cookies"]
    assert isinstance(cookies, list)
    assert [one["name"] for one in cookies] == ["form"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_nothing_is_optional_nobody_is_sent_to_the_settings(language: str) -> None:
    """There is nothing to change or to withdraw there."""
    for policy, leads in ((asking_nothing(), False), (policy_of(), True)):
        page = declaration_page(policy, language, **PAGE, tokens=TOKENS)
        assert (PATH in [link.get("href") for link in tree(page).iter("a")]) is leads
        assert (messages_for(language).declaration_nothing in text_of(page)) is not leads


@pytest.mark.parametrize("mode", ["explicit", "implied", "opt-out"])
def test_only_the_tokens_that_are_ever_set_are_declared(mode: str) -> None:
    """The automatic state is kept where consent is implied, and nowhere else."""
    cookies = declaration_json(policy_of(mode), TOKENS)["cookies"]
    assert isinstance(cookies, list)
    own = [one["name"] for one in cookies if one["name"] in TOKENS]
    assert own == [*(TOKENS if mode == "implied" else TOKENS[:1])]


STORED: dict[str, dict[str, object]] = {
    "draft-{n}": {"where": "local", "purpose": "polls", "description": "A draft."},
    "tab": {"where": "session", "purpose": "necessary", "description": "A tab."},
    "films": {
        "where": "indexed-db",
        "purpose": "embeds",
        "service": "films",
        "duration": "30 days",
        "transfer": ["US", "IE"],
        "description": "Films seen.",
    },
}


def test_web_storage_stands_in_the_same_table() -> None:
    """The rules cover it like cookies, and the visitor is told which storage it is (R-29)."""
    policy = policy_of(storage=STORED)
    told = {row[0]: row for row in rows(declaration_table(policy, "en"))}
    assert told["draft-<n> Local storage"][3] == "Until you or the site delete it"
    assert told["tab Session storage"][3:] == [
        "Until you close the tab",
        "Nobody",
        "Strictly necessary: log-in",
    ]
    films = told["films IndexedDB"]
    assert films[2:5] == [
        "Films Inc First party",
        "30 days",
        "Films Inc Data goes to: United States, Ireland",
    ]
    german = " ".join(text_of(declaration_table(policy, "de")).split())
    assert "Vereinigte Staaten, Irland" in german
    stored = declaration_json(policy)["storage"]
    assert isinstance(stored, list)
    assert [(one["name"], one["where"], one["transfer"]) for one in stored] == [
        ("draft-{n}", "local", None),
        ("tab", "session", None),
        ("films", "indexed-db", ("US", "IE")),
    ]


def test_a_text_for_a_country_is_shown_as_it_is() -> None:
    """The control: only codes are translated."""
    films = {"films": {**STORED["films"], "transfer": "the Moon"}}
    table = text_of(declaration_table(policy_of(storage=films), "de"))
    assert "the Moon" in table

"""The notice in all its languages, on a telephone: it fits, it reads, and it is the right one.

Each language is opened once on each of three pages, in a window of 320 px: a page of a site, whose
notice stands in the flow and then at the bottom; the preferences with every detail open; the
declaration. The words themselves are tested in tests/notice/test_locales.py.

With ``CONSENTKIT_LANGUAGE_SHOTS=folder`` pictures of them are put there, two for each language, to
be looked at. Where this machine has no font for a script, the pictures have boxes in its place.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

from consentkit import ConsentMiddleware, Policy
from consentkit.notice.text import LANGUAGES, Way, messages_for
from consentkit.rules.policy_file import read_policy
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.servers import Server, document
from tests.browser.visitors import AGENT, PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# ruff: noqa: RUF001 - letters of thirty-eight languages look like others of Latin

# The words of a site that speaks them all.
TITLES = {
    "en": ("Counting visits", "Videos and maps"),
    "ar": ("إحصاء الزيارات", "مقاطع الفيديو والخرائط"),
    "bg": ("Броене на посещенията", "Видеоклипове и карти"),
    "cs": ("Počítání návštěv", "Videa a mapy"),
    "cy": ("Cyfrif ymweliadau", "Fideos a mapiau"),
    "da": ("Optælling af besøg", "Videoer og kort"),
    "de": ("Besuche zählen", "Videos und Landkarten"),
    "el": ("Καταμέτρηση επισκέψεων", "Βίντεο και χάρτες"),
    "es": ("Recuento de visitas", "Vídeos y mapas"),
    "et": ("Külastuste loendamine", "Videod ja kaardid"),
    "fa": ("شمارش بازدیدها", "ویدئوها و نقشه‌ها"),
    "fi": ("Käyntien laskeminen", "Videot ja kartat"),
    "fr": ("Comptage des visites", "Vidéos et cartes"),
    "ga": ("Cuairteanna a chomhaireamh", "Físeáin agus léarscáileanna"),
    "he": ("ספירת ביקורים", "סרטונים ומפות"),
    "hi": ("विज़िट की गिनती", "वीडियो और मानचित्र"),
    "hr": ("Brojanje posjeta", "Videozapisi i karte"),
    "hu": ("Látogatások számlálása", "Videók és térképek"),
    "is": ("Talning heimsókna", "Myndbönd og kort"),
    "it": ("Conteggio delle visite", "Filmati e mappe"),
    "ja": ("訪問数の計測", "動画と地図"),
    "ko": ("방문 수 집계", "동영상 및 지도"),
    "lt": ("Apsilankymų skaičiavimas", "Vaizdo įrašai ir žemėlapiai"),
    "lv": ("Apmeklējumu skaitīšana", "Videoklipi un kartes"),
    "mt": ("L-għadd taż-żjarat", "Vidjows u mapep"),
    "nb": ("Telling av besøk", "Videoer og kart"),
    "nl": ("Bezoeken tellen", "Video’s en kaarten"),
    "pl": ("Liczenie odwiedzin", "Filmy i mapy"),
    "pt": ("Contagem de visitas", "Vídeos e mapas"),
    "ro": ("Numărarea vizitelor", "Videoclipuri și hărți"),
    "sk": ("Počítanie návštev", "Videá a mapy"),
    "sl": ("Štetje obiskov", "Videoposnetki in zemljevidi"),
    "sv": ("Räkning av besök", "Videor och kartor"),
    "tr": ("Ziyaretlerin sayılması", "Videolar ve haritalar"),
    "uk": ("Підрахунок відвідувань", "Відео та карти"),
    "vi": ("Đếm lượt truy cập", "Video và bản đồ"),
    "zh-Hans": ("访问统计", "视频和地图"),
    "zh-Hant": ("造訪統計", "影片和地圖"),
}
KEPT = ("1 day", "2 days", "3 days", "5 days", "22 days", "13 months", "1 year", "2 years")


def policy_in(languages: Sequence[str]) -> Policy:
    """A policy in these languages; a stored item for each duration."""

    def in_all(words: Callable[[str], str]) -> dict[str, str]:
        return {tag: words(tag) for tag in languages}

    necessary = in_all(lambda tag: messages_for(tag).strictly_necessary)
    without = in_all(lambda tag: messages_for(tag).strictly_necessary_body)
    seen = in_all(lambda tag: messages_for(tag).token_seen)
    waits = in_all(lambda tag: messages_for(tag).embed_of_purpose)
    item = {"where": "local", "purpose": "counting", "description": seen}
    return read_policy(
        yaml.safe_dump(
            {
                "site": {
                    "name": "Harrow Hill",
                    "controller": "Harrow Hill Town Council",
                    "contact": "privacy@harrow-hill.example",
                    "updated": "2026-11-01",
                },
                "mode": "explicit",
                "languages": [*languages],
                "purposes": {
                    "necessary": {
                        "title": necessary,
                        "description": without,
                        "basis": "strictly-necessary",
                        "justification": "security",
                    },
                    "counting": {
                        "title": in_all(lambda tag: TITLES[tag][0]),
                        "description": seen,
                        "honours": ["gpc", "dnt"],
                    },
                    "films": {"title": in_all(lambda tag: TITLES[tag][1]), "description": waits},
                },
                "cookies": {
                    "_ga": {
                        "kind": "analytics",
                        "purpose": "counting",
                        "service": "counter",
                        "duration": "13 months",
                        "description": seen,
                    },
                    "a-name-that-is-longer-than-many-a-screen-is-wide": {
                        "kind": "session",
                        "purpose": "films",
                        "description": waits,
                    },
                },
                "storage": {kept.replace(" ", "-"): item | {"duration": kept} for kept in KEPT},
                "services": {
                    "counter": {
                        "purpose": "counting",
                        "title": "Counter",
                        "provider": "Counter Limited",
                        "hosts": ["counter.example"],
                        "privacy": "https://counter.example/privacy",
                        "opt-out": "https://counter.example/opt-out",
                        "transfer": ["US", "CH"],
                    }
                },
            },
            allow_unicode=True,
            sort_keys=False,
        )
    )


async def pages(scope: Scope, receive: Receive, send: Send) -> None:
    """A page that says of itself the language in its path; of ``/`` and ``/-`` it says none."""
    tag = Request(scope).url.path.strip("/-")
    page = document("<main><h1>A page</h1></main>")
    said = f'lang="{tag}"' if tag else ""
    await HTMLResponse(page.replace('lang="en"', said))(scope, receive, send)


@pytest.fixture(scope="module")
def server(serve_module: Serve) -> Server:
    return serve_module(ConsentMiddleware(pages, policy=policy_in(LANGUAGES), secret_key="k" * 32))


# What is found: each page is opened once in each language

PAGES = {
    "banner": "/{}",
    "preferences": "/consent?lang={}",
    "declaration": "/consent/cookies?lang={}",
}
SHOTS = os.environ.get("CONSENTKIT_LANGUAGE_SHOTS", "")
MEASURES = Path(__file__).with_name("measures.js")

FACTS = """() => {
    for (const one of document.querySelectorAll("details")) one.open = true;
    const root = document.querySelector(".consentkit"), page = document.documentElement;
    const said = root === document.body ? page : root;
    const buttons = [...document.querySelectorAll(".consentkit button")].map(one => {
        const {left, top, right, bottom, width, height} = one.getBoundingClientRect();
        const middle = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
        const isInside = left >= 0 && right <= innerWidth && bottom <= innerHeight;
        const isSeen = isInside && one.contains(middle);
        return {choice: one.value, words: one.textContent.trim(), width, height, top, isSeen};
    });
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT), words = [];
    while (walk.nextNode()) {
        const text = walk.currentNode.data.trim();
        if (text && walk.currentNode.parentElement.localName !== "script") words.push(text);
    }
    const cells = [...document.querySelectorAll("tbody tr")].map(row => [...row.cells]
        .map(cell => cell.firstChild.textContent.trim()));
    const {lang, dir} = said, lost = measure.lost();
    const drawnAs = [...root.querySelectorAll("p, button")]
        .map(one => JSON.parse(getComputedStyle(one).webkitLocale));
    return JSON.stringify({lang, dir, drawnAs, lost, buttons, words, cells});
}"""
TO_THE_BOTTOM = """() => {
    const {classList} = document.getElementById("consentkit");
    classList.replace("consentkit-top", "consentkit-bottom");
}"""

Found = dict[str, Any]
Look = Callable[[str], dict[str, Found]]


@pytest.fixture(scope="module")
def page(browser: "Browser") -> Iterator["Page"]:
    context = browser.new_context(user_agent=AGENT, viewport={"width": 320, "height": 640})
    context.set_default_timeout(PATIENCE)
    context.add_init_script(path=MEASURES)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def known() -> dict[str, dict[str, Found]]:
    """What was found already."""
    return {}


@pytest.fixture
def look(page: "Page", server: Server, known: dict[str, dict[str, Found]]) -> Look:
    """Go and see a language; what is found stands under the page."""

    def look(tag: str) -> dict[str, Found]:
        if tag not in known:
            known[tag] = examine(page, server, tag)
        return known[tag]

    return look


def facts(page: "Page") -> Found:
    # As one text, since Playwright's own way with so many values takes ten times as long.
    return json.loads(page.evaluate(FACTS))


def examine(page: "Page", server: Server, tag: str) -> dict[str, Found]:
    found = {}
    for name, path in PAGES.items():
        page.goto(server.origin() + path.format(tag))
        found[name] = facts(page)
        if SHOTS and name != "declaration":
            folder = Path(SHOTS)
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=folder / f"{tag}-{name}.png", full_page=name == "preferences")
        if name == "banner":
            page.evaluate(TO_THE_BOTTOM)
            found["banner at the bottom"] = facts(page)
    return found


EVERY_LANGUAGE = pytest.mark.parametrize("tag", LANGUAGES)


@EVERY_LANGUAGE
def test_it_fits_a_telephone(look: Look, tag: str) -> None:
    """R-98, WCAG 1.4.10: at 320 px nothing sticks out, is cut, or lies over anything else."""
    for name, found in look(tag).items():
        assert found["lost"]["looked"] > 5, "the control: there are words"
        assert found["lost"]["found"] == [], name


@EVERY_LANGUAGE
def test_no_is_as_large_as_yes(look: Look, tag: str) -> None:
    """R-12: in one row and of one size, however long the words for them are."""
    for name in ("banner", "banner at the bottom", "preferences"):
        buttons = {button["choice"]: button for button in look(tag)[name]["buttons"]}
        no, yes = buttons["reject-all"], buttons["accept-all"]
        assert no["words"] != yes["words"]
        assert no["top"] == yes["top"], name
        assert no["width"] == pytest.approx(yes["width"], abs=0.1), name
        assert no["height"] == pytest.approx(yes["height"], abs=0.1), name
        assert no["height"] >= 44, name


@EVERY_LANGUAGE
def test_the_answers_are_in_sight_at_the_bottom(look: Look, tag: str) -> None:
    """Where the words do not fit, they scroll, and the buttons stay."""
    buttons = look(tag)["banner at the bottom"]["buttons"]
    assert len(buttons) == 2
    assert all(button["isSeen"] for button in buttons)


def test_what_is_out_of_sight_is_told(page: "Page", server: Server) -> None:
    """The control of the two rules above: a button is larger, and another is out of the window."""
    page.goto(server.origin() + "/en")
    page.evaluate("""() => {
        const [no, yes] = document.querySelectorAll("#consentkit button");
        no.style.fontSize = "2em";
        yes.style.marginTop = "999px";
    }""")
    no, yes = facts(page)["buttons"]
    assert no["height"] != yes["height"]
    assert no["top"] != yes["top"]
    assert not yes["isSeen"]


@EVERY_LANGUAGE
def test_it_says_its_language_and_its_direction(look: Look, tag: str) -> None:
    """WCAG 3.1.2: readers speak it with the right voice, and lines begin on the right side."""
    direction = "rtl" if tag in {"ar", "fa", "he"} else "ltr"
    for name, found in look(tag).items():
        assert (found["lang"], found["dir"]) == (tag, direction), name


@EVERY_LANGUAGE
def test_its_letters_and_lines_are_those_of_the_language(look: Look, tag: str) -> None:
    """Chinese and Japanese draw the same sign differently, and hyphens stand by a dictionary.

    Whoever resets every property resets the language that a browser draws words in.
    """
    for name, found in look(tag).items():
        assert {*found["drawnAs"]} == {tag}, name


@EVERY_LANGUAGE
def test_no_english_is_on_the_page(look: Look, tag: str) -> None:
    """Of three words or more: names and numbers are the same anywhere, and so is a loanword."""
    for name, found in look(tag).items():
        english = {words for words in look("en")[name]["words"] if words.count(" ") > 1}
        assert len(english) > 3, "the control: there are such"
        if tag != "en":
            assert english & {*found["words"]} == set(), name


# Times, as somebody writes them who grew up with the language; the items are in KEPT's order.
TOLD = {
    "en": "1 day|2 days|3 days|5 days|22 days|13 months|1 year|2 years",
    "pl": "1 dzień|2 dni|3 dni|5 dni|22 dni|13 miesięcy|1 rok|2 lata",
    "cs": "1 den|2 dny|3 dny|5 dní|22 dní|13 měsíců|1 rok|2 roky",
    "sl": "1 dan|2 dneva|3 dnevi|5 dni|22 dni|13 mesecev|1 leto|2 leti",
    "lt": "1 diena|2 dienos|3 dienos|5 dienos|22 dienos|13 mėnesių|1 metai|2 metai",
    "ro": "1 zi|2 zile|3 zile|5 zile|22 de zile|13 luni|1 an|2 ani",
    "uk": "1 день|2 дні|3 дні|5 днів|22 дні|13 місяців|1 рік|2 роки",
    "cy": "1 diwrnod|2 ddiwrnod|3 diwrnod|5 diwrnod|22 diwrnod|13 mis|1 flwyddyn|2 flynedd",
    "ar": "يوم واحد|يومان|3 أيام|5 أيام|22 يومًا|13 شهرًا|سنة واحدة|سنتان",
    "he": "יום אחד|יומיים|3 ימים|5 ימים|22 ימים|13 חודשים|שנה אחת|שנתיים",
    "fa": "۱ روز|۲ روز|۳ روز|۵ روز|۲۲ روز|۱۳ ماه|۱ سال|۲ سال",
    "ja": "1日|2日|3日|5日|22日|13か月|1年|2年",
}


@pytest.mark.parametrize("tag", TOLD)
def test_a_time_is_told_as_the_language_tells_it(look: Look, tag: str) -> None:
    """Plurals, duals and digits, in the column of the declaration that people read."""
    cells = {row[0]: row[3] for row in look(tag)["declaration"]["cells"] if len(row) == 6}
    assert [cells[kept.replace(" ", "-")] for kept in KEPT] == TOLD[tag].split("|")


@pytest.mark.parametrize(
    ("tag", "date", "count"),
    [
        ("en", "1 November 2026", "11"),
        ("de", "1. November 2026", "11"),
        ("pl", "1 listopada 2026", "11"),
        ("hu", "2026. november 1.", "11"),
        ("lt", "2026 m. lapkričio 1 d.", "11"),
        ("ja", "2026年11月1日", "11"),
        ("ko", "2026년 11월 1일", "11"),
        ("ar", "1 نوفمبر 2026", "11"),
        ("fa", "۱ نوامبر ۲۰۲۶", "۱۱"),
    ],
)
def test_dates_and_numbers_are_those_of_the_language(
    look: Look, tag: str, date: str, count: str
) -> None:
    """Their order, their cases and their digits: the day of the last check, and the entries."""
    [told] = [words for words in look(tag)["declaration"]["words"] if date in words]
    assert count in told


# Which language it is

SEVERAL = ("en", "de", "pl", "nb", "zh-Hans", "zh-Hant", "ar")


@pytest.fixture(scope="module")
def choosing(serve_module: Serve) -> Server:
    return serve_module(ConsentMiddleware(pages, policy=policy_in(SEVERAL), secret_key="k" * 32))


@pytest.mark.parametrize(
    ("wanted", "of_page", "shown"),
    [
        ("pl", "", "pl"),
        ("fr, de;q=0.5, pl;q=0.9", "", "pl"),
        ("de;q=0, pl;q=0.1", "", "pl"),
        ("de-AT, pl", "", "de"),
        ("nn", "", "nb"),
        ("zh-TW, en;q=0.8", "", "zh-Hant"),
        ("zh-CN", "", "zh-Hans"),
        ("fr, it;q=0.9", "", "en"),
        ("*", "", "en"),
        ("de", "pl", "pl"),
        ("de", "ar-EG", "ar"),
        ("de", "fr", "de"),
    ],
)
def test_the_language_is_the_pages_or_the_one_that_is_wanted_most(
    page: "Page", choosing: Server, wanted: str, of_page: str, shown: str
) -> None:
    """RFC 9110 §12.5.4, RFC 4647 §3.4: by weight, from the special to the general.

    A notice in another language than its page is no information: that of the page comes first.
    """
    page.set_extra_http_headers({"Accept-Language": wanted})
    page.goto(f"{choosing.origin()}/{of_page or '-'}")
    assert page.get_attribute("#consentkit", "lang") == shown
    assert page.inner_text("#consentkit h2") == messages_for(shown).asks[Way.CONSENT].title
    page.set_extra_http_headers({})


def test_a_browser_says_itself_what_it_wants(choosing: Server, new_visitor: NewVisitor) -> None:
    """No header of a test: a person in Austria."""
    visitor = new_visitor(choosing, locale="de-AT")
    visitor.type_address("/")
    assert visitor.notice.get_attribute("lang") == "de"


def test_what_follows_speaks_the_language_of_the_page(page: "Page", choosing: Server) -> None:
    """The dialog and the status after an answer, in a browser that wants another."""
    page.set_extra_http_headers({"Accept-Language": "de"})
    page.goto(f"{choosing.origin()}/pl")
    page.click("#consentkit .consentkit-more")
    page.wait_for_selector("dialog[open]")
    assert page.get_attribute("dialog", "lang") == "pl"
    page.click("dialog [value=reject-all]")
    page.wait_for_selector("#consentkit [role=status]:not(:empty)")
    words = messages_for("pl")
    assert page.inner_text("#consentkit [role=status]") == f"{words.saved} {words.all_off}"
    page.set_extra_http_headers({})
    page.context.clear_cookies()

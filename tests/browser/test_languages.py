"""The notice in all its languages, on a telephone: it fits, it reads, and it is the right one.

Each language is opened once on each of three pages, in a window of 320 px: a page of a site, whose
notice stands in the flow and then at the bottom; the preferences with every detail open; the
declaration. The words themselves are tested in tests/notice/test_locales.py.

With ``CONSENTKIT_LANGUAGE_SHOTS=folder`` pictures of them are put there, two for each language, to
be looked at. Where this machine has no font for a script, the pictures have boxes in its place.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

from consentkit import ConsentMiddleware, Policy
from consentkit.notice.text import LANGUAGES, messages_for
from consentkit.rules.policy_file import read_policy
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.servers import Server, document
from tests.browser.visitors import AGENT, PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

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


def in_all(words: Callable[[str], str]) -> dict[str, str]:
    return {tag: words(tag) for tag in LANGUAGES}


def policy_of_all() -> Policy:
    """A policy in every language; a stored item for each duration."""
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
                "languages": [*LANGUAGES],
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
    return serve_module(ConsentMiddleware(pages, policy=policy_of_all(), secret_key="k" * 32))


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
        return {
            choice: one.value, words: one.textContent.trim(), width, height, top,
            isSeen: one.contains(middle) && left >= 0 && right <= innerWidth && bottom <= innerHeight,
        };
    });
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT), words = [];
    while (walk.nextNode()) {
        const text = walk.currentNode.data.trim();
        if (text && walk.currentNode.parentElement.localName !== "script") words.push(text);
    }
    const cells = [...document.querySelectorAll("tbody tr")].map(row => [...row.cells]
        .map(cell => cell.firstChild.textContent.trim()));
    return {lang: said.lang, dir: said.dir, lost: measure.lost(), buttons, words, cells};
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


def examine(page: "Page", server: Server, tag: str) -> dict[str, Found]:
    found = {}
    for name, path in PAGES.items():
        page.goto(server.origin() + path.format(tag))
        found[name] = page.evaluate(FACTS)
        if SHOTS and name != "declaration":
            folder = Path(SHOTS)
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=folder / f"{tag}-{name}.png", full_page=name == "preferences")
        if name == "banner":
            page.evaluate(TO_THE_BOTTOM)
            found["banner at the bottom"] = page.evaluate(FACTS)
    return found



"""Pictures of all that a visitor can meet: ``python -m scripts.screenshots FOLDER``.

It has never heard of what is right or wrong: it takes the pictures, people look at them. Each scene
is played in light and dark, in three widths, from left to right and from right to left, in a real
browser and on a small site of its own; pages that are forms are taken without JavaScript.
"""  # noqa: INP001  # a script, which no other module imports

from __future__ import annotations

import html
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from fnmatch import fnmatch
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import yaml
from playwright.sync_api import Browser, Page, sync_playwright
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

from consentkit import ConsentMiddleware
from consentkit.rules.policy_file import read_policy
from tests.browser.servers import Server
from tests.browser.visitors import AGENT
from tests.conftest import CHROMIUM_FLAGS, NO_CHROMIUM, find_chromium

ROOT: Final = Path(__file__).parents[1]
HOST: Final = "www.harrow-hill.localhost"
HEIGHTS: Final = {320: 640, 768: 1024, 1440: 900}
THEMES: Final = ("light", "dark")
LANGUAGES: Final = ("en", "ar")
LAYOUTS: Final = ("top", "sticky", "bottom", "corner")
STAYING: Final = ("sticky", "bottom")
"""Where a notice may stand whose silence counts."""

WORDS: Final = {
    "en": {
        "name": "Harrow Hill Library",
        "necessary": "Strictly necessary",
        "necessary-text": "Keeps you logged in, and your forms safe.",
        "counting": "Counting visits",
        "counting-text": "Tells us which pages are read, and how often people come back.",
        "films": "Films from other sites",
        "films-text": "Pages show films, whose makers then learn of your visit.",
        "maps": "Maps",
        "maps-text": "Pages show where we are on a map from another site.",
        "session": "Remembers that you are logged in.",
        "visits": "Tells browsers apart.",
        "zoom": "Remembers how near you looked.",
        "heading": "A library for everybody",
        "lead": "We lend books, films, music, seeds and instruments to everybody who lives or "
        "works in the town. A card is made at the desk while you wait.",
        "news": "The reading room is open again",
        "more": "The roof is mended, the long tables are back, and the lamps have new shades.",
        "read": "Read on",
    },
    "ar": {
        "name": "مكتبة هارو هيل",
        "necessary": "ضرورية تمامًا",
        "necessary-text": "تبقيك مسجّل الدخول وتحفظ نماذجك.",
        "counting": "عدّ الزيارات",
        "counting-text": "تخبرنا بالصفحات التي تُقرأ وكم مرة يعود الناس.",
        "films": "أفلام من مواقع أخرى",
        "films-text": "تعرض الصفحات أفلامًا يعلم أصحابها عندئذ بزيارتك.",
        "maps": "خرائط",
        "maps-text": "تعرض الصفحات مكاننا على خريطة من موقع آخر.",
        "session": "يتذكّر أنك سجّلت الدخول.",
        "visits": "يميّز المتصفحات بعضها من بعض.",
        "zoom": "يتذكّر مدى تقريبك للخريطة.",
        "heading": "مكتبة للجميع",
        "lead": "نعير الكتب والأفلام والموسيقى والبذور والآلات لكل من يسكن في البلدة أو يعمل فيها. "
        "تُصنع البطاقة عند المكتب وأنت تنتظر.",
        "news": "غرفة القراءة مفتوحة من جديد",
        "more": "أُصلح السقف وعادت الطاولات الطويلة وللمصابيح أغطية جديدة.",
        "read": "تابع القراءة",
    },
}
STYLE: Final = """
:root { color-scheme: light dark }
body { margin: 0; font: 1.0625rem/1.6 Georgia, serif; background: light-dark(#fff, #14120f);
  color: light-dark(#2b241c, #ebe4da) }
header, main { padding: 1rem max(1rem, 50vw - 34rem) }
header { background: light-dark(#6b2d1f, #3a1a12); color: #fff }
main { display: grid; gap: 1rem 2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)) }
h1, main > p, iframe { grid-column: 1/-1; max-width: 44rem; margin: 0 }
h1 { font-size: 2rem; line-height: 1.2 }
h2 { font-size: 1.25rem; margin: 0 }
a { color: light-dark(#6b2d1f, #f0b09c) } header a { color: inherit }
iframe { border: 0; width: 100% }
"""  # noqa: E501  # lines of CSS
FILM: Final = '<iframe src="https://films.example/embed/7" title="{name}" height="315"></iframe>'
MAP: Final = '<iframe src="https://maps.example/embed?at=1" title="{maps}" height="315"></iframe>'
STRAY: Final = (
    '<form method="post" action="/consent"><button name="choice" value="?">?</button></form>'
)


def policy_text(mode: str, layout: str, revision: int) -> str:
    """The site's policy as YAML; at revision 1 there were no maps yet."""

    def said(key: str) -> dict[str, str]:
        return {language: words[key] for language, words in WORDS.items()}

    purposes: dict[str, Any] = {
        name: {"title": said(name), "description": said(f"{name}-text")}
        for name in ("necessary", "counting", "films", "maps")
    }
    purposes["necessary"] |= {"basis": "strictly-necessary", "justification": "authentication"}
    purposes["maps"]["since"] = 2
    film = {"purpose": "films", "title": "Films", "provider": "Films Ltd", "transfer": ["US"]}
    counter = {"purpose": "counting", "title": "Counter", "provider": "Counter Ltd"}
    atlas = {"purpose": "maps", "title": "Atlas", "provider": "Atlas BV", "shows": "map"}
    policy: dict[str, Any] = {
        "site": {
            "name": WORDS["en"]["name"],
            "controller": "Harrow Hill Town Council",
            "contact": "library@harrow-hill.example",
            "updated": "2026-11-01",
        },
        "mode": mode,
        "revision": revision,
        "languages": [*WORDS],
        "banner": {"layout": layout},
        "purposes": purposes,
        "cookies": {
            "session": {"kind": "session", "purpose": "necessary"},
            "visits": {
                "kind": "analytics",
                "purpose": "counting",
                "service": "counter",
                "duration": "13 months",
            },
            "zoom": {"kind": "persistent", "purpose": "maps", "duration": "30 days", "since": 2},
        },
        "services": {
            "films": film
            | {"hosts": ["films.example"], "privacy": "https://films.example/privacy"},
            "counter": counter | {"hosts": ["counter.example"]},
            "atlas": atlas | {"hosts": ["maps.example"], "since": 2},
        },
    }
    for name, cookie in policy["cookies"].items():
        cookie["description"] = said(name)
    if revision == 1:
        del purposes["maps"], policy["cookies"]["zoom"], policy["services"]["atlas"]
    return yaml.safe_dump(policy, allow_unicode=True, sort_keys=False)


class Library:
    """The site: a page in the language that the browser asks for, at any path."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a page; on ``/embeds`` with things of other sites, on ``/stray`` a form."""
        request = Request(scope, receive)
        language = request.headers.get("accept-language", "en")[:2]
        words = WORDS[language]
        more = {"/embeds": FILM + MAP, "/stray": STRAY}.get(request.url.path, "")
        article = "<article><h2>{news}</h2><p>{more} <a href='/news'>{read}</a></p></article>"
        page = (
            "<header><a href='/'>{name}</a></header><main><h1>{heading}</h1><p>{lead}</p>"
            + more
            + article * 15
        ).format(**words)
        await HTMLResponse(
            f"<!doctype html><html lang='{language}' dir='{'rtl' if language == 'ar' else 'ltr'}'>"
            f"<head><meta charset='utf-8'><title>{words['name']}</title>"
            "<link rel='icon' href='data:,'>"
            "<meta name='viewport' content='width=device-width, initial-scale=1'>"
            f"<style>{STYLE}</style></head><body>{page}</main></body></html>"
        )(scope, receive, send)


# Scenes


class View(NamedTuple):
    """How one looks at it."""

    theme: str
    width: int
    language: str


VIEWS: Final = [View(*each) for each in product(THEMES, HEIGHTS, LANGUAGES)]


@dataclass
class Stage:
    """A browser, and what is made in it when a scene asks for it: pages, and servers of sites."""

    stack: ExitStack
    browser: Browser
    pages: dict[tuple[View, bool], Page] = field(default_factory=dict)
    servers: dict[tuple[str, str, int], Server] = field(default_factory=dict)

    def seen_as(self, view: View, *, has_script: bool) -> Page:
        """A page of somebody who was never here."""
        key = (view, has_script)
        if key not in self.pages:
            self.pages[key] = self._new_page(*key)
        page = self.pages[key]
        page.context.clear_cookies()
        page.set_extra_http_headers({})
        return page

    def _new_page(self, view: View, has_script: bool) -> Page:  # noqa: FBT001  # parts of a key
        context = self.browser.new_context(
            user_agent=AGENT,
            color_scheme="dark" if view.theme == "dark" else "light",
            reduced_motion="reduce",
            locale=view.language,
            viewport={"width": view.width, "height": HEIGHTS[view.width]},
            java_script_enabled=has_script,
        )
        context.set_default_timeout(10_000)
        return context.new_page()

    def origin(self, mode: str, layout: str, revision: int = 2) -> str:
        """Where the site stands with this policy. All are one site to a jar of cookies."""
        key = (mode, layout, revision)
        if key not in self.servers:
            policy = read_policy(policy_text(*key))
            app = ConsentMiddleware(Library(), policy=policy, secret_key="k" * 32)
            self.servers[key] = self.stack.enter_context(Server(app))
        return self.servers[key].origin(HOST)


Play = Callable[[Stage, Page, str], None]
"""Brings a page into a state, in one layout."""


def asking(mode: str) -> Play:
    """The first question."""

    def play(stage: Stage, page: Page, layout: str) -> None:
        page.goto(stage.origin(mode, layout))

    return play


def changed(stage: Stage, page: Page, layout: str) -> None:
    """The question about a purpose that is new."""
    answer(page, stage.origin("explicit", layout, 1), "reject-all")
    page.goto(stage.origin("explicit", layout))


def at_the_end(stage: Stage, page: Page, layout: str) -> None:
    """The last line of a page, with the notice over it."""
    page.goto(stage.origin("explicit", layout))
    page.mouse.wheel(0, 9_999)
    page.wait_for_timeout(150)


def saved(stage: Stage, page: Page, layout: str) -> None:
    """What stands in the banner's place right after an answer."""
    page.goto(stage.origin("explicit", layout))
    page.click("button[value=reject-all]")
    page.wait_for_selector("button[value=accept-all]", state="detached")
    page.wait_for_timeout(150)


def settings(stage: Stage, page: Page, layout: str) -> None:
    """The quiet line of every later page."""
    answer(page, stage.origin("explicit", layout), "accept-all")
    page.goto(stage.origin("explicit", layout) + "/news")


def signal(stage: Stage, page: Page, layout: str) -> None:
    """The quiet line where Global Privacy Control is honoured."""
    page.set_extra_http_headers({"Sec-GPC": "1"})
    page.goto(stage.origin("opt-out", layout))


def dialog(stage: Stage, page: Page, layout: str) -> None:
    """The preferences over the page."""
    page.goto(stage.origin("explicit", layout))
    page.click("#consentkit form .consentkit-more")
    page.wait_for_selector("dialog[open]")
    page.wait_for_timeout(150)


def own_page(path: str) -> Play:
    """One of our own pages, after an answer to one purpose."""

    def play(stage: Stage, page: Page, layout: str) -> None:
        origin = stage.origin("explicit", layout)
        page.goto(f"{origin}/consent")
        page.check("[value=counting]")
        page.click("button[value=save]")
        page.goto(origin + path)

    return play


def opened(stage: Stage, page: Page, layout: str) -> None:
    """The preferences, with every detail folded out."""
    page.goto(stage.origin("explicit", layout) + "/consent")
    for summary in page.locator("summary").all():
        summary.click()


def embeds(stage: Stage, page: Page, layout: str) -> None:
    """What stands for things of other sites."""
    answer(page, stage.origin("explicit", layout), "reject-all")
    page.goto(stage.origin("explicit", layout) + "/embeds")
    page.wait_for_timeout(150)


def message(stage: Stage, page: Page, layout: str) -> None:
    """The page that says why an answer was not taken."""
    page.goto(stage.origin("explicit", layout) + "/stray")
    page.click("button[value='?']")
    page.wait_for_url("**/consent")


def answer(page: Page, origin: str, choice: str) -> None:
    """Press one of the first two buttons, and wait until the answer is in the jar."""
    page.goto(origin)
    with page.expect_response(lambda response: response.request.method == "POST"):
        page.click(f"button[value={choice}]")
    page.wait_for_timeout(150)


class Scene(NamedTuple):
    """A state to be taken, in these layouts; `is_whole` takes the page down to its end."""

    play: Play
    layouts: tuple[str, ...] = ("top",)
    has_script: bool = True
    is_whole: bool = False


SCENES: Final = {
    "asking": Scene(asking("explicit"), LAYOUTS),
    "changed": Scene(changed, LAYOUTS),
    "implied": Scene(asking("implied"), STAYING),
    "opt-out": Scene(asking("opt-out"), LAYOUTS),
    "at-the-end": Scene(at_the_end, ("sticky", "bottom", "corner")),
    "signal": Scene(signal),
    "settings": Scene(settings),
    "saved": Scene(saved),
    "saved-without-script": Scene(saved, has_script=False),
    "dialog": Scene(dialog),
    "embeds": Scene(embeds, is_whole=True),
    "preferences": Scene(own_page("/consent"), has_script=False, is_whole=True),
    "preferences-opened": Scene(opened, has_script=False, is_whole=True),
    "declaration": Scene(own_page("/consent/cookies"), has_script=False, is_whole=True),
    "receipt": Scene(own_page("/consent/receipt"), has_script=False, is_whole=True),
    "message": Scene(message, has_script=False, is_whole=True),
}
"""Every state, by its name."""

BEST: Final = {
    "banner": "asking-top-light-1440-en",
    "banner-dark": "asking-bottom-dark-1440-en",
    "banner-right-to-left": "asking-corner-light-1440-ar",
    "banner-narrow": "asking-bottom-light-320-en",
    "preferences": "preferences-top-light-768-en",
    "dialog": "dialog-top-dark-1440-en",
    "declaration": "declaration-top-light-1440-en",
    "embeds": "embeds-top-light-768-en",
}
"""Pictures for the documentation: their names there, and what they are taken from."""


# Taking them


class Shot(NamedTuple):
    """One picture to be taken."""

    state: str
    layout: str
    view: View

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return "-".join(map(str, (self.state, self.layout, *self.view)))


def shots(pattern: str, also: Collection[str] = ()) -> Iterator[Shot]:
    """Every picture whose name fits, or is one of these."""
    for state, scene in SCENES.items():
        for layout, view in product(scene.layouts, VIEWS):
            shot = Shot(state, layout, view)
            if fnmatch(shot.name, pattern) or shot.name in also:
                yield shot


def take(stage: Stage, shot: Shot, folder: Path) -> None:
    """Play one scene and take its picture."""
    scene = SCENES[shot.state]
    page = stage.seen_as(shot.view, has_script=scene.has_script)
    scene.play(stage, page, shot.layout)
    file = folder / f"{shot.name}.png"
    page.screenshot(path=file, full_page=scene.is_whole)
    make_smaller(file)


def make_smaller(file: Path) -> None:
    """Reduce a picture to 256 colours, where Pillow is installed."""
    with suppress(ImportError):
        pictures = import_module("PIL.Image")
        with pictures.open(file) as picture:
            few = picture.convert("RGB").quantize(256, dither=pictures.Dither.NONE)
        few.save(file, optimize=True)


def contact_sheet(folder: Path, taken: list[Shot]) -> None:
    """Write a page with all pictures, state by state."""
    sections = []
    for state in dict.fromkeys(shot.state for shot in taken):
        figures = "".join(
            f'<a href="{name}.png"><img src="{name}.png" alt="" loading="lazy">{name}</a>'
            for name in (html.escape(shot.name) for shot in taken if shot.state == state)
        )
        sections.append(f"<h2>{state}</h2><div>{figures}</div>")
    style = (
        "body { font: 14px system-ui } div { display: flex; flex-wrap: wrap; gap: 1em } "
        "a { display: grid; inline-size: 24em } img { inline-size: 100%; border: 1px solid #999 }"
    )
    (folder / "index.html").write_text(
        f"<!doctype html><meta charset=utf-8><title>Pictures</title><style>{style}</style>"
        f"<h1>{len(taken)} pictures</h1>{''.join(sections)}",
        encoding="utf-8",
    )


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--only", default="*", help="Names to take, as in 'asking-top-*-320-en'.")
@click.option(
    "--best", is_flag=True, help="Take the chosen ones too, and copy them into docs/images."
)
def main(folder: Path, only: str, *, best: bool) -> None:
    """Take pictures of every page and state of the notice into FOLDER, with an index.html."""
    chromium = find_chromium()
    if chromium is None:
        raise click.ClickException(NO_CHROMIUM)
    folder.mkdir(parents=True, exist_ok=True)
    taken = list(shots(only, BEST.values() if best else ()))
    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
        stage = Stage(stack, browser)
        with click.progressbar(taken, label="Pictures") as bar:
            for shot in bar:
                take(stage, shot, folder)
        browser.close()
    contact_sheet(folder, taken)
    if best:
        images = ROOT / "docs" / "images"
        images.mkdir(exist_ok=True)
        for name, source in BEST.items():
            shutil.copyfile(folder / f"{source}.png", images / f"{name}.png")
    click.echo(f"{len(taken)} pictures: {folder / 'index.html'}")


if __name__ == "__main__":
    main()

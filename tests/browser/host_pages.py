"""Pages of sites that do not know us: their own resets, layouts and habits, in one table.

Has never heard of consent. Each page is a town library's: a header with links, headings, words, a
form and a footer, long enough to scroll. They differ in what stands around that.
"""

import re
from pathlib import Path
from typing import NamedTuple

from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from tests.browser.packages import Packed, read_packed

SHEETS = {
    "bootstrap.css": Packed("bootstrap", "5.3.9", "dist/css/bootstrap.min.css"),
    "preflight.css": Packed("tailwindcss", "4.3.5", "preflight.css"),
    "govuk.css": Packed("govuk-frontend", "6.6.0", "dist/govuk/govuk-frontend.min.css"),
}
STOPS = 28  # links, fields and buttons of each page, in the order of the Tab key


class HostPage(NamedTuple):
    """A page: `style` and `sheets` stand in its head, `late` in its body and so after ours.

    `looks` gives classes to elements by their names; `html` and `body` are attributes.
    """

    style: str = ""
    sheets: tuple[str, ...] = ()
    late: str = ""
    html: str = 'lang="en"'
    body: str = ""
    head: str = ""
    looks: dict[str, str] = {}  # noqa: RUF012  # a tuple's default, which nobody changes
    content: str = "{header}{main}{footer}"

    def with_content(self, content: str) -> "HostPage":
        """The page with its parts standing otherwise."""
        return self._replace(content=content)


NEWS = (
    ("The reading room is open again", "The roof is mended, and the long tables are back."),
    ("Stories for children", "On Saturdays at ten, on the carpet by the window."),
    ("Borrowing tools", "Drills, ladders and a cider press, each for a week."),
    ("The map collection", "Two thousand sheets, from the enclosures to the ring road."),
    ("Learning to write code", "Eight evenings for beginners; laptops are lent."),
    ("Local newspapers", "Every issue since 1843 can be read on the first floor."),
    ("Books by post", "For readers who cannot come to us. It costs nothing."),
)
LOREM = (
    "The library lends books, films, music, seeds and instruments to everybody who lives or works "
    "in the town. A card is made at the desk while you wait; bring something that shows your "
    "address. What is on another shelf of the county comes within a week."
)
HEADER = """
<header><p><a href="/">Harrow Hill Library</a></p><nav aria-label="Site"><ul>
<li><a href="/books">Books</a></li><li><a href="/events">Events</a></li>
<li><a href="/rooms">Rooms</a></li><li><a href="/children">Children</a></li>
<li><a href="/archive">Archive</a></li><li><a href="/visit">Visit</a></li>
</ul></nav></header>
"""
ARTICLES = "".join(
    f'<article><h2>{title}</h2><p>{text} <a href="/news/{number}">Read on</a>.</p><p>{LOREM}</p>'
    "</article>"
    for number, (title, text) in enumerate(NEWS, start=1)
)
FORM = """
<form action="/ask" method="get"><fieldset><legend>Ask a librarian</legend>
<p><label for="name">Your name</label> <input id="name" name="name"></p>
<p><label for="about">About</label>
<select id="about" name="about"><option>A book</option><option>A room</option></select></p>
<p><label for="words">Question</label> <textarea id="words" name="words" rows="4"></textarea></p>
<p><input type="checkbox" id="reply" name="reply"> <label for="reply">Write back to me</label></p>
<p><button type="submit">Send</button> <button type="reset">Clear</button></p>
</fieldset></form>
"""
MAIN = f"""
<main><h1>A library for everybody</h1><p>{LOREM} <a href="/join">Get a card</a>.</p>
{ARTICLES}{FORM}</main>
"""
FOOTER = """
<footer><p>Open from Monday to Saturday, nine until seven.</p><ul>
<li><a href="/contact">Contact</a></li><li><a href="/accessibility">Accessibility</a></li>
<li><a href="/terms">Terms</a></li><li><a href="/jobs">Jobs</a></li>
<li><a href="/press">Press</a></li><li><a href="/privacy">Privacy</a></li>
<li><a href="#top">To the top</a></li></ul></footer>
"""

# What an author writes to have links in a row instead of bullets.
ROWS = "ul { display: flex; flex-wrap: wrap; gap: 0 1em; padding: 0; list-style: none }"
BOOTSTRAP = {
    "header": "navbar navbar-expand bg-body-tertiary px-3",
    "ul": "navbar-nav flex-row flex-wrap gap-3 list-unstyled",
    "nav": "navbar-collapse",
    "main": "container py-4",
    "article": "card card-body mb-3",
    "h1": "display-5",
    "form": "row g-3",
    "input": "form-control",
    "select": "form-select",
    "textarea": "form-control",
    "button": "btn btn-primary",
    "footer": "container border-top py-3",
}
GOVUK = {
    "header": "govuk-header govuk-width-container",
    "ul": "govuk-list",
    "a": "govuk-link",
    "main": "govuk-main-wrapper govuk-width-container",
    "h1": "govuk-heading-xl",
    "h2": "govuk-heading-m",
    "p": "govuk-body",
    "fieldset": "govuk-fieldset",
    "legend": "govuk-fieldset__legend",
    "label": "govuk-label",
    "input": "govuk-input",
    "select": "govuk-select",
    "textarea": "govuk-textarea",
    "button": "govuk-button",
    "footer": "govuk-footer",
}
# What spares the page's own layout nothing, and names our elements by the weight of an id.
HOSTILE = """
* { all: unset }
head, head *, link, script, style, [hidden] { display: none }
html, body, header, nav, main, article, footer, form, fieldset, p, ul, h1, h2 { display: block }
#host * { font: italic 700 9px/1 monospace; color: #ccc; letter-spacing: .3em }
#host > section * { float: left }
#host section, #host div, #host form, #host p { display: inline; background: #fc0; margin: 40px }
#host button { background: none; border: 9px dotted red; text-transform: uppercase; width: 7px }
#host button + button { font-size: 40px; padding: 30px; background: lime }
#host a { color: inherit; text-decoration: none; position: absolute; opacity: .1 }
#host ul, #host li { list-style: square inside; display: list-item; border: 3px solid }
#host *::before, #host *::after { content: "!"; font-size: 30px }
#host h2 { font-size: 60px; text-align: right; transform: rotate(3deg); visibility: hidden }
"""

HOST_PAGES = {
    "no CSS": HostPage(),
    "Bootstrap 5": HostPage(sheets=("bootstrap.css",), looks=BOOTSTRAP),
    "Tailwind 4": HostPage(sheets=("preflight.css",), style=ROWS),
    "GOV.UK 6": HostPage(
        sheets=("govuk.css",),
        html='lang="en" class="govuk-template"',
        body='class="govuk-template__body"',
        looks=GOVUK,
    ),
    "flex row": HostPage("""
body { display: flex; margin: 0; font: 16px/1.5 Georgia, serif }
aside { flex: none; width: 14rem; padding: 1rem; background: #e8eef2 }
.content { flex: 1; min-width: 0; padding: 1rem }
@media (max-width: 40rem) { body { flex-direction: column } aside { width: auto } }
""").with_content('<aside>{header}</aside><div class="content">{main}{footer}</div>'),
    "flex column": HostPage(f"""
html {{ height: 100% }}
body {{ height: 100%; margin: 0; display: flex; flex-direction: column; align-items: center }}
main {{ flex: 1 0 auto; max-width: 45rem; padding: 1rem; font-family: Verdana, sans-serif }}
{ROWS}"""),
    "grid": HostPage(f"""
body {{
  display: grid; margin: 0; min-height: 100vh; gap: 1rem;
  grid-template-areas: "head head head" ". main ." "foot foot foot";
  grid-template-rows: auto 1fr auto; grid-template-columns: 1fr min(50rem, 90%) 1fr;
}}
header {{ grid-area: head; padding: 0 1rem; background: #222; color: #fff }}
header a {{ color: #fff }}
main {{ grid-area: main }}
footer {{ grid-area: foot; padding: 0 1rem; background: #eee }}
{ROWS}"""),
    "centred": HostPage(f"""
html {{ min-height: 100%; display: grid }}
body {{ display: grid; place-items: center; gap: 2rem; margin: 0; font: 18px/1.5 sans-serif }}
main {{ max-width: min(40rem, 90%) }}
{ROWS}"""),
    "app shell": HostPage(f"""
html, body {{ height: 100%; overflow: hidden; margin: 0 }}
.shell {{ height: 100%; display: flex; flex-direction: column }}
.scroller {{ flex: 1; min-height: 0; overflow: auto; padding: 0 1rem }}
header {{ padding: 0 1rem; background: #123; color: #fff }}
header a {{ color: #fff }}
{ROWS}""").with_content(
        '<div class="shell">{header}<div class="scroller">{main}{footer}</div></div>'
    ),
    "sticky header": HostPage(f"""
html {{ scroll-padding-top: 8rem }}
body {{ margin: 0 }}
header {{ position: sticky; top: 0; z-index: 1020; background: #fff; border-bottom: 1px solid }}
header, main, footer {{ padding: 0 1rem }}
{ROWS}"""),
    "fixed header": HostPage(f"""
html {{ scroll-padding-top: 8rem }}
body {{ margin: 0; padding-top: 8rem }}
header {{ position: fixed; inset: 0 0 auto; z-index: 1030; background: #fff; height: 7rem }}
header p {{ margin: 0 }}
header, main, footer {{ padding: 0 1rem }}
{ROWS}"""),
    "62.5 %": HostPage(f"""
html {{ font-size: 62.5%; box-sizing: border-box }}
*, ::before, ::after {{ box-sizing: inherit }}
body {{
  margin: 0 auto; max-width: 96rem; font: 1.6rem/1.4 Arial, sans-serif;
  letter-spacing: .05em; text-align: center;
}}
{ROWS}"""),
    # A line of it is moved by what comes later in the line, so it is shown when it is all there.
    "hostile": HostPage(
        HOSTILE.replace("#host", "#other"),
        late="late.css",
        body='id="host"',
        head='<link rel="expect" blocking="render" href="#host">',
    ),
    "right to left": HostPage(
        f"body {{ margin: 0 5% 0 2%; font: 17px/1.6 Arial, sans-serif }} {ROWS}",
        html='lang="he" dir="rtl"',
    ),
    "dark only": HostPage(
        ":root { color-scheme: dark } body { background: #111; color: #ddd } a { color: #8cf }",
        head='<meta name="color-scheme" content="dark">',
    ),
}
"""Every page, by what is special about it."""


def host_document(page: HostPage) -> str:
    """A whole page, as the site's own server would send it."""
    links = "".join(f'<link rel="stylesheet" href="/{name}">' for name in page.sheets)
    late = f'<link rel="stylesheet" href="/{page.late}">' if page.late else ""
    parts = {"header": HEADER, "main": MAIN, "footer": FOOTER}
    content = _dressed(page.content.format(**parts), page.looks)
    style = f"<style>{page.style}</style>" if page.style else ""
    return (
        f'<!doctype html><html {page.html}><head><meta charset="utf-8"><title>Harrow Hill</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,">{page.head}{links}{style}</head>'
        f"<body {page.body}>{late}{content}</body></html>"
    )


def _dressed(markup: str, looks: dict[str, str]) -> str:
    """The markup, with classes on elements by their names."""

    def dress(tag: re.Match[str]) -> str:
        look = looks.get(tag[1])
        return f'<{tag[1]} class="{look}"' if look else tag[0]

    return re.sub(r"<([a-z][a-z0-9]*)\b", dress, markup)


class HostSite:
    """An app with each page under its name, and their style sheets."""

    def __init__(self, packages: Path) -> None:
        """`packages` is the folder with npm's packages (see `packages_folder`)."""
        self._sheets = {name: read_packed(packages, which) for name, which in SHEETS.items()}
        # Tailwind's own compiler puts in the fallback where the theme says nothing.
        self._sheets["preflight.css"] = re.sub(
            r"--theme\(\s*--[\w-]+,\s*([^()]*)\)", r"\1", self._sheets["preflight.css"]
        )
        self._sheets["late.css"] = HOSTILE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a page's name, or a sheet's; everything else is not there."""
        await self._answer(scope["path"][1:])(scope, receive, send)

    def _answer(self, name: str) -> Response:
        if name in self._sheets:
            return Response(self._sheets[name], media_type="text/css")
        page = HOST_PAGES.get(name)
        return HTMLResponse(host_document(page)) if page else Response("?", 404)

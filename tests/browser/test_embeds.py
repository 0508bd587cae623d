"""Placeholders as a browser shows them: in the embed's own box, whatever its size, light and dark.

What their markup says is tested in tests/notice; here it is what comes of it (R-12, R-53, R-98),
and at the end a whole site, with a log of what its third parties were asked for.
"""

from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from consentkit import ConsentMiddleware
from consentkit.notice.assets import asset
from consentkit.notice.embeds import Can, abilities_of, placeholder_document, placeholder_markup
from consentkit.rules.policy_file import read_policy
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.servers import Server, Site, document
from tests.browser.visitors import Visitor

if TYPE_CHECKING:
    from playwright.sync_api import Frame, FrameLocator

CSP = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'"
SHEET = f"/consent/assets/{asset('embed.css').name}"
POLICY = read_policy("""
site: {name: A site, controller: Its owner}
mode: explicit
languages: [en, de]
purposes:
  videos: {title: {en: Videos, de: Videos}, description: It plays videos.}
  maps: {title: {en: Maps, de: Karten}, description: It shows the way.}
  social:
    title: {en: Social media, de: Einbindung gesellschaftlicher Kommunikationsnetzwerke}
    description: It lets you share.
services:
  youtube: {purpose: videos, title: YouTube, provider: Google, shows: video}
  osm: {purpose: [maps, social], provider: OpenStreetMap Foundation, shows: map}
  facebook: {purpose: social, title: Facebook, provider: Meta, shows: social}
""")
URLS = {
    "youtube": "https://www.youtube.com/embed/aqz-KE-bpKQ",
    "osm": "https://www.openstreetmap.org/export/embed.html?bbox=1",
    "facebook": "https://www.facebook.com/plugins/like.php?href=https%3A%2F%2Fa.example",
    None: "https://undeclared.example/embed/1",
}
WIDE = [(640, 360), (600, 450), (560, 315), (400, 300), (728, 90), (600, 152), (1000, 200)]
NARROW = [(300, 150), (288, 162), (240, 240), (160, 600)]
BUTTONS = [(120, 20), (450, 35), (90, 30), (100, 80), (62, 65)]
BOXES = [*WIDE, *NARROW, *BUTTONS]


def frame_of(
    width: int, height: int, service: str | None, language: str, sandbox: str | None = None
) -> str:
    """An iframe as the gate leaves it."""
    can = abilities_of(None if sandbox is None else sandbox.encode())
    srcdoc = placeholder_document(
        POLICY,
        service,
        language,
        path="/consent",
        stylesheet=SHEET,
        next_path=b"/here",
        url=URLS[service],
        host="undeclared.example",
        can=can,
    ).decode()
    sandboxed = "" if sandbox is None else f'sandbox="{sandbox}"'
    size = f'width="{width}" height="{height}"'
    return f'<iframe title="An embed" {size} {sandboxed} srcdoc="{srcdoc}"></iframe>'


class Embeds:
    """A site whose pages are nothing but placeholders: ``/?box=120x20&service=facebook&lang=de``.

    A form that is posted is answered with a redirect to its `next`; ``posted`` has the fields.
    """

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.url.path in (SHEET, "/consent.css"):
            name = "embed.css" if request.url.path == SHEET else "consent.css"
            return Response(asset(name).body, media_type="text/css")
        if request.url.path == "/site.css":
            return Response("iframe { border: 0; max-width: 100% }", media_type="text/css")
        if request.method == "POST":
            fields = dict(await request.form())
            self.posted.append({**fields, "origin": request.headers.get("origin")})
            return RedirectResponse(str(fields["next"]), 303)
        return HTMLResponse(self._page(request), headers={"content-security-policy": CSP})

    def _page(self, request: Request) -> str:
        query = request.query_params
        language = query.get("lang", "en")
        service = query.get("service", "youtube") or None
        boxes = [tuple(map(int, box.split("x"))) for box in query.getlist("box")]
        frames = [
            frame_of(width, height, service, language, query.get("sandbox"))
            for width, height in boxes
        ]
        if "template" in query:
            place: dict[str, Any] = {"path": "/consent", "stylesheet": SHEET, "next_path": b"/here"}
            frames += [
                placeholder_markup(POLICY, service=each, language=language, **place).decode()
                for each in ("youtube", "osm", "facebook")
            ]
        body = "".join(f"<p>{frame}</p>" for frame in frames)
        scheme = '<meta name="color-scheme" content="light dark">'
        sheets = (
            '<link rel="stylesheet" href="/site.css"><link rel="stylesheet" href="/consent.css">'
        )
        page = document(f"<main><h1>A page</h1>{body}<p id='last'>Last words.</p></main>")
        page = page.replace("<title>", f"{scheme}{sheets}<title>")
        return page.replace("dir='ltr'", "dir='rtl'") if "rtl" in query else page


def address(boxes: list[tuple[int, int]], **values: str) -> str:
    query = [f"box={width}x{height}" for width, height in boxes]
    return "/?" + "&".join([*query, *(f"{name}={value}" for name, value in values.items())])


@pytest.fixture(scope="module")
def embeds() -> Embeds:
    return Embeds()


@pytest.fixture(scope="module")
def server(serve_module: Serve, embeds: Embeds) -> Server:
    return serve_module(embeds)


def frames_of(visitor: Visitor) -> "list[Frame]":
    return visitor.page.main_frame.child_frames


SIZE = "() => [innerWidth, innerHeight]"


# the box


SHIFTS = """() => new Promise(done => {
    let sum = 0;
    const observer = new PerformanceObserver(list => {
        for (const shift of list.getEntries()) sum += shift.value;
    });
    observer.observe({type: "layout-shift", buffered: true});
    setTimeout(() => done(sum), 150);
})"""


def test_the_box_keeps_its_size_and_nothing_shifts(server: Server, new_visitor: NewVisitor) -> None:
    """Insertion only: the document lives in the embed's own box; cumulative layout shift is 0."""
    visitor = new_visitor(server, viewport={"width": 1440, "height": 900})
    visitor.type_address(address(BOXES))
    assert [tuple(one.evaluate(SIZE)) for one in frames_of(visitor)] == BOXES
    assert visitor.page.evaluate(SHIFTS) == 0
    visitor.page.evaluate("document.querySelector('iframe').height = 500")
    visitor.wait_until(lambda: visitor.page.evaluate(SHIFTS) > 0)  # the control: it is measured


FITS = """() => {
    const page = document.documentElement, lost = [];
    for (const one of document.querySelectorAll("h2, p, button, a")) {
        const box = one.getBoundingClientRect(), style = getComputedStyle(one);
        const isClipped = getComputedStyle(one.closest("body > *")).clipPath != "none";
        if (isClipped || !one.checkVisibility()) continue;
        if (box.left < -0.5 || box.right > innerWidth + 0.5) lost.push(`${one.localName} is out`);
        const isCut = style.overflowX == "hidden" && one.scrollWidth > one.clientWidth;
        if (isCut && style.textOverflow != "ellipsis") lost.push(`${one.localName} is cut`);
    }
    return {sideways: page.scrollWidth - innerWidth, lost};
}"""
WINDOWS = [
    pytest.param({"viewport": {"width": 320, "height": 640}}, id="320 px"),
    pytest.param({"viewport": {"width": 1440, "height": 900}}, id="1440 px"),
]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("service", ["youtube", "osm", "facebook", ""])
def test_nothing_sticks_out_of_any_box(
    server: Server, new_visitor: NewVisitor, service: str, window: dict[str, Any]
) -> None:
    """WCAG 1.4.10: words wrap, in German too, and from right to left; none is out of reach."""
    visitor = new_visitor(server, **window)
    for more in ({}, {"lang": "de"}, {"lang": "de", "rtl": "1"}):
        visitor.type_address(address(BOXES, service=service, **more))
        for box, one in zip(BOXES, frames_of(visitor), strict=True):
            assert one.evaluate(FITS) == {"sideways": 0, "lost": []}, (box, more)
    large = frames_of(visitor)[0]
    large.evaluate("document.querySelector('h2').style.width = '2000px'")
    assert large.evaluate(FITS)["sideways"] > 0, "the control: a wide thing is found"


SPACED = """* { letter-spacing: .12em !important; word-spacing: .16em !important;
    line-height: 1.5 !important } p { margin-bottom: 2em !important }"""
LARGE = ":root { font-size: 200% !important } body { font-size: 1rem !important }"


@pytest.mark.parametrize("style", [SPACED, LARGE], ids=["spaced", "large"])
def test_words_set_wider_or_larger_still_fit(
    server: Server, new_visitor: NewVisitor, style: str
) -> None:
    """WCAG 1.4.12 and 1.4.4: who needs more room between letters, or larger ones, loses nothing."""
    visitor = new_visitor(server, viewport={"width": 320, "height": 640}, bypass_csp=True)
    visitor.type_address(address([*WIDE, *NARROW], lang="de", service="osm"))
    for frame in frames_of(visitor):
        frame.add_style_tag(content=style)
        assert frame.evaluate(FITS) == {"sideways": 0, "lost": []}


BUTTONS_SEEN = """() => [...document.querySelectorAll("button")].map(one => {
    const box = one.getBoundingClientRect();
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return [one.name, Math.round(box.width), Math.round(box.height), !!top && one.contains(top)];
}).filter(([, width]) => width)"""


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("box", [*WIDE, *NARROW], ids=str)
def test_both_buttons_are_in_sight_at_once_and_large_enough(
    server: Server, new_visitor: NewVisitor, box: tuple[int, int], language: str
) -> None:
    """R-98: 24 px at least; should the words not fit, they scroll and the buttons stay."""
    visitor = new_visitor(server, viewport={"width": 1440, "height": 900})
    visitor.type_address(address([box], lang=language))
    (frame,) = frames_of(visitor)
    load, always = frame.evaluate(BUTTONS_SEEN)
    assert [load[0], always[0]] == ["service", "purpose"]
    for _, width, height, is_seen in (load, always):
        assert is_seen
        assert width >= 24
        assert height >= 24


@pytest.mark.parametrize("box", BUTTONS, ids=str)
def test_the_box_of_a_button_is_one_button_that_names_the_provider(
    server: Server, new_visitor: NewVisitor, box: tuple[int, int]
) -> None:
    """Twenty pixels hold one thing that can be read; the rest is told to who asks what it is."""
    visitor = new_visitor(server)
    visitor.type_address(address([box], service="facebook"))
    (frame,) = frames_of(visitor)
    ((name, width, height, is_seen),) = frame.evaluate(BUTTONS_SEEN)
    assert (name, is_seen) == ("service", True)
    assert height == box[1]
    assert width == box[0] or box[0] > 400
    assert frame.locator("button").first.inner_text() == "Load Facebook"
    told = frame.locator("button [title]").get_attribute("title") or ""
    assert "Facebook (Meta, third party) can store cookies" in told
    assert "Purpose: Social media" in told
    described = frame.locator("body > div").first.inner_text()
    assert "Purpose: Social media" in described, "for who has it read out"


@pytest.mark.parametrize("box", [(1, 1), (0, 0), (300, 4)], ids=str)
def test_what_nobody_sees_is_not_tabbed_to(
    server: Server, new_visitor: NewVisitor, box: tuple[int, int]
) -> None:
    """WCAG 2.4.7: the focus does not vanish in a pixel."""
    visitor = new_visitor(server)
    visitor.type_address(address([box, (300, 150)], service="facebook"))
    pixel, control = frames_of(visitor)
    is_there = "() => document.querySelector('button').checkVisibility()"
    assert not pixel.evaluate(is_there)
    assert control.evaluate(is_there)


# the look


LOOK = """button => {
    const style = getComputedStyle(button), box = button.getBoundingClientRect();
    const all = Object.fromEntries([...style].map(name => [name, style.getPropertyValue(name)]));
    return [all, box.width, box.height];
}"""


@pytest.mark.parametrize("box", [*WIDE, *NARROW], ids=str)
def test_neither_button_looks_like_more_than_the_other(
    server: Server, new_visitor: NewVisitor, box: tuple[int, int]
) -> None:
    """R-12: one embed or all of them is the visitor's choice, and no style makes it."""
    visitor = new_visitor(server, viewport={"width": 1440, "height": 900})
    visitor.type_address(address([box]))
    (frame,) = frames_of(visitor)
    load, always = (one.evaluate(LOOK) for one in frame.locator("button").all())
    assert load == always
    assert len(load[0]) > 300, "the control: these are real styles"
    assert load[0]["border-top-width"] == "1px", "the style sheet was loaded"


def test_the_focus_is_seen_on_everything_that_can_have_it(
    server: Server, new_visitor: NewVisitor
) -> None:
    """WCAG 2.4.7, in a video's box and in a button's."""
    visitor = new_visitor(server)
    visitor.type_address(address([(640, 360), (120, 20)]))
    rings: list[str] = []
    for _ in range(4):
        visitor.page.keyboard.press("Tab")
        frame = frames_of(visitor)[len(rings) // 3]
        rings.append(frame.evaluate("getComputedStyle(document.activeElement).outline"))
    # Two buttons and a link, and the only button of the small box, whose words are smaller.
    assert rings == [*["rgb(29, 65, 97) solid 3px"] * 3, "rgb(29, 65, 97) solid 2px"]


COLOURS = "() => getComputedStyle(document.body).backgroundColor"


@pytest.mark.parametrize(
    ("scheme", "colour"), [("light", "rgb(245, 247, 249)"), ("dark", "rgb(23, 29, 36)")]
)
def test_it_is_light_or_dark_as_the_visitor_likes(
    server: Server, new_visitor: NewVisitor, scheme: str, colour: str
) -> None:
    """A white box in a dark page would be brighter than all else on it."""
    visitor = new_visitor(server, color_scheme=scheme)
    visitor.type_address(address([(640, 360)]))
    assert frames_of(visitor)[0].evaluate(COLOURS) == colour


def test_a_strict_content_security_policy_is_kept(server: Server, new_visitor: NewVisitor) -> None:
    """R-92: a `srcdoc` inherits the page's policy; no word in the console, in a sandbox neither."""
    visitor = new_visitor(server)
    for more in ({}, {"sandbox": "allow-popups"}, {"template": "1"}):
        visitor.type_address(address([(640, 360)], **more))
        for frame in frames_of(visitor):
            assert frame.evaluate(COLOURS) == "rgb(245, 247, 249)"
    assert visitor.complaints == []
    origin = server.origin()
    assert {url for url in visitor.requested if not url.startswith((origin, "about:"))} == set()
    frames_of(visitor)[0].evaluate("document.body.setAttribute('style', 'color: red')")
    visitor.wait_until(lambda: visitor.complaints)  # the control: the policy holds inside as well


def test_a_placeholder_before_a_template_has_the_shape_of_what_waits(
    server: Server, new_visitor: NewVisitor
) -> None:
    """No inline style: the ratio of a video comes from the style sheet, also in a narrow window."""
    for width, video in ((1440, (720, 405)), (320, (304, 176))):
        visitor = new_visitor(server, viewport={"width": width, "height": 900})
        visitor.type_address(address([], template="1"))
        sizes = [tuple(one.evaluate(SIZE)) for one in frames_of(visitor)]
        assert sizes[0] == sizes[1] == video
        assert visitor.page.evaluate(SHIFTS) == 0
        for frame in frames_of(visitor):
            assert frame.evaluate(FITS) == {"sideways": 0, "lost": []}


# with axe

RUN_AXE = """async () => {
    const found = await axe.run(document, {resultTypes: ["violations", "passes"]});
    const inside = found.passes.flatMap(rule => rule.nodes).filter(one => one.target.length > 1);
    return {
        violations: found.violations.map(rule =>
            `${rule.id}: ${rule.nodes.map(one => one.target.join(" ")).join(", ")}`),
        looked: inside.length,
    };
}"""


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core."""
    package = "axe_playwright_python"
    pytest.importorskip(package, reason="axe is not installed: pip install axe-playwright-python")
    return files(package).joinpath("axe.min.js").read_text("utf-8")


def violations(visitor: Visitor, axe: str) -> list[str]:
    for frame in (visitor.page.main_frame, *frames_of(visitor)):
        frame.evaluate(axe)
    found = visitor.page.evaluate(RUN_AXE)
    assert found["looked"] > 0, "the control: axe looks into the boxes"
    return list(found["violations"])


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(
    ("scheme", "more"),
    [("light", {}), ("dark", {"lang": "de", "rtl": "1"})],
    ids=["light, from the left", "dark, from the right"],
)
def test_axe_finds_nothing(  # noqa: PLR0917 - what it varies, and what it needs
    server: Server,
    new_visitor: NewVisitor,
    axe: str,
    scheme: str,
    window: dict[str, Any],
    more: dict[str, str],
) -> None:
    """R-98: contrast, names, sizes of targets, in every box, light and dark."""
    visitor = new_visitor(server, color_scheme=scheme, **window)
    for service in ("osm", ""):
        visitor.type_address(
            address([(640, 360), (288, 162), (450, 35), (100, 80)], service=service, **more)
        )
        assert violations(visitor, axe) == []


def test_axe_finds_what_is_there_to_find(server: Server, new_visitor: NewVisitor, axe: str) -> None:
    """The control of the tests above: a fault in a box is told."""
    visitor = new_visitor(server)
    visitor.type_address(address([(640, 360)]))
    frames_of(visitor)[0].evaluate("document.querySelector('button').textContent = ''")
    assert any(one.startswith("button-name: iframe button") for one in violations(visitor, axe))


# what a press of a button does


def press(visitor: Visitor, selector: str) -> None:
    (frame,) = frames_of(visitor)
    with visitor.page.expect_navigation():
        frame.click(selector)


SANDBOXES = [None, "allow-forms allow-same-origin allow-top-navigation-by-user-activation"]


@pytest.mark.parametrize("sandbox", SANDBOXES)
@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_a_button_posts_for_the_page_around_it(
    server: Server,
    embeds: Embeds,
    new_visitor: NewVisitor,
    sandbox: str | None,
    has_script: bool,  # noqa: FBT001
) -> None:
    """DC-17: a plain form; the whole page comes back, and the answer is the site's own."""
    visitor = new_visitor(server, java_script_enabled=has_script)
    more = {} if sandbox is None else {"sandbox": sandbox}
    for button, field in (("service", "youtube"), ("purpose", "videos")):
        visitor.type_address(address([(640, 360)], **more))
        press(visitor, f"button[name={button}]")
        assert visitor.page.url.endswith("/here")
        assert embeds.posted.pop() == {
            "next": "/here",
            "choice": "allow",
            button: field,
            "origin": server.origin(),
        }


def test_a_button_of_a_service_with_several_purposes_posts_them_all(
    server: Server, embeds: Embeds, new_visitor: NewVisitor
) -> None:
    """The second form has them all as fields of its own; one of each name is enough to see it."""
    visitor = new_visitor(server)
    visitor.type_address(address([(640, 360)], service="osm"))
    press(visitor, "button[name=choice]")
    assert embeds.posted.pop()["purpose"] == "social"


def test_the_plain_link_leads_the_page_away_and_tells_nobody_from_where(
    server: Server, new_visitor: NewVisitor
) -> None:
    """The provider's own page, without the provider in this one."""
    visitor = new_visitor(server)
    visitor.type_address(address([(640, 360)], service=""))
    (frame,) = frames_of(visitor)
    link = frame.locator("a")
    link.evaluate("(link, href) => { link.href = href }", server.origin("elsewhere.localhost"))
    press(visitor, "a")
    assert visitor.page.url.startswith(server.origin("elsewhere.localhost"))
    assert "referer" not in server.asked_for("/")[-1].headers


def test_a_sandboxed_link_opens_another_window(server: Server, new_visitor: NewVisitor) -> None:
    """Where the page around cannot be led on, a window can be opened."""
    visitor = new_visitor(server)
    assert abilities_of(b"allow-popups") is Can.OPEN
    visitor.type_address(address([(640, 360)], sandbox="allow-popups"))
    (frame,) = frames_of(visitor)
    link = frame.locator("a")
    assert link.get_attribute("href") == "https://www.youtube.com/watch?v=aqz-KE-bpKQ"
    link.evaluate("(link, href) => { link.href = href }", server.origin("elsewhere.localhost"))
    with visitor.page.expect_popup() as opened:
        link.click()
    opened.value.close()


# a whole site, and its third parties


VIDEO, MAP, OTHER = "video.example", "tiles.map.example", "nobody.example"
BOX = 'width="640" height="360" frameborder="0"'


def pages_of(origin: Callable[[str], str]) -> dict[str, str]:
    """Pages with what an author would write; `origin` is where a third party is served."""
    film = f"{origin(VIDEO)}/embed/"
    return {
        "/": f'<h1>Films</h1><iframe {BOX} title="A film" src="{film}1?a=1&amp;b=2"></iframe>',
        "/all": (
            f'<form action="/search"><input name="q">'
            f'<iframe {BOX} id="film" src="{film}1"></iframe>'
            f'<iframe {BOX} id="map" src="{origin(MAP)}/embed/2"></iframe>'
            f'<iframe {BOX} id="nobody" src="{origin(OTHER)}/embed/3"></iframe>'
            f'<iframe id="pixel" width="1" height="1" src="{film}4"></iframe></form>'
        ),
        "/template": (
            '<p>A film: <template data-consentkit-service="films">'
            f'<iframe {BOX} id="film" src="{film}5"></iframe></template> and more.</p>'
        ),
    }


SITE_POLICY = read_policy(f"""
site: {{name: A site, controller: Its owner}}
mode: explicit
purposes:
  embeds: {{title: Videos and maps, description: Pages may show things from other sites.}}
services:
  films: {{purpose: embeds, title: Films, provider: Films Inc, shows: video, hosts: [{VIDEO}]}}
  maps: {{purpose: embeds, title: Maps, provider: Maps Ltd, shows: map, hosts: ["*.map.example"]}}
""")


class Third(NamedTuple):
    """A site behind consentkit, and the server that plays every third party."""

    server: Server
    parties: Server

    def asked(self) -> list[str]:
        """What the third parties were asked for, host and path."""
        return [f"{one.headers['host'].split(':')[0]}{one.path}" for one in self.parties.log]


@pytest.fixture
def third(serve: Serve) -> Third:
    parties = serve(HTMLResponse("<!doctype html><title>A film</title><h1>It plays</h1>"))
    app = Site(bodies=pages_of(parties.origin))
    return Third(serve(ConsentMiddleware(app, policy=SITE_POLICY, secret_key="k" * 32)), parties)


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def viewer(request: pytest.FixtureRequest, third: Third, new_visitor: NewVisitor) -> Visitor:
    """Somebody on their first visit, with a script or without."""
    return new_visitor(third.server, java_script_enabled=request.param)


def inside(visitor: Visitor, selector: str = "iframe") -> "FrameLocator":
    return visitor.page.frame_locator(selector).first


def see_loaded(visitor: Visitor, selector: str = "iframe") -> None:
    inside(visitor, selector).locator("h1", has_text="It plays").wait_for()


def see_placeholder(visitor: Visitor, words: str, selector: str = "iframe") -> None:
    inside(visitor, selector).locator("h2", has_text=words).wait_for()


def test_nothing_is_asked_of_a_provider_before_the_answer(third: Third, viewer: Visitor) -> None:
    """R-53: no request goes to the provider first, from a form, a pixel or a template neither."""
    for path in ("/", "/all", "/template"):
        viewer.type_address(path)
        see_placeholder(viewer, "Video from Films")
    viewer.page.wait_for_timeout(100)
    assert third.asked() == []
    viewer.page.goto(third.parties.origin(VIDEO))
    assert third.asked() == [f"{VIDEO}/"], "the control: the log hears of it"


def test_loading_this_one_loads_its_service_and_no_other(third: Third, viewer: Visitor) -> None:
    """R-53: a button for this embed; the map stays as it is, though it has the same purpose."""
    viewer.type_address("/all")
    inside(viewer, "#film").locator("button[name=service]").click()
    see_loaded(viewer, "#film")
    see_placeholder(viewer, "Map from Maps", "#map")
    see_placeholder(viewer, "Content from nobody.example", "#nobody")
    viewer.wait_until(lambda: f"{VIDEO}/embed/4" in third.asked())
    assert {*third.asked()} == {f"{VIDEO}/embed/1", f"{VIDEO}/embed/4"}
    viewer.type_address("/")
    see_loaded(viewer)
    assert viewer.is_asked, "the purpose has no answer yet"


def test_always_loads_every_service_of_the_purpose(third: Third, viewer: Visitor) -> None:
    """The second button answers for the purpose; a host that nobody declares stays out."""
    viewer.type_address("/all")
    inside(viewer, "#film").locator("button[name=purpose]").click()
    see_loaded(viewer, "#film")
    see_loaded(viewer, "#map")
    see_placeholder(viewer, "Content from nobody.example", "#nobody")
    assert {one.split("/")[0] for one in third.asked()} == {VIDEO, MAP}
    assert not viewer.is_asked


def test_a_template_is_opened_where_it_stands(third: Third, viewer: Visitor) -> None:
    """The author's markup comes in place of the placeholder, and the placeholder is gone."""
    viewer.type_address("/template")
    inside(viewer).locator("button[name=service]").click()
    see_loaded(viewer, "#film")
    assert viewer.page.locator("iframe").count() == 1
    assert third.asked() == [f"{VIDEO}/embed/5"]
    assert " ".join(viewer.page.inner_text("main p, p:has(#film)").split()) == "A film: and more."


def test_a_placeholder_leads_back_to_its_page(third: Third, viewer: Visitor) -> None:
    """The answer is given on the page, and the page is where one stays."""
    viewer.type_address("/?of=1&a=%22")
    inside(viewer).locator("button[name=service]").click()
    see_loaded(viewer)
    assert viewer.address == "/?of=1&a=%22"

"""The preferences over the page: a dialog where there is a script, their own page where not.

Nothing that closes the dialog is an answer, but for its three buttons (R-02). Every test that finds
nothing saved has its control: the same dialog saves when *Save* is pressed.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from consentkit import ConsentMiddleware, Policy
from consentkit.rules.policy_file import read_policy
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.servers import Server, Site
from tests.browser.test_consent_js import (
    COUNTER,
    FILMS,
    KEY,
    NONCE,
    POLICY,
    STRICT,
    Party,
    allowed,
    another_tab,
    elsewhere,
    press,
    ran,
    ready,
    wait_until_asked,
)
from tests.browser.visitors import Visitor
from tests.conftest import CHROMIUM_FLAGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

MORE = "#consentkit a.consentkit-more"
OWN = '<p><a id="own" class="consentkit-link" href="/consent"><b>Cookie settings</b></a></p>'
WORDS = "<p>Words of the site.</p>" * 60
FILM = '<iframe id="film" width="300" height="200" src="{}"></iframe>'
OPT_OUT = POLICY.replace("explicit", "opt-out")
BOTH_LANGUAGES = read_policy(POLICY + "languages: [en, de]\n")

Arrive = Callable[..., Visitor]


@pytest.fixture(scope="module")
def third_party(serve_module: Serve) -> Party:
    return Party(serve_module(elsewhere))


@pytest.fixture
def party(third_party: Party) -> Party:
    third_party.server.log.clear()
    return third_party


@pytest.fixture(scope="module")
def policy() -> Policy:
    return read_policy(POLICY)


@pytest.fixture
def arrive(serve: Serve, new_visitor: NewVisitor, policy: Policy) -> Arrive:
    """``arrive(body)``: somebody's first visit to a site that has this in every page."""

    def arrive(
        body: str = OWN, *, policy: Policy = policy, options: Any = None, **of_pages: Any
    ) -> Visitor:
        app = Site(body=body, **of_pages)
        server = serve(ConsentMiddleware(app, policy=policy, secret_key=KEY))
        visitor = new_visitor(server, **(options or {}))
        visitor.type_address("/page?a=b")
        if visitor.is_scripted:
            ready(visitor)
            visitor.page.evaluate("window.isTheSamePage = true")
        return visitor

    return arrive


def opened(visitor: Visitor, link: str = "#own") -> "Locator":
    """Click a link to the preferences, and get the dialog that comes of it."""
    visitor.page.click(link)
    return shown(visitor)


def shown(visitor: Visitor) -> "Locator":
    visitor.page.wait_for_selector("dialog:modal")
    return visitor.page.locator("dialog")


def gone(visitor: Visitor) -> None:
    """Wait until there is no dialog."""
    visitor.page.wait_for_selector("dialog", state="detached")


def save(visitor: Visitor) -> None:
    """Press *Save*, and wait for the answer to it."""
    with visitor.page.expect_response(lambda response: "/consent/notice?" in response.url):
        visitor.page.click("dialog button[value=save]")
    gone(visitor)


def is_the_same_page(visitor: Visitor) -> bool:
    return visitor.page.evaluate("window.isTheSamePage ?? false") and visitor.address == "/page?a=b"


def posts(server: Server) -> int:
    return sum(asked.method == "POST" for asked in server.log)


FOCUSED = "document.activeElement.id || document.activeElement.className"


# What opens it


def test_a_link_of_the_banner_and_of_the_line_opens_the_preferences(arrive: Arrive) -> None:
    """R-15: what was answered, and what can be changed, over the page one reads."""
    visitor = arrive("<h1>A page</h1>")
    dialog = opened(visitor, MORE)
    assert dialog.get_by_role("switch").count() == 2
    dialog.get_by_role("button", name="Close").click()
    gone(visitor)
    press(visitor, "reject-all")
    assert opened(visitor, MORE).get_by_role("switch").count() == 2
    assert is_the_same_page(visitor)
    assert not visitor.server.asked_for("/consent")[1:], "the answer, and no page of ours"
    assert visitor.complaints == []


def test_a_sites_own_link_opens_them_wherever_it_is_clicked(arrive: Arrive) -> None:
    """R-15: `class="consentkit-link"`; here the click is on an element inside it."""
    visitor = arrive(WORDS + OWN)
    visitor.page.click("#own b")
    shown(visitor)
    assert is_the_same_page(visitor)


def test_a_link_in_a_placeholder_opens_them(arrive: Arrive, policy: Policy) -> None:
    """`data-consentkit="settings-link"` is filled with such a link."""
    part = '<p data-consentkit="settings-link"></p>'
    visitor = arrive(part, policy=policy.model_copy(update={"placeholders": ("*",)}))
    opened(visitor, "p .consentkit-link")


def test_the_statutory_link_opens_them(arrive: Arrive) -> None:
    """Civ. Code 1798.135: *Do Not Sell or Share My Personal Information*."""
    visitor = arrive(policy=read_policy(OPT_OUT))
    press(visitor, "accept-all")
    visitor.notice.get_by_role("link", name="Do Not Sell").click()
    shown(visitor)
    assert is_the_same_page(visitor)


def test_a_link_inside_a_frame_that_waits_opens_them(arrive: Arrive, party: Party) -> None:
    """Where it may send no form, it has a link; the focus goes back into the frame."""
    sandbox = '<iframe sandbox="allow-same-origin allow-top-navigation"'
    film = FILM.format(party.at(FILMS, "film.html")).replace("<iframe", sandbox)
    visitor = arrive(film)
    link = visitor.page.frame_locator("#film").locator("a[href='/consent']")
    link.click()
    dialog = shown(visitor)
    assert is_the_same_page(visitor)
    visitor.page.keyboard.press("Escape")
    gone(visitor)
    assert visitor.page.evaluate(FOCUSED) == "film"
    assert link.evaluate("link => link.ownerDocument.activeElement == link")
    link.click()
    shown(visitor)
    dialog.locator("[value=media]").check()
    save(visitor)
    wait_until_asked(party, f"{FILMS}/film.html")
    assert is_the_same_page(visitor)


def test_a_link_to_another_address_is_left_alone(arrive: Arrive) -> None:
    """A site may link to the page of the preferences: by another address, or without the class."""
    other = '<a id="query" class="consentkit-link" href="/consent?page">a</a>'
    visitor = arrive(f'{other}<a id="plain" href="/consent">b</a>')
    for link in ("#query", "#plain"):
        visitor.click(link)
        assert visitor.page.locator("main h1").inner_text() == "Cookie settings"
        visitor.type_address("/page?a=b")


UNTOUCHED = """() => {
    window.passed = [];
    document.addEventListener("click", event => {
        event.preventDefault();
        passed.push(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    });
}"""


@pytest.mark.parametrize("key", ["Control", "Meta", "Shift", "Alt"])
def test_a_click_with_a_key_held_is_the_browsers_own(arrive: Arrive, key: Any) -> None:
    """In a new tab, in a new window, on the disk: as with any link."""
    visitor = arrive()
    visitor.page.evaluate(UNTOUCHED)
    visitor.page.click("#own", modifiers=[key])
    visitor.page.wait_for_timeout(100)
    assert visitor.page.evaluate("passed") == [True]
    assert not visitor.server.asked_for("/consent/dialog")
    opened(visitor)
    assert visitor.page.evaluate("passed") == [True], "the control: the plain click is ours"


@pytest.mark.parametrize("how", [{"modifiers": ["ControlOrMeta"]}, {"button": "middle"}], ids=str)
def test_a_new_tab_gets_the_page_of_the_preferences(arrive: Arrive, how: Any) -> None:
    """The link's address is a page that works by itself."""
    visitor = arrive()
    with visitor.page.context.expect_page() as other:
        visitor.page.click("#own", **how)
    other.value.wait_for_selector("main h1")
    assert other.value.url == visitor.server.origin() + "/consent"
    other.value.close()
    assert visitor.page.locator("dialog").count() == 0


# Those whose answer is there.
ASKED_FOR_DIALOGS = """performance.getEntriesByType("resource").filter(
    one => one.name.includes("/consent/dialog")).length"""


def test_two_quick_clicks_open_one_dialog(arrive: Arrive) -> None:
    """And when it is closed there is none."""
    visitor = arrive()
    visitor.page.evaluate("""() => {
        window.most = 0;
        new MutationObserver(() => {
            most = Math.max(most, document.querySelectorAll("dialog").length);
        }).observe(document, {childList: true, subtree: true});
    }""")
    visitor.page.dblclick("#own")
    shown(visitor)
    visitor.page.wait_for_function(ASKED_FOR_DIALOGS + " === 2")
    visitor.page.wait_for_timeout(100)
    assert len(visitor.server.asked_for("/consent/dialog")) == 2, "the control: both were heard"
    visitor.page.keyboard.press("Escape")
    gone(visitor)
    assert visitor.page.evaluate("most") == 1
    opened(visitor)


# What stands behind it


def break_off(route: Any) -> None:
    route.abort()


def fail(route: Any) -> None:
    route.fulfill(status=502, content_type="text/html", body="<h1>Bad Gateway</h1>")


def be_another_page(route: Any) -> None:
    route.fulfill(content_type="text/html", body="<dialog>Log in to the network</dialog>")


@pytest.mark.parametrize("fault", [break_off, fail, be_another_page])
def test_whatever_goes_wrong_the_link_leads_to_the_page(
    arrive: Arrive, fault: Callable[[Any], None]
) -> None:
    """The page works without the script, so it also works when the script cannot."""
    visitor = arrive()
    visitor.page.route("**/consent/dialog**", fault)
    visitor.click("#own")
    visitor.page.unroute_all()
    assert visitor.address == "/consent"
    visitor.answer("accept-all")
    assert visitor.address == "/page?a=b", "from where one came"
    assert not visitor.is_asked


def test_where_the_page_may_fetch_nothing_the_link_leads_to_the_page(arrive: Arrive) -> None:
    """A strict `connect-src` stops the script, and not the visitor."""
    visitor = arrive(headers={"content-security-policy": "connect-src 'none'"})
    visitor.click("#own")
    assert visitor.address == "/consent"


def test_without_a_script_every_link_leads_to_the_page(arrive: Arrive) -> None:
    """DC-17: an ordinary link to an ordinary page."""
    visitor = arrive(options={"java_script_enabled": False})
    for link in (MORE, "#own"):
        visitor.click(link)
        assert visitor.address == "/consent"
        assert visitor.page.locator("main [name=purpose]").count() == 2
        visitor.type_address("/page?a=b")


# What a person finds there


def test_it_has_a_name_and_the_focus_is_on_its_heading(arrive: Arrive) -> None:
    """WCAG 2.4.3, 4.1.2: a screen reader begins where the preferences begin, and says so."""
    visitor = arrive()
    dialog = opened(visitor)
    assert visitor.page.get_by_role("dialog", name="Cookie settings").count() == 1
    heading = dialog.get_by_role("heading", name="Cookie settings")
    assert heading.evaluate("heading => heading == document.activeElement")
    assert visitor.complaints == []


def test_tab_stays_inside(arrive: Arrive) -> None:
    """The page behind is out of reach until the dialog is closed; the control: then it is not."""
    visitor = arrive(OWN + '<a id="behind" href="/next">behind</a>')
    dialog = opened(visitor)
    stops = dialog.locator("button, input:not([type=hidden]), a, summary").count()
    reached = []
    for key in ["Tab"] * (stops + 3) + ["Shift+Tab"] * (stops + 3):
        visitor.page.keyboard.press(key)
        reached.append(
            visitor.page.evaluate("""() => {
                const at = document.activeElement;
                return at == document.body ? "browser" : at.closest("dialog") ? "dialog" : at.id;
            }""")
        )
    assert {*reached} <= {"dialog", "browser"}
    assert reached.count("dialog") > stops
    visitor.page.keyboard.press("Escape")
    gone(visitor)
    visitor.page.keyboard.press("Tab")
    assert visitor.page.evaluate(FOCUSED) == "behind"


def test_the_answers_in_effect_are_preselected(arrive: Arrive) -> None:
    """R-03, R-15: nothing before an answer, afterwards what was said."""
    visitor = arrive()
    assert opened(visitor).locator(":checked").count() == 0
    visitor.page.check("dialog [value=analytics]")
    save(visitor)
    dialog = opened(visitor)
    assert [one.get_attribute("value") for one in dialog.locator(":checked").all()] == ["analytics"]
    assert "Analytics" in dialog.get_by_role("status").inner_text()


def test_it_speaks_the_language_of_the_page(arrive: Arrive) -> None:
    """EDPB 03/2022: the notice and its second layer are in one language."""
    german = {"/page": '<div lang="de"></div>'}
    visitor = arrive(policy=BOTH_LANGUAGES, bodies=german, options={"locale": "de-DE"})
    assert visitor.notice.get_attribute("lang") == "en", "the page's own, before the browser's"
    assert opened(visitor, MORE).get_attribute("lang") == "en"
    visitor.page.evaluate("document.querySelector('script[data-query]').dataset.query = 'lang=de'")
    visitor.page.keyboard.press("Escape")
    gone(visitor)
    assert opened(visitor, MORE).get_attribute("lang") == "de", "the control"


def test_labels_in_it_are_its_own(arrive: Arrive, policy: Policy) -> None:
    """The preferences may stand in the page as well, with switches of the same ids."""
    part = '<div data-consentkit="preferences"></div>'
    placed = policy.model_copy(update={"placeholders": ("*",)})
    visitor = arrive(OWN + part, policy=placed)
    for _ in range(2):
        dialog = opened(visitor)
        dialog.locator("label", has_text="Analytics").click()
        assert dialog.locator("[value=analytics]").is_checked()
        assert visitor.page.locator(".consentkit-part :checked").count() == 0
        visitor.page.keyboard.press("Escape")
        gone(visitor)
    visitor.page.click(".consentkit-part label:has-text('Analytics')")
    assert visitor.page.locator(".consentkit-part [value=analytics]").is_checked()


# What closes it


def by_escape(visitor: Visitor) -> None:
    visitor.page.keyboard.press("Escape")


def by_its_button(visitor: Visitor) -> None:
    visitor.page.get_by_role("button", name="Close").click()


def by_a_click_beside_it(visitor: Visitor) -> None:
    """Which does not even close it: a slip of the hand costs nobody what they chose."""
    visitor.page.mouse.click(5, 5)
    visitor.page.wait_for_timeout(100)
    assert visitor.page.locator("dialog:modal [value=analytics]").is_checked()
    visitor.page.keyboard.press("Escape")


@pytest.mark.parametrize("close", [by_escape, by_its_button, by_a_click_beside_it])
def test_closing_saves_nothing(arrive: Arrive, close: Callable[[Visitor], None]) -> None:
    """R-02: Escape, a click on the backdrop and *Close* are no answers; *Save* is one."""
    visitor = arrive()
    opened(visitor)
    visitor.page.check("dialog [value=analytics]")
    visitor.page.check("dialog [value=media]")
    close(visitor)
    gone(visitor)
    visitor.page.wait_for_timeout(150)
    assert visitor.jar == []
    assert posts(visitor.server) == 0
    assert allowed(visitor) == {"necessary"}
    assert visitor.is_asked
    assert opened(visitor).locator(":checked").count() == 0
    visitor.page.check("dialog [value=analytics]")
    save(visitor)
    assert visitor.cookie("__Host-consent"), "the control"
    assert allowed(visitor) == {"necessary", "analytics", "counter"}


@pytest.mark.parametrize("close", [by_escape, by_its_button])
@pytest.mark.parametrize("link", [MORE, "#own"])
@pytest.mark.parametrize("by_key", [True, False], ids=["key", "mouse"])
def test_the_focus_goes_back_to_the_link(
    arrive: Arrive,
    close: Callable[[Visitor], None],
    link: str,
    by_key: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    """WCAG 2.4.3: who closes it is where they were."""
    visitor = arrive()
    if by_key:
        visitor.page.focus(link)
        visitor.page.keyboard.press("Enter")
    else:
        visitor.page.click(link)
    shown(visitor)
    close(visitor)
    gone(visitor)
    assert visitor.page.locator(link).evaluate("link => link == document.activeElement")


def test_the_focus_goes_to_the_new_notice_when_the_link_went_with_the_old(arrive: Arrive) -> None:
    """The banner's link opened it, and the answer put the line in the banner's place."""
    visitor = arrive()
    opened(visitor, MORE)
    save(visitor)
    assert not visitor.is_asked
    assert visitor.page.evaluate(FOCUSED) == "consentkit-more"
    visitor.page.keyboard.press("Enter")
    shown(visitor)


def test_news_of_another_tab_leave_it_open(arrive: Arrive) -> None:
    """What a person is doing here is not ended there; its switches say what is so by now."""
    visitor = arrive()
    opened(visitor, MORE)
    other = another_tab(visitor)
    with other.expect_response(lambda response: "/consent/notice?" in response.url):
        other.click("#consentkit button[value=accept-all]")
    visitor.page.wait_for_function("document.querySelectorAll('dialog :checked').length == 2")
    status = visitor.page.locator("dialog [role=status]")
    status.get_by_text("all optional cookies are on").wait_for()
    assert visitor.notice.get_by_role("status", include_hidden=True).text_content() == ""
    visitor.page.keyboard.press("Escape")
    gone(visitor)
    assert visitor.page.evaluate(FOCUSED) == "consentkit-more", "the new line's link"
    other.close()


# What comes of an answer


HEARD = """() => {
    const status = document.querySelector("#consentkit [role=status]");
    window.heard = [];
    let behind = 0;
    const look = () => {
        const isShown = document.querySelector("dialog[open]") || !status.checkVisibility();
        if (isShown || status.textContent)
            behind = performance.now();
        requestAnimationFrame(look);
    };
    look();
    new MutationObserver(() => {
        heard.push([status.textContent, performance.now() - behind, status.isConnected]);
    }).observe(status, {childList: true, characterData: true, subtree: true});
}"""


def test_an_answer_takes_effect_in_the_page_and_is_announced(arrive: Arrive, party: Party) -> None:
    """WCAG 4.1.3: the status was there, empty and not behind a dialog, before its words were."""
    visitor = arrive(f'{OWN}<script src="{party.at(COUNTER, "a.js")}"></script>')
    visitor.page.evaluate(HEARD)
    opened(visitor)
    visitor.page.check("dialog [value=analytics]")
    assert party.asked == []
    save(visitor)
    assert ran(visitor, until="a") == ["a!"]
    assert is_the_same_page(visitor)
    visitor.page.wait_for_function("heard.length")
    [[words, ready_for, is_there]] = visitor.page.evaluate("heard")
    assert words.startswith("Saved: ")
    assert "Analytics" in words
    assert ready_for > 60, "milliseconds; less, and the words came with the element"
    assert is_there
    assert visitor.page.evaluate(FOCUSED) == "own"


@pytest.mark.parametrize("choice", ["accept-all", "reject-all"])
def test_its_other_buttons_answer_as_well(arrive: Arrive, choice: str) -> None:
    """R-13: both stand beside *Save*, and neither needs a switch."""
    visitor = arrive()
    opened(visitor)
    visitor.page.check("dialog [value=media]")
    with visitor.page.expect_response(lambda response: "/consent/notice?" in response.url):
        visitor.page.click(f"dialog button[value={choice}]")
    gone(visitor)
    assert ("analytics" in allowed(visitor)) is (choice == "accept-all")
    assert ("media" in allowed(visitor)) is (choice == "accept-all")
    assert not visitor.is_asked
    assert is_the_same_page(visitor)


def test_enter_in_a_switch_saves_and_never_accepts(arrive: Arrive) -> None:
    """R-02: *Save* is the form's first button."""
    visitor = arrive()
    opened(visitor)
    visitor.page.check("dialog [value=media]")
    with visitor.page.expect_response(lambda response: "/consent/notice?" in response.url):
        visitor.page.keyboard.press("Enter")
    gone(visitor)
    assert allowed(visitor) == {"necessary", "media", "films"}


def test_a_withdrawal_loads_the_page_anew(arrive: Arrive, party: Party) -> None:
    """R-18: what runs cannot be taken back."""
    visitor = arrive(f'{OWN}<script src="{party.at(COUNTER, "a.js")}"></script>')
    press(visitor, "accept-all")
    assert ran(visitor, until="a") == ["a!"]
    opened(visitor)
    visitor.page.uncheck("dialog [value=analytics]")
    visitor.page.click("dialog button[value=save]")
    visitor.page.wait_for_function("!window.isTheSamePage")
    ready(visitor)
    assert ran(visitor) == []
    assert allowed(visitor) == {"necessary", "media", "films"}
    assert visitor.page.locator("dialog").count() == 0


def test_a_service_is_granted_alone(arrive: Arrive, party: Party) -> None:
    """EDPB 05/2020, granularity: one film service, and its purpose stays off."""
    visitor = arrive(OWN + FILM.format(party.at(FILMS, "film.html")))
    dialog = opened(visitor)
    dialog.locator("details", has_text="Films Inc").locator("summary").click()
    dialog.locator("[name=service][value=films]").check()
    save(visitor)
    visitor.page.frame_locator("#film").locator("p", has_text="film").wait_for()
    assert allowed(visitor) == {"necessary", "films"}
    assert party.asked == [f"{FILMS}/film.html"]
    dialog = opened(visitor)
    assert [one.get_attribute("value") for one in dialog.locator(":checked").all()] == ["films"]
    assert dialog.locator("details[open]").count() == 1, "what is on is not folded away"
    dialog.locator("[name=service][value=films]").uncheck()
    visitor.page.click("dialog button[value=save]")
    visitor.page.wait_for_function("!window.isTheSamePage")
    ready(visitor)
    assert allowed(visitor) == {"necessary"}


def test_the_switches_in_the_page_follow(arrive: Arrive, policy: Policy) -> None:
    """R-15: one that is stale would take back, or grant, what nobody meant to."""
    placed = policy.model_copy(update={"placeholders": ("*",)})
    visitor = arrive(OWN + '<div data-consentkit="preferences"></div>', policy=placed)
    on = visitor.page.locator(".consentkit-part :checked")
    opened(visitor)
    visitor.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    visitor.page.check("dialog [value=films]")
    save(visitor)
    assert [one.get_attribute("value") for one in on.all()] == ["films"]
    opened(visitor)
    visitor.page.check("dialog [value=media]")
    visitor.page.check("dialog [value=analytics]")
    save(visitor)
    assert [one.get_attribute("value") for one in on.all()] == ["analytics", "media"]


# How it comes


SHIFTS = """() => {
    window.shifts = 0;
    new PerformanceObserver(list => {
        for (const shift of list.getEntries()) shifts += shift.value;
    }).observe({type: "layout-shift", buffered: true});
}"""
SEEN = """() => {
    window.seen = [];
    const look = () => {
        const dialog = document.querySelector("dialog");
        if (dialog?.checkVisibility()) {
            const {position, paddingLeft} = getComputedStyle(dialog);
            seen.push(`${position} ${parseFloat(paddingLeft) > 9} ${dialog.matches(":modal")}`);
        }
        requestAnimationFrame(look);
    };
    look();
}"""


def test_it_comes_in_its_clothes_and_moves_nothing(arrive: Arrive) -> None:
    """CLS 0: its style sheet is waited for, however slow, and closing it moves nothing either."""
    visitor = arrive(OWN + WORDS)
    visitor.page.evaluate(SHIFTS)
    visitor.page.evaluate(SEEN)

    def dawdle(route: Any) -> None:
        visitor.page.wait_for_timeout(300)
        route.continue_()

    visitor.page.route("**/assets/pages.*", dawdle)
    opened(visitor)
    visitor.page.unroute_all()
    visitor.page.wait_for_timeout(100)
    by_escape(visitor)
    gone(visitor)
    visitor.page.wait_for_timeout(100)
    assert {*visitor.page.evaluate("seen")} == {"fixed true true"}
    assert visitor.page.evaluate("shifts") == 0
    visitor.page.evaluate("document.querySelector('#own').before(document.createElement('hr'))")
    visitor.page.wait_for_timeout(700)  # what follows a key within half a second is not counted
    visitor.page.evaluate("document.querySelector('#own').before(document.createElement('hr'))")
    visitor.page.wait_for_function("shifts > 0")  # the control


def test_a_style_sheet_that_does_not_come_keeps_nobody_waiting(arrive: Arrive) -> None:
    """Works bare: without styles it is a dialog still."""
    visitor = arrive()
    visitor.page.route("**/assets/pages.*", break_off)
    opened(visitor)
    visitor.page.unroute_all()


def test_it_works_under_a_nonce_trusted_types_and_a_strict_style_src(
    arrive: Arrive, party: Party
) -> None:
    """R-92: no text is made into markup, no style is inline, and the console has nothing to say."""
    tag = f'<script nonce="{NONCE}" src="{party.at(COUNTER, "a.js")}"></script>'
    headers = {"content-security-policy": f"{STRICT}; style-src 'self'; form-action 'self'"}
    visitor = arrive(OWN + tag, headers=headers)
    dialog = opened(visitor)
    assert dialog.evaluate("dialog => getComputedStyle(dialog).position") == "fixed"
    visitor.page.check("dialog [value=analytics]")
    save(visitor)
    assert ran(visitor, until="a") == ["a!"]
    assert visitor.complaints == []
    visitor.page.evaluate("document.body.setAttribute('style', 'color: red')")
    visitor.wait_until(lambda: visitor.complaints)  # the control: the site's policy is in force


# Other times


@pytest.fixture
def keeping(browser: "Browser", whole_chromium_path: str) -> Any:
    """A browser that keeps pages for the way back, as browsers of people do."""
    launched = browser.browser_type.launch(
        executable_path=whole_chromium_path,
        args=list(CHROMIUM_FLAGS),
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield launched
    launched.close()


@pytest.mark.parametrize("is_answered", [True, False], ids=["answered", "not answered"])
def test_the_way_back_finds_it_as_it_was_left(
    keeping: "Browser",
    serve: Serve,
    policy: Policy,
    is_answered: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    """R-91: what was not saved is still there to save, unless there was an answer meanwhile."""
    visitor = Visitor(keeping)
    visitor.come_to(serve(ConsentMiddleware(Site(body=OWN), policy=policy, secret_key=KEY)))
    visitor.type_address("/page?a=b")
    ready(visitor)
    visitor.page.evaluate("addEventListener('pageshow', e => { window.cameBack = e.persisted })")
    dialog = opened(visitor)
    dialog.locator("[value=media]").check()
    visitor.click("dialog a[href='/consent/cookies']")
    if is_answered:
        # Not by a notice: it would tell the page that was put away, and the browser would drop it.
        visitor.type_address("/other")
        visitor.page.evaluate("""fetch("/consent", {
            method: "POST", redirect: "manual",
            body: new URLSearchParams({choice: "save", purpose: "analytics"}),
        })""")
    with visitor.page.expect_response(lambda response: "/consent/notice?" in response.url):
        visitor.page.evaluate("steps => history.go(steps)", -2 if is_answered else -1)
    visitor.page.wait_for_function("window.cameBack !== undefined")
    assert visitor.page.evaluate("window.cameBack"), "the control: it was kept"
    expected = "analytics" if is_answered else "media"
    visitor.page.wait_for_selector(f"dialog:modal [value={expected}]:checked")
    assert dialog.locator(":checked").count() == 1
    save(visitor)
    assert allowed(visitor) == {"necessary", expected, *(("films", "counter")[is_answered],)}

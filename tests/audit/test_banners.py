"""The notice is found, read and pressed: ours, other tools', and those that nobody knows."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from html import escape
from pathlib import Path
from typing import Any

import pytest

from consentkit.audit import banners
from consentkit.audit.autoconsent import Autoconsent, _Run
from consentkit.audit.banners import (
    Outcome,
    Role,
    answer,
    broken_rules,
    find_banner,
    role_of,
    withdraw,
)
from consentkit.audit.browser import BrowserWitness
from consentkit.audit.chromium import BrowserOptions, find_chromium
from consentkit.audit.seen import Act, State
from consentkit.errors import ScanError
from consentkit.notice.text import LANGUAGES, messages_for
from tests.audit.towns import OTHERS, SITE, MarkupSite, ToolSite
from tests.browser.packages import Packed, packages_folder, read_packed
from tests.browser.servers import Server
from tests.conftest import IN_CI, NO_CHROMIUM

needs_chromium = pytest.mark.skipif(find_chromium() is None and not IN_CI, reason=NO_CHROMIUM)

AUTOCONSENT = ("@duckduckgo/autoconsent", "16.23.0")
CLICKS = {
    "vanilla-cookieconsent": (1, 1, 2),
    "klaro": (1, 1, 3),
    "tarteaucitron": (1, 1, 3),
    "orejime": (1, 1, 3),
}
"""Of other tools, as `tests/audit/towns.py` sets them up: to refuse, to grant, to withdraw."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Playwright is written for asyncio."""
    return "asyncio"


def options(**others: Any) -> BrowserOptions:
    given: dict[str, Any] = {"quiet": 0.25, "host_rules": "MAP * 127.0.0.1", "patience": 3.0}
    return BrowserOptions(**{**given, **others})


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits no longer than a test may for what never comes."""
    monkeypatch.setattr(banners, "PATIENCE", 0.4)


@pytest.fixture(scope="module")
async def witness(anyio_backend: str) -> AsyncIterator[BrowserWitness]:
    """One browser for the module."""
    made = BrowserWitness(options(asks_axe=False))
    yield made
    await made.close()


async def pressed(witness: BrowserWitness, markup: str, do: Any, **pages: str) -> Any:
    """What `do` returns for the page of a site."""
    with Server(MarkupSite(home=markup, **pages)) as server:

        async def at_home(look: Any) -> Any:
            await look.open(server.origin(SITE) + "/")
            return await do(look.page)

        return await witness._within(State.UNTOUCHED, at_home)


# --- Words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "role"),
    [
        ("Reject all", Role.REFUSE),
        ("I do not accept", Role.REFUSE),
        ("Accept only essential cookies", Role.REFUSE),
        ("Necessary cookies only", Role.REFUSE),
        ("Continue without accepting →", Role.REFUSE),
        ("No, thanks", Role.REFUSE),
        ("Alle ablehnen", Role.REFUSE),
        ("Nur notwendige Cookies akzeptieren", Role.REFUSE),
        ("Tout refuser", Role.REFUSE),
        ("Continuer sans accepter", Role.REFUSE),
        ("Rechazar todas", Role.REFUSE),
        ("Rifiuta tutti", Role.REFUSE),
        ("Alles weigeren", Role.REFUSE),
        ("Odrzuć wszystkie", Role.REFUSE),
        ("ACCEPT ALL COOKIES", Role.GRANT),
        ("✓ OK, accept all", Role.GRANT),
        ("Got it!", Role.GRANT),
        ("That's ok", Role.GRANT),
        ("Alle akzeptieren", Role.GRANT),
        ("J\u2019accepte", Role.GRANT),
        ("Aceptar", Role.GRANT),
        ("Accetta tutti", Role.GRANT),
        ("Akkoord", Role.GRANT),
        ("Zgadzam się", Role.GRANT),
        ("Accept selected", Role.SAVE),
        ("Auswahl speichern", Role.SAVE),
        ("Manage preferences", Role.SETTINGS),
        ("Let me choose", Role.SETTINGS),
        ("Einstellungen", Role.SETTINGS),
        ("Personnaliser", Role.SETTINGS),
        ("Privacy policy", None),
        ("About us", None),
        ("Close", None),
        ("", None),
        ("We accept cookies, cards and everything else that a customer may bring us", None),
    ],
)
def test_a_label_says_what_its_button_is_for(label: str, role: Role | None) -> None:
    """To take a grant for a refusal would make a harmful site look good."""
    assert role_of(label) is role


@pytest.mark.parametrize("language", LANGUAGES)
def test_our_own_words_are_known_in_each_language(language: str) -> None:
    """Other tools say the same where regulators ask for certain words."""
    words = messages_for(language)
    assert role_of(words.reject_all) is Role.REFUSE
    assert role_of(words.accept_all) is Role.GRANT


# --- Notices that nobody knows --------------------------------------------------------------------

HIDE = "this.closest('[role]').remove()"
BAR = (
    '<div role="dialog" style="position: fixed; bottom: 0"><p>We use cookies.</p>'
    f'<a href="/privacy">Privacy settings</a> <button onclick="{HIDE}">Accept</button>'
    f'<button onclick="{HIDE}" style="font-size: 11px; color: rgb(9, 9, 9)">Reject</button></div>'
)
ACCEPT_ONLY = BAR.replace("Reject", "Read more")
TWO_LAYERS = (
    '<div id="one" style="position: fixed">This site uses cookies.'
    """<button onclick="one.remove(); two.hidden = false">Options</button>"""
    """<button onclick="one.remove()">OK</button></div>"""
    '<div id="two" role="dialog" hidden>Cookies<input type="checkbox" checked>'
    """<input type="checkbox" checked disabled><button onclick="two.remove()">Save</button></div>"""
)
STUBBORN = BAR.replace(HIDE, "")
DEAF = BAR.replace(HIDE, f"if (this.heard) {HIDE}; this.heard = true")
"""Its script hears no first press, as on a slow machine, where it is not yet there."""
SHADOW = (
    '<div id="host"></div><script>host.attachShadow({ mode: "open" }).innerHTML = `'
    + BAR
    + "`</script>"
)
FRAMED = f'<iframe srcdoc="{escape(BAR)}"></iframe>'
HIDDEN = f"<div hidden>{BAR}</div>"
HIDDEN_FRAME = f'<iframe style="visibility: hidden" srcdoc="{escape(BAR)}"></iframe>'
NEWSLETTER = BAR.replace("We use cookies.", "News every week!").replace("Privacy settings", "More")
LIST = (
    "<h2>Cookies</h2><p>We use cookies for tea.</p><button>Accept</button><button>Reject</button>"
)


@needs_chromium
@pytest.mark.anyio
@pytest.mark.parametrize("markup", [BAR, SHADOW, FRAMED])
async def test_what_stands_out_speaks_of_cookies_and_asks_is_a_notice(
    witness: BrowserWitness, markup: str
) -> None:
    """In the page, in an open shadow root, in a frame; with the looks of both buttons."""
    found = await pressed(witness, markup, find_banner)
    assert found is not None
    accept, refuse = found.banner.accept, found.banner.refuse
    assert (found.banner.tool, accept.label, refuse.label) == ("unknown", "Accept", "Reject")
    assert (refuse.font_size, refuse.color) == (11.0, "rgb(9, 9, 9)")
    assert accept.font_size > refuse.font_size
    assert accept.width > refuse.width > 0


@needs_chromium
@pytest.mark.anyio
@pytest.mark.parametrize("markup", ["", HIDDEN, HIDDEN_FRAME, NEWSLETTER, LIST])
async def test_what_does_not_ask_is_no_notice(witness: BrowserWitness, markup: str) -> None:
    """What nobody sees, what speaks of something else, and what stands in the text."""
    assert await pressed(witness, markup, find_banner) is None


@needs_chromium
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("markup", "role", "outcome"),
    [
        (BAR, Role.REFUSE, Outcome(1, "'Reject'")),
        (BAR, Role.GRANT, Outcome(1, "'Accept'")),
        (
            TWO_LAYERS,
            Role.REFUSE,
            Outcome(3, "'Options', then a switch turned off, then 'Save'"),
        ),
        (TWO_LAYERS, Role.GRANT, Outcome(1, "'OK'")),
        (DEAF, Role.REFUSE, Outcome(1, "'Reject'")),
        (STUBBORN, Role.REFUSE, Outcome(None, "'Reject' was pressed, and the notice stayed")),
        (
            ACCEPT_ONLY.replace("Privacy settings", "More"),
            Role.REFUSE,
            Outcome(None, "the notice has no button to refuse, and none that leads further"),
        ),
        (
            ACCEPT_ONLY,
            Role.REFUSE,
            Outcome(None, "'Privacy settings' led to nothing that can refuse"),
        ),
        ("", Role.GRANT, Outcome(None, "no notice that asks was found on the first page")),
    ],
)
async def test_an_answer_is_given_as_a_person_gives_it(
    witness: BrowserWitness, hasty: None, markup: str, role: Role, outcome: Outcome
) -> None:
    """R-12: refusing takes no more than accepting, so each press is counted."""
    assert await pressed(witness, markup, lambda page: answer(page, role)) == outcome


@needs_chromium
@pytest.mark.anyio
async def test_an_answer_is_withdrawn_where_the_page_lets_one(witness: BrowserWitness) -> None:
    """R-13: a link that says what it opens; a link to something else is none."""
    reopens = (
        "<a href='/about'>About</a>"
        """<button onclick="again.hidden = false">Cookie settings</button>"""
        f'<div id="again" hidden>{BAR}</div>'
    )
    outcome = await pressed(witness, reopens, withdraw)
    assert outcome == Outcome(2, "'Cookie settings', then 'Reject'")
    nothing = await pressed(witness, "<a href='/about'>About</a>", withdraw)
    assert nothing == Outcome(None, "nothing on the page opens the notice again")


@needs_chromium
@pytest.mark.anyio
async def test_a_link_may_lead_to_a_page_that_refuses(witness: BrowserWitness) -> None:
    """Without a script the settings are a page of their own."""
    page = '<form class="cookie-form">Cookies <button>Reject all</button></form>'
    outcome = await pressed(
        witness, '<a href="/settings">Cookie settings</a>', withdraw, settings=page
    )
    assert outcome == Outcome(2, "'Cookie settings', then 'Reject all'")


@needs_chromium
@pytest.mark.anyio
async def test_what_lies_under_something_else_is_pressed_by_the_keyboard(
    witness: BrowserWitness,
) -> None:
    """A veil over the notice stops a mouse, and no keyboard."""
    veil = '<div style="position: fixed; inset: 0; z-index: 99"></div>'
    outcome = await pressed(witness, BAR + veil, lambda page: answer(page, Role.REFUSE))
    assert outcome == Outcome(1, "'Reject'")


@needs_chromium
@pytest.mark.anyio
async def test_a_notice_that_comes_late_is_waited_for(witness: BrowserWitness) -> None:
    """Many tools wait a second or two; a person who reads is still there."""
    late = f"<div id=late hidden>{BAR}</div>"

    async def before_and_after(page: Any) -> Any:
        before = await find_banner(page)
        await page.evaluate("void setTimeout(() => late.hidden = false, 500)")
        return before, await answer(page, Role.REFUSE)

    assert await pressed(witness, late, before_and_after) == (None, Outcome(1, "'Reject'"))


@pytest.mark.anyio
async def test_a_slow_machine_looks_as_often_as_a_fast_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one look takes longer than the patience, one look would find half a notice, or none."""
    looks: list[int] = []

    async def find(_page: object, _roles: object) -> str | None:
        looks.append(1)
        return "found" if len(looks) == 8 else None

    monkeypatch.setattr(banners, "PATIENCE", -1.0)
    monkeypatch.setattr(banners, "_find", find)
    page: Any = None
    found: Any = await banners.wait_for_banner(page)
    assert found == "found"
    assert await banners.wait_for_banner(page) is None
    assert len(looks) == 8 + banners._LOOKS


@needs_chromium
@pytest.mark.anyio
async def test_a_page_that_replaces_what_the_script_is_made_of_ends_nothing(
    witness: BrowserWitness,
) -> None:
    """It hides its notice, as it might by showing none; the scan goes on."""
    replaced = (
        "<button>Cookie settings</button><script>Math.round = () => 'x';"
        "String.prototype.replace = () => ({ slice: () => 'x' })</script>"
    )

    async def both(page: Any) -> Any:
        return await find_banner(page), await withdraw(page)

    nothing = Outcome(None, "nothing on the page opens the notice again")
    assert await pressed(witness, BAR + replaced, both) == (None, nothing)


@needs_chromium
@pytest.mark.anyio
async def test_a_size_that_no_screen_has_is_none(witness: BrowserWitness) -> None:
    """A report with NaN in it is no JSON, and one with 1e300 is a file that no reader takes."""
    lies = (
        "<script>{const told = Element.prototype.getBoundingClientRect;"
        "Element.prototype.getBoundingClientRect = function () {"
        "const is = told.call(this); return this.localName !== 'button' ? is"
        " : {...is.toJSON(), width: 1e300, height: Infinity}}}</script>"
    )

    async def sizes(page: Any) -> set[tuple[float, float]]:
        found = await find_banner(page)
        assert found is not None
        accept, refuse = found.banner.accept, found.banner.refuse
        assert accept is not None
        assert refuse is not None
        return {(look.width, look.height) for look in (accept, refuse)}

    plain = await pressed(witness, BAR, sizes)
    assert all(width > 9 and height > 9 for width, height in plain)  # the control
    assert await pressed(witness, BAR + lies, sizes) == {(0, 0)}


@needs_chromium
@pytest.mark.anyio
async def test_a_page_that_is_gone_has_no_notice(witness: BrowserWitness) -> None:
    """Frames come and go while they are looked at."""

    async def gone(page: Any) -> Any:
        before = await find_banner(page)
        await page.close()
        return before is not None, await find_banner(page)

    assert await pressed(witness, BAR, gone) == (True, None)


@needs_chromium
@pytest.mark.anyio
async def test_axe_is_asked_where_it_is_installed(
    witness: BrowserWitness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dialog without a name is a fault (R-58); without axe-core nobody can say so."""

    async def broken(page: Any) -> Any:
        found = await find_banner(page)
        assert found is not None
        return await broken_rules(found)

    pytest.importorskip("axe_playwright_python")
    assert "aria-dialog-name" in await pressed(witness, BAR, broken)
    monkeypatch.setitem(sys.modules, "axe_playwright_python.base", None)
    assert await pressed(witness, BAR, broken) is None


# --- Other tools ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packages_folder(tmp_path_factory)


@needs_chromium
@pytest.mark.anyio
@pytest.mark.parametrize("tool", OTHERS)
async def test_another_tools_notice_is_found_and_answered(
    witness: BrowserWitness, folder: Path, tool: str
) -> None:
    """So any site can be looked at before consentkit is there; what counts, counts when granted."""
    states = (State.REFUSED, State.GRANTED, State.WITHDRAWN)
    with Server(ToolSite(folder, tool)) as server:
        page = f"{server.origin(SITE)}/"
        acts = await witness.prepare(server.origin(SITE), page, states)
        visits = {
            state: (await witness.visit(page, state))[0]
            for state in (State.UNTOUCHED, State.REFUSED, State.GRANTED)
        }
    assert tuple(act.clicks for act in acts) == CLICKS[tool]
    banner = visits[State.UNTOUCHED].banner
    assert banner is not None
    assert banner.tool == tool
    assert visits[State.REFUSED].banner is None
    counted = [
        state for state, visit in visits.items() if "counted" in {one.name for one in visit.cookies}
    ]
    assert counted == [State.GRANTED]


@pytest.fixture(scope="module")
def autoconsent(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two files of the package that are read, as npm unpacks them."""
    package = tmp_path_factory.mktemp("autoconsent")
    for file in ("dist/autoconsent.playwright.js", "rules/rules.json"):
        (package / file).parent.mkdir()
        (package / file).write_text(read_packed(folder, Packed(*AUTOCONSENT, file)))
    return package


@needs_chromium
@pytest.mark.anyio
async def test_autoconsents_rules_answer_what_words_do_not(
    folder: Path, autoconsent: Path, hasty: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its makers know hundreds of tools by their markup; here in a language that we cannot read."""
    markup = OTHERS["vanilla-cookieconsent"].markup
    for word in ("Accept all", "Reject all", "Manage preferences"):
        markup = markup.replace(word, "Xyz")
    monkeypatch.setitem(OTHERS, "unread", OTHERS["vanilla-cookieconsent"]._replace(markup=markup))
    with Server(ToolSite(folder, "unread")) as server:
        page = f"{server.origin(SITE)}/"
        witness = BrowserWitness(options(autoconsent=autoconsent, asks_axe=False))
        try:
            acts = await witness.prepare(server.origin(SITE), page, [State.REFUSED, State.GRANTED])
            visit, _ = await witness.visit(page, State.GRANTED)
        finally:
            await witness.close()
    assert acts == (
        Act(State.REFUSED, 1, "autoconsent's rule 'cookieconsent3'"),
        Act(State.GRANTED, 1, "autoconsent's rule 'cookieconsent3'"),
    )
    assert "counted" in {one.name for one in visit.cookies}


@needs_chromium
@pytest.mark.anyio
async def test_where_no_rule_fits_it_says_so(
    witness: BrowserWitness, autoconsent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: a page without a notice has none for its rules either."""
    monkeypatch.setattr("consentkit.audit.autoconsent.PATIENCE", 1.0)
    others = Autoconsent(autoconsent)
    outcome = await pressed(witness, "", lambda page: others.answer(page, Role.REFUSE))
    assert outcome == (Outcome(None, "none of autoconsent's rules fits"), None)


class Frame:
    """A frame that notes what it is told to run, and may be gone."""

    def __init__(self) -> None:
        self.ran: list[tuple[Any, ...]] = []

    async def evaluate(self, *script: Any) -> Any:
        self.ran.append(script)
        return "a result"


@pytest.mark.anyio
async def test_a_rule_may_ask_the_page_and_may_fail() -> None:
    """Some rules call a tool's own interface; what that says goes back to the rule."""
    run, frame = _Run("{}", "optOut"), Frame()
    await run.hear({"frame": frame}, {"type": "eval", "id": "7", "code": "tool.status()"})
    told = {"type": "evalResp", "id": "7", "result": "a result"}
    assert frame.ran == [("tool.status()",), ("told => autoconsentReceiveMessage(told)", told)]
    await run.hear({"frame": frame}, {"type": "cmpDetected", "cmp": "Tool"})
    await run.hear({"frame": frame}, {"type": "popupFound", "cmp": "Tool"})
    assert (run.tool, run.ended.is_set()) == ("Tool", False)
    await run.hear({"frame": frame}, {"type": "optOutResult", "result": False})
    assert (run.has_worked, run.ended.is_set()) == (False, True)
    assert run.outcome(Role.REFUSE) == Outcome(None, "autoconsent's rule 'Tool' did not refuse")


def test_a_folder_without_its_files_says_what_to_do(tmp_path: Path) -> None:
    """Where — what — what to do."""
    with pytest.raises(ScanError, match="Unpack npm's package @duckduckgo/autoconsent"):
        Autoconsent(tmp_path)

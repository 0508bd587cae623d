"""Find the notice that asks, ours or another tool's, and press it as a person does.

It has never heard of a cookie: a page of a browser goes in, and clicks come out.

Ours is known by its markup (docs/reference/browser.md). Any other is what stands out of a page,
speaks of cookies, and has a button that says yes or no. What a button says is read by rules of
words in nine languages, and word for word in all those that our own notice has.
"""

from __future__ import annotations

import asyncio
import re
import time
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from consentkit.audit.seen import Banner, Look
from consentkit.notice.text import LANGUAGES, messages_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from playwright.async_api import ElementHandle, Frame, JSHandle, Page

__all__ = [
    "Found",
    "Outcome",
    "Role",
    "answer",
    "asset",
    "find_banner",
    "role_of",
    "wait_for_banner",
    "withdraw",
]

OURS: Final = "consentkit"
UNKNOWN: Final = "unknown"
PATIENCE: Final = 3.0
"""Seconds that a layer has to open, or to close, after a click."""
_LOOKS: Final = 10
"""How often it is looked at least: on a machine with much to do one look may take that long."""
_PAUSE: Final = 0.05
_SWITCH: Final = "a switch turned off"
_LONGEST_LABEL: Final = 60
_LONGEST_STYLE: Final = 200
_MOST_PIXELS: Final = 1_000_000
_MALFORMED: Final = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What comes of reading values that are not as our script makes them."""


class Role(StrEnum):
    """What a button of a notice is for."""

    REFUSE = "refuse"
    SAVE = "save"
    SETTINGS = "settings"
    GRANT = "grant"
    WITHDRAW = "withdraw"


_SAVES: Final = frozenset({Role.SAVE})

TOOLS: Final[dict[str, str]] = {
    "vanilla-cookieconsent": "#cc-main",
    "klaro": ".klaro",
    "tarteaucitron": "#tarteaucitronRoot",
    "orejime": ".orejime-Env,.orejime-Banner,.orejime-Notice,.orejime-Modal",
    "OneTrust": "#onetrust-banner-sdk,#onetrust-pc-sdk",
    "Cookiebot": "#CybotCookiebotDialog",
    "Usercentrics": "#usercentrics-root,#usercentrics-cmp-ui",
    "Didomi": "#didomi-host,#didomi-popup",
    "Quantcast": ".qc-cmp2-container,#qc-cmp2-container",
    "Google Funding Choices": ".fc-consent-root",
    "Sourcepoint": "[id^=sp_message_container]",
    "TrustArc": "#truste-consent-track,#trustarc-banner-overlay",
    "CookieYes": ".cky-consent-container",
    "Complianz": "#cmplz-cookiebanner-container",
    "Borlabs Cookie": "#BorlabsCookieBox,.brlbs-cmpnt-container",
    "Cookie Notice": "#cookie-notice",
    "iubenda": "#iubenda-cs-banner",
    "Osano": ".osano-cm-window",
    "Osano Cookie Consent": ".cc-window",
    "Axeptio": "#axeptio_overlay",
    "Civic Cookie Control": "#ccc",
    "CookieScript": "#cookiescript_injected",
    "Termly": "#termly-code-snippet-support",
    "HubSpot": "#hs-eu-cookie-confirmation",
    "Silktide": "#silktide-wrapper,#stcm-wrapper",
    "CCM19": ".ccm-root",
    "GOV.UK": ".govuk-cookie-banner",
}
"""Other tools by what their markup is known by; a name is for reports, and decides nothing."""

_REOPENERS: Final = (
    ".consentkit-link",
    "#consentkit a.consentkit-more",
    "[data-cc=show-preferencesModal]",
    "#tarteaucitronManager,#tarteaucitronIcon button,#tarteaucitronIconBis",
    "#ot-sdk-btn,.ot-sdk-show-settings,.ot-floating-button__open",
    "#CookiebotWidget button",
    ".cky-btn-revisit,[data-cky-tag=revisit-consent]",
    "#cmplz-manage-consent .cmplz-show-banner,.cmplz-manage-consent",
    ".iubenda-tp-btn,.iubenda-cs-preferences-link",
    ".osano-cm-widget",
    "#ccc-icon",
    "#teconsent a",
)

_ABOUT: Final = (
    "cookie|consent|gdpr|rgpd|dsgvo|privacy|tracking|einwilligung|datenschutz|traceur|témoin"
    "|confidentialité|galletas|consentimiento|privacidad|consenso|toestemming|ciasteczk|zgod"
    "|prywatno|kakor|samtycke|samtykke|informasjonskaps|eväste|consentimento|süti|souhlas"
)

# Words that say "only what is needed", in the languages of the rules below.
_NEEDED: Final = (
    r"(?:necessary|essential|required|functional|notwendig|erforderlich|essenziell|essentiell"
    r"|technisch|nécessaire|essentiel|indispensable|necesari|esencial|técnic|necessari|essenzial"
    r"|tecnic|noodzakelijk|functione|niezbędn|konieczn|nödvändig|nødvendig|välttämättöm)"
)
_ONLY: Final = (
    r"(?:only|just|strictly|nur|seulement|uniquement|s[oó]lo|[uú]nicamente|solo|alleen|enkel"
    r"|tylko|bara|endast|kun|vain|apenas)"
)
_REFUSING: Final = (
    r"\b(?:reject|refuse|decline|deny|disagree|disallow)"
    r"|\bopt[- ]?out\b|\b(?:do not|don.?t) (?:accept|agree|allow|consent|track|sell)"
    r"|\bwithout (?:accepting|agreeing|consent)|^no,? ?thank|^no$|\bdisable all\b"
    rf"|\b{_ONLY}\b.*{_NEEDED}|{_NEEDED}.*\b{_ONLY}\b"
    rf"|\b(?:accept|allow|use|continue with)\b.*{_NEEDED}"
    r"|ablehn|verweiger|nicht (?:zustimmen|akzeptieren|einverstanden|erlauben)|lehne .*\bab\b"
    r"|ohne (?:zustimmung|einwilligung|zu akzeptieren)"
    r"|refuser|\brefuse\b|rejeter|sans accepter|interdire|n.accepte pas|m.oppose"
    r"|rechaz|deneg|no acept|sin aceptar|rifiut|\bnega\b|senza accettare|non accett"
    r"|weiger|afwijz|wijs .*\baf\b|niet (?:accepteren|akkoord)|zonder (?:te )?accepteren"
    r"|odrzu|odm[oó]w|nie (?:zgadzam|akceptuj|wyrażam)|avvisa|neka\b|afvis|avslå|avvis|hylkää"
    r"|rejeitar|recusar|zamítn|odmítn|elutas"
)
_SAVING: Final = (
    r"\b(?:save|confirm|apply)\b|accept selected|allow selection|selected cookies"
    r"|speicher|bestätig|auswahl (?:erlauben|akzeptieren|übernehmen)|ausgewählte"
    r"|enregistrer|valider|confirmer|guardar|confirmar|salva|conferma|accetta selezionat"
    r"|opslaan|bevestig|zapisz|potwierd|zatwierd|\bspara\b|\bgem\b|\blagre\b|tallenna"
)
_SETTING: Final = (
    r"\b(?:settings|preferences|manage|customi[sz]e|personali[sz]e|choose|options|configure"
    r"|choices|purposes)\b|let me (?:choose|decide)|\bmore (?:options|choices)"
    r"|einstellung|anpassen|verwalten|auswählen|individuell|konfigur"
    r"|paramétr|paramètres|personnaliser|gérer|préférences|choisir"
    r"|configur|preferencias|personalizar|gestionar|ajustes|impostazioni|preferenze"
    r"|personalizza|gestisci|instelling|voorkeur|aanpassen|beheren|ustawie|dostosuj|zarządza"
    r"|preferencj|inställning|indstilling|innstilling|asetukset|definições|nastaven"
)
_GRANTING: Final = (
    r"^(?:i |yes,? (?:i )?)?(?:accept|agree|allow|consent|enable all)\b"
    r"|\b(?:accept|allow|agree to) (?:all|cookies|the cookies|everything|and)\b"
    r"|^(?:ok|okay|got it|yes|understood|i understand|that.?s ok|sounds good|fine)\b"
    r"|akzeptier|zustimm|einverstanden|alle .*(?:erlauben|zulassen)|^erlauben|annehmen"
    r"|^verstanden|accepter|j.accepte|autoriser|^d.accord|^compris"
    r"|acept|permitir|^de acuerdo|^entendido|accett|acconsent|^ho capito|^consento|^va bene"
    r"|accepteer|akkoord|toestaan|^begrepen|akceptuj|zgadzam|zezw[oó]l|^rozumiem"
    r"|godkänn|acceptera|tillåt|tillad|godta|aksepter|hyväksy|aceitar|souhlasím|elfogad"
)
# In this order: "accept only what is necessary" refuses, "accept selected" saves.
_RULES: Final = {
    Role.REFUSE: _REFUSING,
    Role.SAVE: _SAVING,
    Role.SETTINGS: _SETTING,
    Role.GRANT: _GRANTING,
}
_COMPILED: Final = {role: re.compile(rule, re.IGNORECASE) for role, rule in _RULES.items()}
_OPENS: Final = re.compile(
    rf"(?:{_ABOUT}).*(?:{_SETTING})|(?:{_SETTING}).*(?:{_ABOUT})"
    r"|withdraw .*consent|(?:revoke|change|update|review) .*(?:consent|cookie)"
    r"|einwilligung .*widerruf|^cookies?$",
    re.IGNORECASE,
)
_OUR_CHOICES: Final = {
    "accept-all": Role.GRANT,
    "reject-all": Role.REFUSE,
    "save": Role.SAVE,
    "withdraw": Role.WITHDRAW,
}


def role_of(label: str) -> Role | None:
    """What a button is for, by what it says; None where that is not known.

    >>> role_of("Only necessary cookies"), role_of("Alle akzeptieren"), role_of("About us")
    (<Role.REFUSE: 'refuse'>, <Role.GRANT: 'grant'>, None)
    """
    plain = _plain(label)
    if not plain or len(plain) > _LONGEST_LABEL:
        return None
    by_rule = next((role for role, rule in _COMPILED.items() if rule.search(plain)), None)
    return by_rule or _own_labels().get(plain)


def _plain(label: str) -> str:
    """A label without case, signs and spaces around it."""
    folded = unicodedata.normalize("NFKC", label).casefold().replace("\u2019", "'")
    return re.sub(r"^[\W_]+|[\W_]+$", "", re.sub(r"\s+", " ", folded))


@cache
def _own_labels() -> dict[str, Role]:
    """What our own notice says in each of its languages: what others say there, too."""
    labels: dict[str, Role] = {}
    for language in LANGUAGES:
        words = messages_for(language)
        said = {
            Role.REFUSE: (words.reject_all, words.reject, words.opt_out),
            Role.GRANT: (words.accept_all, words.accept, words.allow),
            Role.SETTINGS: (words.settings, words.choose_each),
            Role.SAVE: (words.save,),
        }
        for role, each in said.items():
            labels |= {_plain(label): role for label in each}
    return labels


@cache
def asset(name: str) -> str:
    """The text of a script in ``audit/assets``."""
    return files("consentkit.audit").joinpath("assets", name).read_text("utf-8")


class Outcome(NamedTuple):
    """What came of an attempt: `clicks` is None where it failed, and `how` says why."""

    clicks: int | None
    how: str


# --- Find -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Button:
    label: str
    role: Role | None
    is_link: bool
    look: Look


@dataclass(frozen=True, slots=True)
class Found:
    """A place that asks: its banner, and in the browser what of it can be pressed.

    Our own preferences are `is_settings`: they stand open also to whom nobody asks.
    """

    banner: Banner
    frame: Frame
    roles: dict[Role, int]
    labels: tuple[str, ...]
    switches: int
    is_settings: bool
    _all: JSHandle
    _index: int

    async def place(self) -> ElementHandle:
        """The element that holds it."""
        return await self._element("({ elements }, [at]) => elements[at].place", self._index)

    async def button(self, role: Role) -> ElementHandle:
        """The button for a role of `roles`."""
        script = "({ elements }, [at, nth]) => elements[at].buttons[nth]"
        return await self._element(script, self._index, self.roles[role])

    async def switch(self, nth: int) -> ElementHandle:
        """One of the switches that are on."""
        script = "({ elements }, [at, nth]) => elements[at].switches[nth]"
        return await self._element(script, self._index, nth)

    def label(self, role: Role) -> str:
        """What the button for a role says."""
        return self.labels[self.roles[role]]

    async def _element(self, script: str, *given: int) -> ElementHandle:
        found = await self._all.evaluate_handle(script, list(given))
        return cast("ElementHandle", found.as_element())


async def find_banner(page: Page) -> Found | None:
    """The notice that asks on a page or in one of its frames, None where there is none."""
    return await _find(page, frozenset({Role.GRANT, Role.REFUSE}))


async def wait_for_banner(page: Page) -> Found | None:
    """The notice, which may come a while after the page; None where it does not."""
    return await _wait_for(page, frozenset({Role.GRANT, Role.REFUSE}))


async def _wait_for(page: Page, *any_of: frozenset[Role]) -> Found | None:
    """What has a button for one of these roles, the first of the sets first; in `PATIENCE`."""
    async for _ in _looks():
        for roles in any_of:
            if (found := await _find(page, roles)) is not None:
                return found
    return None


async def _looks(patience: float | None = None) -> AsyncIterator[None]:
    """Moments to look again, for so long (`PATIENCE`), and `_LOOKS` times at least."""
    until = time.monotonic() + (PATIENCE if patience is None else patience)
    looks = 0
    while looks < _LOOKS or time.monotonic() <= until:
        yield
        looks += 1
        await asyncio.sleep(_PAUSE)


async def _find(page: Page, any_of: frozenset[Role]) -> Found | None:
    """The best place that has a button for one of these roles."""
    for frame in page.frames:
        for found in await _places(frame, is_frame=frame != page.main_frame):
            if any_of & {*found.roles}:
                return found
    return None


async def _places(frame: Frame, *, is_frame: bool) -> list[Found]:
    """What may ask in a frame, the likeliest first."""
    from playwright.async_api import Error  # noqa: PLC0415 - the extra `browser` brings it

    given = {"about": _ABOUT, "tools": [*TOOLS.values()], "isFrame": is_frame}
    try:
        if is_frame and not await (await frame.frame_element()).is_visible():
            return []
        handle = await frame.evaluate_handle(asset("banner.js"), given)
        told: list[dict[str, Any]] = await handle.evaluate("({ told }) => told")
        ranked = [_ranked(frame, handle, index, place) for index, place in enumerate(told)]
    except Error:  # the frame went away, or is no document
        return []
    except _MALFORMED:  # the page replaced what the script is made of
        return []
    return [found for _, found in sorted(ranked, key=lambda one: one[0], reverse=True)]


def _ranked(
    frame: Frame, handle: JSHandle, index: int, place: dict[str, Any]
) -> tuple[tuple[Any, ...], Found]:
    buttons = [*_buttons(place)]
    found = _found(frame, handle, index, place, buttons)
    return _rank(place, found, buttons), found


def _buttons(place: dict[str, Any]) -> Iterator[_Button]:
    for told in place["buttons"]:
        label = str(told["label"])[:_LONGEST_STYLE]
        role = _OUR_CHOICES.get(told["choice"]) if place["isOurs"] else role_of(label)
        if place["isOurs"] and told["isLink"]:
            role = Role.SETTINGS if role_of(label) is Role.SETTINGS else None
        look = told["look"]
        yield _Button(
            label,
            role,
            bool(told["isLink"]),
            Look(
                label,
                round(_pixels(look["width"])),
                round(_pixels(look["height"])),
                _pixels(look["fontSize"]),
                str(look["fontWeight"])[:_LONGEST_STYLE],
                str(look["color"])[:_LONGEST_STYLE],
                str(look["background"])[:_LONGEST_STYLE],
            ),
        )


def _pixels(told: float) -> float:
    """A length that a page told; 0 where it made up one that no screen has."""
    return float(told) if 0 <= told <= _MOST_PIXELS else 0.0


def _found(
    frame: Frame, handle: JSHandle, index: int, place: dict[str, Any], buttons: Sequence[_Button]
) -> Found:
    roles: dict[Role, int] = {}
    # A button goes before a link: a text may link to a page that tells of choices.
    for is_link in (False, True):
        for nth, button in enumerate(buttons):
            if button.role is not None and button.is_link is is_link:
                roles.setdefault(button.role, nth)
    looks = {role: buttons[nth].look for role, nth in roles.items()}
    tool = OURS if place["isOurs"] else [*TOOLS, UNKNOWN][place["tool"]]
    settings = looks.get(Role.SETTINGS)
    banner = Banner(
        tool,
        looks.get(Role.GRANT),
        looks.get(Role.REFUSE),
        None if settings is None else settings.label,
    )
    labels = tuple(button.label for button in buttons)
    is_settings = place["isOurs"] and not place["isNotice"]
    return Found(banner, frame, roles, labels, place["switches"], is_settings, handle, index)


def _rank(place: dict[str, Any], found: Found, buttons: Sequence[_Button]) -> tuple[Any, ...]:
    """What makes a place likelier to be the notice; of two alike, the one with fewer words."""
    pressed = {button.role for button in buttons if not button.is_link}
    return (
        place["isOurs"],
        len({Role.GRANT, Role.REFUSE} & pressed),
        Role.SETTINGS in found.roles,
        found.banner.tool != UNKNOWN,
        -int(place["text"]),
    )


async def broken_rules(found: Found) -> tuple[str, ...] | None:
    """The rules of axe-core that a notice breaks; None where axe-playwright-python is missing."""
    try:
        script: str = import_module("axe_playwright_python.base").AXE_SCRIPT
    except ImportError:
        return None
    await found.frame.evaluate(script)
    place = await found.place()
    broken: list[str] = await place.evaluate(
        "place => axe.run(place, { resultTypes: ['violations'] })"
        ".then(({ violations }) => violations.map(({ id }) => id))"
    )
    return tuple(sorted(broken))


# --- Press ----------------------------------------------------------------------------------------


async def answer(page: Page, role: Role) -> Outcome:
    """Grant or refuse everything, as a person does; counts the clicks."""
    found = await wait_for_banner(page)
    if found is None:
        return Outcome(None, "no notice that asks was found on the first page")
    if role in found.roles:
        return await _press_in(found, role, ())
    if Role.SETTINGS not in found.roles:
        return Outcome(None, f"the notice has no button to {role}, and none that leads further")
    opener = found.label(Role.SETTINGS)
    layer = await _opened(page, await found.button(Role.SETTINGS), role)
    return await _press_in(layer, role, (opener,))


async def withdraw(page: Page) -> Outcome:
    """Take everything back: by the button for it, or by opening the notice again."""
    opener = None
    async for _ in _looks(0):
        ours = await _find(page, frozenset({Role.WITHDRAW}))
        if ours is not None:
            return await _press_in(ours, Role.WITHDRAW, ())
        if (opener := await _reopener(page)) is not None:
            break
    if opener is None:
        return Outcome(None, "nothing on the page opens the notice again")
    label, element = opener
    return await _press_in(await _opened(page, element, Role.REFUSE), Role.REFUSE, (label,))


async def _reopener(page: Page) -> tuple[str, ElementHandle] | None:
    """What says that it opens the settings, and its label."""
    handle = await page.evaluate_handle(asset("reopeners.js"), {"selectors": [*_REOPENERS]})
    told: list[dict[str, Any]] = await handle.evaluate("({ told }) => told")
    try:
        fitting = [
            (one["known"] < 0, bool(one["leaves"]), nth, str(one["label"])[:_LONGEST_STYLE])
            for nth, one in enumerate(told)
            if one["known"] >= 0 or _OPENS.search(_plain(one["label"]))
        ]
    except _MALFORMED:  # the page replaced what the script is made of
        return None
    if not fitting:
        return None
    _, _, best, label = min(fitting)
    found = await handle.evaluate_handle("({ elements }, nth) => elements[nth]", best)
    return label, cast("ElementHandle", found.as_element())


async def _press_in(found: Found | None, role: Role, before: Sequence[str]) -> Outcome:
    """Press the button for a role, and where the layer stays, the one that saves.

    Where a layer has no button to refuse, what is on in it is turned off one by one.
    """
    pressed = [*before]
    if found is None or (role not in found.roles and role is not Role.REFUSE):
        return Outcome(None, f"{_in_turn(pressed)} led to nothing that can {role}")
    if role in found.roles:
        button = await found.button(role)
        pressed.append(found.label(role))
        await _click(button)
    else:
        pressed += [_SWITCH for nth in range(found.switches) if await _turn_off(found, nth)]
    if Role.SAVE in found.roles and (role not in found.roles or not await _is_gone(button, 1)):
        button = await found.button(Role.SAVE)
        pressed.append(found.label(Role.SAVE))
        await _click(button)
    # A further layer may stay open for more; the first one asks until it is answered.
    if not before and not await _gives_way(button):
        return Outcome(None, f"{_in_turn(pressed)} was pressed, and the notice stayed")
    return Outcome(len(pressed), _in_turn(pressed))


async def _turn_off(found: Found, nth: int) -> bool:
    """Turn off a switch, by the keyboard; False where it is off already, by another one."""
    switch = await found.switch(nth)
    is_on: bool = await switch.evaluate(
        "one => (one.checked ?? one.ariaChecked == 'true') && (one.click(), true)"
    )
    return is_on


def _in_turn(labels: Sequence[str]) -> str:
    return ", then ".join(label if label == _SWITCH else f"'{label}'" for label in labels)


async def _click(element: ElementHandle) -> None:
    """Click as a person does, and where something lies over it, as the keyboard would."""
    from playwright.async_api import Error  # noqa: PLC0415 - the extra `browser` brings it

    try:
        await element.click(timeout=PATIENCE * 1000, no_wait_after=True)
    except Error:
        with suppress(Error):  # it went away with the page
            await element.evaluate("element => element.click()")


async def _is_gone(element: ElementHandle, patience: float | None = None) -> bool:
    from playwright.async_api import Error  # noqa: PLC0415 - the extra `browser` brings it

    with suppress(Error):  # a page that was left has no elements any more
        async for _ in _looks(patience):
            if not await element.is_visible():
                break
        else:
            return False
    return True


async def _gives_way(button: ElementHandle) -> bool:
    """Whether a pressed button goes; pressed again where its script heard no press yet."""
    if await _is_gone(button):
        return True
    await _click(button)
    return await _is_gone(button)


async def _opened(page: Page, opener: ElementHandle, role: Role) -> Found | None:
    """What a button leads to; pressed again where its script heard no press yet."""
    await _click(opener)
    found = await _wait_for(page, frozenset({role}), _SAVES)
    if found is None:
        await _click(opener)
        found = await _wait_for(page, frozenset({role}), _SAVES)
    return found

"""Consent automation answers for its people: autoconsent finds the refusal and is heard.

The script is DuckDuckGo's, as npm has it, told to refuse wherever it sees how. It knows a banner
by its place, by phrases in it and by the words on its buttons, in the languages its makers listed.
"""

import json
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Browser, Error
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from consentkit import ConsentMiddleware, Policy
from consentkit.notice.text import LANGUAGES
from tests.browser.conftest import Serve
from tests.browser.packages import Packed, packages_folder, read_packed
from tests.browser.servers import Server
from tests.browser.visitors import Visitor
from tests.notice import policy_of

AUTOCONSENT = Packed("@duckduckgo/autoconsent", "16.23.0", "dist/autoconsent.playwright.js")
CONFIG = {
    "enabled": True,
    "autoAction": "optOut",
    "disabledCmps": [],
    "enablePrehide": False,
    "enableCosmeticRules": False,
    "enableGeneratedRules": False,
    "detectRetries": 6,
    "enableHeuristicDetection": True,
    "heuristicMode": "reject",
    "visualTest": False,
}
REFUSE = "#consentkit button[value=reject-all]"
LAYOUTS = ("top", "sticky", "bottom", "corner")
KNOWN = ("de", "en", "es", "fr", "it", "nl", "pl")
"""Languages of which it knows both what a banner says and what a refusal is called."""
UNKNOWN = "hi"


class Helper:
    """A visitor with autoconsent: what it said of each page, in order."""

    def __init__(self, browser: Browser, script: str) -> None:
        self.visitor = Visitor(browser, viewport={"width": 1200, "height": 800})
        self.script = script
        self.said: list[dict[str, Any]] = []
        self.visitor.page.expose_function("autoconsentSendMessage", self._hear)

    def _hear(self, message: dict[str, Any]) -> None:
        self.said.append(message)

    def opens(self, server: Server, path: str = "/") -> None:
        """Goes to a page, and lets the script look at it until it is through."""
        page = self.visitor.page
        self.visitor.leave()  # a refusal that is still under way would come into the new jar
        self.visitor.come_to(server)
        self.visitor.type_address(path)
        self.said.clear()
        page.evaluate(self.script)
        told = {"type": "initResp", "config": CONFIG, "rules": {"autoconsent": []}}
        page.evaluate(f"autoconsentReceiveMessage({json.dumps(told)})")

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The messages of a kind."""
        return [message for message in self.said if message["type"] == kind]

    def refuses(self) -> None:
        """Wait until the script has refused, and until the page has done what follows from it."""
        self.visitor.wait_until(lambda: self.told("optOutResult"))
        assert self.told("optOutResult")[0]["result"] is True
        self.visitor.page.wait_for_selector(REFUSE, state="hidden")

    def answers(self) -> dict[str, Any]:
        """What the server knows of the visitor's answers.

        A refusal of what was on loads the page anew, and whoever asks meanwhile is not answered.
        """
        asked = "fetch('/consent/status').then(answer => answer.json())"
        found: list[dict[str, Any]] = []

        def is_answered() -> list[dict[str, Any]]:
            with suppress(Error):
                found.append(self.visitor.page.evaluate(asked))
            return found

        self.visitor.wait_until(is_answered)
        return found[0]


@pytest.fixture(scope="module")
def helper(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Helper:
    """Somebody whose browser refuses for them."""
    return Helper(browser, read_packed(packages_folder(tmp_path_factory), AUTOCONSENT))


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    language = Request(scope).query_params.get("in", "en")
    answer: Response = HTMLResponse(
        f"<!doctype html><html lang={language}><title>Moorland</title><body><h1>Moorland</h1>"
        + "<p>The desk is open on weekdays.</p>" * 40
    )
    await answer(scope, receive, send)


def site(policy: Policy) -> ConsentMiddleware:
    return ConsentMiddleware(
        page, policy=policy, secret_key="a secret of more than thirty-two bytes", secure=False
    )


STATES = {
    "explicit": policy_of(),
    "implied": policy_of("implied"),
    "at once": policy_of("implied", **{"takes-effect": "at-once"}),
    "opt-out": policy_of("opt-out"),
}


STANDS_IN = {
    "explicit": LAYOUTS,
    "implied": ("sticky", "bottom"),  # the policy allows no other: it must stay in sight
    "at once": ("sticky", "bottom"),
    "opt-out": LAYOUTS,
}


@pytest.mark.browser
@pytest.mark.parametrize(
    ("state", "layout"), [(state, layout) for state in STATES for layout in STANDS_IN[state]]
)
def test_its_refusal_is_found_and_honoured(
    helper: Helper, serve: Serve, state: str, layout: str
) -> None:
    """A refusal by a machine that a person installed is that person's refusal (GDPR 21(5))."""
    policy = STATES[state]
    banner = policy.banner.model_copy(update={"layout": layout})
    helper.opens(serve(site(policy.model_copy(update={"banner": banner}))))
    helper.refuses()
    assert {*helper.answers()["answers"].values()} == {"granted", "refused"}
    assert not any(helper.answers()["allowed"][name] for name in policy.optional_purposes)


@pytest.mark.browser
@pytest.mark.parametrize("language", KNOWN)
def test_it_knows_the_banner_in_the_languages_it_knows(
    helper: Helper, serve_module: Serve, language: str
) -> None:
    """Labels say what regulators ask for, so that automation needs no rule for us."""
    helper.opens(server_of_all(serve_module), f"/?in={language}")
    helper.refuses()


@pytest.mark.browser
def test_where_it_knows_no_words_it_says_nothing(helper: Helper, serve_module: Serve) -> None:
    """The control: a page that it does not understand is left alone, and nobody has answered."""
    helper.opens(server_of_all(serve_module), f"/?in={UNKNOWN}")
    helper.visitor.page.wait_for_timeout(6000)  # longer than the others take by far
    assert helper.told("optOutResult") == []
    assert not helper.answers()["decided"]


_running: dict[str, Server] = {}


def server_of_all(serve: Serve) -> Server:
    """One server with every language."""
    if "all" not in _running:
        _running["all"] = serve(site(policy_of(languages=[*LANGUAGES])))
    return _running["all"]

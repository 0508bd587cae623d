"""Drive DuckDuckGo's autoconsent: its rules know hundreds of tools that no heuristic does.

It has never heard of our own notice. The package is MPL-2.0 and none of it is shipped: whoever
wants it names the folder that npm unpacked (`@duckduckgo/autoconsent`), and the scan uses its
``dist/autoconsent.playwright.js`` and ``rules/rules.json``.

Its rules may answer by a tool's own interface and not by clicking, so the clicks that it counts are
a lower bound; a person may need more.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from consentkit.audit.banners import Outcome, Role
from consentkit.errors import ScanError

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Frame, Page

__all__ = ["Autoconsent"]

PATIENCE: Final = 12.0
"""Seconds that its rules have."""
SCRIPT: Final = "dist/autoconsent.playwright.js"
RULES: Final = "rules/rules.json"
_LONGEST: Final = 80
"""Characters of a tool's name: a page can call what its scripts call."""
_NAME: Final = "autoconsentSendMessage"
_ACTIONS: Final = {Role.GRANT: "optIn", Role.REFUSE: "optOut"}
_CONFIG: Final = {
    "enabled": True,
    "disabledCmps": [],
    "enablePrehide": False,
    "enableCosmeticRules": False,
    "enableGeneratedRules": True,
    "detectRetries": 6,
    "isMainWorld": True,
    "enableHeuristicDetection": False,
    "heuristicMode": "off",
    "visualTest": False,
}


class Autoconsent:
    """The rules in a folder. Raises ScanError where the folder does not hold them."""

    def __init__(self, folder: Path) -> None:
        try:
            self._script = (folder / SCRIPT).read_text("utf-8")
            rules = json.loads((folder / RULES).read_text("utf-8"))
        except (OSError, ValueError):
            raise ScanError(
                str(folder),
                f"{SCRIPT} and {RULES} are not in this folder",
                "Unpack npm's package @duckduckgo/autoconsent, and name that folder.",
            ) from None
        self._rules = json.dumps({"autoconsent": rules["autoconsent"]})

    async def answer(self, page: Page, role: Role) -> tuple[Outcome, str | None]:
        """Grant or refuse, by the first rule that fits; and the name of whose notice it is."""
        run = _Run(self._rules, _ACTIONS[role])
        await self._start(run, page)
        return run.outcome(role), run.tool

    async def _start(self, run: _Run, page: Page) -> None:
        from playwright.async_api import Error  # noqa: PLC0415 - the extra `browser` brings it

        await page.expose_binding(_NAME, run.hear)
        for frame in page.frames:
            with suppress(Error):  # the frame went away
                await frame.evaluate(self._script)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await run.ended.wait()


@dataclass
class _Run:
    """What one page's scripts said. It has no slots: Playwright hangs a name on it."""

    rules: str
    action: str
    tool: str | None = None
    has_worked: bool = False
    clicks: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def outcome(self, role: Role) -> Outcome:
        """What came of it."""
        if self.tool is None:
            return Outcome(None, "none of autoconsent's rules fits")
        how = f"autoconsent's rule '{self.tool}'"
        return (
            Outcome(self.clicks, how) if self.has_worked else Outcome(None, f"{how} did not {role}")
        )

    async def hear(self, source: Any, message: dict[str, Any]) -> None:  # noqa: ANN401 - Playwright
        from playwright.async_api import Error  # noqa: PLC0415 - the extra `browser` brings it

        frame: Frame = source["frame"]
        match message["type"]:
            case "init":
                config = json.dumps({**_CONFIG, "autoAction": self.action})
                with suppress(Error):
                    await frame.evaluate(
                        "autoconsentReceiveMessage("
                        f"{{ type: 'initResp', config: {config}, rules: {self.rules} }})"
                    )
            case "eval":
                with suppress(Error):
                    result = await frame.evaluate(message["code"])
                    told = {"type": "evalResp", "id": message["id"], "result": result}
                    await frame.evaluate("told => autoconsentReceiveMessage(told)", told)
            case "popupFound":
                self.tool = str(message["cmp"])[:_LONGEST]
            case "optInResult" | "optOutResult":
                self.has_worked = message["result"] is True
                if not self.has_worked:
                    self.ended.set()
            case "autoconsentDone":
                self.clicks = int(message["totalClicks"])
                self.ended.set()

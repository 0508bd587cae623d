"""What a person asked of a scan, and its carrying out: which witness, how politely, which reports.

It has never heard of a command line: an `Order` and a policy go in; a `Scan` comes out, and reports
as texts by the names of their files.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import anyio

from consentkit.audit.baseline import Baseline, print_baseline, read_baseline
from consentkit.audit.browser import BrowserWitness
from consentkit.audit.chromium import BrowserOptions, find_chromium
from consentkit.audit.console import Progress, show_report
from consentkit.audit.exports import json_text, junit, report_json, sarif
from consentkit.audit.findings import Report, Severity, report_on
from consentkit.audit.frontier import Limits, address, is_this_machine, same_site
from consentkit.audit.headers import HeadersWitness
from consentkit.audit.network import HostRules, http_client
from consentkit.audit.page import report_page
from consentkit.audit.scan import Looks, OnStep, Options, reached, scan
from consentkit.audit.seen import Scan, State, Witness
from consentkit.errors import ScanError

if TYPE_CHECKING:
    from consentkit.audit.network import Send
    from consentkit.rules.policy import Policy
    from consentkit.rules.policy_file import Inspection
    from consentkit.shell.terminal import Screen

__all__ = ["FORMS", "Order", "carry_out", "chosen_witness", "look", "printed", "whole_address"]

POLITE: Final = 0.25
"""Seconds between page loads of a site that is not on this machine."""
FORMS: Final = {
    "html": "report.html",
    "json": "report.json",
    "sarif": "report.sarif",
    "junit": "junit.xml",
}
"""Each form that a report comes in, and what it is called in a folder of its own."""

_CLIENTS: Final = ("httpx2", "httpx")
_READERS: Final = ("protego", "publicsuffixlist")
_SCAN: Final = 'Install them: pip install "consentkit[scan]"'
_ONLY_HEADERS: Final = (
    "There is no Playwright, or no Chromium: pages are looked at by headers, and no script is run. "
    'pip install "consentkit[browser]" brings the first of them.'
)
_BROWSER: Final = 'Install both: pip install "consentkit[browser]", and Chromium; or use --headers.'


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for: what to look at and how, where to write what, and what fails.

    `witness` None is the best there is, `delay` None `POLITE` seconds, and none on this machine.
    `json` may be ``-``: that report alone is printed. Each file is a path, None for none.
    """

    url: str
    witness: str | None = None
    pages: int = 200
    depth: int = 8
    seconds: float = 3600.0
    states: tuple[str, ...] = tuple(State)
    workers: int = 2
    delay: float | None = None
    out: str | None = None
    html: str | None = None
    json: str | None = None
    sarif: str | None = None
    junit: str | None = None
    baseline: str | None = None
    write_baseline: bool = False
    fail_on: str = "error"
    journal: str | None = None
    resume: bool = False
    host_rules: str = ""
    autoconsent: str | None = None

    def options(self, host: str) -> Options:
        """How a site is looked at."""
        polite = 0.0 if is_this_machine(host) else POLITE
        return Options(
            tuple(map(State, self.states)),
            Limits(self.pages, self.depth),
            self.seconds,
            self.workers,
            polite if self.delay is None else self.delay,
        )

    @property
    def journal_file(self) -> Path:
        """Where visits are kept meanwhile: among the reports, or where the scan was started."""
        if self.journal is not None:
            return Path(self.journal)
        place = urlsplit(self.url).netloc.rpartition("@")[2].replace(":", "-")
        return Path(self.out or "") / f"consentkit-scan-{place}.journal"

    @property
    def least(self) -> Severity | None:
        """The least severity that fails, None where nothing does."""
        return None if self.fail_on == "never" else Severity(self.fail_on)

    @property
    def files(self) -> dict[str, Path]:
        """Each form of report that is to be written, and where to."""
        named = {form: getattr(self, form) for form in FORMS}
        folder = {form: Path(self.out, name) for form, name in FORMS.items()} if self.out else {}
        return folder | {
            form: Path(file) for form, file in named.items() if file not in {None, "-"}
        }


def whole_address(url: str) -> str:
    """An address that somebody typed, in one spelling. Raises ScanError for one that is none."""
    if "://" not in url:
        host = url.partition("/")[0].partition(":")[0]
        scheme = "http" if is_this_machine(host) else "https"
        raise ScanError(url, "it has no scheme", f"Write {scheme}://{url}")
    found = address(url)
    if found is None:
        raise ScanError(url, "it is no address of a page", "Write https://, and the site's name.")
    return found


def chosen_witness(asked: str | None) -> Witness:
    """The witness that was asked for, or the best there is. Raises ScanError for what is missing.

    A browser needs Playwright and a Chromium; both need httpx2 or httpx, protego and
    publicsuffixlist.
    """
    missing = [name for name in _READERS if find_spec(name) is None]
    if not any(find_spec(name) for name in _CLIENTS):
        missing.insert(0, "httpx")
    if missing:
        raise ScanError("consentkit scan", f"it needs {', '.join(missing)}", _SCAN)
    if asked == Witness.HEADERS:
        return Witness.HEADERS
    if find_spec("playwright") is not None and find_chromium() is not None:
        return Witness.BROWSER
    if asked == Witness.BROWSER:
        raise ScanError("--browser", "there is no Playwright, or no Chromium", _BROWSER)
    return Witness.HEADERS


async def look(
    order: Order, policy: Policy | None, on_step: OnStep, pictures: Path | None = None
) -> Scan:
    """Scan as ordered; screenshots go to the folder `pictures`.

    Raises ScanError where the site cannot be reached, or not be looked at.
    """
    witness, rules = chosen_witness(order.witness), _rules(order.host_rules)
    url = whole_address(order.url)
    async with http_client(rules=rules) as send:
        first_page = await reached(url, send)
        host = urlsplit(first_page).hostname or ""
        return await scan(
            first_page,
            _looking(order, witness, send, _own(policy, host), pictures),
            order.options(host),
            send=send,
            journal=order.journal_file,
            resume=order.resume,
            on_step=on_step,
        )


def _looking(
    order: Order,
    witness: Witness,
    send: Send,
    is_own: Callable[[str], bool],
    pictures: Path | None,
) -> Callable[[], Awaitable[Looks]]:
    """What opens looks for a site, by the witness that was chosen."""

    async def by_headers() -> Looks:
        return HeadersWitness(send, is_own=is_own)

    async def by_browser() -> Looks:
        return BrowserWitness(how)

    if witness is Witness.HEADERS:
        return by_headers
    how = BrowserOptions(
        host_rules=order.host_rules,
        screenshots=pictures,
        autoconsent=Path(order.autoconsent) if order.autoconsent else None,
        is_own=is_own,
    )
    return by_browser


def _own(policy: Policy | None, host: str) -> Callable[[str], bool]:
    """What tells of a host whether it is of the site; where a policy is, as that says it."""

    def is_own(other: str) -> bool:
        if policy is None:
            return same_site(other, host)
        is_declared = policy.service_of_host(other) is not None
        return policy.is_first_party(other, host) or (not is_declared and same_site(other, host))

    return is_own


def _rules(text: str) -> HostRules:
    try:
        return HostRules(text)
    except ValueError as error:
        raise ScanError("--host-rules", str(error), "Write it as Chromium does.") from error


def carry_out(
    order: Order,
    screen: Screen,
    beside: Screen,
    policy: Policy | None = None,
    inspection: Inspection | None = None,
) -> bool:
    """Scan, compare, write and show; True where nothing is found that fails.

    The report goes to `screen`, how far it is to `beside`. Raises ScanError where there is nothing
    to report; interrupted, KeyboardInterrupt, and the journal is there to go on with.
    """
    if order.witness is None and chosen_witness(None) is Witness.HEADERS:
        beside.say(_ONLY_HEADERS)
    try:
        with _pictures(order) as pictures:
            with Progress(beside) as progress:
                found = anyio.run(look, order, policy, progress, pictures)
            report = _held_against(order, _report_of(found, policy, inspection))
            written = _write_all(order, report, policy, pictures)
    except KeyboardInterrupt:
        if order.journal_file.exists():
            beside.say(f"Interrupted. What was seen is kept in {order.journal_file}.")
            beside.say("Go on with it: the same command, and --resume.")
        raise
    if order.json == "-":
        screen.write(printed(report, "json", policy, None))
    else:
        show_report(screen, report, policy, written=written)
    unseen = [state for state in found.states if _is_unseen(found, state)]
    if unseen:
        what = ", ".join(unseen)
        beside.say(f"No page could be seen ({what}): nothing is shown by that nothing was found.")
    return order.least is None or not (unseen or report.fails(order.least))


def _is_unseen(found: Scan, state: State) -> bool:
    """True of a state that was visited, and in which no page answered below 400."""
    visits = [visit for visit in found.visits if visit.state is state]
    return bool(visits) and not any(not v.error and v.status < 400 for v in visits)


@contextmanager
def _pictures(order: Order) -> Iterator[Path | None]:
    """The folder for screenshots: in the reports' own, or, for a single page, one that goes."""
    if order.out is not None:
        folder = Path(order.out) / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    elif order.html is not None:
        with TemporaryDirectory(prefix="consentkit-") as name:
            yield Path(name)
    else:
        yield None


def _report_of(found: Scan, policy: Policy | None, inspection: Inspection | None) -> Report:
    """The findings of a scan, with the lines of the policy's file."""

    def line_of(section: str, name: str) -> int | None:
        place = inspection.place_of(section, name) if inspection else None
        return place.line if place else None

    file = inspection.file if inspection else None
    return report_on(policy, found, policy_file=file, place_of=line_of)


def _held_against(order: Order, report: Report) -> Report:
    """The report with what the baseline knows set apart; the baseline is written where asked."""
    if order.baseline is None:
        return report
    file = Path(order.baseline)
    try:
        known = read_baseline(file.read_bytes(), str(file))
    except OSError as error:
        if not order.write_baseline:
            what = f"the baseline cannot be read: {error.strerror}"
            raise ScanError(str(file), what, "Write one with --write-baseline.") from error
        known = Baseline()
    if order.write_baseline:
        known = known.renewed(report, datetime.now(UTC).date())
        _write(file, print_baseline(known))
    return known.apply(report)


def _write_all(
    order: Order, report: Report, policy: Policy | None, pictures: Path | None
) -> list[str]:
    written = []
    for form, file in order.files.items():
        _write(file, printed(report, form, policy, pictures, order.least))
        written.append(str(file))
    return written


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        what = f"it cannot be written: {error.strerror}"
        raise ScanError(str(file), what, "Check the folder and its rights.") from error


def printed(
    report: Report,
    form: str,
    policy: Policy | None,
    folder: Path | None,
    least: Severity | None = Severity.ERROR,
) -> str:
    """A report in one of its forms; `folder` has the pictures, `least` is what fails."""
    if form == "html":
        return report_page(report, policy, folder)
    if form == "junit":
        return junit(report, least)
    return json_text(report_json(report) if form == "json" else sarif(report))

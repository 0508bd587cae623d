"""`consentkit scan`, as it is typed: on a real server, in a process of its own or in this one."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio
import click
import pytest
from click.testing import CliRunner, Result
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from consentkit import ConsentMiddleware, load_policy
from consentkit.audit import order as orders
from consentkit.audit.headers import HeadersWitness
from consentkit.audit.order import Order, chosen_witness, look, whole_address
from consentkit.audit.seen import Scan, SeenCookie, State, Visit, Witness
from consentkit.cli import commands
from consentkit.errors import ScanError
from tests.browser.servers import Server

POLICY = """\
site: {name: Shop, controller: Example Limited, hosts: [static.example]}
mode: explicit
purposes:
  counting: {title: Counting, description: Counts visits.}
cookies:
  visits:
    kind: analytics
    purpose: counting
    duration: 1 day
    description: Counts.
services:
  films:
    provider: Films Limited
    purpose: counting
    hosts: [films.example]
"""


class Shop:
    """A site of a few pages; `strange` is a cookie that it sets and does not declare."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "consent.yaml"
        self.file.write_text(POLICY, "utf-8")
        self.strange = ""
        self.holds_from: int | None = None
        self.came = 0
        self.app = Starlette(
            routes=[
                Route("/", self.page),
                Route("/news", self.page),
                Route("/away", lambda _: RedirectResponse("https://other.example/")),
            ]
        )
        self.app.add_middleware(
            ConsentMiddleware,
            policy=load_policy(self.file),
            secret_key="x" * 40,
            secure=False,
            report_only=True,
            banner=True,
        )

    async def page(self, request: Request) -> Response:
        self.came += 1
        if self.holds_from is not None and self.came >= self.holds_from:
            await anyio.sleep(60)  # the one who asks is interrupted long before
        answer = HTMLResponse("<!doctype html><title>Shop</title><a href=/news>News</a>")
        if self.strange:
            answer.headers.append("set-cookie", f"{self.strange}=1; Path=/; Max-Age=60")
        return answer


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture
def url(shop: Shop) -> Iterator[str]:
    with Server(shop.app) as server:
        yield server.origin("127.0.0.1")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def scan(*args: str | Path) -> Result:
    """The command in this process, with its output and its errors apart."""
    return CliRunner().invoke(commands, ["scan", *map(str, args)])


def test_a_site_that_keeps_to_its_policy_exits_with_0(url: str, shop: Shop) -> None:
    done = scan(url, "--headers", "--policy", shop.file)
    assert done.exit_code == 0, done.output
    assert "by headers alone" in done.stdout
    assert "2 pages: no errors" in done.stdout
    assert not [*Path().glob("*.journal")]


def test_what_is_found_exits_with_1(url: str, shop: Shop) -> None:
    shop.strange = "strange"
    done = scan(url, "--headers", "--policy", shop.file)
    assert done.exit_code == 1
    assert "strange" in done.stdout
    assert scan(url, "--headers", "--policy", shop.file, "--fail-on", "never").exit_code == 0


def test_a_site_without_a_policy_can_be_scanned(url: str) -> None:
    """Before consentkit is even there: what is known by its name is labelled."""
    done = scan(url, "--headers")
    assert done.exit_code == 0
    assert "init --from-scan" in done.stdout or "--json report.json" in done.stdout


def test_reports_are_written_in_every_form(url: str, shop: Shop, tmp_path: Path) -> None:
    shop.strange = "strange"
    done = scan(url, "--headers", "--policy", shop.file, "--out", "report")
    names = sorted(path.name for path in (tmp_path / "report").iterdir())
    assert names == ["junit.xml", "pictures", "report.html", "report.json", "report.sarif"]
    assert "report/report.html" in done.stdout
    report = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    assert report["policy"] == str(shop.file)
    assert {finding["name"] for finding in report["findings"]} == {"strange"}
    assert "strange" in (tmp_path / "report" / "report.sarif").read_text("utf-8")
    scan(url, "--headers", "--html", "a.html", "--junit", "a.xml", "--states", "untouched")
    assert "<!doctype html>" in (tmp_path / "a.html").read_text("utf-8").lower()
    assert "<testsuite" in (tmp_path / "a.xml").read_text("utf-8")


def test_json_alone_is_printed(url: str) -> None:
    """For a pipe: one document, and nothing else on standard output."""
    done = scan(url, "--headers", "--json", "-", "--states", "untouched,gpc")
    seen = json.loads(done.stdout)["scan"]
    assert {visit["state"] for visit in seen["visits"]} == {"untouched", "gpc"}


def test_a_report_that_cannot_be_written_is_told(url: str) -> None:
    done = scan(url, "--headers", "--html", "no/such/folder.html", "--states", "untouched")
    assert done.exit_code == 1
    assert "no/such/folder.html: it cannot be written: No such file" in done.stderr


def test_limits_are_kept_to(url: str) -> None:
    done = scan(url, "--headers", "--pages", "1", "--json", "-", "--workers", "1", "--delay", "0")
    seen = json.loads(done.stdout)["scan"]
    assert {visit["page"] for visit in seen["visits"]} == {"/"}
    own = dict.fromkeys(
        ["/consent", "/consent/cookies"], "a page of consentkit's own, as the site says"
    )
    assert seen["left_out"] == {"/news": "1 pages are enough", **own}
    seen = json.loads(scan(url, "--headers", "--depth", "0", "--json", "-").stdout)["scan"]
    assert "more than 0 links away" in seen["left_out"]["/news"]


# On Python 3.11 coverage loses sight of the frames that wait for a connection of asyncio's, so what
# follows the scan is asked here once more, of a scan that was made before.


def test_the_line_that_decides_is_named(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the declaration stands in the file is where the cure goes."""
    cookie = SeenCookie("visits", "127.0.0.1", seconds=60)
    visit = Visit("/", State.UNTOUCHED, 200, (cookie,))
    moment = "2026-11-22T10:00:00Z"
    made = Scan("http://127.0.0.1", Witness.HEADERS, moment, moment, visits=(visit,))

    async def looked(*_: object) -> Scan:
        return made

    monkeypatch.setattr(orders, "look", looked)
    done = scan("http://127.0.0.1", "--headers", "--policy", shop.file, "--json", "-")
    assert "No page could be seen" not in done.stderr
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["kind"], finding["line"], done.exit_code) == ("before-answer", 6, 1)
    done = scan("http://127.0.0.1", "--headers", "--policy", shop.file, "--fail-on", "never")
    assert "visits" in done.stdout
    assert done.exit_code == 0
    made = replace(made, visits=(replace(visit, status=500, cookies=()),))
    done = scan("http://127.0.0.1", "--headers", "--json", "-")
    assert "No page could be seen (untouched)" in done.stderr
    assert done.exit_code == 1


def test_without_a_policy_a_host_is_of_the_site_by_its_domain(shop: Shop) -> None:
    """With one, the policy's own hosts and services count as well."""
    is_own = orders._own(None, "www.shop.example")
    assert is_own("img.shop.example")
    assert not is_own("shop.example.org")
    is_own = orders._own(load_policy(shop.file), "www.shop.example")
    assert is_own("img.shop.example")
    assert not is_own("shop.example.org")


# The baseline


def test_only_what_is_new_fails(url: str, shop: Shop, tmp_path: Path) -> None:
    """What people know of is told, and fails no more; a second finding does."""
    known = ["--headers", "--policy", str(shop.file), "--baseline", "known.json"]
    shop.strange = "strange"
    missing = scan(url, *known)
    assert missing.exit_code == 1
    assert "known.json: the baseline cannot be read: No such file" in missing.stderr
    assert "Write one with --write-baseline." in missing.stderr
    assert scan(url, *known, "--write-baseline").exit_code == 0
    assert "strange" in (tmp_path / "known.json").read_text("utf-8")
    assert scan(url, *known).exit_code == 0
    shop.strange = "another"
    assert scan(url, *known).exit_code == 1


def test_a_baseline_is_written_where_it_is_named() -> None:
    done = scan("http://127.0.0.1:1", "--write-baseline")
    assert done.exit_code == 2
    assert "--write-baseline writes the file that --baseline names: name one." in done.stderr


# What cannot be scanned


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("shop.example", "shop.example: it has no scheme. Write https://shop.example"),
        ("localhost:8000/x", "localhost:8000/x: it has no scheme. Write http://localhost:8000/x"),
        ("ftp://shop.example", "ftp://shop.example: it is no address of a page."),
        ("http://127.0.0.1:1", "http://127.0.0.1:1/: nobody answers there."),
    ],
)
def test_an_address_that_leads_nowhere_is_told(address: str, told: str) -> None:
    done = scan(address, "--headers")
    assert done.exit_code == 1
    assert f"Error: {told}" in done.stderr


def test_a_first_page_that_is_none_is_told(url: str) -> None:
    assert "it answers with 404" in scan(f"{url}/none", "--headers").stderr
    away = scan(f"{url}/away", "--headers").stderr
    assert "it leads to https://other.example. Scan that site instead." in away
    secure = scan(url.replace("http:", "https:"), "--headers").stderr
    assert "its certificate is not accepted, or it speaks no TLS" in secure


def test_options_that_mean_nothing_are_usage_errors(url: str) -> None:
    done = scan(url, "--states", "untouched,asleep")
    assert done.exit_code == 2
    assert "there is no state 'asleep'. There are: untouched, refused," in done.stderr
    assert scan(url, "--pages", "0").exit_code == 2
    rules = scan(url, "--headers", "--host-rules", "shop.test")
    assert rules.exit_code == 1
    assert "--host-rules: 'shop.test' is no rule" in rules.stderr


def test_a_policy_with_faults_is_told_before_anything_is_asked(shop: Shop) -> None:
    shop.file.write_text("site: {name: Shop}\n", "utf-8")
    done = scan("http://127.0.0.1:1", "--policy", shop.file)
    assert done.exit_code == 1
    assert "consent.yaml:1" in done.stderr


def test_a_name_may_lead_elsewhere(url: str, shop: Shop) -> None:
    """So a site is scanned under its own name before it is there."""
    port = url.rpartition(":")[2]
    rules = "MAP *.test 127.0.0.1"
    how = ("--headers", "--host-rules", rules, "--delay", "0", "--states", "untouched")
    done = scan(f"http://www.shop.test:{port}/", *how)
    assert done.exit_code == 0, done.output
    assert f"http://www.shop.test:{port}" in done.stdout


# Which witness


def without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    def find(name: str) -> Any:
        return None if name in missing else find_spec(name)

    monkeypatch.setattr(orders, "find_spec", find)


def test_the_best_witness_there_is_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser where there is one; by headers where that is asked for or all there is."""
    monkeypatch.setattr(orders, "find_chromium", lambda: "/usr/bin/chromium")
    assert chosen_witness(None) is Witness.BROWSER
    assert chosen_witness("browser") is Witness.BROWSER
    assert chosen_witness("headers") is Witness.HEADERS
    monkeypatch.setattr(orders, "find_chromium", lambda: None)
    assert chosen_witness(None) is Witness.HEADERS
    with pytest.raises(ScanError, match=r'pip install "consentkit\[browser\]"'):
        chosen_witness("browser")
    monkeypatch.setattr(orders, "find_chromium", lambda: "/usr/bin/chromium")
    without(monkeypatch, "playwright")
    assert chosen_witness(None) is Witness.HEADERS


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        (("protego",), "it needs protego."),
        (("httpx", "httpx2", "publicsuffixlist"), "it needs httpx, publicsuffixlist."),
    ],
)
def test_what_is_missing_is_named_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...], told: str
) -> None:
    without(monkeypatch, *missing)
    done = scan("http://127.0.0.1:1", "--headers")
    assert done.exit_code == 1
    assert told in done.stderr
    assert 'pip install "consentkit[scan]"' in done.stderr


def test_headers_alone_say_that_they_are_all_there_is(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "find_chromium", lambda: None)
    done = scan(url, "--states", "untouched")
    assert "There is no Playwright, or no Chromium: pages are looked at by headers" in done.stderr
    assert "by headers alone" in done.stdout
    assert "no Playwright" not in scan(url, "--headers", "--states", "untouched").stderr


def test_a_browser_is_told_what_was_asked_for(
    url: str, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A double stands at the one seam that needs Chromium: what makes the witness."""
    told: list[Any] = []

    class Double(HeadersWitness):
        def __init__(self, how: Any) -> None:
            told.append(how)
            super().__init__(self.answer)

        async def answer(self, *_: object) -> Any:
            from consentkit.audit.network import Answer

            return Answer(200)

    monkeypatch.setattr(orders, "find_chromium", lambda: "/usr/bin/chromium")
    monkeypatch.setattr(orders, "BrowserWitness", Double)
    (tmp_path / "rules").mkdir()
    how = ("--browser", "--policy", shop.file, "--out", "report", "--autoconsent", "rules")
    done = scan(url, *how, "--host-rules", "MAP *.test 127.0.0.1")
    assert done.exit_code == 0, done.output
    assert told[0].screenshots == Path("report/pictures")
    assert told[0].autoconsent == Path("rules")
    assert told[0].host_rules == "MAP *.test 127.0.0.1"
    own = {host: told[0].is_own(host) for host in ("127.0.0.1", "static.example", "films.example")}
    assert own == {"127.0.0.1": True, "static.example": True, "films.example": False}
    scan(url, "--html", "page.html", "--states", "untouched")
    assert told[-1].screenshots.name.startswith("consentkit-")
    assert not told[-1].screenshots.exists()
    scan(url, "--states", "untouched")
    assert told[-1].screenshots is None


def test_sites_elsewhere_are_asked_politely() -> None:
    """A quarter of a second between page loads, unless somebody says otherwise; none at home."""
    assert Order("https://shop.example").options("shop.example").delay == orders.POLITE
    assert Order("http://localhost").options("localhost").delay == 0
    assert Order("https://shop.example", delay=3).options("shop.example").delay == 3


def test_an_address_has_one_spelling() -> None:
    assert whole_address("HTTPS://Shop.example") == "https://shop.example/"


# Interrupted


def test_ctrl_c_leaves_a_journal_that_goes_on(shop: Shop, url: str, tmp_path: Path) -> None:
    """It exits with 130, says how to go on, and going on repeats nothing that was seen."""
    shop.holds_from = 12
    # Whoever starts the tests in the background has them deaf to Ctrl-C, and what they start too.
    hears = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{hears}; from consentkit.cli import main; main()"
    asked = [sys.executable, "-c", program, "scan", url, "--headers", "--workers", "1"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    begun = subprocess.Popen(asked, env=env, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while time.monotonic() < until and shop.came < 12:
        time.sleep(0.01)
    begun.send_signal(signal.SIGINT)
    _, told = begun.communicate(timeout=30)
    assert begun.returncode == 130, told
    (journal,) = tmp_path.glob("*.journal")
    assert f"Interrupted. What was seen is kept in {journal.name}." in told
    assert "--resume" in told
    assert "Traceback" not in told
    before = shop.came
    shop.holds_from = None
    done = scan(url, "--headers", "--workers", "1", "--resume", "--json", "-")
    seen = json.loads(done.stdout)["scan"]["visits"]
    assert len(seen) == 10
    kept = 10 - (shop.came - before)
    assert kept < 10
    assert not journal.exists()


def test_there_is_nothing_to_resume(url: str) -> None:
    done = scan(url, "--headers", "--resume")
    assert done.exit_code == 1
    assert "it cannot be read: No such file" in done.stderr
    other = scan(url, "--headers", "--resume", "--journal", "other.journal")
    assert "other.journal: it cannot be read" in other.stderr


def test_an_interruption_says_how_to_go_on_if_anything_was_seen(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(anyio, "run", interrupted)
    assert "Interrupted" not in scan(url, "--headers").output
    Path("my.journal").touch()
    assert "--resume" in scan(url, "--headers", "--journal", "my.journal").stderr


@pytest.mark.anyio
async def test_a_scan_can_be_ordered_without_a_shell(url: str) -> None:
    told: list[Visit] = []
    order = Order(url, witness="headers", states=("untouched",), pages=1)
    found = await look(order, None, lambda visit, _done, _known: told.append(visit))
    assert found.states == (State.UNTOUCHED,)
    assert [visit.page for visit in told] == ["/"]


def test_the_command_says_what_each_option_does() -> None:
    """Help without an option's meaning would be no help."""
    command = commands.commands["scan"]
    assert all(
        parameter.help for parameter in command.params if isinstance(parameter, click.Option)
    )


@pytest.mark.parametrize("status", [500, 403])
def test_a_scan_that_sees_nothing_does_not_pass(status: int) -> None:
    """Each night would be green, since the first page answers once, and nothing else ever does."""
    asked: list[str] = []

    def page(request: Request) -> Response:
        asked.append(request.url.path)
        return HTMLResponse("x", status if asked.count("/") > 1 else 200)

    with Server(Starlette(routes=[Route("/", page)])) as server:
        line = [server.origin("127.0.0.1"), "--headers", "--states", "untouched"]
        done = scan(*line)
        asked.clear()
        never = scan(*line, "--fail-on", "never")
    assert done.exit_code == 1
    assert "No page could be seen (untouched)" in done.stderr
    assert never.exit_code == 0


def test_junit_fails_as_the_scan_does(url: str, shop: Shop, tmp_path: Path) -> None:
    """With `--fail-on never` nothing is red, there or here."""
    shop.strange = "strange"
    for fail_on, fails in (("never", False), ("error", True)):
        line = [url, "--headers", "--junit", "a.xml", "--fail-on", fail_on]
        done = scan(*line, "--policy", shop.file)
        text = (tmp_path / "a.xml").read_text("utf-8")
        assert ("<failure" in text) == fails == (done.exit_code == 1)


def test_a_password_in_an_address_names_no_file() -> None:
    """File names are shown, kept and copied."""
    order = Order("https://user:hunter2@shop.example:8443/")
    assert str(order.journal_file) == "consentkit-scan-shop.example-8443.journal"

"""The demo: `./scripts/demo` serves every example and tells, live, what is done and why."""

import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from consentkit import Event
from consentkit.rules.decision import Decision, Reason
from consentkit.testing import Browser
from examples.__main__ import COLOURS, Terminal, bind, main
from examples.third_parties import ThirdParties

ROOT = Path(__file__).parents[2]
PATIENCE = 30
"""Seconds for a server to start on a machine that has much else to do."""


@dataclass
class Demo:
    process: "subprocess.Popen[bytes]"
    out: Path
    err: Path

    @property
    def urls(self) -> dict[str, str]:
        return dict(re.findall(r"^  (\w+) +(http\S+)$", self.out.read_text("utf-8"), re.MULTILINE))

    def waits_for(self, pattern: str) -> str:
        """The line that `pattern` is found in, once it is printed."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(rf"^.*{pattern}.*$", self.out.read_text("utf-8"), re.MULTILINE)
            if found:
                return found[0]
            time.sleep(0.05)
        pytest.fail(f"no {pattern!r} in:\n{self.out.read_text()}{self.err.read_text()}")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    out, err = tmp_path / "out", tmp_path / "err"
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    environ.pop("THIRD_PARTIES", None)
    command = [sys.executable, "-m", "examples", "--port", "0"]
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=stdout, stderr=stderr)
    try:
        yield Demo(process, out, err)
    finally:
        process.kill()
        process.wait()


def fetch(url: str) -> str:
    request = urllib.request.Request(url, headers={"Accept": "text/html"})  # noqa: S310 - our own server on loopback
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310 - the same
        return str(response.read().decode("utf-8"))


def test_the_demo_serves_every_example_and_tells_what_is_blocked(demo: Demo) -> None:
    """A pipe is not a terminal: plain lines, each of them at once."""
    demo.waits_for("site and request")
    urls = demo.urls
    index = fetch(urls["index"])
    for site, title in (
        ("staffordshire", "<h1>Keeping Staffordshire safe"),
        ("missouri", "<h1>What can we do for you?"),
        ("quickstart", "Visit 1"),
    ):
        assert f'href="{urls[site]}"' in index
        assert title in fetch(urls[site])
    assert "sendBeacon" in fetch(f"{urls['elsewhere']}ga.js")
    assert fetch(f"{urls['elsewhere']}log") == '["GET 127.0.0.1/ga.js"]'
    line = demo.waits_for(r"\belsewhere GET /ga.js$")
    assert re.fullmatch(r"asked +127\.0\.0\.1 +knows of your visit +elsewhere GET /ga\.js", line)
    for name, site in (
        ("_ga", "staffordshire"),
        (r"analytics\.localhost", "staffordshire"),
        ("visits", "quickstart"),
    ):
        line = demo.waits_for(rf"{name} .*\b{site} GET /$")
        assert re.fullmatch(rf"blocked +{name} +not answered yet \(\w+\) +{site} GET /", line)
    fetch(f"{urls['missouri']}forms/?q=report")
    line = demo.waits_for(r"\bmissouri GET /forms/$")
    assert re.fullmatch(r"blocked +last-search +not declared +missouri GET /forms/", line)
    assert "\x1b" not in demo.out.read_text("utf-8")


def test_an_interrupt_ends_the_demo_without_a_word(demo: Demo) -> None:
    """Ctrl-C is how it is meant to end: no traceback, and status 0."""
    demo.waits_for("site and request")
    fetch(demo.urls["index"])
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(PATIENCE) == 0
    assert demo.err.read_text("utf-8") == ""


def test_a_port_in_use_is_told_with_the_cure() -> None:
    """Two demos at once are the commonest mistake."""
    with bind(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=rf"^Port {port} is in use\. Try others: \S+ --port"):
            bind(port)


def test_a_port_that_cannot_be_opened_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ports under 1024 belong to the superuser on most machines."""

    def forbidden(_address: tuple[str, int]) -> socket.socket:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "create_server", forbidden)
    with pytest.raises(SystemExit, match=r"^Port 80 cannot be opened \(Permission denied\)\."):
        bind(80)


@pytest.mark.parametrize("port", ["65532", "-1", "http"])
def test_a_port_without_room_for_the_others_is_refused(
    port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five ports are taken, one after the other."""
    with pytest.raises(SystemExit) as ended:
        main([f"--port={port}"])
    assert ended.value.code == 2
    assert "invalid" in capsys.readouterr().err


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


BLOCKED = Event("blocked", "_ga", "refused", Decision(False, Reason.REFUSED, "analytics"))  # noqa: FBT003


@pytest.mark.parametrize(
    ("out", "environ", "coloured"),
    [
        (Screen(), {}, True),
        (Screen(), {"NO_COLOR": ""}, True),
        (Screen(), {"NO_COLOR": "1"}, False),
        (io.StringIO(), {}, False),
    ],
    ids=["terminal", "NO_COLOR empty", "NO_COLOR", "pipe"],
)
def test_colour_is_for_those_who_look(
    out: io.StringIO, environ: dict[str, str], *, coloured: bool
) -> None:
    """no-color.org: set and not empty means no colour; nor has a pipe any."""
    Terminal.on(out, environ).tell(BLOCKED)
    assert ("\x1b[" in out.getvalue()) is coloured
    assert "refused (analytics)" in out.getvalue()


def test_the_columns_stand_below_one_another() -> None:
    """With colour and without, whatever was done."""
    out = Screen()
    for act in (*COLOURS, "differs"):
        Terminal(out, in_colour=True).tell(BLOCKED._replace(act=act, decision=None))
    plain = re.sub(r"\x1b\[\d+m", "", out.getvalue()).splitlines()
    assert {line.index("_ga") for line in plain} == {11}
    assert {line.index("refused") for line in plain} == {32}


def test_lifetimes_are_told_in_days() -> None:
    """Nobody reads 63072000 as two years."""
    out = io.StringIO()
    trimmed = "-Max-Age=63072000, +Max-Age=34128000"
    Terminal(out, in_colour=False).tell(Event("trimmed", "_ga", trimmed))
    assert "-Max-Age=730 days, +Max-Age=395 days" in out.getvalue()


def test_a_cookies_name_cannot_write_on_the_terminal() -> None:
    """A name comes from outside, and control characters in it could clear the screen."""
    out = io.StringIO()
    Terminal(out, in_colour=False).tell(BLOCKED._replace(name="\x1b[2J\udcff"))
    assert "\x1b" not in out.getvalue()
    assert r"\x1b[2J\udcff" in out.getvalue()


@pytest.mark.anyio
async def test_the_third_parties_write_down_who_came() -> None:
    """A probe that is asked whether anybody came must be able to say yes."""
    told: list[str] = []
    server = ThirdParties(told.append)
    browser = Browser(server, url="http://analytics.example")
    assert (await browser.fetch("/log")).json() == []
    assert "Nothing yet." in (await browser.fetch("/")).text
    script = await browser.fetch("/ga.js")
    assert script.header("content-type") == "text/javascript; charset=utf-8"
    assert (await browser.fetch("/collect?page=/", "POST")).status == 204
    assert (await browser.fetch("/elsewhere")).status == 404
    assert (await browser.fetch("/favicon.ico")).status == 204
    asked = ["GET {}/ga.js", "POST {}/collect", "GET {}/elsewhere"]
    assert (await browser.fetch("/log")).json() == [
        one.format("analytics.example") for one in asked
    ]
    assert told == ["analytics.example"] * 3
    page = (await browser.fetch("/")).text
    assert page.index("<li>GET analytics.example/elsewhere") < page.index("<li>POST")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "cookie"), [("/embed/bicycles", "viewer"), ("/like.js", "liker"), ("/button.js", None)]
)
async def test_a_film_and_a_like_button_know_a_browser_again(path: str, cookie: str | None) -> None:
    """Third-party cookies as they are sent today; the control is a script that sets none."""
    browser = Browser(ThirdParties(), url="https://video.example")
    first = (await browser.fetch(path)).set_cookies
    assert [one.partition(b"=")[0].decode() for one in first] == ([cookie] if cookie else [])
    assert all(b"Secure; SameSite=None; Partitioned" in one for one in first)
    assert (await browser.fetch(path)).set_cookies == first, "it is the number it had"


@pytest.mark.anyio
async def test_a_social_link_leads_somewhere() -> None:
    """A button that is a link must work as a link."""
    browser = Browser(ThirdParties(), url="http://twitter.example")
    page = await browser.fetch("/share?page=http%3A//site.example/news")
    assert "You are at twitter.example now" in page.text

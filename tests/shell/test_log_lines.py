"""Lines in, names out: whatever stands before a line, whatever a stranger called a cookie."""

from __future__ import annotations

import json
import logging
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from consentkit import Event
from consentkit.events import Asked, EventLog
from consentkit.rules.decision import Decision, Reason
from consentkit.shell.log_lines import LONGEST_NAME, MOST_NAMES, MOST_PATHS, Log, read_log

UNDECLARED = Decision(allowed=False, reason=Reason.UNDECLARED)
NOT_DECLARED = Reason.UNDECLARED.value


def event(name: str, asked: Asked | None = None, act: str = "blocked") -> Event:
    return Event(act, name, NOT_DECLARED, UNDECLARED, asked)


class Records(logging.Handler):
    """What was logged, as records."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def records_of(*events: Event, path: str = "/", times: int = 1) -> list[logging.LogRecord]:
    """What consentkit itself logs of these: `times` within one minute, and once a minute later."""
    logger, heard = logging.getLogger("consentkit.enforcement"), Records()
    log = EventLog(None, report_only=True)
    logger.addHandler(heard)
    try:
        for second in range(times):
            log.write(events, path, second / 1000)
        if times > 1:
            log.write(events, path, 120)
    finally:
        logger.removeHandler(heard)
    return heard.records


def sentence(record: logging.LogRecord) -> str:
    return record.getMessage()


PREFIXES = (
    "",
    "2026-03-01 12:00:00,123 WARNING consentkit.enforcement: ",
    "Mar 01 12:00:00 web-1 gunicorn[4711]: [2026-03-01 12:00:00 +0000] [4711] [WARNING] ",
    "\x1b[33mWARNING\x1b[0m:  consentkit.enforcement:middleware.py:17 ",
    "app-1  | {stray} [x] ",
)


def plain(record: logging.LogRecord) -> Iterator[str]:
    for prefix in PREFIXES:
        yield f"{prefix}{sentence(record)}"
        yield f"{prefix}{sentence(record)}\x1b[0m\n"


def extras(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key.startswith("consentkit_")}


def as_json(record: logging.LogRecord) -> Iterator[str]:
    """As the formatters write it: extras at the top, under a key, or nowhere."""
    message = {"level": "WARNING", "time": 1}
    yield json.dumps({**message, "message": sentence(record), **extras(record)})
    yield json.dumps({**message, "event": "x", "extra": extras(record)})
    yield json.dumps({**message, "record": {"extra": extras(record)}, "text": sentence(record)})
    yield json.dumps({"log": sentence(record) + "\n", "stream": "stderr"})
    yield json.dumps({"MESSAGE": sentence(record)}, ensure_ascii=False) + "\n"
    yield "web-1 | " + json.dumps({**message, "message": sentence(record)})


NAMES = st.text(max_size=40) | st.sampled_from(
    [
        "_ga",
        "a'b",
        'a"b',
        "a'\"b",
        "a\\",
        "\\'",
        "a; path '/'",
        "x\nWARNING",
        "\x1b[31m",
        "",
        "\udcff",
    ]
)
LIVES = st.none() | st.sampled_from([0, 1, 60, 5400, 86_400, 31_536_000, 63_072_000])


@pytest.mark.counted
@given(NAMES, st.text(max_size=20), LIVES, st.booleans(), st.integers(1, 4))
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
def test_what_was_logged_is_read_again(
    name: str,
    path: str,
    seconds: int | None,
    http_only: bool,  # noqa: FBT001
    times: int,
) -> None:
    """Every shape a line may have says the same of the cookie, folded lines included."""
    records = records_of(event(name, Asked(seconds, http_only)), path=path, times=times)
    shapes = [list(zip(*map(shape, records), strict=True)) for shape in (plain, as_json)]
    for lines in (*shapes[0], *shapes[1]):
        log = read_log(lines)
        assert list(log.names) == [name]
        seen = log.names[name]
        assert seen.times == (1 if times == 1 else times + 1)
        assert list(seen.paths) == [path]
        assert seen.seconds == {seconds}
        assert seen.http_only is http_only


def test_the_lifetime_is_known_where_the_log_says_it() -> None:
    """A cookie that only arrived asked for nothing, and an older log does not say."""
    (record,) = records_of(event("a", act="hidden"))
    for line in (*plain(record), *as_json(record)):
        seen = read_log([line]).names["a"]
        assert (seen.seconds, seen.longest, seen.http_only) == (set(), None, False)
    old = json.dumps({"consentkit_cookie": "a", "consentkit_why": NOT_DECLARED})
    seen = read_log([old]).names["a"]
    assert (seen.times, seen.paths, seen.seconds) == (1, {"": None}, set())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "cookie",
        "cookie 'a' would be blocked: not answered yet; path '/'",
        "cookie 'a' trimmed: -Max-Age=60; path '/'",
        "cookie 'a' would be blocked: not declared",
        "cookie a would be blocked: not declared; path '/'",
        r"cookie '\xz' would be blocked: not declared; path '/'",
        '{"consentkit_cookie": 7, "consentkit_why": "not declared"}',
        '{"consentkit_cookie": "a", "consentkit_why": "refused"}',
        '{"message": "cookie monster"}',
        '{"consentkit_cookie": ' + "[" * 10_000,
        "cookie {" + '"a":{' * 3000,
        '["cookie "]',
        '{"a":' * 9 + '{"consentkit_cookie": "a", "consentkit_why": "not declared"}' + "}" * 9,
        "GET /?q=cookie HTTP/1.1",
    ],
)
def test_other_lines_are_passed_over(line: str) -> None:
    """A log is everybody's: what is not about an undeclared cookie is not ours."""
    good = "cookie 'b' undeclared: not declared; path '/'"
    log = read_log([line, good])
    assert (log.lines, log.ours, list(log.names)) == (2, 1, ["b"])


@given(st.lists(st.text() | st.text().map(lambda text: f"cookie '{text}' {text}"), max_size=5))
@example(["cookie '" * 5000, "cookie '" + "\\" * 20_000, 'cookie "' + "'" * 20_000])
def test_no_line_is_too_strange(lines: list[str]) -> None:
    """A log holds what strangers sent."""
    assert read_log(lines).lines == len(lines)


def test_keys_of_other_types_are_not_believed() -> None:
    """JSON says what it likes; a number is a number here."""
    keys = {"consentkit_cookie": "a" * 400, "consentkit_why": NOT_DECLARED}
    odd = {"consentkit_path": 7, "consentkit_more": -3, "consentkit_asked_seconds": "long"}
    log = read_log([json.dumps({**keys, **odd}), json.dumps({**keys, "consentkit_more": True})])
    (name,) = log.names
    assert len(name) == LONGEST_NAME
    assert (log.names[name].times, log.names[name].seconds) == (2, {None})


def many(count: int) -> Iterator[str]:
    for number in range(count):
        yield (
            f"cookie 'n{number}' would be blocked: not declared; asked to live {number} seconds;"
            f" path '/{number}'\n"
        )


def test_a_log_of_any_size_is_read_in_a_bounded_memory() -> None:
    """Names are strangers' to make up, so what is kept has an end, and the rest is counted."""
    tracemalloc.start()
    log = read_log(many(20_000))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (log.lines, log.ours, len(log.names)) == (20_000, 20_000, MOST_NAMES)
    assert log.left_out == 20_000 - MOST_NAMES
    assert most < 3_000_000


def test_of_one_name_a_few_paths_and_lifetimes_are_kept() -> None:
    """An app may count the seconds to midnight, on every page it has."""
    log = read_log(line.replace(f"'n{number}'", "'n'") for number, line in enumerate(many(5000)))
    seen = log.names["n"]
    assert seen.times == 5000
    assert len(seen.paths) == MOST_PATHS + 1
    assert len(seen.seconds) <= 1024


def test_what_two_names_have_in_common_is_added_up() -> None:
    """Names that make one pattern are seen as one."""
    log: Log = read_log(many(8))
    one, *others = log.names.values()
    for other in others:
        one.join(other)
    assert (one.times, one.longest, len(one.paths)) == (8, 7, MOST_PATHS + 1)

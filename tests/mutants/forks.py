"""pytest runs every test once, and then those of each mutant in a fork of itself.

``-p tests.mutants.forks`` with `MUTANTS` in the environment: a JSON file with the `names` of
mutants, how many `workers` there are, the time of `time.time` from which none is begun (`until`),
and the file of the `verdicts`, to which it adds a line for each: its name, and how its tests ended.
A mutant's tests are those of its own module, since what is remembered from one test to the next was
called by the first alone, and all others that call its function. Short ones come first; the first
that fails ends them.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise, takewhile
from pathlib import Path
from typing import NoReturn

import pytest

from tests.mutants.switch import Switch

NOT_HERE = 33
"""How a mutant ends that has to be tried in a Python of its own: nothing fails, and its function
ran as modules were imported, which a fork does not do anew; or no test calls it."""
STARTING = 3
"""Seconds of the processor that a mutant has, beside five times those of its tests without it."""


class Course:
    """What was learned of the tests: which call a function, and their seconds.

    `imported` are the functions that were called before any test was.
    """

    def __init__(self) -> None:
        self.imported = frozenset(Switch.called or ())
        self.tests: dict[str, list[pytest.Item]] = defaultdict(list)
        self.of_file: dict[str, list[pytest.Item]] = defaultdict(list)
        self.seconds: dict[str, float] = {}

    def learn(self, session: pytest.Session) -> None:
        """Run every test, and note which functions it calls."""
        for item, following in pairwise([*session.items, None]):
            assert item is not None
            Switch.called = set()
            began = time.process_time()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self.seconds[item.nodeid] = time.process_time() - began
            self.of_file[item.path.name].append(item)
            for function in Switch.called:
                self.tests[function].append(item)
        Switch.called = None

    def of(self, mutant: str) -> list[pytest.Item]:
        """The tests of a mutant, in the order in which they are run; none if none calls it."""
        function = _function(mutant)
        calling = set(self.tests[function])
        own = set(self.of_file[f"test_{function.split('.')[-2]}.py"] if calling else ())
        seconds = self.seconds
        return sorted(
            own | calling,
            key=lambda it: (it not in own, it not in calling, seconds[it.nodeid], it.nodeid),
        )

    def limit_of(self, tests: Iterable[pytest.Item]) -> int:
        """The seconds of the processor after which these tests are called endless."""
        return int(STARTING + 5 * sum(self.seconds[item.nodeid] for item in tests))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Learn what the tests call; then let each mutant meet its own."""
    asked = json.loads(Path(os.environ["MUTANTS"]).read_text("utf-8"))
    course = Course()
    course.learn(session)
    if session.testsfailed:
        raise session.Failed("the tests fail without a mutant")
    gc.freeze()  # else every fork copies all there is as it collects
    with Path(asked["verdicts"]).open("a", encoding="utf-8") as file:
        in_time = takewhile(lambda _: time.time() < asked["until"], asked["names"])
        for name, end in _tried(session, course, in_time, asked["workers"]):
            is_sure = end or _function(name) not in course.imported
            file.write(f"{json.dumps([name, end if is_sure else NOT_HERE])}\n")
            file.flush()
    return True


def _tried(
    session: pytest.Session, course: Course, names: Iterable[str], workers: int
) -> Iterator[tuple[str, int]]:
    """Each mutant's name, and how its process ended: 0 if no test failed; less than 0: a signal."""
    running: dict[int, str] = {}
    for name in names:
        tests = course.of(name)
        if not tests:
            yield name, NOT_HERE
            continue
        if len(running) == workers:
            yield _ended(running)
        process = os.fork()
        if not process:
            _meet(session, name, tests, course.limit_of(tests))
        running[process] = name
    while running:
        yield _ended(running)


def _function(mutant: str) -> str:
    return mutant.rpartition("__mutmut_")[0]


def _ended(running: dict[int, str]) -> tuple[str, int]:
    process, status = os.wait()
    return running.pop(process), os.waitstatus_to_exitcode(status)


def _meet(session: pytest.Session, name: str, tests: list[pytest.Item], limit: int) -> NoReturn:
    """In a fork: run a mutant's tests until one fails, and end."""
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
        Switch.on = os.environ["MUTANT"] = name
        forget()
        for item, following in pairwise([*tests, None]):
            assert item is not None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                break
        code = min(session.testsfailed, 1)
    finally:
        os._exit(code)


def forget() -> None:
    """Forget what was remembered: this process is forked from one that was not mutated."""
    modules = [module for name, module in sys.modules.items() if name.startswith("consentkit")]
    for value in [value for module in modules for value in [*vars(module).values()]]:
        if callable(getattr(value, "cache_clear", None)):
            value.cache_clear()

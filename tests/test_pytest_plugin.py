"""The door for pytest: fixtures and a marker, run by pytest itself, one run inside another."""

import os
import subprocess
import sys
import textwrap
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import consentkit.testing.client
import tests.testing.sites
from consentkit import pytest_plugin
from consentkit.pytest_plugin import MARKER

# A run inside this one forgets what it imported, and no C extension is made to be imported twice.
FIRST = (consentkit.testing.client, tests.testing.sites)

pytest_plugins = "pytester"

ROOT = Path(__file__).resolve().parents[1]

IS_INSTALLED = bool(entry_points(group="pytest11", name="consentkit"))
BY_NAME = () if IS_INSTALLED else ("-p", "consentkit.pytest_plugin")
"""A checkout that was installed before the plugin was has no entry point yet."""
QUIET = ("-p", "no:cacheprovider")
NESTED = ("-p", "no:playwright")
"""Its plugin cannot run inside itself; in a process of its own it can."""

SITE = """
    import pytest
    from tests.testing.sites import YAML, policy, site
    from consentkit.testing import assert_blocked, assert_sets

    app = site()
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with a site's own tests in it."""
    paths = (ROOT / "src", ROOT)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, paths)))
    pytester.makeini("[pytest]\naddopts = --strict-markers\nfilterwarnings = error")
    return pytester


def run(suite: pytest.Pytester, tests: str, *options: str) -> pytest.RunResult:
    """Run these tests in this process, so that what they run is counted as tested."""
    suite.makepyfile(textwrap.dedent(SITE) + textwrap.dedent(tests))
    plugins = () if IS_INSTALLED else (pytest_plugin,)
    return suite.runpytest_inprocess(*QUIET, *NESTED, *options, plugins=plugins)


def run_apart(suite: pytest.Pytester, tests: str, *options: str) -> pytest.RunResult:
    """Run these tests in a process of their own, with whatever plugins this machine has."""
    suite.makepyfile(textwrap.dedent(SITE) + textwrap.dedent(tests))
    return suite.runpytest_subprocess(*BY_NAME, *QUIET, *options)


# The fixtures


def test_a_client_in_one_line(suite: pytest.Pytester) -> None:
    """The factory takes the app and a state; without one nobody has answered."""
    result = run(
        suite,
        """
        def test_it(consent_client):
            assert_blocked(consent_client(app).get("/"), "visits")
            assert_sets(consent_client(app, "granted").get("/"), "visits")
            assert_sets(consent_client(app, answers={"measurement": "granted"}).get("/"), "visits")
            assert not consent_client(app, "granted", signals="gpc").visitor.allows("maps")

        def test_a_client_is_closed_when_its_test_is_over(consent_client, request):
            client = consent_client(app)
            assert not client.is_closed
            clients.append(client)

        clients = []

        def test_it_was():
            assert clients[0].is_closed
        """,
    )
    result.assert_outcomes(passed=3)


def test_a_visitor_for_any_client(suite: pytest.Pytester) -> None:
    """U-24: an end-to-end test begins with the answer given."""
    result = run(
        suite,
        """
        def test_it(as_visitor):
            (cookie,) = as_visitor(app, "refused").for_playwright("http://localhost:8000")
            assert cookie["name"] == "__Host-consent"
            assert as_visitor(app).cookies == {}
        """,
    )
    result.assert_outcomes(passed=1)


def test_async_tests_have_them_too(suite: pytest.Pytester) -> None:
    """The plugin of anyio runs them, on either loop; the client asks from a thread of its own."""
    result = run_apart(
        suite,
        """
        import httpx2

        @pytest.mark.anyio
        async def test_it(as_visitor, consent_client):
            transport = httpx2.ASGITransport(app=app)
            url = "https://testserver"
            async with httpx2.AsyncClient(transport=transport, base_url=url) as client:
                as_visitor(app, "granted").put_into(client)
                assert_sets(await client.get("/"), "visits")
            assert_sets(consent_client(app, "granted").get("/"), "visits")

        @pytest.fixture(params=["asyncio", "trio"])
        def anyio_backend(request):
            return request.param
        """,
    )
    result.assert_outcomes(passed=2)


# The marker


def test_a_marked_test_runs_in_every_state_and_signal(suite: pytest.Pytester) -> None:
    """The names say which; what the policy cannot have is skipped, and says so."""
    result = run(
        suite,
        """
        @pytest.mark.consent_states
        def test_it(consent_client, consent_state):
            client = consent_client(app)
            assert client.visitor.state == consent_state
            response = client.get("/")
            judge = assert_sets if client.visitor.may_store("visits") else assert_blocked
            judge(response, "visits")

        older = YAML.replace("revision: 2", "revision: 1").replace("since: 2", "since: 1")
        first = site(policy(older))

        @pytest.mark.consent_states("older-revision", signals="none")
        def test_the_first_revision(as_visitor):
            assert not as_visitor(first, "refused").allows("maps")
            as_visitor(first)
        """,
        "-v",
        "-rs",
    )
    result.assert_outcomes(passed=14, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "*test_it?undecided? PASSED*",
            "*test_it?undecided+gpc? PASSED*",
            "*test_it?older-revision? PASSED*",
            "*test_it?unreadable+gpc? PASSED*",
            "*SKIPPED*first revision: nobody can have answered at an older one*",
        ]
    )


def test_states_and_signals_can_be_chosen(suite: pytest.Pytester) -> None:
    """Words, mappings, one signal or several; a state that is given in the test wins."""
    result = run(
        suite,
        """
        @pytest.mark.consent_states("refused", {"maps": "granted"}, signals=["none", "gpc", "dnt"])
        @pytest.mark.parametrize("path", ["/", "/plain"])
        def test_it(path, as_visitor):
            assert as_visitor(app, "granted").allows("maps")

        @pytest.mark.consent_states("granted", signals="gpc")
        class TestIt:
            def test_one(self, as_visitor):
                assert not as_visitor(app).allows("maps")
        """,
        "--collect-only",
        "-q",
    )
    lines = result.stdout.str()
    for name in (
        "test_it[refused-/]",
        "[maps=granted+dnt-/plain]",
        "TestIt::test_one[granted+gpc]",
    ):
        assert name in lines
    assert "13 tests collected" in lines


@pytest.mark.parametrize(
    ("marker", "arguments", "said"),
    [
        (
            "'granted!'",
            "as_visitor",
            "*consent_states: 'granted!' is no state of a visitor*Did you",
        ),
        ("signals='gcp'", "as_visitor", "*consent_states: 'gcp' is no signal. There are: gpc, dnt"),
        ("signal='gpc'", "as_visitor", "*has no option signal. There is 'signals'"),
        ("signals=[]", "as_visitor", "*no signals are named. Write signals='none' for none."),
        ("'granted'", "request", "*the test takes none of its fixtures. Take 'consent_client'"),
    ],
)
def test_a_slip_in_the_marker_is_told_when_tests_are_collected(
    suite: pytest.Pytester, marker: str, arguments: str, said: str
) -> None:
    """Where it stands, what it is, what to do."""
    tests = f"""
        @pytest.mark.consent_states({marker})
        def test_it({arguments}):
            pass
        """
    result = run(suite, tests)
    assert result.ret != 0
    result.stdout.fnmatch_lines([f"*test_*.py::test_it: *{said.lstrip('*')}*"])


def test_the_marker_is_known_to_pytest(suite: pytest.Pytester) -> None:
    """`--strict-markers`, and `pytest --markers` tells of it."""
    result = run(suite, "", "--markers")
    result.stdout.fnmatch_lines([f"@pytest.mark.{MARKER}(*states, signals=*"])


# Among others


def test_tests_may_run_in_several_processes_and_beside_other_plugins(
    suite: pytest.Pytester,
) -> None:
    """Every process has to find the same tests, in one order.

    Playwright's plugin is there too, where it is installed; the runs above are without it.
    """
    pytest.importorskip("xdist")
    tests = """
        @pytest.mark.consent_states("undecided", "granted")
        def test_it(consent_client):
            consent_client(app).get("/plain")
        """
    run_apart(suite, tests, "-n", "2").assert_outcomes(passed=4)


def test_it_shadows_no_fixture_and_adds_no_option(suite: pytest.Pytester) -> None:
    """Its three fixtures are its own, and it has no option that could clash."""
    without = suite.runpytest_subprocess("-p", "no:consentkit", *QUIET, "--fixtures", "-v").outlines
    mine = {"as_visitor", "consent_client", "consent_state"}
    assert not mine & {line.split(" ")[0] for line in without if " -- " in line}
    assert any(line.startswith("tmp_path") for line in without)
    assert mine == {name for name in pytest_plugin.__all__ if name != MARKER}
    assert not hasattr(pytest_plugin, "pytest_addoption")


def test_an_empty_run_imports_nothing_for_it() -> None:
    """FACTS §17: what nobody asks for is not waited for."""
    code = (
        "import sys, consentkit.pytest_plugin\n"
        "print(*sorted(m for m in sys.modules if m.startswith('consentkit')))\n"
        "print([m for m in ('starlette', 'pydantic', 'httpx2', 'hypothesis') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["consentkit consentkit.pytest_plugin", "[]"]

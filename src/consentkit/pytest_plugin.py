"""The door for pytest: fixtures and a marker. It imports what they need when a test asks for them.

It has never heard of cookies; `consentkit.testing` has. pytest loads it by itself where consentkit
is installed; ``-p no:consentkit`` leaves it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from consentkit.testing import ConsentClient, ConsentState, SignedVisitor

__all__ = ["as_visitor", "consent_client", "consent_state"]

MARKER = "consent_states"
_FIXTURE = "consent_state"
_NO_SIGNAL = "none"


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of the marker."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(*states, signals=('none', 'gpc')): run the test once for each state of a "
        "visitor and each signal; all states where none is named. A state is a word (undecided, "
        "refused, granted, implied, lapsed, older-revision, unreadable) or a mapping of purposes.",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a marked test one for each state and signal."""
    marker = metafunc.definition.get_closest_marker(MARKER)
    if marker is None:
        return
    if _FIXTURE not in metafunc.fixturenames:
        raise pytest.UsageError(
            f"{metafunc.definition.nodeid}: {MARKER} changes nothing here, for the test takes none "
            f"of its fixtures. Take 'consent_client', 'as_visitor' or '{_FIXTURE}'."
        )
    states = _states_of(metafunc.definition.nodeid, marker)
    metafunc.parametrize(_FIXTURE, states, indirect=True, ids=map(str, states))


def _states_of(nodeid: str, marker: pytest.Mark) -> list[ConsentState]:
    from consentkit.errors import NoSuchVisitorError  # noqa: PLC0415 - a run without it is not slower
    from consentkit.testing.visitors import STATES, state_of  # noqa: PLC0415 - as above

    options = dict(marker.kwargs)
    signals = options.pop("signals", (_NO_SIGNAL, "gpc"))
    if options:
        raise pytest.UsageError(
            f"{nodeid}: {MARKER} has no option {', '.join(options)}. There is 'signals'."
        )
    sets = [signals] if isinstance(signals, str) else [*signals]
    if not sets:  # pytest would skip the test, and say so where nobody reads
        raise pytest.UsageError(
            f"{nodeid}: {MARKER}: no signals are named. Write signals='{_NO_SIGNAL}' for none."
        )
    try:
        return [
            state_of(answers, () if each == _NO_SIGNAL else each)
            for answers in marker.args or STATES
            for each in sets
        ]
    except NoSuchVisitorError as error:
        raise pytest.UsageError(f"{nodeid}: {MARKER}: {error.what}. {error.cure}") from None


@pytest.fixture
def consent_state(request: pytest.FixtureRequest) -> ConsentState:
    """The state that the marker gives this run of the test; without it, nobody has answered."""
    from consentkit.testing.visitors import ConsentState  # noqa: PLC0415 - as above

    state: ConsentState = getattr(request, "param", None) or ConsentState()
    return state


@pytest.fixture
def as_visitor(consent_state: ConsentState) -> Callable[..., SignedVisitor]:
    """`consentkit.testing.as_visitor`, in the marker's state where no answers are given."""
    from consentkit.testing.visitors import as_visitor  # noqa: PLC0415 - as above

    return _in_state(as_visitor, consent_state)


@pytest.fixture
def consent_client(consent_state: ConsentState) -> Iterator[Callable[..., ConsentClient]]:
    """`consentkit.testing.consent_client`, in the marker's state where no answers are given.

    The clients are closed when the test is over.
    """
    from consentkit.testing.client import consent_client  # noqa: PLC0415 - as above

    with ExitStack() as clients:
        make = _in_state(consent_client, consent_state)

        def made(*args: object, **options: object) -> ConsentClient:
            client: ConsentClient = make(*args, **options)
            clients.callback(client.close)
            return client

        yield made


def _in_state(make: Callable[..., Any], state: ConsentState) -> Callable[..., Any]:
    def made(app: object = None, answers: object = None, **options: Any) -> Any:  # noqa: ANN401 - what is made, and of what
        if answers is None and state.answers == "older-revision":
            _skip_where_there_is_none(app, options)
        return make(app, state if answers is None else answers, **options)

    return made


def _skip_where_there_is_none(app: object, options: dict[str, Any]) -> None:
    from consentkit.testing.visitors import ready_of  # noqa: PLC0415 - as above

    known = ("policy", "secret_key", "secure")
    given = {name: options[name] for name in known if name in options}
    if ready_of(app, **given, url=options.get("url") or "https://testserver").policy.revision == 1:
        pytest.skip("the policy is at its first revision: nobody can have answered at an older one")

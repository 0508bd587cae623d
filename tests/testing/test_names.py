"""The public names of the testing room, each imported when it is asked for."""

import pytest

import consentkit.testing
from tests.test_public_names import modules_after


@pytest.mark.parametrize("name", consentkit.testing.__all__)
def test_each_public_name_is_there(name: str) -> None:
    """What `__all__` promises can be imported."""
    assert getattr(consentkit.testing, name) is not None
    assert name in dir(consentkit.testing)


def test_importing_the_room_imports_nothing_else() -> None:
    """A suite that uses none of it does not wait for it; the control: a client needs Starlette."""
    heavy = {"starlette", "pydantic", "hypothesis", "httpx", "httpx2"}
    assert not heavy & modules_after("import consentkit.testing")
    assert "starlette" in modules_after("from consentkit.testing import consent_client")


def test_a_name_that_is_not_there_is_an_ordinary_error() -> None:
    """As for any other module."""
    said = r"module 'consentkit\.testing' has no attribute 'banana'"
    with pytest.raises(AttributeError, match=said):
        getattr(consentkit.testing, "banana")  # noqa: B009  # as a name that a type checker cannot see

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.rules import catalogue
from consentkit.rules.names import NamePattern
from consentkit.rules.trackers import (
    TRACKING,
    is_known_name,
    tracker_of_host,
    tracker_of_name,
    tracker_of_service,
)

TRACKERS = [
    known
    for known in catalogue.cookies()
    if known.where == "cookie" and known.purpose in TRACKING and not known.shared
]
FREE = [pattern for pattern in TRACKERS if "*" in pattern.name or "{" in pattern.name]


def is_found(name: str, *, chunked: bool = False) -> bool | None:
    """Whether a sure tracker was found under a declared name; None if nothing was."""
    found = tracker_of_name("cookies", NamePattern.parse(name), chunked=chunked)
    return found.is_sure if found else None


@pytest.mark.parametrize("name", [known.name for known in TRACKERS])
def test_every_known_tracker_is_found_under_its_own_name(name: str) -> None:
    """As the catalogue writes it, as somebody writes it with a prefix, and as a wildcard."""
    assert is_found(name)
    if not name.startswith("{"):
        assert is_found(f"{{site}}{name}")
    assert is_found(f"{name.partition('{')[0].removesuffix('*')}*")


@given(st.sampled_from(FREE), st.text("aZ9.-_", min_size=1, max_size=6))
def test_a_pattern_that_is_narrower_than_a_trackers_is_found(
    known: catalogue.KnownCookie, filled: str
) -> None:
    """People write what their browser shows them: `_ga_G{id}`, `_pk_id.1.{site}`."""
    pattern = NamePattern.parse(known.name)
    between = f"{filled}{{x}}".join(pattern.pieces)
    assert is_found(between)
    if not pattern.pieces[-1]:
        assert is_found(f"{pattern.pieces[0]}{filled}*" if len(pattern.pieces) == 2 else between)


@pytest.mark.parametrize(
    "name",
    [
        "_pk_ref.*",
        "_pk_id.1.{x}",
        "_ga_G{x}",
        "_ga_R4*",
        "_gat_UA-{x}",
        "_dc_gtm_UA-{x}",
        "{a}ga",
        "{x}_ga",
        "_g{x}",
        "__utm*",
    ],
)
def test_what_people_write_is_found(name: str) -> None:
    """Names from policies and from the pages of the tools."""
    assert is_found(name)


@given(st.sampled_from(TRACKERS), st.integers(1, 9), st.text("ab_", max_size=3))
def test_whatever_shares_a_name_with_a_tracker_is_spoken_of(
    known: catalogue.KnownCookie, length: int, end: str
) -> None:
    """`NamePattern.overlaps` is the oracle: a declared name that lets a tracker through is found.

    A placeholder in front would meet every wildcard there is, so there a plain name has to fit.
    """
    declared = NamePattern.parse(f"{known.name[:length].partition('{')[0].rstrip('*')}{{q}}{end}")
    if declared.overlaps(NamePattern.parse(known.name)):
        assert tracker_of_name("cookies", declared) is not None


@pytest.mark.parametrize("name", ["_GA", "amp_{x}", "_g{n}q", "IDE", "fr", "lpv{x}"])
def test_what_proves_less_is_not_sure(name: str) -> None:
    """Another case, a name that others use too, a pattern that need not mean it (FZ-09)."""
    assert is_found(name) is False
    found = tracker_of_name("cookies", NamePattern.parse(name))
    assert found is not None
    assert found.known.purpose in TRACKING


def innocent() -> Iterator[str]:
    """Names of frameworks, and what the catalogue itself calls something else."""
    for framework in catalogue.frameworks().values():
        yield from framework.cookies
    for known in catalogue.cookies():
        if known.where == "cookie" and known.purpose not in TRACKING:
            yield known.name


@pytest.mark.parametrize("name", sorted({*innocent()}))
def test_what_is_known_for_something_else_is_no_tracker(name: str) -> None:
    """An opt-out cookie of a tracker's maker is as necessary as a session."""
    assert not is_found(name)


@pytest.mark.parametrize("name", ["{n}_basket", "basket", "~{n}", "app_*", "{n}-session*"])
def test_names_of_ones_own_are_no_trackers(name: str) -> None:
    """A warning about nothing teaches to overlook warnings."""
    assert is_found(name) is None


def test_pieces_of_a_chunked_cookie_may_be_trackers() -> None:
    """`chunked` admits `name-0`, `name.0` and `nameC1`, whatever `name` itself is."""
    assert is_found("_hp2_id") is None
    assert is_found("_hp2_id", chunked=True)
    assert tracker_of_name("cookies", NamePattern.parse("_hp2_id")) is None  # unless it says so
    assert is_found("basket", chunked=True) is None
    assert is_found("_ga*", chunked=True)
    assert is_found("_ga_R4", chunked=True)  # all of them are


def test_storage_has_names_of_its_own() -> None:
    """A key of web storage is no cookie."""
    stored = next(known for known in catalogue.cookies() if known.name == "mapbox.eventData*")
    assert stored.where == "local"
    pattern = NamePattern.parse("mapbox.eventData:{x}")
    assert tracker_of_name("storage", pattern)
    assert not tracker_of_name("cookies", pattern)
    assert is_known_name("storage", pattern)
    assert not is_known_name("cookies", pattern)
    name = NamePattern.parse("_ga")
    assert tracker_of_name("cookies", name)
    assert tracker_of_name("storage", name) is None


HOSTS = [
    (host, service.key)
    for service in catalogue.services().values()
    if service.purpose in TRACKING
    for host in service.hosts
]


@given(st.sampled_from(HOSTS), st.sampled_from([str.upper, str.lower, str.title]), st.booleans())
def test_a_trackers_host_is_found_however_it_is_written(
    host: tuple[str, str],
    case: object,
    dot: bool,  # noqa: FBT001
) -> None:
    """Host names know no case, and a dot at the end means the same host."""
    assert callable(case)
    written = case(host[0]) + "." * dot
    found = tracker_of_host(written)
    assert found is not None
    assert found.service.key == host[1]


@given(st.sampled_from(HOSTS))
def test_a_wildcard_above_a_trackers_host_is_found(host: tuple[str, str]) -> None:
    """`*.facebook.net` lets `connect.facebook.net` in, whoever else is there."""
    domain = host[0].removeprefix("*.").partition(".")[2]
    found = tracker_of_host(f"*.{domain}")
    assert (found is not None) == ("." in domain)
    assert tracker_of_host("*.example.org") is None
    assert tracker_of_host("facebook.net") is None


def test_a_service_is_known_by_its_key() -> None:
    """What embeds a map is none."""
    found = tracker_of_service("matomo")
    assert found is not None
    assert found.title == "Matomo"
    assert tracker_of_service("youtube") is None
    assert tracker_of_service(None) is None

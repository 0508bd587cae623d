"""A site behind a real proxy, for each kind of proxy and each way of serving pages."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from tests.browser.servers import Server
from tests.conftest import IN_CI
from tests.proxies.servers import PROGRAMS, Answer, Proxy, ask, find
from tests.proxies.visitors import around, policy, site, visitors


@dataclass(frozen=True)
class Place:
    """The same app, asked directly and through a cache; and who comes."""

    server: Server
    proxy: Proxy
    visitors: Mapping[str, Mapping[str, str]]

    def directly(self, path: str, headers: Mapping[str, str], method: str = "GET") -> Answer:
        return ask(self.server.port, path, headers, method)

    def ask(self, path: str, headers: Mapping[str, str], method: str = "GET") -> Answer:
        return ask(self.proxy.port, path, headers, method)


@pytest.fixture(scope="module", params=sorted(PROGRAMS))
def kind(request: pytest.FixtureRequest) -> str:
    """A caching proxy that this machine has. Without it the test is skipped, and in CI it fails."""
    name: str = request.param
    if find(name) is not None:
        return name
    told = f"no {PROGRAMS[name]} found (Debian: apt-get install {name})"
    if IN_CI:
        pytest.fail(told)
    pytest.skip(told)


def _place(
    kind: str,
    tmp_path_factory: pytest.TempPathFactory,
    outermost: Callable[[ASGIApp], ASGIApp] = lambda app: app,
    **changes: object,
) -> Iterator[Place]:
    rules = policy(**changes)
    bare = site(tmp_path_factory.mktemp("site"))
    with (
        Server(outermost(around(bare, rules))) as server,
        Proxy(kind, server.port, tmp_path_factory.mktemp(kind)) as proxy,
    ):
        yield Place(server, proxy, visitors(bare, rules))


@pytest.fixture(scope="module")
def place(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Pages are each visitor's own."""
    yield from _place(kind, tmp_path_factory)


@pytest.fixture(scope="module")
def shared(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One page for all visitors."""
    yield from _place(kind, tmp_path_factory, pages="shared")


@pytest.fixture(scope="module")
def compressed(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One page for all visitors, and a layer outside consentkit that compresses."""
    yield from _place(kind, tmp_path_factory, GZipMiddleware, pages="shared")

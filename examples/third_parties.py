"""An analytics service to embed: a server of this machine that plays Google's part.

It has never heard of consentkit: like a real one, it stores what it can and writes down who came.

``/ga.js`` stores `_ga` and `_ga_TEST` for two years, where the page that loads it does not have
them yet, and sends a beacon to ``/collect``; ``/log`` tells, as JSON, what was asked for.
"""

from collections import deque
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

__all__ = ["AnalyticsServer"]

SCRIPT: Final = """\
(() => {
  const origin = new URL(document.currentScript.src).origin;
  const years = 2 * 365 * 24 * 60 * 60;
  for (const [name, version] of [["_ga", "GA1.1"], ["_ga_TEST", "GS1.1"]]) {
    if (document.cookie.split("; ").some((pair) => pair.startsWith(`${name}=`))) continue;
    const [id, now] = [Math.random() * 2 ** 31, Date.now() / 1000].map(Math.floor);
    document.cookie = `${name}=${version}.${id}.${now}; Path=/; Max-Age=${years}`;
  }
  navigator.sendBeacon(`${origin}/collect?page=${encodeURIComponent(location.pathname)}`);
})();
"""


class AnalyticsServer:
    """The service as an ASGI app. `log` holds its last thousand requests, as ``GET /ga.js``."""

    def __init__(self) -> None:
        """Nobody has come yet."""
        self.log: deque[str] = deque(maxlen=1000)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and write it down."""
        request = Request(scope, receive)
        if request.url.path != "/log":
            self.log.append(f"{request.method} {request.url.path}")
        await self._answer(request.url.path)(scope, receive, send)

    def _answer(self, path: str) -> Response:
        match path:
            case "/ga.js":
                return Response(SCRIPT, media_type="text/javascript")
            case "/collect":
                return Response(status_code=204)
            case "/log":
                return JSONResponse([*self.log])
            case _:
                return Response(status_code=404)

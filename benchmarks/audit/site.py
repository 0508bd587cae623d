"""A site of so many pages for the auditor to walk, held to a policy.

Each page is some 12 KB with twenty links and three cookies, and no two are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from consentkit import ConsentMiddleware
from consentkit.rules.policy_file import policy_from

if TYPE_CHECKING:
    from starlette.requests import Request

DAY: Final = 86_400
POLICY: Final[dict[str, Any]] = {
    "site": {"name": "Two hundred pages", "controller": "Example Limited"},
    "mode": "explicit",
    "purposes": {
        "counting": {"title": "Counting", "description": "Counts which pages are read."},
        "films": {"title": "Films", "description": "Shows films from elsewhere."},
    },
    "cookies": {
        name: {"kind": kind, "purpose": purpose, "duration": "30 days", "description": "A number."}
        for name, kind, purpose in (
            ("visits", "analytics", "counting"),
            ("pages", "analytics", "counting"),
            ("volume", "persistent", "films"),
        )
    },
}
WORDS: Final = (
    "It was the best of times, it was the worst of times, it was the age of wisdom. " * 120
)


def app(pages: int = 200) -> Starlette:
    """The site as an ASGI app: ``/`` and ``/page/1`` to the last."""

    def page(request: Request) -> HTMLResponse:
        number = int(request.path_params.get("number", 0))
        nearby = ((number * 20 + step) % pages for step in range(1, 21))
        links = "".join(f'<li><a href="/page/{n}">Page {n}</a></li>' for n in nearby if n)
        html = (
            f'<!doctype html><html lang="en"><head><title>Page {number}</title></head><body>'
            f"<h1>Page {number}</h1><ul>{links}</ul><p>{WORDS}</p></body></html>"
        )
        answer = HTMLResponse(html)
        for name in POLICY["cookies"]:
            answer.set_cookie(name, str(number), max_age=30 * DAY)
        return answer

    made = Starlette(routes=[Route("/", page), Route("/page/{number:int}", page)])
    key = "for this measurement only: nobody else is asked"
    made.add_middleware(ConsentMiddleware, policy=policy_from(POLICY), secret_key=key, secure=False)
    return made

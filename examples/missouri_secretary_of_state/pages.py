"""The pages of the site, whichever app of it they belong to: templates, and forms that were posted.

It has never heard of cookies.
"""

from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.templating import Jinja2Templates

__all__ = ["INNER_APPS", "LONGEST", "fields", "page", "see"]

HERE: Final = Path(__file__).parent
INNER_APPS: Final = ("/account", "/filings", "/forms")
"""Where the apps inside the site are mounted."""
LONGEST: Final = 80
"""Characters of a field; the rest is cut off, so that a session fits into its cookie."""

templates = Jinja2Templates(HERE / "templates")
templates.env.trim_blocks = True


def page(request: Request, template: str, *, status: int = 200, **context: object) -> Response:
    """A page of the site; ``root`` in a template is the path under which the site is mounted."""
    context |= {"root": root_of(request), "longest": LONGEST}
    return templates.TemplateResponse(request, template, context, status_code=status)


def see(request: Request, path: str) -> RedirectResponse:
    """Send the browser on to a page of the site, once a form is dealt with."""
    return RedirectResponse(root_of(request) + path, 303)


def root_of(request: Request) -> str:
    """The path under which the site is mounted, also where an inner app asks."""
    root: str = request.scope.get("root_path", "")
    for inner in INNER_APPS:
        root = root.removesuffix(inner)
    return root


async def fields(request: Request) -> dict[str, str]:
    """The fields of a form that was posted."""
    # Not `request.form()`, which needs one more package even for the simplest of forms.
    posted = parse_qs((await request.body()).decode("utf-8", "replace"))
    return {name: values[0].strip()[:LONGEST] for name, values in posted.items()}

"""The site, made with Starlette: routes, and a mounted folder."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from tests.apps import PAGE
from tests.hosts.sites import BrokenError, chunks, folder, store, ticks


async def page(request: Request) -> Response:
    return store(HTMLResponse(PAGE))


async def stream(request: Request) -> Response:
    return store(StreamingResponse(chunks(), media_type="text/html"))


async def events(request: Request) -> Response:
    return StreamingResponse(ticks(), media_type="text/event-stream")


async def seen(request: Request) -> Response:
    return JSONResponse(dict(request.cookies))


async def form(request: Request) -> Response:
    async with request.form() as fields:
        return JSONResponse(dict(fields))


async def hop(request: Request) -> Response:
    return store(RedirectResponse("/second", 302))


async def second(request: Request) -> Response:
    return store(RedirectResponse("/page", 303))


async def boom(request: Request) -> Response:
    raise BrokenError


async def file(request: Request) -> Response:
    return FileResponse(folder() / "file.html")


async def echo(websocket: WebSocket) -> None:
    await websocket.accept(headers=[(b"set-cookie", b"stray=1")])
    await websocket.send_json(dict(websocket.cookies))
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


def site(*, debug: bool) -> Starlette:
    return Starlette(
        debug=debug,
        routes=[
            Route("/page", page),
            Route("/stream", stream),
            Route("/events", events),
            Route("/seen", seen),
            Route("/form", form, methods=["POST"]),
            Route("/hop", hop),
            Route("/second", second),
            Route("/boom", boom),
            Route("/file", file),
            Mount("/static", StaticFiles(directory=folder())),
            WebSocketRoute("/echo", echo),
        ],
    )

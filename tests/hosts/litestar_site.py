"""The site, made with Litestar: typed handlers, and its own router for static files."""

from typing import Any

from litestar import Litestar, MediaType, Request, Response, WebSocket, get, post, route, websocket
from litestar.enums import HttpMethod
from litestar.response import File, Redirect, Stream
from litestar.static_files import create_static_files_router

from tests.apps import PAGE
from tests.hosts.sites import BrokenError, chunks, folder, store, ticks

GET_AND_HEAD = [HttpMethod.GET, HttpMethod.HEAD]


@route("/page", http_method=GET_AND_HEAD, media_type=MediaType.HTML)
async def page(request: Request) -> Response:
    return store(Response(PAGE if request.method == "GET" else None))


@get("/stream", media_type=MediaType.HTML)
async def stream() -> Stream:
    return store(Stream(chunks()))


@get("/events", media_type="text/event-stream")
async def events() -> Stream:
    return Stream(ticks())


@get("/seen")
async def seen(request: Request) -> dict[str, str]:
    return dict(request.cookies)


@post("/form", status_code=200)
async def form(request: Request) -> dict[str, Any]:
    return dict(await request.form())


@get("/hop", status_code=302)
async def hop() -> Redirect:
    return store(Redirect("/second"))


@get("/second", status_code=303)
async def second() -> Redirect:
    return store(Redirect("/page", status_code=303))


@get("/boom")
async def boom() -> None:
    raise BrokenError


@get("/file")
async def file() -> File:
    path = folder() / "file.html"
    return File(path, media_type=MediaType.HTML, content_disposition_type="inline")


@websocket("/echo")
async def echo(socket: WebSocket) -> None:
    cookies = {"set-cookie": "stray=1"}
    await socket.accept(headers=cookies)
    await socket.send_json(dict(socket.cookies))
    await socket.send_text(await socket.receive_text())
    await socket.close()


def site(*, debug: bool) -> Litestar:
    files = create_static_files_router(path="/static", directories=[folder()])
    handlers: list[Any] = [page, stream, events, seen, form, hop, second, boom, file, echo, files]
    return Litestar(handlers, debug=debug, logging_config=None)

"""The site, made with Quart: views in the manner of Flask, and its static folder."""

from typing import Any

from quart import Quart, make_response, redirect, request, send_file, websocket

from tests.apps import PAGE
from tests.hosts.sites import BrokenError, chunks, folder, store, ticks


def site(*, debug: bool) -> Quart:  # noqa: C901 - eleven views, and no branch
    app = Quart("site", static_folder=str(folder()))
    app.debug = debug

    @app.get("/page")
    async def page() -> Any:
        return store(await make_response(PAGE))

    @app.get("/stream")
    async def stream() -> Any:
        return store(await make_response(chunks(), {"content-type": "text/html"}))

    @app.get("/events")
    async def events() -> Any:
        return await make_response(ticks(), {"content-type": "text/event-stream"})

    @app.get("/seen")
    async def seen() -> Any:
        return dict(request.cookies)

    @app.post("/form")
    async def form() -> Any:
        return dict(await request.form)

    @app.get("/hop")
    async def hop() -> Any:
        return store(redirect("/second", 302))

    @app.get("/second")
    async def second() -> Any:
        return store(redirect("/page", 303))

    @app.get("/boom")
    async def boom() -> Any:
        raise BrokenError

    @app.get("/file")
    async def file() -> Any:
        return await send_file(folder() / "file.html", conditional=True)

    @app.websocket("/echo")
    async def echo() -> None:
        await websocket.accept(headers={"set-cookie": "stray=1"})
        await websocket.send_json(dict(websocket.cookies))
        await websocket.send(await websocket.receive())

    return app

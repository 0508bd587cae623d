"""The site, made with FastAPI: decorators, and parameters that it fills in."""

from typing import Annotated

from fastapi import FastAPI, Form, Request, Response, WebSocket
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles

from tests.apps import PAGE
from tests.hosts.sites import BrokenError, chunks, folder, store, ticks


def site(*, debug: bool) -> FastAPI:  # noqa: C901 - eleven routes, and no branch
    app = FastAPI(debug=debug)
    app.mount("/static", StaticFiles(directory=folder()))

    @app.api_route("/page", methods=["GET", "HEAD"], response_class=HTMLResponse)
    async def page(response: Response) -> str:
        store(response)
        return PAGE.decode()

    @app.get("/stream", response_model=None)
    async def stream() -> StreamingResponse:
        return store(StreamingResponse(chunks(), media_type="text/html"))

    @app.get("/events", response_model=None)
    async def events() -> StreamingResponse:
        return StreamingResponse(ticks(), media_type="text/event-stream")

    @app.get("/seen")
    async def seen(request: Request) -> dict[str, str]:
        return dict(request.cookies)

    @app.post("/form")
    async def form(text: Annotated[str, Form()]) -> dict[str, str]:
        return {"text": text}

    @app.get("/hop", response_model=None)
    async def hop() -> RedirectResponse:
        return store(RedirectResponse("/second", 302))

    @app.get("/second", response_model=None)
    async def second() -> RedirectResponse:
        return store(RedirectResponse("/page", 303))

    @app.get("/boom")
    def boom() -> None:
        raise BrokenError

    @app.api_route("/file", methods=["GET", "HEAD"], response_model=None)
    async def file() -> FileResponse:
        return FileResponse(folder() / "file.html")

    @app.websocket("/echo")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept(headers=[(b"set-cookie", b"stray=1")])
        await websocket.send_json(dict(websocket.cookies))
        await websocket.send_text(await websocket.receive_text())
        await websocket.close()

    return app

"""A page that counts its visits, and a route that asks. Start it: ``uvicorn app:app``."""

from typing import Annotated

from fastapi import Cookie, Depends, FastAPI, Response
from fastapi.responses import HTMLResponse

from consentkit import ConsentMiddleware, Visitor, load_policy, visitor_from

KEY = "for this demonstration only: yours is secret, and random"

policy = load_policy("consent.yaml")
app = FastAPI()
# secure=False is for http://localhost: leave it out where the site is served over https.
app.add_middleware(ConsentMiddleware, policy=policy, secret_key=KEY, secure=False)


@app.get("/", response_class=HTMLResponse)
def hello(response: Response, visits: Annotated[int, Cookie()] = 0) -> str:
    response.set_cookie("visits", str(visits + 1), max_age=63_072_000)
    return f"<!doctype html><html lang=en><title>Hello</title><h1>Visit {visits + 1}</h1>"


@app.get("/measured")
def measured(visitor: Annotated[Visitor, Depends(visitor_from)]) -> bool:
    return visitor.allows("measurement")

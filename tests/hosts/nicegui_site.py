"""A NiceGUI site: a counter that lives in the server, and a field that the browser remembers.

Has never heard of consent. NiceGUI keeps one app for a process, so it is made here, once.
"""

from __future__ import annotations

import os

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from tests.hosts.sites import folder

os.environ["NICEGUI_STORAGE_PATH"] = str(folder().parent / "nicegui")  # read when it is imported

from nicegui import app as pages
from nicegui import ui

SECRET = "a secret for tests, and for tests alone"


@ui.page("/")
def counter() -> None:
    """A label and a button; the count is kept for the visitor's session."""
    kept = pages.storage.user
    label = ui.label(f"Counted {kept.get('count', 0)}").props("id=count")

    def add() -> None:
        kept["count"] = kept.get("count", 0) + 1
        label.text = f"Counted {kept['count']}"

    ui.button("Add", on_click=add)


site = FastAPI()
site.add_middleware(GZipMiddleware)  # NiceGUI adds it itself, though not while pytest runs
ui.run_with(site, storage_secret=SECRET, show_welcome_message=False, reconnect_timeout=1)

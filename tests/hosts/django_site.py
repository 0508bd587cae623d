"""A Django site with the admin, under ASGI.

Has never heard of consent. Django keeps one configuration for a process, so it is made here, once.
"""

from __future__ import annotations

import json
from functools import cache
from http.cookies import SimpleCookie
from typing import Any

import django
from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.test import override_settings
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.apps import PAGE
from tests.hosts.sites import BrokenError, chunks, folder, store, ticks

settings.configure(
    SECRET_KEY="a secret for tests, and for tests alone",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="tests.hosts.django_site",
    STATIC_URL="/static/",
    STATICFILES_DIRS=[folder()],
    SECURE_CONTENT_TYPE_NOSNIFF=False,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(folder().parent / "site.sqlite3"),
        }
    },
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    USE_TZ=True,
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # the slow ones are slow
    LOGGING_CONFIG=None,
)
django.setup()

from django.contrib import admin  # noqa: E402 - needs the configuration


def page(request: HttpRequest) -> HttpResponse:
    response: HttpResponse = store(HttpResponse(PAGE))
    return response


async def stream(request: HttpRequest) -> HttpResponseBase:
    response: HttpResponseBase = store(StreamingHttpResponse(chunks(), content_type="text/html"))
    return response


async def events(request: HttpRequest) -> HttpResponseBase:
    return StreamingHttpResponse(ticks(), content_type="text/event-stream")


async def seen(request: HttpRequest) -> HttpResponse:
    return JsonResponse(dict(request.COOKIES))


@csrf_exempt
async def form(request: HttpRequest) -> HttpResponse:
    return JsonResponse(request.POST.dict())


async def hop(request: HttpRequest) -> HttpResponse:
    response: HttpResponse = store(HttpResponseRedirect("/second"))
    return response


async def second(request: HttpRequest) -> HttpResponse:
    response: HttpResponse = store(HttpResponseRedirect("/page", status=303))
    return response


def boom(request: HttpRequest) -> HttpResponse:
    raise BrokenError


def file(request: HttpRequest) -> FileResponse:
    return FileResponse((folder() / "file.html").open("rb"))


urlpatterns = [
    path("admin/", admin.site.urls),
    path("page", page),
    path("stream", stream),
    path("events", events),
    path("seen", seen),
    path("form", form),
    path("hop", hop),
    path("second", second),
    path("boom", boom),
    path("file", file),
]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """A websocket in bare ASGI, since Django has none: says what cookies came, then echoes."""
    line = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    cookies = {name: morsel.value for name, morsel in SimpleCookie(line.decode()).items()}
    await receive()
    await send({"type": "websocket.accept", "headers": [(b"set-cookie", b"stray=1")]})
    await send({"type": "websocket.send", "text": json.dumps(cookies)})
    message = await receive()
    await send({"type": "websocket.send", "text": message["text"]})
    await send({"type": "websocket.close", "code": 1000})


def site(*, debug: bool) -> ASGIApp:
    """What a project's ``asgi.py`` calls `application`."""
    pages: Any = ASGIStaticFilesHandler(get_asgi_application())

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await echo(scope, receive, send)
            return
        with override_settings(DEBUG=debug):
            await pages(scope, receive, send)

    return application


@cache
def make_tables() -> None:
    """Make the tables of the admin, and somebody who may sign in."""
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    User.objects.create_superuser("ada", "ada@example.org", "correct horse battery")

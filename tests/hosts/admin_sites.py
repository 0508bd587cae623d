"""Sites of others' making: two admin applications from PyPI, each over a small database.

Has never heard of consent.
"""

from __future__ import annotations

from sqladmin import Admin as SQLAdmin
from sqladmin import ModelView as SQLAdminView
from sqladmin.authentication import AuthenticationBackend
from sqlalchemy import create_engine
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp
from starlette_admin.auth import AdminUser, AuthProvider, LoginFailed
from starlette_admin.contrib.sqla import Admin as StarletteAdmin
from starlette_admin.contrib.sqla import ModelView as StarletteAdminView

SECRET = "a secret for tests, and for tests alone"
WHO, WORD = "ada", "correct horse battery"


class Base(DeclarativeBase):
    pass


class Town(Base):
    __tablename__ = "towns"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


ENGINES: list[Engine] = []
"""What was opened, for the tests to close."""


def database() -> Engine:
    engine = create_engine(
        "sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool
    )
    ENGINES.append(engine)
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add(Town(name="Stafford"))
    return engine


class SignsIn(AuthenticationBackend):
    async def login(self, request: Request) -> bool:
        form = await request.form()
        if (form["username"], form["password"]) != (WHO, WORD):
            return False
        request.session["who"] = WHO
        return True

    async def logout(self, request: Request) -> bool:
        request.session.clear()
        return True

    async def authenticate(self, request: Request) -> bool:
        return "who" in request.session


class Towns(SQLAdminView, model=Town):  # type: ignore[call-arg] # sqladmin's types are not read
    column_list = (Town.id, Town.name)


def sqladmin() -> ASGIApp:
    """An app with sqladmin at ``/admin``."""
    app = Starlette()
    admin = SQLAdmin(app, database(), authentication_backend=SignsIn(secret_key=SECRET))
    admin.add_view(Towns)
    return app


class Provides(AuthProvider):
    async def login(
        self,
        username: str,
        password: str,
        remember_me: bool,  # noqa: FBT001 - the signature that it is called with
        request: Request,
    ) -> Response | None:
        if (username, password) != (WHO, WORD):
            raise LoginFailed("Wrong name or password")
        request.session["who"] = username
        return None

    async def logout(self, request: Request) -> Response | None:
        request.session.clear()
        return None

    async def authenticate(self, request: Request) -> AdminUser | None:
        who = request.session.get("who")
        return AdminUser(username=who) if who else None


def starlette_admin() -> ASGIApp:
    """An app with starlette-admin at ``/admin``."""
    app = Starlette()
    admin = StarletteAdmin(
        database(),
        auth_provider=Provides(),
        secret_key=SECRET,
        middlewares=[Middleware(SessionMiddleware, secret_key=SECRET)],
    )
    admin.add_view(StarletteAdminView(Town))
    admin.mount_to(app)
    return app

"""First drafts: they load, they teach, and no stranger's word gets out of its quotes."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from consentkit import Policy
from consentkit.rules import catalogue
from consentkit.rules.catalogue import Framework, KnownCookie, KnownService
from consentkit.rules.policy import DAY, Basis, Mode
from consentkit.rules.policy_file import inspect_text, read_policy
from consentkit.shell.drafts import (
    SiteFacts,
    draft_from_log,
    first_policy,
    frameworks_in_use,
    middleware_snippet,
    site_facts,
    web_framework,
)

pytestmark = pytest.mark.anyio

READ = date(2026, 3, 1)
SOURCE = "https://vendor.example/cookies"


def known(
    name: str, kind: Any = "analytics", purpose: Any = "analytics", **more: Any
) -> KnownCookie:
    facts: dict[str, Any] = {
        "where": "cookie",
        "duration": None,
        "service": None,
        "party": "first",
        "description": {"en": "Tells: visitors apart.", "de": "Unterscheidet."},
        "shared": False,
        "source": SOURCE,
        "read": READ,
        "checked": True,
    }
    return KnownCookie(name=name, kind=kind, purpose=purpose, **{**facts, **more})


def service(key: str, purpose: Any) -> KnownService:
    return KnownService(
        key=key,
        title=f"The {key}",
        provider="A vendor",
        purpose=purpose,
        hosts=("vendor.example",),
        inline=(),
        shows=None,
        transfer=("US",),
        privacy=None,
        opt_out=None,
        source=SOURCE,
        read=READ,
        checked=True,
    )


def framework(key: str, packages: Sequence[str], **cookies: Mapping[str, object]) -> Framework:
    words = {"description": {"en": "Its own."}, "justification": "security", "kind": "session"}
    sets = {name: {**words, **more} for name, more in cookies.items()}
    return Framework(
        key=key,
        title=f"The {key}",
        packages=tuple(packages),
        cookies=sets,
        source=SOURCE,
        read=READ,
    )


COOKIES = (
    known("count", service="counter", duration="2 years"),
    known("count_*", service="counter"),
    known("ads", "persistent", "advertising", service="ads", duration="30 minutes", checked=False),
    known("odd", "persistent", "of-its-own", duration="whenever", service="odd"),
    known("guard", "session", "necessary", service="nobody"),
    known("theme", "persistent", "preferences", duration="1 year", shared=True, service="counter"),
)
SERVICES = (service("counter", "analytics"), service("ads", "tags"), service("odd", "of-its-own"))
FRAMEWORKS = (
    framework("pages", ["pytest"], pages_id={}, **{"pages_*": {}}),
    framework("sessions", ["starlette"], session={}, pages_id={}),
    framework("absent", ["no-such-package-anywhere"], absent_id={}, session={}),
)


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue with one thing of each sort, so that what is guessed of each is told apart."""
    index = catalogue_index()
    monkeypatch.setattr(catalogue, "known_cookie", index)
    monkeypatch.setattr(catalogue, "services", lambda: {each.key: each for each in SERVICES})
    monkeypatch.setattr(catalogue, "frameworks", lambda: {each.key: each for each in FRAMEWORKS})


def catalogue_index() -> Any:
    from consentkit.rules.names import NameIndex

    return NameIndex({each.name: each for each in COOKIES}).find


ON_THE_SHELF = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=80,
)

# The first policy

WHAT_NO_READER_SEES = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
HOSTILE = [
    'He said "no"',
    "it's: a {site} # [x]",
    "a\nmode: opt-out\nb",
    "\x1b[31mred\x1b[0m",
    "*alias",
    "&anchor",
    "!!python/object",
    "- list",
    "%TAG",
    "no",
    "2015-06-01",
    "012",
    "",
    " ",
    "\udcff",
    "\u202egnp.exe",
    "👩‍👧 Bücher & Söhne",
    "\\",
    "a\\",
    '"',
    "`",
    "x" * 300,
]
words = st.text(max_size=60) | st.sampled_from(HOSTILE)
modes = st.sampled_from(Mode)


@given(
    words, words, st.none() | words, modes, st.lists(st.integers(0, 50), max_size=4, unique=True)
)
@example('"\n#', "{", "}", Mode.IMPLIED, [0, 1])
def test_a_first_policy_loads_whatever_the_site_is_called(
    name: str, controller: str, contact: str | None, mode: Mode, picked: list[int]
) -> None:
    """What a folder or a person is called is a stranger's word: it stays inside its quotes."""
    sets = list(catalogue.frameworks())
    frameworks = [sets[number] for number in picked if number < len(sets)]
    text = first_policy(SiteFacts(name, controller, contact, mode), frameworks)
    seen = inspect_text(text, "consent.yaml")
    assert (seen.faults, seen.warnings) == ((), ())
    policy = seen.policy
    assert policy is not None
    assert policy.mode is mode
    assert policy.undeclared == "report"
    assert policy.optional_purposes == ()
    for said, given_ in ((policy.site.name, name), (policy.site.controller, controller)):
        assert said
        assert not WHAT_NO_READER_SEES.search(said)
        if given_.isprintable() and given_.split():
            assert said == " ".join(given_.split())
    assert set(policy.cookies) == {
        cookie for key in frameworks for cookie in catalogue.frameworks()[key].cookies
    }


@pytest.mark.parametrize("mode", Mode)
def test_a_first_policy_teaches_in_lines_that_fit(mode: Mode) -> None:
    """It begins with what an editor wants, and no line is wider than a screen."""
    text = first_policy(SiteFacts("A site", "Its owner", "a@b.example", mode), [])
    first, *_ = lines = text.splitlines()
    assert first == "# yaml-language-server: $schema=consentkit.schema.json"
    assert max(map(len, lines)) <= 100
    assert "  contact: a@b.example" in lines
    assert "# contact" not in text
    assert "  # contact: privacy@example.org" in first_policy(SiteFacts("A", "B"), []).splitlines()


def uncommented(text: str) -> str:
    """The first policy as a reader leaves it who takes the '#' off every example."""
    example_line = re.compile(r"^( *)# ((?: *)[\w-]+:.*)$", re.MULTILINE)
    keys = ("contact", "analytics", "title", "description", "cookies", "basket", "_ga", "kind")
    more = ("purpose", "justification", "service", "duration", "services", "google-analytics")

    def bare(found: re.Match[str]) -> str:
        key = found[2].strip().partition(":")[0]
        return f"{found[1]}{found[2]}" if key in {*keys, *more} else found[0]

    return example_line.sub(bare, text)


def test_the_examples_in_a_first_policy_hold() -> None:
    """Whoever takes the comment signs away has a policy that loads."""
    text = uncommented(first_policy(SiteFacts("A site", "Its owner"), []))
    policy = read_policy(text)
    assert set(policy.cookies) == {"basket", "_ga"}
    assert policy.optional_purposes == ("analytics",)
    assert set(policy.services) == {"google-analytics"}


def test_what_is_used_is_written_down(shelf: None) -> None:
    """The frameworks that were found, with the catalogue's name for them."""
    text = first_policy(SiteFacts("A", "B"), ["pages"])
    assert "uses:\n  - pages  # The pages\n" in text
    assert set(read_policy(text).cookies) == {"pages_id", "pages_*"}


PROJECTS = {
    '[project]\nname = "shop"': "shop",
    '[project]\nname = "a\\n  mode: x"': "a mode: x",
    "[project]\nname = 7": "folder",
    "[project]": "folder",
    "project = 1": "folder",
    "[tool.x]": "folder",
    "not toml": "folder",
    "name = '\udcff'": "folder",
}


@pytest.mark.parametrize("project", PROJECTS)
def test_the_name_is_the_projects_or_the_folders(project: str, tmp_path: Path) -> None:
    """Asking nothing is kindest: a project says what it is called."""
    folder = tmp_path / "folder"
    folder.mkdir()
    assert site_facts(folder) == SiteFacts("folder", "folder")
    (folder / "pyproject.toml").write_text(project, "utf-8", errors="surrogateescape")
    facts = site_facts(folder)
    assert (facts.name, facts.controller) == (PROJECTS[project], PROJECTS[project])


def test_where_nothing_has_a_name_the_site_has_one() -> None:
    """The root of a disk is called nothing."""
    assert site_facts(Path("/")).name == "My site"


# What is installed


def test_a_framework_is_in_use_where_a_package_shows_it(shelf: None) -> None:
    """A package that is there because consentkit is shows nothing of the site."""
    assert metadata.version("starlette")
    assert frameworks_in_use() == ("pages",)


def test_the_catalogues_frameworks_can_be_looked_for() -> None:
    """Each key that is found is one that `uses` takes."""
    assert set(frameworks_in_use()) <= set(catalogue.frameworks())


def test_what_serves_is_the_most_particular_framework_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """FastAPI brings starlette along, and consentkit does: it is the last that is thought of."""
    assert web_framework() == "fastapi"

    def nothing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", nothing)
    assert web_framework() == "starlette"


# The lines that add the middleware

KEY = "thirty-two bytes or more, and random"
APPS = {
    "starlette": """
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

async def home(request):
    response = HTMLResponse("<p>Hello")
    response.set_cookie("visits", "1")
    return response

app = Starlette(routes=[Route("/", home)])
""",
    "fastapi": """
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

app = FastAPI()

@app.get("/")
def home():
    response = HTMLResponse("<p>Hello")
    response.set_cookie("visits", "1")
    return response
""",
    "litestar": """
from litestar import Litestar, MediaType, Response, get

@get("/", media_type=MediaType.HTML, sync_to_thread=False)
def home() -> Response[str]:
    response = Response("<p>Hello", media_type=MediaType.HTML)
    response.set_cookie("visits", "1")
    return response

app = Litestar([home])
""",
    "quart": """
from quart import Quart, make_response

app = Quart("app")

@app.get("/")
async def home():
    response = await make_response("<p>Hello")
    response.set_cookie("visits", "1")
    return response
""",
    "django": """
import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import path

def home(request):
    response = HttpResponse("<p>Hello")
    response.set_cookie("visits", "1")
    return response

class urls:
    urlpatterns = [path("", home)]

if not settings.configured:  # once in a process
    settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="x")
settings.ROOT_URLCONF = urls
application = get_asgi_application()
""",
    "another": """
async def app(scope, receive, send):
    if scope["type"] == "http":
        headers = [(b"content-type", b"text/html"), (b"set-cookie", b"visits=1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"<p>Hello"})
""",
}


def app_with(framework: str, path: str, monkeypatch: pytest.MonkeyPatch, enforce: bool) -> Any:  # noqa: FBT001
    """The app of a framework with the snippet under it, run as a reader would paste it."""
    monkeypatch.setenv("CONSENT_SECRET_KEY", KEY)
    code = APPS[framework] + middleware_snippet(framework, path)
    if enforce:
        code = code.replace("report_only=True", "report_only=False")
    module = ModuleType("pasted")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    if framework == "django":
        stand_in_for_another_site(monkeypatch)
    exec(compile(code, "pasted.py", "exec", dont_inherit=True), vars(module))  # noqa: S102 - it is the test
    return getattr(module, "application", None) or vars(module)["app"]


def stand_in_for_another_site(monkeypatch: pytest.MonkeyPatch) -> None:
    """Django has one site in a process; if another test's stands already, it comes back after."""
    from django.conf import settings

    if settings.configured:
        monkeypatch.setattr(settings, "ROOT_URLCONF", settings.ROOT_URLCONF)
        monkeypatch.setattr(settings, "MIDDLEWARE", [])


async def visited(app: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://testserver") as client:
        return await client.get("/")


@pytest.mark.parametrize(
    ("framework", "name"),
    [*((each, "consent.yaml") for each in APPS), ("starlette", 'a "b"\\ü\n.yaml')],
)
async def test_the_lines_for_each_framework_run(
    framework: str,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    anyio_backend: str,
) -> None:
    """What `init` prints is pasted as it is; in report mode it changes nothing."""
    if framework != "another":
        pytest.importorskip(framework)
    if framework in ("quart", "django") and anyio_backend == "trio":
        pytest.skip(f"{framework} runs on asyncio alone")
    text = first_policy(SiteFacts("A", "B"), []).replace("undeclared: report", "undeclared: block")
    (tmp_path / name).write_text(text, "utf-8")
    enforced = app_with(framework, str(tmp_path / name), monkeypatch, enforce=True)
    assert "set-cookie" not in (await visited(enforced)).headers  # the control
    app = app_with(framework, str(tmp_path / name), monkeypatch, enforce=False)
    page = await visited(app)
    assert page.headers["set-cookie"].startswith("visits=1")
    assert page.text == "<p>Hello"


# A draft from a log


def line(name: str, asked: str = "", path: str = "/", more: str = "") -> str:
    """As report mode writes it."""
    asked = f"; asked {asked}" if asked else ""
    return f"x: cookie {name!a} would be blocked: not declared{asked}; path {path!a}{more}"


def merged(policy: str, draft: str) -> str:
    """A policy file with the draft put in as its comment tells: under the keys of the same name."""
    text = policy
    for section in re.split(r"\n(?=\w+:\n)", draft)[1:]:
        key, body = section.split("\n", 1)
        body = body.split("\n# What no policy", 1)[0]
        if f"\n{key}\n" in text:
            text = text.replace(f"\n{key}\n", f"\n{key}\n{body.rstrip()}\n", 1)
        else:
            text += f"\n{key}\n{body}"
    return text


def flat(text: str) -> str:
    """Without line ends and comment signs: what is said, wherever it was wrapped."""
    return " ".join(text.replace("#", " ").split())


def entry(draft: str, name: str) -> str:
    """What a draft says of one cookie, comments and all."""
    cookies = draft.partition("\ncookies:\n")[2]
    found = re.search(rf"^  {re.escape(name)}:\n((?:    .*\n)+)", cookies, re.MULTILINE)
    assert found, draft
    return found[1]


HEAD = "site: {name: A, controller: B}\nmode: explicit\n"
BARE = first_policy(SiteFacts("A", "B"), [])
POLICIES = {
    "none": None,
    "bare": BARE,
    "implied, notice on top": BARE.replace("mode: explicit", "mode: implied")
    + "\nbanner:\n  layout: top\n",
    "everything is strictly necessary": """\
site: {name: A, controller: B}
mode: opt-out
preset: [eu, uk]
languages: [de, en]
token: {name: answers}
purposes:
  unsorted: {basis: strictly-necessary, title: x, description: x}
  analytics: {basis: strictly-necessary, title: x, description: x}
""",
    "all optional": """\
site: {name: A, controller: B}
mode: implied
languages: [en, de]
purposes:
  necessary: {title: x, description: x}
  measurement: {title: x, description: x}
services:
  counter: {purpose: measurement, provider: x}
cookies:
  count: {kind: analytics, purpose: measurement, duration: 1 day, description: x}
  Poll{one}-17: {kind: session, purpose: necessary, description: x}
  track-{any}: {kind: session, purpose: necessary, description: x}
""",
}


def policy_of(text: str | None) -> Policy | None:
    return None if text is None else read_policy(text)


STRANGE = [
    *(each.name for each in COOKIES),
    *("count_AB", "count_CD", "session", "pages_id", "pages_7", "absent_id", "consent", "answers"),
    *("PollTimeout-17", "PollTimeout-18", "consent-1", "consent-2", "consent-seen", "a{b}", "a*"),
    *(
        "x: y",
        "x #y",
        "x\ny: z",
        "\x1b[31m",
        "'",
        '"',
        "\\",
        "[x]",
        "{x}",
        "-",
        "?",
        "&a",
        "!t",
        "~",
    ),
    *("__Host-a", "__Secure-b", "__Http-c", "__HOST-http-d", "no", "null", "1", "1.5", "é", "👩‍👧"),
    *("\udcff", "\ufeff", "", " ", "x" * 254, "x" * 255, "track_17", "track_18", "Poll-1-17"),
    *("Poll-2-17", "pieces.0", "pieces.1", "id_550e8400-e29b-41d4-a716-446655440000"),
]
names = st.sampled_from(STRANGE) | st.text(min_size=1, max_size=20)
lives = st.sampled_from(["", "for the session", "to live 730 days, HttpOnly", "to live 90 minutes"])
sightings = st.lists(st.tuples(names, lives, st.text(max_size=5)), max_size=12)


@pytest.mark.counted
@given(
    sightings,
    st.sampled_from(sorted(POLICIES)),
    st.sets(st.sampled_from(["pages", "sessions", "nowhere"])),
)
@ON_THE_SHELF
@example([(name, "", "\n#") for name in STRANGE], "bare", {"pages"})
@example([(name, "to live 730 days", "") for name in STRANGE], "all optional", {"sessions"})
@example([(name, "", "") for name in STRANGE], "everything is strictly necessary", {"pages"})
@example([(name, "", "") for name in STRANGE], "none", {"pages", "sessions"})
@example([(name, "", "") for name in STRANGE], "implied, notice on top", set())
def test_a_draft_put_into_its_policy_loads_and_covers_what_was_seen(
    shelf: None, seen: list[tuple[str, str, str]], which: str, frameworks: set[str]
) -> None:
    """Names, paths and lifetimes are strangers' words: none breaks the file, none grants itself."""
    text = POLICIES[which]
    before = policy_of(text)
    lines = [line(name, asked, path) for name, asked, path in seen]
    draft = draft_from_log(lines, before, frameworks=sorted(frameworks))
    assert all(part.isprintable() or "\u200d" in part for part in draft.splitlines())
    assert draft.endswith("\n")
    whole = merged(HEAD if text is None else text, draft)
    assume("purposes:" in whole)  # without a policy, a log with nothing in it declares nothing
    policy = read_policy(whole)
    own = (
        {"consent", "consent-seen"} if which != "everything is strictly necessary" else {"answers"}
    )
    for name in {name for name, _, _ in seen} - own:
        shown = name if len(name) <= 60 else f"{name[:59]}~"
        unfit = f"- {shown!a}: "
        assert policy.declaration_of(name) is not None or flat(unfit) in flat(draft)
    for name, cookie in policy.cookies.items():
        if before is None or name not in before.cookies:
            used = any(name in each.cookies for each in FRAMEWORKS if each.key in frameworks)
            bases = {policy.basis_of(purpose) for purpose in cookie.purpose}
            assert used or Basis.STRICTLY_NECESSARY not in bases
    if before is not None:
        for name in before.cookies:  # what was declared is declared as it was
            assert policy.cookies[name] == before.cookies[name]


def an_example_of(pattern: str) -> str:
    """A name that a declared name covers."""
    return re.sub(r"\{[^}]*\}|\*$", "a1", pattern)


@pytest.mark.parametrize("frameworks", [(), tuple(catalogue.frameworks())], ids=["none", "all"])
def test_all_that_the_catalogue_knows_can_be_drafted(frameworks: tuple[str, ...]) -> None:
    """No entry of the catalogue leads to a draft that does not load, alone or beside the others."""
    sets = catalogue.frameworks().values()
    patterns = [each.name for each in catalogue.cookies() if each.where == "cookie"]
    patterns += [name for each in sets for name in each.cookies]
    seen = {an_example_of(pattern): pattern for pattern in patterns}
    draft = draft_from_log(map(line, seen), read_policy(BARE), frameworks=frameworks)
    policy = read_policy(merged(BARE, draft))
    assert "# What no policy can declare:" not in draft
    assert [name for name in seen if policy.declaration_of(name) is None] == []
    assert len(policy.services) > 10
    assert bool(frameworks) is ("\nuses:\n" in draft)


def test_what_is_declared_is_not_drafted_again() -> None:
    """A draft is for what is open: the policy may have moved on since the log was written."""
    policy = read_policy(POLICIES["all optional"] or "")
    draft = draft_from_log([line("count"), line("consent"), line("__Host-consent-seen")], policy)
    told = "3 lines read, and what 3 of them tell of is declared by now."
    assert flat(draft) == f"Nothing is undeclared any more: {told}"
    nothing = flat(draft_from_log(["GET /", ""], policy))
    assert nothing.startswith(
        "Nothing is undeclared: none of 2 lines tells of an undeclared cookie."
    )


def test_an_unknown_cookie_is_given_no_purpose_that_would_let_it_pass() -> None:
    """Nobody but the site can say what it is for; until then visitors may refuse it."""
    lines = [
        line("zz", "for the session, HttpOnly", "/a"),
        line("zz", "", "/b", " (and 3 more like it)"),
    ]
    draft = draft_from_log([*lines, "garbage"], None, frameworks=[])
    assert "A draft from a log: 1 name that nobody declared. 3 lines read, 2 of them" in draft
    assert "purposes:\n  unsorted:\n" in draft
    said = entry(draft, "zz")
    assert "# Seen 5 times, on '/a', '/b'. Set with HttpOnly." in said
    assert "kind: session  # it asks for no lifetime" in said
    assert "purpose: unsorted  # nothing known: say what it is for" in said
    assert "duration" not in said


@pytest.mark.parametrize(
    ("name", "asked", "expected"),
    [
        ("zz", "", ["kind: session  # the log does not say how long it lives"]),
        (
            "zz",
            "to live 90 minutes",
            ["kind: persistent  #", "duration: 90 minutes  # it asks for"],
        ),
        ("zz", "to live 0 seconds", ["kind: session  # it asks for no lifetime"]),
        (
            "zz",
            "to live 730 days",
            ["duration: 400 days  # it asks for 730 days, and browsers keep no more than 400 days"],
        ),
        ("count", "", ["kind: analytics  #", "duration: 400 days  # as the catalogue has it"]),
        ("count", "to live 2 days", ["kind: analytics", "duration: 2 days  # it asks for 2 days"]),
        ("count_X", "", ["duration: 1 day  # nothing known: say how long"]),
        ("ads", "", ["kind: persistent  # as the catalogue", "duration: 30 minutes  # as the cat"]),
        ("ads", "for the session", ["kind: session  # it asks for no lifetime"]),
        ("odd", "", ["kind: session  # the log does not", "purpose: unsorted  # decide what"]),
        ("guard", "", ["purpose: unsorted  # decide what", "takes it for strictly necessary"]),
        ("theme", "", ["purpose: unsorted  # nothing known", "Others use this name too"]),
        ("__Host-zz", "", ["attributes: {secure: true}  # as its name promises"]),
        ("__Http-zz", "", ["attributes: {secure: true, http-only: true}  # as its name promises"]),
        ("absent_id", "", ["if this is it, write 'uses: [absent]' instead."]),
        ("session", "", ["write 'uses: [sessions]' or 'uses: [absent]'"]),
        ("vote-it", "", ["If a vote sets it, 'kind: poll-timeout' lets the vote itself answer"]),
    ],
)
def test_each_guess_says_where_it_comes_from(
    shelf: None, name: str, asked: str, expected: list[str]
) -> None:
    """A guess without its source would be copied as a fact."""
    draft = draft_from_log([line(name, asked)], None, frameworks=[])
    read_policy(HEAD + draft)
    known_as = {"count_X": "count_*"}.get(name, name)
    said = flat(entry(draft, known_as))
    for words_ in expected:
        assert flat(words_) in said


def test_a_service_is_declared_with_its_cookies(shelf: None) -> None:
    """What the catalogue knows of the service comes along: its hosts, who is behind it."""
    draft = draft_from_log([line("count_A"), line("count_B"), line("ads")], None, frameworks=[])
    policy = read_policy(HEAD + draft)
    assert policy.services["counter"].provider == "A vendor"
    assert policy.services["counter"].hosts == ("vendor.example",)
    assert policy.cookies["count_*"].service == "counter"
    assert policy.services["ads"].purpose == ("tags",)
    assert policy.cookies["ads"].purpose == ("advertising",)
    assert f"The catalogue knows it, from The counter: {SOURCE}, read {READ}." in flat(draft)
    assert f"from The ads: it is generally known, and not checked on {SOURCE}." in flat(draft)
    assert "# Seen 2 times, as 'count_A', 'count_B', on '/'." in draft


def test_a_policy_keeps_its_own_names_for_purposes_and_services(shelf: None) -> None:
    """A site that measures under 'measurement' goes on doing so."""
    before = read_policy(POLICIES["all optional"] or "")
    draft = draft_from_log([line("count_A")], before, frameworks=[])
    assert "purpose: measurement  # what the policy has for the like of it" in draft
    assert "services:" not in draft
    assert "purposes:" not in draft
    policy = read_policy(merged(POLICIES["all optional"] or "", draft))
    assert policy.cookies["count_*"].description == {
        "en": "Tells: visitors apart.",
        "de": "Unterscheidet.",
    }


def test_words_are_in_the_policys_language_where_there_are_any(shelf: None) -> None:
    """The visitor reads them; English where the catalogue has no others."""
    for tag, said in (("de", "Unterscheidet."), ("fr", "Tells: visitors apart.")):
        before = read_policy(BARE + f"\nlanguages: [{tag}]\n")
        draft = draft_from_log([line("count")], before, frameworks=[])
        policy = read_policy(merged(BARE, draft))
        assert policy.cookies["count"].description == said


def test_a_preset_bounds_what_is_guessed() -> None:
    """R-24: thirteen months; and where its mode would not do, a new purpose asks first."""
    before = read_policy(POLICIES["everything is strictly necessary"] or "")
    draft = draft_from_log([line("zz", "to live 730 days")], before, frameworks=[])
    policy = read_policy(merged(POLICIES["everything is strictly necessary"] or "", draft))
    assert policy.cookies["zz"].duration == 395 * DAY
    assert "and the preset allows no more than 395 days" in flat(draft)
    assert policy.basis_of("unsorted-too") is Basis.CONSENT


def test_a_frameworks_cookies_are_left_to_its_set(shelf: None) -> None:
    """Its set is kept by the catalogue, with the reasons; only what is installed may use it."""
    lines = [line("session"), line("pages_id"), line("pages_7")]
    draft = draft_from_log(lines, None, frameworks=["pages"])
    assert "uses:\n  # declares 'pages_id', 'pages_7'\n  - pages\n" in draft
    policy = read_policy(HEAD + draft)
    assert policy.basis_of("necessary") is Basis.STRICTLY_NECESSARY
    assert policy.cookies["session"].purpose == ("unsorted",)
    optional = "site: {name: A, controller: B}\nmode: explicit\npurposes:\n"
    optional += "  necessary: {title: x, description: x}\n"
    draft = draft_from_log(lines, read_policy(optional), frameworks=["pages"])
    policy = read_policy(merged(optional, draft))
    assert policy.cookies["pages_id"].purpose == ("necessary-too",)


def test_the_frameworks_are_those_that_are_installed(shelf: None) -> None:
    """Where nobody says otherwise."""
    assert "  - pages\n" in draft_from_log([line("pages_id"), line("absent_id")], None)


ALIKE = {
    "numbers": (["PollTimeout-17", "PollTimeout-18"], {"PollTimeout-{id}"}),
    "one alone": (["PollTimeout-17"], {"PollTimeout-17"}),
    "identifiers": (["s.0123456789ab", "s.ba9876543210"], {"s.0123456789ab", "s.ba9876543210"}),
    "longer ones": (["sid.0123456789ab", "sid.ba9876543210"], {"sid.{id}"}),
    "in the middle": (["poll_1_seen", "poll_2_seen"], {"poll_{id}_seen"}),
    "the last number": (["v2-a-1", "v2-a-2", "v3-a-1"], {"v2-a-{id}", "v3-a-1"}),
    "uuids": (
        [f"x-id-{number}50e8400-e29b-41d4-a716-446655440000" for number in (1, 2)],
        {"x-id-{id}"},
    ),
    "tokens": (["sess_kJ83jsA0dk22qqPz", "sess_9J83jsA0dk22qqPa"], {"sess_{id}"}),
    "two without a sign between": (["tab1", "tab2"], {"tab1", "tab2"}),
    "many without a sign between": (["tab1", "tab2", "tab3", "tab4"], {"tab{id}"}),
    "too little to go by": (["a-1", "a-2", "a-3"], {"a-1", "a-2", "a-3"}),
    "ours among them": (["consent-1", "consent-2"], {"consent-1", "consent-2"}),
}


@pytest.mark.parametrize("case", ALIKE)
def test_names_that_are_alike_become_one_pattern(shelf: None, case: str) -> None:
    """Nobody wants two hundred polls in the file; and a pattern covers no more than it must."""
    seen, expected = ALIKE[case]
    draft = draft_from_log(map(line, seen), None, frameworks=[])
    assert set(read_policy(HEAD + draft).cookies) == expected


def test_a_pattern_takes_nothing_from_what_is_declared(shelf: None) -> None:
    """R-76: where it would rival a declared pattern or cover a declared name, names stand alone."""
    text = HEAD + "purposes:\n  p: {title: x, description: x}\ncookies:\n"
    for name in ("Poll{one}-17", "vote-77777777-x", "vote-{any}-last"):
        text += f'  "{name}": {{kind: session, purpose: p, description: x}}\n'
    seen = ["Poll-1-x", "Poll-2-x", "Pollute-1", "Pollute-2", "vote-11111111-x", "vote-22222222-x"]
    draft = draft_from_log(map(line, seen), read_policy(text), frameworks=[])
    policy = read_policy(merged(text, draft))
    fresh = set(policy.cookies) - set(read_policy(text).cookies)
    assert fresh == {"Poll-{id}-x", "Pollute-1", "Pollute-2", "vote-11111111-x", "vote-22222222-x"}
    assert policy.declaration_of("vote-77777777-x") == policy.cookies["vote-77777777-x"]


def test_pieces_of_one_cookie_are_pointed_out() -> None:
    """A long session may be cut into pieces: declared once, it is covered whole."""
    hint = "# If these are pieces of one long cookie, declare its name with 'chunked: true'."
    for seen, is_hinted in (
        (["auth.0", "auth.1"], True),
        (["auth.1", "auth.2"], True),
        (["auth.5", "auth.6"], False),
        (["auth_1", "auth_2"], False),
    ):
        draft = draft_from_log(map(line, seen), None, frameworks=[])
        assert (hint in draft) is is_hinted, seen


def test_many_names_and_many_paths_are_told_in_few_words() -> None:
    """A comment is read by somebody."""
    seen = [line(f"item-{number}", "", f"/p/{number}") for number in range(10, 20)]
    said = entry(draft_from_log(seen, None, frameworks=[]), "item-{id}")
    assert "'item-10', 'item-11', 'item-12', …," in flat(said)
    assert "'/p/12' and more." in flat(said)


def test_names_beyond_counting_are_counted() -> None:
    """A log can hold more names than anybody declares in a day."""
    seen = (line(f"{chr(97 + number % 26) * 40}{number:x}z") for number in range(510))
    draft = draft_from_log(seen, None, frameworks=[])
    assert "Another 10 lines tell of further names" in draft


def test_what_cannot_be_declared_is_named_and_why() -> None:
    """Browsers store names that no policy can hold; they are not passed over in silence."""
    draft = draft_from_log(map(line, ["a b", "a*", "y" * 255, "\udcff", ""]), None, frameworks=[])
    tail = flat(draft.split("# What no policy can declare:\n")[1])
    assert "- 'a b': cookie 'a b' has ' ' in its name, which no Set-Cookie can carry." in tail
    assert "- 'a*': with a brace or a star in it, it would be read as a pattern." in tail
    assert "~': it is so long that the log may have cut it." in tail
    assert "- '': cookie '' cannot be: the empty name." in tail
    assert "- '\\udcff': it is not UTF-8, and a policy file is." in tail
    assert "cookies:" not in draft

import csv
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from inspect import signature
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from starlette.middleware.sessions import SessionMiddleware

from consentkit.rules import catalogue
from consentkit.rules.catalogue import (
    AREAS,
    PURPOSES,
    Framework,
    KnownCookie,
    KnownService,
    cookies,
    countries,
    frameworks,
    known_cookie,
    known_storage,
    read_before,
    service_of_host,
    services,
)
from consentkit.rules.names import NamePattern
from consentkit.rules.policy import COUNTRIES, DAY, LONGEST, SHOWN, Basis, parse_duration
from consentkit.rules.policy_file import policy_from, read_policy

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "src" / "consentkit" / "rules" / "catalogue"
TESTDATA = ROOT.parent / "shared" / "testdata"
"""Lies beside the project where it is developed, and nowhere else."""

KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MARKER = re.compile(r"[!-~][ -~]+[!-~]")
HOST = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
LINK = re.compile(r"https://[^\s<>\"]+\.[^\s<>\"]+")
LONGEST_SAID = 10 * 365 * DAY
FOR_EVER = 30 * 365 * DAY

every_service = pytest.mark.parametrize("service", services().values(), ids=lambda each: each.key)
every_framework = pytest.mark.parametrize(
    "framework", frameworks().values(), ids=lambda each: each.key
)


def is_a_sentence(text: str) -> bool:
    """Plain words for a visitor: one sentence that fits in a row of a table."""
    return bool(re.fullmatch(r"[^\W\d_a-z].{10,158}\.", text)) and text.strip() == text


def in_a_policy(framework: Framework) -> dict[str, Any]:
    """A policy that declares a framework's cookies itself, as somebody would who copies them."""
    return {
        "site": {"name": "Hello", "controller": "Example Limited"},
        "mode": "explicit",
        "languages": ["en", "de"],
        "purposes": {
            "necessary": {
                "basis": "strictly-necessary",
                "title": {"en": "Strictly necessary", "de": "Unbedingt erforderlich"},
                "description": {"en": "So that it works.", "de": "Damit es funktioniert."},
            }
        },
        "cookies": {
            name: {**declared, "purpose": "necessary"}
            for name, declared in framework.cookies.items()
        },
    }


# --- What it holds


def test_it_is_as_large_as_it_says() -> None:
    """The numbers in the module's first lines are counted, and as many are there as promised."""
    checked = sum(each.checked for each in cookies())
    said = catalogue.__doc__ or ""
    numbers = [int(number) for number in re.findall(r"\d+", said.partition("Checked are")[2])]
    assert numbers == [
        *(checked, len(cookies())),
        *(sum(each.checked for each in services().values()), len(services())),
        len(frameworks()),
    ]
    assert len(services()) >= 45
    assert len(cookies()) >= 160
    assert sum(each.where != "cookie" for each in cookies()) >= 20


def test_every_file_is_read_and_every_area_has_one() -> None:
    """A file that nobody reads would be looked after in vain."""
    assert {path.name for path in DATA.iterdir()} == {
        f"{name}.yaml" for name in (*AREAS, "frameworks")
    }


@every_service
def test_a_service_says_who_and_where(service: KnownService) -> None:
    """The notice prints these: names, hosts that a browser asks, codes of countries, safe links."""
    assert KEY.fullmatch(service.key)
    assert service.title.strip() == service.title != ""
    assert service.provider.strip() == service.provider != ""
    assert service.purpose in PURPOSES
    assert service.hosts
    assert [host for host in service.hosts if not HOST.fullmatch(host)] == []
    assert [text for text in service.inline if not MARKER.fullmatch(text)] == []
    assert service.shows in (None, *SHOWN)
    assert service.transfer
    assert set(service.transfer) <= COUNTRIES
    links = [service.source, service.privacy, service.opt_out]
    assert [link for link in links if link and not LINK.fullmatch(link)] == []
    assert service.privacy
    assert isinstance(service.read, date)
    assert isinstance(service.checked, bool)


def test_a_host_is_one_service_alone() -> None:
    """Two services with one host would contradict each other."""
    hosts = [host for service in services().values() for host in service.hosts]
    assert len(hosts) == len(set(hosts))


def test_a_script_is_one_services_alone() -> None:
    """A site that declares two services by their names must not be told that they contradict."""
    texts = [text for service in services().values() for text in service.inline]
    assert len(texts) > 50
    assert [(one, two) for one, two in combinations(texts, 2) if one in two or two in one] == []


def test_what_is_seen_in_a_page_says_what_it_is() -> None:
    """A placeholder calls it that: videos, maps, chats and pieces of social networks."""
    unseen = {"analytics", "advertising", "tags", "fonts", "necessary"}
    shown = {service.key: service.shows for service in services().values() if service.shows}
    assert (shown["youtube"], shown["google-maps"], shown["crisp"]) == ("video", "map", "chat")
    assert {services()[key].purpose for key in shown} & unseen == set()
    embedded = {key for key, service in services().items() if service.purpose in ("chat", "embeds")}
    assert shown.keys() == embedded


def test_a_name_says_what_it_is_for() -> None:
    """Each stands in a declaration as it is: a name, a purpose, a sentence for the visitor."""
    assert [known.name for known in cookies() if not is_well_formed(known)] == []


def is_well_formed(known: KnownCookie) -> bool:
    NamePattern.parse(known.name)
    return (
        not re.search(r"[\s=;,]", known.name)
        and known.where in ("cookie", "local", "session", "indexed-db")
        and known.purpose in PURPOSES
        and known.party in ("first", "third")
        and (known.service is None or known.service in services())
        and is_a_sentence(known.description["en"])
        and bool(LINK.fullmatch(known.source))
        and known.read < date.max
        and known.checked in (True, False)
        and known.shared in (True, False)
    )


def test_a_name_lives_as_its_kind_does() -> None:
    """A session has no duration, and a key of storage has none either; a duration can be read."""
    assert [known.name for known in cookies() if not lives_as_its_kind(known)] == []


def lives_as_its_kind(known: KnownCookie) -> bool:
    lasting = "analytics" if known.purpose == "analytics" else "persistent"
    if known.duration is None:
        ends = known.where in ("cookie", "session")
        return known.kind == ("session" if ends else lasting)
    longest = FOR_EVER if known.name.startswith("mtm_") else LONGEST_SAID
    is_readable = 0 < parse_duration(known.duration) <= longest
    return known.where == "cookie" and known.kind == lasting and is_readable


def test_durations_are_the_makers_own() -> None:
    """Makers say more than a browser keeps: a declaration has to cut such a life short."""
    longer = {
        known.name
        for known in cookies()
        if known.duration is not None and parse_duration(known.duration) > LONGEST
    }
    assert {"_ga", "mbox"} <= longer
    assert "_fbp" not in longer


@pytest.mark.parametrize("are_cookies", [True, False])
def test_no_two_entries_contradict_each_other(*, are_cookies: bool) -> None:
    """One name, one entry; and of two patterns that fit one name, one is the more exact."""
    names = [each.name for each in cookies() if (each.where == "cookie") is are_cookies]
    assert len(names) == len(set(names))
    patterns = [NamePattern.parse(name) for name in names]
    assert [
        (one.text, two.text)
        for one, two in combinations(patterns, 2)
        if not one.is_exact and not two.is_exact
        if one.weight == two.weight and one.overlaps(two)
    ] == []


def test_a_name_that_others_use_too_proves_nothing() -> None:
    """`shared` keeps the lint from calling a site's own cookie a tracker (R-32)."""
    trackers = [
        known.name
        for known in cookies()
        if known.purpose in ("analytics", "advertising") and not known.shared
    ]
    own = [name for framework in frameworks().values() for name in framework.cookies]
    assert [name for name in trackers if len(name.strip("*")) < 3] == []
    assert [
        (tracker, name)
        for tracker in trackers
        for name in own
        if NamePattern.parse(tracker).overlaps(NamePattern.parse(name))
    ] == []
    assert {"test_cookie", "NID", "SM", "fr"} <= {each.name for each in cookies() if each.shared}


@every_framework
def test_a_framework_declares_what_is_strictly_necessary(framework: Framework) -> None:
    """A set that `uses:` brings must be accepted, in both languages, whoever names it."""
    assert KEY.fullmatch(framework.key)
    assert LINK.fullmatch(framework.source)
    assert framework.cookies
    for declared in framework.cookies.values():
        words = declared["description"]
        assert isinstance(words, dict)
        assert list(words) == ["en", "de"]
        assert all(map(is_a_sentence, words.values()))
    policy = policy_from(in_a_policy(framework))
    for name, cookie in policy.cookies.items():
        assert policy.basis_of("necessary") is Basis.STRICTLY_NECESSARY
        assert (cookie.duration or 0) <= LONGEST
        assert policy.declaration_of(name) is cookie


@every_framework
def test_a_framework_can_be_named_in_a_policy(framework: Framework) -> None:
    """`uses` is a line of a file, so the whole way from the file is walked."""
    policy = read_policy(
        "site: {name: Hello, controller: Example Limited}\n"
        "mode: explicit\n"
        "purposes:\n"
        "  necessary: {basis: strictly-necessary, title: Necessary, description: It works.}\n"
        f"uses: [{framework.key}]\n"
    )
    assert set(policy.cookies) == set(framework.cookies)


def test_starlettes_set_is_what_starlette_sends() -> None:
    """What can be looked up is not believed: the class that is installed says the same."""
    defaults = {
        name: each.default for name, each in signature(SessionMiddleware).parameters.items()
    }
    declared = frameworks()["starlette-sessions"].cookies[defaults["session_cookie"]]
    assert parse_duration(declared["duration"]) == defaults["max_age"]
    assert declared["attributes"] == {"http-only": True, "same-site": defaults["same_site"]}


def test_what_needs_an_answer_is_in_no_frameworks_set() -> None:
    """A commenter's name is kept for convenience, a time zone for looks: neither is exempt."""
    declared = {name for framework in frameworks().values() for name in framework.cookies}
    assert not declared & {"comment_author_{hash}", "timezone", "woocommerce_recently_viewed"}
    found = known_cookie("comment_author_4f2a")
    assert found is not None
    assert found.purpose == "preferences"


def observed() -> list[dict[str, str]]:
    if not TESTDATA.is_dir():
        pytest.skip(f"the cookies that were observed on real applications are not at {TESTDATA}")
    with (TESTDATA / "real_app_cookies.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_what_real_applications_need_is_known() -> None:
    """Each necessary cookie of a real application is in some framework's set, and no other."""
    sets = [framework.cookies for framework in frameworks().values()]
    rows = observed()
    necessary = {row["cookie_name"] for row in rows if row["category_truth"] == "necessary"}
    others = {row["cookie_name"] for row in rows} - necessary
    assert necessary
    assert others
    for name in necessary:
        assert any(name in declared for declared in sets), name
    for name in others:
        assert not any(name in declared for declared in sets), name


def test_a_cookie_scripts_may_not_read_is_declared_so() -> None:
    """Where an application was seen to keep a cookie from scripts, its set says no less."""
    sets = frameworks()
    for row in observed():
        key = {"quart": "quart", "wagtail admin": "wagtail", "django admin": "django"}.get(
            row["app"]
        )
        if key is not None:
            attributes = sets[key].cookies[row["cookie_name"]].get("attributes", {})
            assert isinstance(attributes, dict)
            assert attributes.get("http-only", False) is (row["httponly"] == "1")


def test_every_country_has_a_name_in_the_notice() -> None:
    """Data goes to a country and not to two letters."""
    assert countries() <= COUNTRIES
    assert {"US", "DE"} <= countries()


# --- Look-ups


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("_ga", "_ga"),
        ("_ga_R4JMGZWPD9", "_ga_*"),
        ("_gac_UA-1", "_gac_*"),
        ("_hjSessionUser_12", "_hjSessionUser_{site}"),
        ("_hjSession_12", "_hjSession_{site}"),
        ("AMP_MKTG_a2dbce0e18", "AMP_MKTG_{key}"),
        ("_gax", None),
        ("sessionid", None),
        ("yt-remote-device-id", None),
    ],
)
def test_a_cookie_is_found_by_its_name(name: str, found: str | None) -> None:
    """Exactly or by the heaviest pattern, as a policy does it; a key of storage is no cookie."""
    known = known_cookie(name)
    assert (known and known.name) == found


def test_a_key_of_storage_is_found_by_its_name() -> None:
    """One name can be a cookie and a key of storage, and each has an entry of its own."""
    in_a_cookie, stored = known_cookie("ajs_anonymous_id"), known_storage("ajs_anonymous_id")
    assert in_a_cookie is not None
    assert stored is not None
    assert (in_a_cookie.where, stored.where) == ("cookie", "local")
    assert known_storage("yt-remote-device-id") is not None
    assert known_storage("_ga") is None


def test_each_name_finds_itself() -> None:
    """A pattern with its placeholders filled in leads back to its own entry."""
    for known in cookies():
        find = known_cookie if known.where == "cookie" else known_storage
        assert find(re.sub(r"\{[^}]*\}|\*$", "3f9e", known.name)) == known


@given(st.text())
def test_any_text_may_be_looked_up(text: str) -> None:
    """Names and hosts come from the network: whatever they hold, a look-up answers."""
    for found in (known_cookie(text), known_storage(text)):
        assert found is None or NamePattern.parse(found.name).covers(text)
    host = service_of_host(text)
    assert host is None or text.rstrip(".").lower().endswith(
        tuple(each.removeprefix("*.") for each in host.hosts)
    )


LABELS = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)
HOSTS = st.sampled_from([(host, each) for each in services().values() for host in each.hosts])


@given(HOSTS, LABELS, st.sampled_from(["{}", "{}.", "HTTP"]))
def test_a_host_below_is_the_services_only_if_it_says_so(
    entry: tuple[str, KnownService], label: str, spelling: str
) -> None:
    """``*.x`` is what is below x; an exact host is itself and nothing more."""
    declared, service = entry
    asked = declared.replace("*", label)
    spelt = asked.upper() if spelling == "HTTP" else spelling.format(asked)
    assert service_of_host(spelt) in (
        service,
        *_more_exact(asked, declared),
    )
    if not declared.startswith("*"):
        below = service_of_host(f"{label}.{declared}")
        assert below is None or any(host.startswith("*.") for host in below.hosts)


def _more_exact(asked: str, declared: str) -> Iterator[KnownService]:
    for service in services().values():
        if any(host == asked and host != declared for host in service.hosts):
            yield service


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("www.youtube.com", "youtube"),
        ("youtube.com", "youtube"),
        ("youtube.com.", "youtube"),
        ("google-analytics.com", "google-analytics"),
        ("www.google-analytics.com", "google-analytics"),
        ("stats.g.doubleclick.net", "google-analytics"),
        ("ad.doubleclick.net", "google-ads"),
        ("bat.bing.com", "microsoft-ads"),
        ("www.bing.com", None),
        ("xyoutube.com", None),
        ("com", None),
        ("", None),
        ("." * 5000, None),
        ("a." * 5000 + "youtube.com", None),
        ("*.youtube.com", "youtube"),
    ],
)
def test_a_host_leads_to_its_service(host: str, key: str | None) -> None:
    """The longest name that fits wins, so that one service can stand below another's domain."""
    service = service_of_host(host)
    assert (service and service.key) == key


# --- Reading

WATCH = """
import sys
opened = []
sys.addaudithook(lambda event, given: event == "open" and opened.append(str(given[0])))
from consentkit.rules import catalogue
{act}
print(sorted(each.rsplit("/", 1)[1] for each in opened if "rules/catalogue/" in each))
"""


@pytest.mark.parametrize(
    ("act", "read"),
    [
        ("", []),
        ("catalogue.frameworks(); catalogue.frameworks()", ["frameworks.yaml"]),
        ("catalogue.known_cookie('_ga')", [f"{area}.yaml" for area in AREAS]),
        ("catalogue.service_of_host('x'); catalogue.cookies()", [f"{area}.yaml" for area in AREAS]),
    ],
)
def test_nothing_is_read_before_it_is_asked_for(act: str, read: list[str]) -> None:
    """A site that needs none of it pays nothing; the control is that asking opens files, once."""
    run = subprocess.run(
        [sys.executable, "-c", WATCH.format(act=act)],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        check=True,
        text=True,
    )
    assert run.stdout.strip() == str(read)


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The catalogue's files, to be spoilt."""
    folder = tmp_path / "catalogue"
    shutil.copytree(DATA, folder)
    monkeypatch.setattr(catalogue, "files", lambda _: tmp_path)
    caches = (catalogue._areas, catalogue._names, catalogue._hosts, catalogue.frameworks)
    for each in caches:
        each.cache_clear()
    yield folder
    for each in caches:
        each.cache_clear()


SPOILT = {
    "a key that is unknown": (
        "fonts.yaml",
        "    title: Google Fonts\n",
        "    title: Google Fonts\n    tilte: Fonts\n",
        "the catalogue's 'google-fonts' has no use for tilte: correct its file.",
    ),
    "a key that is missing": (
        "fonts.yaml",
        "    title: Google Fonts\n",
        "",
        "the catalogue's 'google-fonts' lacks title: correct its file.",
    ),
    "several keys that are unknown": (
        "fonts.yaml",
        "    title: Google Fonts\n",
        "    title: Google Fonts\n    tilte: Fonts\n    host: fonts.example\n",
        "the catalogue's 'google-fonts' has no use for host, tilte: correct its file.",
    ),
    "a key said twice": (
        "fonts.yaml",
        "    title: Google Fonts\n",
        "    title: Google Fonts\n    title: Fonts\n",
        "the catalogue says a key twice:",
    ),
    "a section that is unknown": (
        "fonts.yaml",
        "services:\n",
        "servces:\n",
        "the catalogue's 'fonts.yaml' has no use for servces: correct its file.",
    ),
    "a purpose that is unknown": (
        "fonts.yaml",
        "purpose: fonts\n",
        "purpose: typefaces\n",
        "the catalogue's 'google-fonts' suggests 'typefaces': write one of necessary, ",
    ),
    "a thing nobody shows": (
        "embeds.yaml",
        "shows: video\n",
        "shows: film\n",
        "the catalogue's 'youtube' shows 'film': write one of video, map, social, ",
    ),
    "a day that is none": ("fonts.yaml", "read: 2026-11-22", "read: yesterday", "yesterday"),
    "a cookie's key that is unknown": (
        "analytics.yaml",
        "_gid: {duration:",
        "_gid: {lasts:",
        "the catalogue's '_gid' has no use for lasts: correct its file.",
    ),
    "a cookie's purpose that is unknown": (
        "analytics.yaml",
        'purpose: advertising, description: "Notes the adv',
        'purpose: adverts, description: "Notes the adv',
        "the catalogue's '_gac_*' suggests 'adverts': write one of necessary, ",
    ),
    "a stored item that is nowhere": (
        "chat.yaml",
        "intercom.*: {where: local, ",
        "intercom.*: {",
        "the catalogue's 'intercom.*' lacks where: correct its file.",
    ),
    "a platform's key that is unknown": (
        "platforms.yaml",
        "  cloudflare:\n",
        "  cloudflare:\n    provider: Cloudflare\n",
        "the catalogue's 'cloudflare' has no use for provider: correct its file.",
    ),
    "a framework's key that is unknown": (
        "frameworks.yaml",
        "    packages: [django]\n",
        "    package: [django]\n",
        "the catalogue's 'django' lacks packages: correct its file.",
    ),
    "a declaration with a purpose": (
        "frameworks.yaml",
        "      sessionid: &django-session\n",
        "      sessionid: &django-session\n        purpose: necessary\n",
        "the catalogue's 'sessionid' has no use for purpose: correct its file.",
    ),
}


@pytest.mark.parametrize("fault", SPOILT)
def test_a_file_that_is_wrong_is_not_read_by_halves(fault: str, copied: Path) -> None:
    """Who adds an entry learns at once what is wrong with it, and where."""
    name, sound, spoilt, message = SPOILT[fault]
    path = copied / name
    text = path.read_text("utf-8")
    assert sound in text
    path.write_text(text.replace(sound, spoilt, 1), "utf-8")
    with pytest.raises(ValueError, match=re.escape(message)):
        read_before(date.max)


def test_it_is_read_the_same_without_the_fast_parser(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyYAML can be installed without libyaml, and is slower then, and no different."""
    fast = (dict(services()), cookies(), dict(frameworks()))
    for each in (catalogue._areas, catalogue.frameworks):
        each.cache_clear()
    monkeypatch.setattr(catalogue, "_LOADER", yaml.BaseLoader)
    assert (dict(services()), cookies(), dict(frameworks())) == fast
    assert copied.is_dir()


def test_an_entry_can_have_a_day_and_a_page_of_its_own(copied: Path) -> None:
    """What was read again alone says so itself; the rest keeps the day of its file."""
    path = copied / "fonts.yaml"
    text = path.read_text("utf-8").replace(
        "    title: Google Fonts\n",
        "    title: Google Fonts\n    read: 2025-01-02\n    party: third\n    cookies:\n"
        '      woff: {description: "A cookie nobody ever saw.", source: https://example.com/woff}\n',
    )
    path.write_text(text, "utf-8")
    woff = known_cookie("woff")
    assert woff is not None
    assert (woff.party, woff.source, woff.read) == (
        "third",
        "https://example.com/woff",
        date(2025, 1, 2),
    )
    assert read_before(date(2025, 2, 1)) == (services()["google-fonts"], woff)
    assert services()["adobe-fonts"].read > date(2025, 2, 1)


# --- What has grown old


def stale(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script as it is, in a tree whose set-up is done."""
    (folder / "scripts").mkdir()
    (folder / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "stale", folder / "scripts")
    for path, line in (
        (folder / "scripts" / "setup", "exit 0"),
        (folder / ".venv" / "bin" / "python", f'exec "{sys.executable}" "$@"'),
    ):
        path.write_text(f"#!/usr/bin/env bash\n{line}\n", "utf-8")
        path.chmod(0o755)
    return subprocess.run(
        [folder / "scripts" / "stale", *arguments],
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
        text=True,
    )


def test_the_script_lists_what_is_to_be_read_again(tmp_path: Path) -> None:
    """Names, days and pages, and a code that a scheduled job can see."""
    run = stale(tmp_path, "2100-01-01")
    *lines, last = run.stdout.splitlines()
    assert run.returncode == 1
    assert len(lines) == len(services()) + len(cookies()) + len(frameworks())
    assert re.search(
        r"^2026-11-22  matomo +https://matomo.org/faq/general/faq_146/$", run.stdout, re.MULTILINE
    )
    assert last.startswith(f"stale: {len(lines)} read before 2100-01-01;")


def test_the_script_is_content_with_what_was_read_since(tmp_path: Path) -> None:
    """The control: a day before all of it finds nothing."""
    run = stale(tmp_path, "2020-01-01")
    assert run.returncode == 0
    assert run.stdout.startswith("stale: 0 read before 2020-01-01;")


def test_the_script_asks_for_a_year(tmp_path: Path) -> None:
    """Without a day it takes the one a year ago, whenever it is run."""
    found = re.search(r"read before (\S+);", stale(tmp_path).stdout)
    assert found
    assert 364 <= (date.today() - date.fromisoformat(found[1])).days <= 366  # noqa: DTZ011

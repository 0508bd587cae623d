"""Labels: what is said of names that nobody declared, and what shapes values have."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.labels import figures, lists
from consentkit.audit.labels import (
    MOST_LOOKED_AT,
    Confidence,
    Label,
    Nature,
    label_by_rules,
    label_of,
    shape_of,
)
from consentkit.audit.seen import Shape
from consentkit.rules import catalogue
from consentkit.rules.policy import DAY
from consentkit.rules.trackers import TRACKING
from tests.test_the_house import RUNG

YEAR = 365 * DAY
HOUR = 3600


# Shapes


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("", Shape.EMPTY),
        ('""', Shape.EMPTY),
        ("%20", Shape.EMPTY),
        ("1", Shape.FLAG),
        ("True", Shape.FLAG),
        ("no", Shape.FLAG),
        ("denied", Shape.FLAG),
        ("en", Shape.LANGUAGE),
        ("de-DE", Shape.LANGUAGE),
        ("zh_Hant_TW", Shape.LANGUAGE),
        ("xx", Shape.WORD),
        ("1700000000", Shape.TIME),
        ("1700000000123", Shape.TIME),
        ("2026-11-22", Shape.TIME),
        ("2026-11-22T10:00:00Z", Shape.TIME),
        ("2026-11-22T10%3A00%3A00.123%2B01%3A00", Shape.TIME),
        ("17", Shape.NUMBER),
        ("-1.5", Shape.NUMBER),
        ("1920", Shape.NUMBER),
        ("2054113279", Shape.IDENTIFIER),
        ("3b1f0b8e-9d3c-4c1e-8b1a-0d9f5a5d1c2e", Shape.IDENTIFIER),
        ("9f86d081884c7d659a2feaa0c55ad015", Shape.IDENTIFIER),
        ("Ztg1CkkW2uHHyUvTM5Z6H0DiZKPFqMVj", Shape.IDENTIFIER),
        ("aBcDeFgHiJkLmNoPqR", Shape.IDENTIFIER),
        ("GA1.1.2054113279.1700000000", Shape.STAMPED_IDENTIFIER),
        ("fb.1.1596403881668.1116446470", Shape.STAMPED_IDENTIFIER),
        ("a1b2c3d4e5f60718.1700000000.", Shape.STAMPED_IDENTIFIER),
        ("GS1.1.1700000000.1.1.1700000010.0.0.0", Shape.STAMPED_IDENTIFIER),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P", Shape.SIGNED),
        ("eyJfZmxhc2hlcyI6W119.ZVx_mg.9c8nA3Tgk0Yd7x9n2-mTkQOaP1s", Shape.SIGNED),
        ("s%3Aabc123.K9sdfKJ3hd9Kd93kdK3ld0s93kd0sK3ldk3", Shape.SIGNED),
        ("BAh7--0123456789abcdef0123456789abcdef01234567", Shape.SIGNED),
        ("%7B%22a%22%3A1%7D", Shape.STRUCTURED),
        ("[1]", Shape.STRUCTURED),
        ("a=1&b=2", Shape.STRUCTURED),
        ("a,b,c", Shape.STRUCTURED),
        ("eyJhIjoxfQ", Shape.STRUCTURED),
        ("https://a.example/x", Shape.ADDRESS),
        ("%2F", Shape.ADDRESS),
        ("/admin/", Shape.ADDRESS),
        ("www.example.org", Shape.ADDRESS),
        ("127.0.0.1", Shape.ADDRESS),
        ("jo@mail.example", Shape.ADDRESS),
        ("dark", Shape.WORD),
        ("accept-all", Shape.WORD),
        ("light2", Shape.WORD),
        ("1a!", Shape.TEXT),
        ("é", Shape.TEXT),
    ],
)
def test_a_value_has_the_shape_that_a_person_would_see(value: str, shape: Shape) -> None:
    """An identifier is what R-23 is about, a choice is not: the shape tells them apart."""
    assert shape_of(value) is shape


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
@example("\ud800")
@example("%ff%")
@example('"')
def test_any_text_has_a_shape(value: str) -> None:
    """What strangers put into a cookie stops no scan."""
    assert shape_of(value) in Shape


@given(st.uuids())
def test_a_uuid_is_an_identifier(value: Any) -> None:
    assert shape_of(str(value)) is Shape.IDENTIFIER


@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_json_is_structured(value: dict[str, int | str]) -> None:
    assert shape_of(json.dumps(value)) is Shape.STRUCTURED


@given(st.integers(-(10**8) + 1, 10**8 - 1))
def test_a_short_number_identifies_nobody(value: int) -> None:
    assert shape_of(str(value)) in {Shape.NUMBER, Shape.FLAG}


@pytest.mark.parametrize("piece", ["a", "1.", "/", "a-", "%", "a=", "@", "a.", "--", "1700000000."])
def test_a_value_is_looked_at_to_a_length(piece: str) -> None:
    """An item of web storage may have megabytes: what lies behind the first signs is let be."""
    start = (piece * MOST_LOOKED_AT)[:MOST_LOOKED_AT]
    assert shape_of(start + piece * 10**6) is shape_of(start)


# Names


@pytest.mark.parametrize(
    ("name", "purpose"),
    [
        ("_ga", "analytics"),
        ("_ga_R4JMGZWPD9", "analytics"),
        ("_gid", "analytics"),
        ("_pk_id.1.1fff", "analytics"),
        ("_hjSessionUser_123", "analytics"),
        ("_fbp", "advertising"),
        ("_gcl_au", "advertising"),
    ],
)
def test_the_catalogue_comes_first(name: str, purpose: str) -> None:
    """A name with a maker's page behind it needs no guess."""
    label = label_of(name)
    assert (label.nature, label.purpose, label.confidence) == (
        Nature.TRACKING, purpose, Confidence.KNOWN,
    )  # fmt: skip
    assert label.is_tracking
    assert label.known is not None
    assert "catalogue" in label.why


def test_what_is_known_to_be_necessary_is_labelled_so() -> None:
    label = label_of("__cf_bm", third_party=True)
    assert (label.nature, label.purpose) == (Nature.NECESSARY, "necessary")
    assert not label.is_tracking


def test_what_is_known_and_neither_is_unknown_with_its_purpose() -> None:
    """A film's cookie does not track by nature, and nobody needs it for the page (R-32)."""
    known = next(each for each in catalogue.cookies() if each.purpose == "embeds" and
                 each.where == "cookie" and not each.shared and "*" not in each.name)  # fmt: skip
    label = label_of(known.name)
    assert (label.nature, label.purpose, label.known) == (Nature.UNKNOWN, "embeds", known)


def test_storage_is_looked_up_among_storage() -> None:
    """A key of storage may be called like a cookie, and be something else."""
    assert label_of("rc::a", where="local").known is not None
    assert label_of("rc::a").known is None


def test_a_shared_name_proves_nothing() -> None:
    """Others use ``IDE`` too: an editor, for one."""
    assert catalogue.known_cookie("IDE") is not None
    assert label_of("IDE").known is None
    assert label_of("IDE").nature is Nature.UNKNOWN


def test_a_shared_name_of_a_tracker_is_never_called_necessary(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The dangerous error: what is a tracker on one site has an innocent name on another."""
    known = catalogue.known_cookie("IDE")
    assert label_of("my_csrf").nature is Nature.NECESSARY
    monkeypatch.setattr(catalogue, "known_cookie", lambda _name: known)
    assert label_of("my_csrf").nature is Nature.UNKNOWN


def test_a_framework_s_cookie_is_necessary_as_the_framework_sets_it() -> None:
    """Many are called ``session``; Starlette's is one that no script can read."""
    hidden, open_ = label_of("session", http_only=True), label_of("session")
    assert (hidden.nature, hidden.confidence) == (Nature.NECESSARY, Confidence.LIKELY)
    assert open_.nature is Nature.UNKNOWN
    assert label_of("csrftoken", seconds=YEAR, shape=Shape.IDENTIFIER).nature is Nature.NECESSARY
    assert label_of("csrftoken", third_party=True).nature is Nature.UNKNOWN


def test_a_name_that_anybody_uses_is_no_framework_s() -> None:
    assert label_of("language").purpose == "preferences"
    assert label_of("django_language").nature is Nature.NECESSARY


@pytest.mark.parametrize(
    ("host", "nature"),
    [("px.ads.linkedin.com", Nature.TRACKING), ("www.youtube.com", Nature.UNKNOWN)],
)
def test_another_site_s_cookie_is_of_the_service_that_it_goes_to(host: str, nature: Nature) -> None:
    service = catalogue.service_of_host(host)
    assert service is not None
    label = label_of("zz9", host=host, third_party=True)
    assert (label.nature, label.purpose) == (nature, service.purpose)
    assert service.title in label.why
    assert label_of("zz9", host=host).purpose is None  # first party: the site itself


@pytest.mark.parametrize(
    ("name", "nature", "purpose"),
    [
        ("acme_gid", Nature.TRACKING, "analytics"),
        ("utm_source", Nature.TRACKING, "analytics"),
        ("shop_visitor", Nature.TRACKING, "analytics"),
        ("visitorId", Nature.TRACKING, "analytics"),
        ("acme-uid", Nature.TRACKING, "analytics"),
        ("orderTracking", Nature.TRACKING, "analytics"),
        ("abtest", Nature.TRACKING, "analytics"),
        ("my_analytics", Nature.TRACKING, "analytics"),
        ("first_referrer", Nature.TRACKING, "analytics"),
        ("tracked_start_checkout", Nature.TRACKING, "analytics"),
        ("pixel_id", Nature.TRACKING, "advertising"),
        ("ads_seen", Nature.TRACKING, "advertising"),
        ("AdId", Nature.TRACKING, "advertising"),
        ("adform_x", Nature.TRACKING, "advertising"),
        ("adtarget", Nature.TRACKING, "advertising"),
        ("retargeting", Nature.TRACKING, "advertising"),
        ("summer_campaign", Nature.TRACKING, "advertising"),
        ("_csrf", Nature.NECESSARY, "necessary"),
        ("XSRF-COOKIE", Nature.NECESSARY, "necessary"),
        ("acme_csrf_token", Nature.NECESSARY, "necessary"),
        ("cart", Nature.NECESSARY, "necessary"),
        ("shop_basket", Nature.NECESSARY, "necessary"),
        ("checkout_token", Nature.NECESSARY, "necessary"),
        ("cookieconsent_status", Nature.NECESSARY, "necessary"),
        ("site-consent", Nature.NECESSARY, "necessary"),
        ("lb_affinity", Nature.NECESSARY, "necessary"),
        ("lang", Nature.UNKNOWN, "preferences"),
        ("ui-theme", Nature.UNKNOWN, "preferences"),
        ("sidebarCollapsed", Nature.UNKNOWN, "preferences"),
        ("livechat_x", Nature.UNKNOWN, "chat"),
        ("acme_session", Nature.UNKNOWN, None),
        ("sid", Nature.UNKNOWN, None),
        ("auth_token", Nature.UNKNOWN, None),
        ("adminMenu", Nature.UNKNOWN, None),
        ("address", Nature.UNKNOWN, None),
        ("hide_pay_for_checkout", Nature.UNKNOWN, None),
        ("x7", Nature.UNKNOWN, None),
        ("", Nature.UNKNOWN, None),
    ],
)
def test_words_in_a_name_speak(name: str, nature: Nature, purpose: str | None) -> None:
    label = label_by_rules(name)
    assert (label.nature, label.purpose) == (nature, purpose)
    assert label.known is None
    assert (label.confidence is Confidence.NONE) == (purpose is None)


def test_signs_of_both_kinds_leave_a_name_unknown() -> None:
    """``_tracking_consent`` may keep an answer or count one: a person knows."""
    label = label_by_rules("_tracking_consent")
    assert label.nature is Nature.UNKNOWN
    assert "'tracking'" in label.why
    assert "'consent'" in label.why


def test_a_session_s_name_counts_where_no_script_can_read_it() -> None:
    """Analytics tools have sessions too, and their scripts read them."""
    assert label_by_rules("acme_session", http_only=True).nature is Nature.NECESSARY
    assert label_by_rules("acme_session").nature is Nature.UNKNOWN
    assert label_by_rules("visit_session", http_only=True).nature is Nature.UNKNOWN


@pytest.mark.parametrize("name", ["_csrf", "cart", "my_consent", "acme_session"])
def test_what_goes_to_another_site_or_outlives_browsers_is_not_called_necessary(name: str) -> None:
    """Browsers keep no cookie for more than 400 days; one that asks for more is after something."""
    assert label_by_rules(name, http_only=True, seconds=DAY).nature is Nature.NECESSARY
    assert label_by_rules(name, http_only=True, third_party=True).nature is not Nature.NECESSARY
    assert label_by_rules(name, http_only=True, seconds=2 * YEAR).nature is not Nature.NECESSARY


def test_an_identifier_that_stays_and_that_scripts_read_looks_like_analytics() -> None:
    seen: dict[str, Any] = {"shape": Shape.STAMPED_IDENTIFIER, "seconds": 2 * YEAR}
    label = label_by_rules("x7", **seen)
    assert (label.nature, label.confidence) == (Nature.TRACKING, Confidence.WEAK)
    assert "730 days" in label.why
    assert label_by_rules("x7", **seen, http_only=True).nature is Nature.UNKNOWN
    assert label_by_rules("x7", **{**seen, "seconds": HOUR}).nature is Nature.UNKNOWN
    assert label_by_rules("x7", **{**seen, "shape": Shape.WORD}).nature is Nature.UNKNOWN


def test_an_identifier_in_storage_stays_until_it_is_removed() -> None:
    """What is in localStorage has no end; sessionStorage ends with the tab."""
    assert label_of("x7", where="local", shape=Shape.IDENTIFIER).nature is Nature.TRACKING
    assert label_of("x7", where="session", shape=Shape.IDENTIFIER).nature is Nature.UNKNOWN


def test_what_another_site_keeps_for_long_looks_like_advertising() -> None:
    assert label_by_rules("x7", third_party=True, seconds=YEAR).purpose == "advertising"
    assert label_by_rules("x7", third_party=True, seconds=HOUR).nature is Nature.UNKNOWN


SEEN = st.fixed_dictionaries(
    {
        "where": st.sampled_from(["cookie", "local", "session", "indexed-db"]),
        "seconds": st.none() | st.integers(-1, 10**12),
        "shape": st.none() | st.sampled_from(Shape),
        "host": st.none() | st.text(max_size=40),
        "third_party": st.booleans(),
        "http_only": st.booleans(),
    }
)


@given(st.text(max_size=300), SEEN)
@example("a" * 10**6, {})
@example("\ud800", {"host": "\ud800", "third_party": True})
def test_any_name_has_a_label_that_says_why(name: str, seen: dict[str, Any]) -> None:
    """Names are strangers' words: none stops a scan, and each label is one line of few words."""
    label = label_of(name, **seen)
    assert isinstance(label, Label)
    assert label.why.endswith(".")
    assert label.why.isprintable()
    assert len(label.why) < 250
    if label.nature is Nature.TRACKING:
        assert label.purpose in TRACKING
    if label.nature is Nature.NECESSARY:
        assert label.purpose == "necessary"


@pytest.mark.parametrize("module", ["rulings", "gating", "enforcement", "rules.decision"])
def test_nothing_that_enforces_can_import_a_label(module: str) -> None:
    """It labels and never decides: imports go down the ladder, and labels stand no lower."""
    assert RUNG["audit"] >= RUNG[module]


# Lists that others made


@pytest.fixture
def database() -> list[lists.Row]:
    try:
        return lists.database(lists.from_package(lists.KEPT, lists.OPEN_COOKIE_DATABASE))
    except lists.MissingListError as error:
        pytest.skip(str(error))


def test_no_tracker_of_another_s_list_is_called_necessary_by_its_name(
    database: list[lists.Row],
) -> None:
    """The dangerous error, on the half of the names that no rule was written for."""
    rows = [row for row in figures.unheard_of(database) if figures.half(row) == 1]
    found = figures.measure(rows, figures.by_rules)
    assert found.trackers > 500
    assert found.found / found.trackers > 0.25
    assert found.dangerous == []


def test_the_catalogue_and_a_list_call_one_name_differently(database: list[lists.Row]) -> None:
    """Matomo's nonce for its opt-out form: the list has it under analytics, Matomo does not."""
    assert figures.measure(database, figures.with_catalogue).dangerous == ["matomo_sessid"]


def test_a_list_that_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(lists.MissingListError, match=r"scripts/setup"):
        lists.from_package(tmp_path, lists.OPEN_COOKIE_DATABASE)
    with tarfile.open(tmp_path / lists.TARTEAUCITRON[0], "w:gz"):
        pass
    with pytest.raises(lists.MissingListError):
        lists.from_package(tmp_path, lists.TARTEAUCITRON)
    with pytest.raises(lists.MissingListError):
        lists.real_apps(tmp_path / "none.csv")


def test_a_name_that_a_list_contradicts_is_left_out() -> None:
    """Functional there is strictly necessary or merely convenient, so it is neither."""
    entry = {"domain": "a.example (3rd party)", "retentionPeriod": "2 Years", "wildcardMatch": "0"}
    rows = lists.database(
        json.dumps({
            "One": [
                {**entry, "cookie": "a", "category": "Marketing"},
                {**entry, "cookie": "b", "category": "Functional", "wildcardMatch": "1"},
                {**entry, "cookie": "c", "category": "Security", "retentionPeriod": "Varies"},
            ],
            "Two": [
                {**entry, "cookie": "d", "category": "Marketing"},
                {**entry, "cookie": "d", "category": "Functional"},
            ],
        }).encode()
    )  # fmt: skip
    years = 2 * 31_557_600
    assert rows == [
        lists.Row("a", lists.Truth.TRACKING, years, "a.example"),
        lists.Row(f"b{lists.END}", lists.Truth.AMBIGUOUS, years, "a.example"),
        lists.Row("c", lists.Truth.NECESSARY, None, "a.example"),
    ]


def test_a_list_of_services_gives_the_names_of_those_that_track() -> None:
    """A service for films has cookies that track and others, and the list tells them not apart."""
    source = """
    tarteaucitron.services.a = {"key": "a", "type": "ads", "cookies": ['x', "y"], "js": 0};
    tarteaucitron.services.b = {"key": "b", "type": "video", "cookies": ['z'], "js": 0};
    tarteaucitron.services.c = {"key": "c", "type": "analytic", "cookies": (function () {})()};
    tarteaucitron.services.d = {"key": "d", "type": "analytic", "cookies": ['w'], "js": 0};
    """
    names = [row.name for row in lists.tarteaucitron(source.encode())]
    assert names == ["x", "y", "w"]


def test_the_figures_count_the_error_that_harms_on_its_own(tmp_path: Path) -> None:
    file = tmp_path / "apps.csv"
    file.write_text("cookie_name,category_truth,httponly\nsessionid,necessary,1\ntz,functional,0\n")
    apps = lists.real_apps(file)
    tracker = lists.Row("my_csrf", lists.Truth.TRACKING)
    found = figures.measure([*apps, tracker, lists.Row("_ga", lists.Truth.TRACKING)],
                            figures.with_catalogue)  # fmt: skip
    assert (found.rows, found.labelled, found.judged, found.right) == (4, 3, 3, 2)
    printed = "\n".join(figures.lines("A list", found))
    assert "| tracking | 1 | 1 | 0 |" in printed
    assert "| ambiguous | 0 | 0 | 1 |" in printed
    assert "**trackers called necessary: 1 of 2 (50.0%)**: my_csrf" in printed
    assert "right, of those labelled and not ambiguous: 2 of 3 (66.7%)" in printed
    nothing = "\n".join(figures.lines("None", figures.measure([], figures.by_all_rules)))
    assert "trackers called necessary: none" in nothing

"""What is proposed can be pasted: the reader takes it, and the finding is gone."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from consentkit import Policy
from consentkit.audit.cures import Drafts, Life, Unfit, families_of
from consentkit.audit.findings import Finding, FindingKind, compare
from consentkit.audit.judging import own_names
from consentkit.audit.labels import label_of
from consentkit.audit.seen import SeenCookie, SeenItem, SeenRequest, State, Visit
from consentkit.rules import catalogue
from consentkit.rules.policy import DAY, LONGEST, Where
from consentkit.rules.policy_file import policy_from, read_policy
from consentkit.rules.shapes import as_in_a_file
from consentkit.testing.policies import policies
from tests.audit.sites import scan_of

ASKED = {"count": {"title": "A", "description": "B"}}
NEEDED = {"need": {"basis": "strictly-necessary", "title": "A", "description": "B"}}
BASE: dict[str, Any] = {
    "site": {"name": "a", "controller": "b"},
    "mode": "explicit",
    "purposes": NEEDED | ASKED,
}


def policy(**changes: Any) -> Policy:
    return policy_from(BASE | changes)


def plain(draft: str) -> dict[str, Any]:
    """What a draft says to any reader of YAML."""
    told: dict[str, Any] = yaml.safe_load(draft)
    return told


def pasted(some: Policy, *drafts: str) -> Policy:
    """The policy after a person put these under their keys; it goes through the real reader."""
    data: dict[str, Any] = as_in_a_file(some)
    for draft in drafts:
        _put(data, plain(draft))
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    return read_policy(text)


def _put(data: dict[str, Any], new: dict[str, Any]) -> None:
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(data.get(key), dict):
            _put(data[key], value)
        else:
            data[key] = value


def undeclared(some: Policy, *visits: Visit) -> list[Finding]:
    return [
        finding
        for finding in compare(some, scan_of(*visits))
        if finding.kind is FindingKind.UNDECLARED
    ]


WILD = st.one_of(
    st.text(st.characters(), max_size=30),
    st.sampled_from(
        [
            *("_ga", "_ga_ABC123", "_ga_XYZ", "_gid", "csrftoken", "PHPSESSID", "__Host-x"),
            *("__Secure-y", "__Http-z", "__Host-Http-w", "job-17", "job-18", "abc1x", "abc2x"),
            *("abcx1", "abcx2", "a{id}", "evil*", "consent", "no", "12", "x" * 300, "a\udcffb"),
            *("\u202eevil", "a\x1b[31mb", "_hjid", "null", "job-{id}"),
        ]
    ),
)
COOKIES = st.builds(
    SeenCookie,
    WILD,
    st.sampled_from(["site.example", "ads.example"]),
    seconds=st.one_of(st.none(), st.integers(1, 2 * LONGEST)),
    third_party=st.booleans(),
    secure=st.just(True),  # noqa: FBT003  # what is drawn
)
ITEMS = st.builds(SeenItem, st.sampled_from([*Where]), WILD, st.just("site.example"))
HOSTS = st.one_of(
    st.sampled_from(
        [
            *("www.youtube.com", "i.ytimg.com", "www.google-analytics.com", "nobody.example"),
            *("youtube-nocookie.com", "10.0.0.7", "a" * 70 + ".example", "b{c}.example", "é.test"),
        ]
    ),
    st.from_regex(r"[a-z]{1,8}\.(example|test)", fullmatch=True),
)


@given(
    policies(),
    st.lists(COOKIES, max_size=4),
    st.lists(ITEMS, max_size=2),
    st.lists(HOSTS, max_size=3),
)
@settings(max_examples=30, deadline=None)
def test_the_drafts_of_what_is_undeclared_declare_it(
    some: Policy, cookies: list[SeenCookie], items: list[SeenItem], hosts: list[str]
) -> None:
    """R-26: put into the policy, they load, whatever the names; and the findings are gone."""
    seen = Visit(
        "/",
        State.GRANTED,
        200,
        cookies=tuple(cookies),
        items=tuple(items),
        requests=tuple(map(SeenRequest, hosts)),
    )
    found = undeclared(some, seen)
    drafts = [finding.draft for finding in found if finding.draft]
    left = undeclared(pasted(some, *drafts), seen)
    assert {finding.key for finding in left} == {
        finding.key for finding in found if not finding.draft
    }
    assert all(finding.cure.startswith("No policy can") for finding in left)


def test_the_drafts_of_families_are_patterns_that_can_stand_together() -> None:
    """Two patterns that could cover one name make no policy: the names stay their own there."""
    names = ["abc1x", "abc22x", "abc3x", "abc4x", "abcx1", "abcx2", "abcx3", "abcx44"]
    seen = Visit("/", State.GRANTED, 200, cookies=tuple(SeenCookie(n, "s") for n in names))
    found = undeclared(policy(), seen)
    assert any("{id}" in finding.name for finding in found)
    assert undeclared(pasted(policy(), *(finding.draft for finding in found)), seen) == []


def test_no_pattern_takes_what_is_declared_or_our_own() -> None:
    """R-76: `consent-{id}` beside a token of that name, and a name that is declared already."""
    names = ["job-17", "job-18", "consent-1", "consent-2"]
    told = families_of(names, "cookies", ["job-7"], own_names(policy()))
    # The pattern of the last two would cover `consent-seen`, in which we keep what was shown.
    assert told == {name: name for name in names}
    assert families_of(["a-1", "a-2"], "cookies", [], ["a-7"])["a-1"] == "a-1"
    assert families_of(["a-1", "a-2"], "cookies", ["a-{n}"], [])["a-1"] == "a-1"
    assert families_of(["_hjid"], "storage", [])["_hjid"]


def entry(some: Policy, name: str, life: Life, *, is_pattern: bool = False) -> dict[str, Any]:
    """The entry that is proposed for a cookie."""
    draft = Drafts(some).cookie(name, life, label_of(name), is_pattern=is_pattern)
    whole = plain(draft)
    return whole["cookies"][name] | {"purposes": whole.get("purposes", {})}


def test_a_known_cookie_comes_with_what_is_known_of_it() -> None:
    """The catalogue's kind and words; the purpose is a new one, which the visitor answers to."""
    told = entry(policy(), "_ga", Life(2 * 365 * DAY))
    assert (told["kind"], told["purpose"], told["duration"]) == (
        "analytics",
        "analytics",
        "400 days",
    )
    assert told["description"] != ""
    assert "basis" not in told["purposes"]["analytics"]


def test_what_nobody_knows_is_left_for_a_person_to_sort() -> None:
    """R-30: nothing is called strictly necessary by a machine, not even what looks it."""
    for name in ("xyzzy", "csrftoken"):
        told = entry(policy(), name, Life(None))
        assert (told["kind"], told["purpose"]) == ("session", "unsorted")
        assert "duration" not in told
    assert (
        Drafts(policy())
        .cookie("xyzzy", Life(1), label_of("xyzzy"))
        .startswith("# A guess: sort it.")
    )
    ga = Drafts(policy()).cookie("_ga", Life(1), label_of("_ga"))
    assert ga.startswith("# A guess: correct it. The catalogue knows it")


def test_the_purpose_is_the_one_the_policy_has_for_the_like() -> None:
    """Purposes are the site's own words: what stands by `_gid` goes for `_ga`."""
    gid = {"kind": "analytics", "purpose": "count", "duration": "1 day", "description": "C"}
    assert entry(policy(cookies={"_gid": gid}), "_ga", Life(DAY))["purpose"] == "count"


@pytest.mark.parametrize(
    ("purposes", "expected"),
    [
        ({"analytics": ASKED["count"]}, "analytics"),
        ({"analytics": NEEDED["need"]}, "unsorted"),
        ({"analytics": NEEDED["need"], "unsorted": NEEDED["need"]}, "unsorted-too"),
        ({"analytics": NEEDED["need"], "unsorted": NEEDED["need"],
          "unsorted-too": NEEDED["need"]}, "unsorted-too-too"),
    ],
)  # fmt: skip
def test_no_guess_goes_under_a_strictly_necessary_purpose(
    purposes: dict[str, Any], expected: str
) -> None:
    """R-32: whatever the purpose is called."""
    assert entry(policy(purposes=NEEDED | purposes), "_ga", Life(DAY))["purpose"] == expected


def test_a_new_purpose_has_the_basis_that_the_presets_allow() -> None:
    """R-09: where the mode's own would not hold, consent is asked."""
    implied = policy(mode="implied", banner={"layout": "top"}, purposes=NEEDED)
    assert entry(implied, "_ga", Life(DAY))["purposes"]["analytics"]["basis"] == "consent"


def test_a_draft_stays_within_what_the_presets_allow() -> None:
    """R-24: thirteen months in the EU."""
    assert entry(policy(preset="eu"), "_ga", Life(LONGEST))["duration"] == "395 days"
    assert Drafts(policy(preset="eu")).longer("x", LONGEST) == ""


def test_a_service_that_is_declared_is_named() -> None:
    """R-73: the visitor reads who is behind a cookie."""
    services = {"google-analytics": {"purpose": "count", "provider": "G"}}
    assert entry(policy(services=services), "_ga", Life(DAY))["service"] == "google-analytics"
    assert "service" not in entry(policy(), "_ga", Life(DAY))


def test_a_third_partys_cookie_is_declared_as_one() -> None:
    """R-73: whose host stores it."""
    assert entry(policy(), "uid", Life(DAY, third_party=True))["party"] == "third"
    assert "party" not in entry(policy(), "uid", Life(DAY))


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("__Secure-a", {"secure": True}),
        ("__host-a", {"secure": True}),
        ("__Host-Http-a", {"secure": True, "http-only": True}),
        ("__Http-a", {"secure": True, "http-only": True}),
        ("a", None),
    ],
)
def test_what_the_beginning_of_a_name_promises_is_declared(
    name: str, attributes: dict[str, bool] | None
) -> None:
    """R-80: the reader would refuse it otherwise."""
    assert entry(policy(), name, Life(None)).get("attributes") == attributes


@pytest.mark.parametrize("name", ["a{id}", "evil*", "a\udcff", "a b", "consent", "x" * 300, ""])
def test_what_no_policy_can_declare_has_no_draft(name: str) -> None:
    """A stranger's name that has a brace or a star would cover what the stranger likes."""
    with pytest.raises(Unfit) as caught:
        Drafts(policy()).cookie(name, Life(None), label_of(name))
    assert str(caught.value)
    assert entry(policy(), "a-{id}", Life(None), is_pattern=True)["purpose"] == "unsorted"


def test_a_host_that_nobody_knows_is_declared_under_its_name() -> None:
    """R-73: who is behind it, a person has to say."""
    draft = Drafts(policy()).host("cdn.nobody.example")
    assert draft.startswith("# Nobody knows it")
    (service,) = pasted(policy(), draft).services.values()
    assert (service.purpose, service.hosts) == (("unsorted",), ("cdn.nobody.example",))
    for host in ("a{b}.example", "x" * 70 + ".example"):
        with pytest.raises(Unfit):
            Drafts(policy()).host(host)


def test_a_known_service_brings_its_hosts_and_keeps_its_own() -> None:
    """What the catalogue has comes by itself; what it lacks is listed beside what is there."""
    youtube = catalogue.services()["youtube"]
    covered = pasted(policy(), Drafts(policy()).service(youtube, ["www.youtube.com"]))
    assert covered.services["youtube"].hosts == youtube.hosts
    extra = pasted(policy(), Drafts(policy()).service(youtube, ["cdn.new.example"]))
    assert extra.services["youtube"].hosts == (*youtube.hosts, "cdn.new.example")
    own = policy(services={"youtube": {"purpose": "count", "provider": "G", "hosts": ["a.test"]}})
    draft = Drafts(own).service(youtube, ["b.test", "a.test"])
    assert yaml.safe_load(draft) == {"services": {"youtube": {"hosts": ["a.test", "b.test"]}}}


def test_what_is_declared_otherwise_is_cured_by_one_key() -> None:
    """The rest of the entry stays as it is, and the reader takes the whole."""
    said = {"purpose": "count", "description": "C"}
    some = policy(
        cookies={
            "a": {"kind": "session", **said},
            "b": {"kind": "persistent", "duration": "1 day", **said},
        },
        storage={"s": {"where": "local", **said}},
    )
    drafts = Drafts(some)
    cured = pasted(
        some,
        drafts.lasting("a", 3600),
        drafts.attributes("b", ["secure"]),
        drafts.longer("b", 90 * DAY),
        drafts.changed("storage", "s", where="session"),
    )
    assert (cured.cookies["a"].kind, cured.cookies["a"].duration) == ("persistent", 3600)
    assert cured.cookies["b"].duration == 90 * DAY
    assert cured.cookies["b"].attributes.secure
    assert cured.storage["s"].where is Where.SESSION


def test_a_tracker_is_given_a_purpose_that_is_asked_about() -> None:
    """R-32: the policy that called it strictly necessary asks about it now."""
    a = {"kind": "session", "purpose": "need", "justification": "security", "description": "C"}
    some = policy(cookies={"a": a})
    draft = Drafts(some).asked("cookies", "a", "analytics")
    assert draft.startswith("# Take its 'justification' away")
    why = {"need": {**NEEDED["need"], "justification": "security"}}
    bare = policy(cookies={"a": {**a, "justification": None}}, purposes=why | ASKED)
    cured = pasted(bare, draft)
    assert cured.cookies["a"].purpose == ("analytics",)
    assert "analytics" in cured.optional_purposes
    assert not Drafts(bare).asked("cookies", "a", "analytics").startswith("#")

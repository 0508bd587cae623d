import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from consentkit.middleware import ConsentMiddleware
from consentkit.rules.changes import Asks, Change, changes_between, problems_against
from consentkit.rules.consent import NOBODY_YET, Consent, Seen
from consentkit.rules.decision import is_open
from consentkit.rules.faults import problems_in
from consentkit.rules.policy import Basis, Policy
from consentkit.rules.problems import Loc, Problem
from consentkit.rules.signals import NO_SIGNALS, Signal
from consentkit.testing import Browser

pytestmark = pytest.mark.anyio

NOW = 1_785_542_400
KEY = "thirty-two bytes or more, and random"

NECESSARY = {
    "title": "Needed",
    "description": "For log-in.",
    "basis": "strictly-necessary",
    "justification": "authentication",
}
VIDEOS = {"title": "Videos", "description": "Plays films."}
SAVED = {"kind": "persistent", "purpose": "videos", "duration": "1 day", "description": "Place."}
KEPT = {"where": "session", "purpose": "videos", "description": "Volume."}
TUBE = {"purpose": "videos", "provider": "Tube", "hosts": ["tube.example", "*.cdn.example"]}


def policy(**changes: Any) -> Policy:
    """A policy with one purpose that is asked about, and one thing of each sort under it."""
    whole = {
        "site": {"name": "A site", "controller": "Its owner"},
        "mode": "explicit",
        "purposes": {"necessary": NECESSARY, "videos": VIDEOS},
        "cookies": {"place": SAVED, "login": {**SAVED, "purpose": "necessary"}},
        "storage": {"volume": KEPT},
        "services": {"tube": TUBE},
    }
    read: Policy = Policy.model_validate({**whole, **changes}, context={"in": "a test"})
    assert [each for each in problems_in(read) if not each.is_warning] == []
    return read


def purpose(name: str = "videos", revision: int = 1, **changes: Any) -> Policy:
    known = {"necessary": NECESSARY, "videos": VIDEOS}
    purposes = {**known, name: {**known.get(name, VIDEOS), **changes}}
    return policy(purposes=purposes, revision=revision)


def cookie(name: str = "place", **changes: Any) -> Policy:
    return policy(cookies={"login": {**SAVED, "purpose": "necessary"}, name: {**SAVED, **changes}})


def stored(**changes: Any) -> Policy:
    return policy(storage={"volume": {**KEPT, **changes}})


def service(name: str = "tube", **changes: Any) -> Policy:
    return policy(services={name: {**TUBE, **changes}})


def said(old: Policy, new: Policy) -> list[tuple[str, str, str]]:
    """Every change: its place, what it is, and who is asked."""
    return [(".".join(each.loc), each.what, each.asks.value) for each in changes_between(old, new)]


def own_text(key: str, words: str, **changes: Any) -> Policy:
    return policy(texts={"en": {key: words}}, **changes)


def told(**integrations: Any) -> Policy:
    purposes = {"necessary": NECESSARY, "videos": VIDEOS, "ads": VIDEOS}
    return policy(purposes=purposes, integrations=integrations)


GOOGLE = {"signals": {"analytics_storage": ["videos", "ads"]}}


def google(**signals: Any) -> Policy:
    return told(**{"google-consent-mode": {"signals": {**GOOGLE["signals"], **signals}}})


# What matters, and is not marked

UNMARKED: dict[str, tuple[Policy, Policy, str, str]] = {
    "a signal that was denied": (
        google(),
        google(ad_storage="ads"),
        "integrations.google-consent-mode.signals.ad_storage",
        "'integrations.google-consent-mode.signals.ad_storage' hangs on 'ads', and was denied",
    ),
    "a signal that hung on more": (
        google(),
        google(analytics_storage="videos"),
        "integrations.google-consent-mode.signals.analytics_storage",
        (
            "'integrations.google-consent-mode.signals.analytics_storage' hangs on 'videos', "
            "and hung on 'videos' and 'ads'"
        ),
    ),
    "a signal that hangs on something else": (
        told(matomo={"purpose": "videos"}),
        told(matomo={"purpose": "ads"}),
        "integrations.matomo.purpose",
        "'integrations.matomo.purpose' hangs on 'ads', and hung on 'videos'",
    ),
    "a new purpose": (policy(), purpose("maps"), "purposes.maps", "purpose 'maps' is new"),
    "implied and no longer asked for": (
        policy(),
        purpose(basis="implied"),
        "purposes.videos.basis",
        "purpose 'videos': 'basis' is 'implied', and was 'consent'",
    ),
    "opt-out and no longer implied": (
        purpose(basis="implied"),
        purpose(basis="opt-out"),
        "purposes.videos.basis",
        "purpose 'videos': 'basis' is 'opt-out', and was 'implied'",
    ),
    "strictly necessary all of a sudden": (
        policy(),
        purpose(basis="strictly-necessary", justification="user-input"),
        "purposes.videos.basis",
        "purpose 'videos': 'basis' is 'strictly-necessary', and was 'consent'",
    ),
    "asked about for the first time": (
        purpose(basis="strictly-necessary", justification="user-input"),
        policy(),
        "purposes.videos.basis",
        "purpose 'videos': 'basis' is 'consent', and was 'strictly-necessary'",
    ),
    "a signal that is heard no more": (
        purpose(honours=["gpc", "dnt"]),
        purpose(honours=["gpc"]),
        "purposes.videos.honours",
        "purpose 'videos': 'honours' is [gpc], and was [dnt, gpc]",
    ),
    "another mode": (
        policy(),
        policy(mode="opt-out"),
        "purposes.videos.basis",
        "purpose 'videos': 'basis' is 'opt-out', and was 'consent'",
    ),
    "consent before the notice": (
        policy(mode="implied"),
        policy(mode="implied", **{"takes-effect": "at-once"}),
        "takes-effect",
        "implied consent counts from the first page, and counted from the second",
    ),
    "a new cookie": (policy(), cookie("seen"), "cookies.seen", "cookie 'seen' is new"),
    "a cookie of another purpose": (
        cookie(purpose="necessary", justification="user-input"),
        cookie(purpose=["necessary", "videos"]),
        "cookies.place.purpose",
        "cookie 'place': 'purpose' is [necessary, videos], and was [necessary]",
    ),
    "a cookie that is no longer asked about": (
        policy(),
        cookie(purpose="necessary", justification="user-input"),
        "cookies.place.purpose",
        "cookie 'place': 'purpose' is [necessary], and was [videos]",
    ),
    "a session cookie that stays": (
        cookie(kind="session", duration=None),
        policy(),
        "cookies.place.kind",
        "cookie 'place': 'kind' is 'persistent', and was 'session'",
    ),
    "a cookie that lives longer": (
        policy(),
        cookie(duration="36 hours"),
        "cookies.place.duration",
        "cookie 'place': 'duration' is 129600 seconds, and was 1 day",
    ),
    "a vote that is remembered longer": (
        cookie("poll-{id}", kind="poll-timeout", duration=None),
        cookie("poll-{id}", kind="poll-timeout", duration="2 days"),
        "cookies.poll-{id}.duration",
        "cookie 'poll-{id}': 'duration' is 2 days, and was 1 day",
    ),
    "a cookie that visits extend": (
        cookie(renew=False),
        policy(),
        "cookies.place.renew",
        "cookie 'place': 'renew' is true, and was false",
    ),
    "a cookie of a third party": (
        policy(),
        cookie(party="third"),
        "cookies.place.party",
        "cookie 'place': 'party' is 'third', and was 'first'",
    ),
    "a cookie that sub-domains get": (
        policy(),
        cookie(domain="a.example"),
        "cookies.place.domain",
        "cookie 'place': 'domain' is 'a.example', and was absent",
    ),
    "a cookie that a service sets": (
        policy(),
        cookie(service="tube"),
        "cookies.place.service",
        "cookie 'place': 'service' is 'tube', and was absent",
    ),
    "somebody else who gets the data": (
        policy(),
        cookie(recipients={"en": "A friend"}),
        "cookies.place.recipients",
        "cookie 'place': 'recipients' is another text, and was absent",
    ),
    "the first country": (
        policy(),
        cookie(transfer=["US"]),
        "cookies.place.transfer",
        "cookie 'place': 'transfer' is [US], and was absent",
    ),
    "countries, and words before": (
        cookie(transfer="Ireland"),
        cookie(transfer=["IE", "US"]),
        "cookies.place.transfer",
        "cookie 'place': 'transfer' is [IE, US], and was 'Ireland'",
    ),
    "words, and countries before": (
        cookie(transfer=["IE", "US"]),
        cookie(transfer="All over the world"),
        "cookies.place.transfer",
        "cookie 'place': 'transfer' is 'All over the world', and was [IE, US]",
    ),
    "another country": (
        cookie(transfer=["IE"]),
        cookie(transfer=["IE", "US"]),
        "cookies.place.transfer",
        "cookie 'place': 'transfer' is [IE, US], and was [IE]",
    ),
    "an item that stays": (
        policy(),
        stored(where="local"),
        "storage.volume.where",
        "stored item 'volume': 'where' is 'local', and was 'session'",
    ),
    "an item that nothing deletes": (
        stored(where="local", duration="1 day"),
        stored(where="indexed-db"),
        "storage.volume.duration",
        "stored item 'volume': 'duration' is without end, and was 1 day",
    ),
    "a new service": (policy(), service("map"), "services.map", "service 'map' is new"),
    "another provider": (
        policy(),
        service(provider="Tubes"),
        "services.tube.provider",
        "service 'tube': 'provider' is 'Tubes', and was 'Tube'",
    ),
    "another host": (
        policy(),
        service(hosts=["cdn.example"]),
        "services.tube.hosts",
        "service 'tube': 'hosts' is [cdn.example], and was [tube.example, *.cdn.example]",
    ),
}


@pytest.mark.parametrize("name", UNMARKED)
def test_what_goes_further_must_be_marked(name: str) -> None:
    """A grant given at an older revision does not cover it (R-08), so it is an error."""
    old, new, place, what = UNMARKED[name]
    assert (place, f"{what}; no 'since' marks it", "unmarked") in said(old, new)
    (problem,) = problems_against(old, new)
    assert (".".join(problem.loc), problem.what) == (place, f"{what}; no 'since' marks it")
    written = r"Write 'since: 2' under (it|purpose '\w+') and 'revision: 2'"
    assert re.fullmatch(rf"{written}, so that visitors are asked\.", problem.cure)
    assert (problem.at_key, problem.is_warning) == (True, False)


# What goes less far, or is only told

LESS: dict[str, tuple[Policy, Policy]] = {
    "implied no more": (purpose(basis="opt-out"), purpose(basis="implied")),
    "heard once more": (purpose(honours=[]), policy()),
    "the notice first": (
        policy(mode="implied", **{"takes-effect": "at-once"}),
        policy(mode="implied"),
    ),
    "gone with the session": (policy(), cookie(kind="session", duration=None)),
    "gone sooner": (cookie(duration="2 days"), policy()),
    "gone with the tab": (stored(where="local"), stored()),
    "deleted some day": (stored(where="local"), stored(where="indexed-db", duration="1 day")),
    "never extended": (policy(), cookie(renew=False)),
    "its own": (cookie(party="third"), policy()),
    "a host's alone": (cookie(domain="a.example"), policy()),
    "a sub-domain's alone": (cookie(domain="a.example"), cookie(domain="b.a.example")),
    "set by no service": (cookie(service="tube"), policy()),
    "for nobody else": (cookie(recipients="A friend"), policy()),
    "in one country": (cookie(transfer=["IE", "US"]), cookie(transfer=["IE"])),
    "in the same countries": (cookie(transfer=["IE", "US"]), cookie(transfer=["US", "IE"])),
    "for the same people, translated": (
        cookie(recipients="A friend"),
        cookie(recipients={"en": "A friend"}),
    ),
    "a strictly necessary purpose in other words": (
        policy(),
        purpose("necessary", title="Log-in", honours=[]),
    ),
    "from one host": (policy(), service(hosts=["a.cdn.example", "tube.example"])),
    "the same provider": (policy(), service(provider=" TUBE")),
    "one name of a pattern": (cookie("place-*"), cookie("place-1")),
    "as votes are by default": (
        cookie("poll-{id}", kind="poll-timeout", duration=None),
        cookie("poll-{id}", kind="poll-timeout"),
    ),
    "translated": (
        policy(languages=["en", "de"]),
        purpose(description={"en": VIDEOS["description"]}),
    ),
    "named where it was not": (policy(), service(title="Tube")),
    "a new strictly necessary purpose": (
        policy(),
        purpose("baskets", basis="strictly-necessary", justification="user-input"),
    ),
    "a new strictly necessary cookie": (
        policy(),
        policy(
            cookies={
                "place": SAVED,
                **{name: {**SAVED, "purpose": "necessary"} for name in ("login", "csrf")},
            }
        ),
    ),
    "a strictly necessary cookie that lives longer": (
        policy(),
        policy(
            cookies={
                "place": SAVED,
                "login": {**SAVED, "purpose": "necessary", "duration": "2 days"},
            }
        ),
    ),
    "a signal that is denied again": (google(ad_storage="ads"), google()),
    "a signal that hangs on more": (
        google(ad_storage="ads"),
        google(ad_storage=["ads", "videos"]),
    ),
    "told for the first time": (told(), google()),
    "told no more": (google(), told()),
    "another wait": (
        told(matomo={"purpose": "ads"}),
        told(matomo={"purpose": "ads", "consent": "cookies"}),
    ),
    "known by its scripts": (policy(), service(inline=["tube("], shows="video")),
    "kept to by the browser": (policy(), policy(csp="enforce", guard=True)),
    "hosts of its own": (
        policy(),
        policy(site={"name": "A site", "controller": "Its owner", "hosts": ["a.example"]}),
    ),
    "nothing there": (policy(), policy(cookies={}, storage={}, services={})),
    "all are let in": (policy(), policy(undeclared="report")),
    "another layout": (policy(), policy(banner={"layout": "corner"})),
    "another label": (policy(banner={"accept": "Yes"}), policy(banner={"accept": "I agree"})),
    "a banner that is translated": (
        policy(languages=["en", "de"], banner={"title": "May we?", "body": {"en": "We ask."}}),
        policy(
            languages=["en", "de"],
            banner={
                "title": {"en": "May we?", "de": "Dürfen wir?"},
                "body": {"en": "We ask.", "de": "Wir fragen."},
            },
        ),
    ),
    "a text that asks nothing": (own_text("settings", "Cookies"), own_text("settings", "Choice")),
    "a label of an answer": (own_text("accept_all", "Yes"), own_text("accept_all", "I agree")),
    "a question that nobody is asked": (own_text("asks.implied.title", "A"), policy()),
    "a question in a new language": (
        policy(),
        policy(languages=["en", "de"], texts={"de": {"asks.consent.title": "Dürfen wir?"}}),
    ),
    "pages for children": (policy(), policy(**{"child-directed": ["/kids"]})),
    "pages that are for children no more": (policy(**{"child-directed": ["/kids"]}), policy()),
    "a line on each page": (policy(), policy(**{"settings-link": "always"})),
    "templates elsewhere": (policy(templates="/a"), policy(templates="/b")),
    "asked more rarely": (policy(), policy(**{"ask-again-after": "12 months"})),
    "the other purposes first": (
        cookie(purpose=["videos", "necessary"]),
        cookie(purpose=["necessary", "videos"]),
    ),
}


@pytest.mark.parametrize("name", LESS)
def test_what_goes_less_far_asks_nobody(name: str) -> None:
    """Who agreed to more has agreed to less, and what is strictly necessary is not asked about."""
    old, new = LESS[name]
    assert problems_against(old, new) == []
    changes = changes_between(old, new)
    assert {each.asks for each in changes} <= {Asks.NOTHING}


@pytest.mark.parametrize("name", LESS)
def test_a_revision_that_was_raised_for_less_is_a_warning(name: str) -> None:
    """Everybody would be asked again, and there is nothing to ask (R-19)."""
    old, new = LESS[name]
    raised = Policy.model_validate({**new.model_dump(by_alias=True), "revision": 2})
    assert problems_against(old, raised) == [FOR_NOTHING]


FOR_NOTHING = Problem(
    ("revision",),
    "the revision is 2, and nothing new is to be asked about: "
    "everybody is asked about everything again",
    "Write 'revision: 1', unless a text means something else now.",
    is_warning=True,
)


def test_what_is_told_is_told_in_words() -> None:
    """One sentence each, with the words of the file."""
    old = policy(languages=["en"], banner={"layout": "top"})
    new = policy(undeclared="hide", cookies={}, languages=["en", "de"], mode="opt-out")
    assert said(old, new) == [
        ("mode", "'mode' is 'opt-out', and was 'explicit'", "nothing"),
        ("languages", "'languages' is [en, de], and was [en]", "nothing"),
        ("undeclared", "'undeclared' is 'hide', and was 'block'", "nothing"),
        ("banner.layout", "'banner.layout' is absent, and was 'top'", "nothing"),
        (
            "purposes.videos.basis",
            "purpose 'videos': 'basis' is 'opt-out', and was 'consent'; no 'since' marks it",
            "unmarked",
        ),
        ("cookies.place", "cookie 'place' is gone", "nothing"),
        ("cookies.login", "cookie 'login' is gone", "nothing"),
    ]
    (long,) = changes_between(policy(), policy(site={"name": "A" * 99, "controller": "Its owner"}))
    assert long.what == "'site.name' is another text, and was 'A site'"
    (renamed,) = changes_between(
        policy(site={"name": "B" * 99, "controller": "Its owner"}),
        policy(site={"name": "A" * 99, "controller": "Its owner"}),
    )
    assert renamed.what == "'site.name' is not what it was"
    for length, name in ((40, repr("A" * 40)), (41, "another text")):
        (named,) = changes_between(
            policy(), policy(site={"name": "A" * length, "controller": "Its owner"})
        )
        assert named.what == f"'site.name' is {name}, and was 'A site'"


def test_what_is_told_stands_at_its_key() -> None:
    """As a file spells it; and a name that a pattern covered has changed in nothing else."""
    yearly = policy(**{"ask-again-after": "365 days"})
    left = service(**{"opt-out": "https://tube.example/out"})
    for new, place, what in (
        (yearly, "ask-again-after", "'ask-again-after' is 365 days, and was 182 days"),
        (
            left,
            "services.tube.opt-out",
            "service 'tube': 'opt-out' is 'https://tube.example/out', and was absent",
        ),
        (service(title="Tube"), "services.tube.title", "service 'tube': 'title' is worded"),
    ):
        ((at, said_of_it, asks),) = said(policy(), new)
        assert (at, asks) == (place, "nothing")
        assert said_of_it.removesuffix(" differently") == what
    assert said(cookie("place-*"), cookie("place-1")) == [
        ("cookies.place-*", "cookie 'place-*' is gone", "nothing")
    ]


def test_what_is_strictly_necessary_now_is_told_once() -> None:
    """The move must be marked; what else differs is not asked about any more (R-30)."""
    new = cookie(purpose="necessary", justification="user-input", duration="2 days")
    assert [change.loc for change in changes_between(policy(), new)] == [
        ("cookies", "place", key) for key in ("purpose", "justification", "duration")
    ]
    assert [problem.loc for problem in problems_against(policy(), new)] == [
        ("cookies", "place", "purpose")
    ]


def test_an_integration_is_told_of_as_a_whole_or_by_its_keys() -> None:
    """There or absent; and where it is in both, what differs in it."""
    assert said(told(), google()) == [
        (
            "integrations.google-consent-mode",
            "'integrations.google-consent-mode' is there, and was absent",
            "nothing",
        )
    ]
    assert said(google(), told()) == [
        (
            "integrations.google-consent-mode",
            "'integrations.google-consent-mode' is absent, and was there",
            "nothing",
        )
    ]
    longer = {"google-consent-mode": {**GOOGLE, "wait-for-update": 900}}
    assert said(google(), told(**longer)) == [
        (
            "integrations.google-consent-mode.wait-for-update",
            "'integrations.google-consent-mode.wait-for-update' is 900, and was 500",
            "nothing",
        )
    ]


# Who is asked


def test_what_asks_by_itself_needs_no_mark() -> None:
    """Lost or lapsed answers are asked for again, whatever the file says."""
    lost = ", so every answer until now is lost; everybody is asked about 'videos'"
    for new, what in (
        (
            policy(token={"name": "answers"}),
            f"the token's 'name' differs{lost}",
        ),
        (
            policy(token={"domain": "a.example"}),
            f"the token's 'domain' differs{lost}",
        ),
        (
            policy(**{"ask-again-after": "1 month"}),
            "answers hold 30 days, and not 182 days; who answered before that is asked",
        ),
    ):
        (change,) = changes_between(policy(), new)
        assert (change.what, change.asks) == (what, Asks.AGAIN)
        assert problems_against(policy(), new) == []


async def test_a_token_by_another_name_loses_every_answer() -> None:
    """That is why a renamed token is told of as asking everybody."""
    for token, asked in (
        ({"name": "answers"}, ["videos"]),
        ({"domain": "test"}, ["videos"]),
        ({"same-site": "strict"}, []),
    ):
        apps = [
            ConsentMiddleware(Starlette(), policy=each, secret_key=KEY)
            for each in (policy(), policy(token=token))
        ]
        browser = Browser(apps[0])
        await browser.submit("/consent", choice="accept-all")
        browser.app = apps[1]
        assert (await browser.fetch("/consent/status")).json()["open"] == asked
        changes = changes_between(policy(), policy(token=token))
        assert [each for each in changes if each.asks is Asks.AGAIN] == (
            list(changes[:1]) if asked else []
        )


def test_who_has_only_gone_on_is_asked_where_consent_is_wanted() -> None:
    """Going on is no answer, so there is none that could go on counting."""
    (change,) = changes_between(purpose(basis="implied"), policy())
    assert change == Change(
        ("purposes", "videos", "basis"),
        "purpose 'videos': 'basis' is 'consent', and was 'implied'; who has only gone on is asked",
        Asks.AGAIN,
        ("videos",),
    )
    whole = purpose(since=2, revision=2)
    changes = changes_between(purpose(basis="implied"), whole)
    assert [each.what for each in changes if each.asks is Asks.AGAIN] == [
        f"{change.what.partition(';')[0]}; everybody is asked about 'videos'"
    ]


def test_a_mark_says_who_is_asked() -> None:
    """Also where nothing else differs: whoever set it knows why."""
    new = policy(revision=2, services={"tube": {**TUBE, "since": 2}})
    assert said(policy(), new) == [
        ("revision", "the revision is 2, and was 1", "nothing"),
        (
            "services.tube.since",
            "service 'tube' is marked as changed; everybody is asked about 'videos'",
            "again",
        ),
    ]
    assert problems_against(policy(), new) == []


def test_a_new_purpose_marks_all_that_is_under_it() -> None:
    """One `since` is enough, and one error asks for it."""
    maps = {"maps": {**VIDEOS}, "videos": VIDEOS, "necessary": NECESSARY}
    new = policy(purposes=maps, services={"tube": TUBE, "map": {**TUBE, "purpose": "maps"}})
    assert [each.loc for each in problems_against(policy(), new)] == [("purposes", "maps")]
    assert [each.loc for each in changes_between(policy(), new) if each.asks is Asks.UNMARKED] == [
        ("purposes", "maps"),
        ("services", "map"),
    ]


# Words


def test_a_reworded_text_is_a_warning() -> None:
    """Whether it means something else, only its author knows."""
    for new, place, what in (
        (
            purpose(description="Shows films."),
            "purposes.videos.description",
            "purpose 'videos': 'description' is worded differently",
        ),
        (
            purpose(title="Films"),
            "purposes.videos.title",
            "purpose 'videos': 'title' is worded differently",
        ),
        (
            cookie(description="The place."),
            "cookies.place.description",
            "cookie 'place': 'description' is worded differently",
        ),
    ):
        cure = "If it means something else now, write 'since: 2' under it and 'revision: 2'."
        assert problems_against(policy(), new) == [
            Problem(tuple(place.split(".")), what, cure, at_key=True, is_warning=True)
        ]
    (problem,) = problems_against(
        cookie(recipients="A friend"), cookie(recipients={"en": "An enemy"})
    )
    assert (problem.loc[2], problem.is_warning) == ("recipients", True)


ASKED_IN_OTHER_WORDS: dict[str, tuple[Policy, Policy, str]] = {
    "a title of one's own": (policy(), policy(banner={"title": "May we?"}), "banner.title"),
    "a title of ours again": (policy(banner={"title": "May we?"}), policy(), "banner.title"),
    "another body": (
        policy(banner={"body": "We ask."}),
        policy(banner={"body": {"en": "We sell."}}),
        "banner.body",
    ),
    "a question of one's own": (
        policy(),
        own_text("asks.consent.title", "May we?"),
        "texts.en.asks.consent.title",
    ),
    "a question of ours again": (
        own_text("asks.consent.lead", "For:"),
        policy(),
        "texts.en.asks.consent.lead",
    ),
    "another question": (
        own_text("mixed_title", "Which ones?"),
        own_text("mixed_title", "All of them?"),
        "texts.en.mixed_title",
    ),
    "a question of sharing": (
        own_text("sharing.title", "You can stop us", mode="opt-out"),
        own_text("sharing.title", "You can wait", mode="opt-out"),
        "texts.en.sharing.title",
    ),
}


@pytest.mark.parametrize("name", ASKED_IN_OTHER_WORDS)
def test_a_reworded_question_is_a_warning(name: str) -> None:
    """Changed wording is asked about again (R-08), where it means something else."""
    old, new, place = ASKED_IN_OTHER_WORDS[name]
    (problem,) = problems_against(old, new)
    assert problem.is_warning
    assert (".".join(problem.loc), problem.what) == (place, f"'{place}' is worded differently")
    assert problem.cure == (
        "If it means something else now, write 'since: 2' under purpose 'videos' and 'revision: 2'."
    )
    assert said(old, new) == [(place, f"'{place}' is worded differently", "nothing")]


def test_a_question_is_about_the_purposes_that_it_asks_about() -> None:
    """A text for implied consent asks nothing of whom consent is asked of."""
    implied = {**VIDEOS, "basis": "implied"}
    purposes = {"necessary": NECESSARY, "videos": VIDEOS, "maps": implied}
    old = policy(purposes=purposes)
    new = own_text("asks.implied.lead", "We count:", purposes=purposes)
    (problem,) = problems_against(old, new)
    assert "'since: 2' under purpose 'maps' and" in problem.cure


def test_every_other_text_that_differs_is_told() -> None:
    """Each by its place, and those that are gone at the end."""
    same = {"asks.consent.title": "May we count?"}
    old = policy(texts={"en": {**same, "close": "Shut", "settings": "Cookies"}})
    new = policy(texts={"en": {**same, "settings": "Choice", "label": "Cookies"}})
    assert [place for place, _, _ in said(old, new)] == [
        *("texts.en.settings", "texts.en.label", "texts.en.close")
    ]


def test_another_controller_is_a_warning() -> None:
    """Consent is given to somebody; a new name may be a new somebody, or a corrected one."""
    sold = policy(site={"name": "A site", "controller": "Another"})
    (problem,) = problems_against(policy(), sold)
    assert (problem.loc, problem.is_warning) == (("site", "controller"), True)
    assert problem.cure.endswith("write 'since: 2' under purpose 'videos' and 'revision: 2'.")
    nobody_asked = {"purposes": {"necessary": NECESSARY}, "cookies": {}, "storage": {}}
    old, new = (
        policy(site={"name": "A", "controller": each}, services={}, **nobody_asked)
        for each in ("One", "Other")
    )
    assert problems_against(old, new) == []


# The revision


def test_a_revision_only_rises() -> None:
    """Answers carry its number: one given at 2 would count for what comes at 2 again."""
    what = "the revision is 1, and was 2"
    cure = "Write 'revision: 2': answers carry its number, so it only rises."
    assert problems_against(policy(revision=2), policy()) == [Problem(("revision",), what, cure)]
    assert changes_between(policy(revision=2), policy()) == (
        Change(("revision",), what, Asks.UNMARKED, ("videos",)),
    )


def test_a_revision_that_was_raised_for_nothing_is_a_warning() -> None:
    """Everybody would be asked again, about what they have answered."""
    assert problems_against(policy(), policy(revision=2)) == [FOR_NOTHING]
    what = "the revision is 2, and was 1; everybody is asked about 'videos'"
    assert changes_between(policy(), policy(revision=2)) == (
        Change(("revision",), what, Asks.AGAIN, ("videos",)),
    )
    assert problems_against(policy(), purpose("maps", revision=2)) == []


def test_a_since_is_not_lowered() -> None:
    """The grants from before it would count again for what they never covered."""
    old = purpose(since=3, revision=3)
    for since in (1, 2):
        new = purpose(since=since, title="Videos", revision=3)
        what = (
            f"purpose 'videos' stands since revision {since}, and visitors were asked about it at "
            "revision 3"
        )
        loc = ("purposes", "videos", "since")
        cure = "Write 'since: 3' under it, or the older grants count again."
        assert [each for each in problems_against(old, new) if not each.is_warning] == [
            Problem(loc, what, cure, at_key=True)
        ]
        assert changes_between(old, new)[-1] == Change(loc, what, Asks.UNMARKED, ("videos",))


def test_a_mark_takes_back_what_a_revision_without_marks_asked() -> None:
    """Revision 2 asked about everything; the first mark after it makes the rest older again."""
    old = policy(revision=2)
    new = policy(revision=3, cookies={"place": {**SAVED, "duration": "2 days", "since": 3}})
    assert [(each.loc, each.cure[:16]) for each in problems_against(old, new)] == [
        (("purposes", "videos", "since"), "Write 'since: 2'")
    ]
    # Where the mark is missing too, its cure would do the same, so both are told at once.
    forgotten = policy(revision=2, cookies={"place": {**SAVED, "duration": "2 days"}})
    assert [(each.loc, each.cure[:16]) for each in problems_against(old, forgotten)] == [
        (("cookies", "place", "duration"), "Write 'since: 3'"),
        (("purposes", "videos", "since"), "Write 'since: 2'"),
    ]


def test_a_revision_whose_marks_are_gone_asks_everybody() -> None:
    """A revision without a mark means everything, and so does one that has lost its last."""
    old = policy(revision=2, services={"tube": {**TUBE, "since": 2}})
    new = policy(revision=2, services={})
    asked = "who answered before it is asked about everything"
    assert changes_between(old, new)[0] == Change(
        ("revision",),
        f"nothing is marked with revision 2 any more; {asked}",
        Asks.AGAIN,
        ("videos",),
    )
    before = NOBODY_YET.grant(["videos"], 1, NOW, NO_SIGNALS)
    assert is_open_to(new, "videos", before)


def test_a_revision_asks_nobody_where_nothing_is_optional() -> None:
    """Also one whose marks are gone: what is strictly necessary is not asked about (R-30)."""
    bare = {"purposes": {"necessary": NECESSARY}, "storage": {}, "services": {}}
    login = {**SAVED, "purpose": "necessary"}
    old = policy(**bare, revision=2, cookies={"login": login, "csrf": {**login, "since": 2}})
    new = policy(**bare, revision=2, cookies={"login": login})
    assert [each.asks for each in changes_between(old, new)] == [Asks.NOTHING, Asks.NOTHING]
    named = policy(**bare, revision=2, cookies={"login": login}, token={"name": "answers"})
    assert [each.asks for each in changes_between(new, named)] == [Asks.NOTHING]


def test_consent_before_the_notice_is_asked_about_by_purpose() -> None:
    """Each purpose whose consent is implied, and no other."""
    old, new = policy(mode="implied"), policy(mode="implied", **{"takes-effect": "at-once"})
    (change,) = changes_between(old, new)
    assert (change.asks, change.purposes) == (Asks.UNMARKED, ("videos",))


def test_a_purpose_that_is_strictly_necessary_now_needs_a_mark_of_its_own() -> None:
    """A revision that was raised and marks something else says nothing of it."""
    purposes = {
        "necessary": NECESSARY,
        "videos": {**VIDEOS, "basis": "strictly-necessary", "justification": "user-input"},
        "maps": {**VIDEOS, "since": 2},
    }
    (problem,) = problems_against(policy(), policy(purposes=purposes, revision=2))
    assert (problem.loc, problem.cure) == (
        ("purposes", "videos", "basis"),
        "Write 'since: 2' under it, so that visitors are asked.",
    )


def test_a_mark_that_is_missing_has_the_number_of_a_revision_that_was_raised() -> None:
    """Then the revision is not told to be raised once more."""
    marked = {"tube": {**TUBE, "since": 2}}
    cookies = {"place": {**SAVED, "duration": "2 days"}, "login": {**SAVED, "purpose": "necessary"}}
    new = policy(revision=2, services=marked, cookies=cookies)
    (problem,) = problems_against(policy(), new)
    assert problem.cure == "Write 'since: 2' under it, so that visitors are asked."
    mark = changes_between(policy(), new)[-1]
    what = "service 'tube' is marked as changed; everybody is asked about 'videos'"
    assert mark == Change(("services", "tube", "since"), what, Asks.AGAIN, ("videos",))


# For all policies


def is_open_to(
    policy: Policy,
    purpose: str,
    consent: Consent,
    signals: frozenset[Signal] = NO_SIGNALS,
    now: float = NOW,
) -> bool:
    """True if a visitor is asked anything about a purpose."""
    return any(
        is_open(policy, question, consent, signals, now)
        for question in policy.questions
        if question.purpose == purpose
    )


TEXTS = st.sampled_from(["One.", "Two.", {"en": "One."}, {"en": "One.", "de": "Eins."}])
SOME = st.sampled_from([None, "A", "B", {"en": "A"}])
OWN = st.dictionaries(
    st.sampled_from(["settings", "asks.consent.title", "asks.implied.lead", "mixed_close"]),
    st.sampled_from("AB"),
)


@st.composite
def entries(draw: st.DrawFn, revision: int, keys: Mapping[str, st.SearchStrategy]) -> Any:
    entry = {key: draw(each) for key, each in keys.items()}
    entry["since"] = draw(st.integers(1, revision))
    return {key: value for key, value in entry.items() if value is not None}


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Small policies that share their names, so that any two of them differ in interesting ways."""
    revision = draw(st.integers(1, 4))
    purposes = draw(st.lists(st.sampled_from("abc"), min_size=1, unique=True))
    hung = {
        "purpose": st.lists(st.sampled_from(purposes), min_size=1, unique=True),
        "description": TEXTS,
        "transfer": st.sampled_from([None, "A", ("IE",), ("IE", "US")]),
    }
    of_purpose = {
        "title": TEXTS,
        "description": TEXTS,
        "basis": st.sampled_from([None, *Basis]),
        "honours": st.sampled_from([[], ["gpc"], ["gpc", "dnt"]]),
    }
    of_cookie = {
        **hung,
        "kind": st.sampled_from(["session", "persistent", "poll-timeout", "analytics"]),
        "duration": st.sampled_from([None, "1 day", "2 days"]),
        "party": st.sampled_from(["first", "third"]),
        "recipients": SOME,
        "renew": st.booleans(),
    }
    of_item = {**hung, "where": st.sampled_from(["local", "session", "indexed-db"])}
    of_service = {
        **{key: hung[key] for key in ("purpose", "transfer")},
        "provider": st.sampled_from("AB"),
        "hosts": st.sampled_from([(), ("a.example",), ("*.a.example",), ("b.a.example",)]),
    }

    def some(names: list[str], keys: Mapping[str, st.SearchStrategy]) -> Any:
        chosen = draw(st.lists(st.sampled_from(names), unique=True))
        return {name: draw(entries(revision, keys)) for name in chosen}

    return Policy.model_validate(
        {
            "site": {"name": "A site", "controller": draw(st.sampled_from("AB"))},
            "mode": draw(st.sampled_from(["explicit", "implied", "opt-out"])),
            "takes-effect": draw(st.sampled_from(["next-page", "at-once"])),
            "revision": revision,
            "languages": ["en", "de"],
            "purposes": {name: draw(entries(revision, of_purpose)) for name in purposes},
            "cookies": some(["x", "x*", "y"], of_cookie),
            "storage": some(["k"], of_item),
            "services": some(["s", "t"], of_service),
            "undeclared": draw(st.sampled_from(["report", "block"])),
            "banner": {"title": draw(SOME), "accept": draw(SOME)},
            "texts": draw(st.dictionaries(st.sampled_from(["en", "de"]), OWN)),
        }
    )


@given(policies())
def test_nothing_changes_from_a_policy_to_itself(policy: Policy) -> None:
    """The comparison invents nothing."""
    assert changes_between(policy, policy) == ()
    assert problems_against(policy, policy) == []


NUMBERS = re.compile(r"'(since|revision): (\d+)'")
NAMED = re.compile(r"(purpose|cookie|stored item|service) '([^']+)'")
SECTION = {
    "purpose": "purposes",
    "cookie": "cookies",
    "stored item": "storage",
    "service": "services",
}


def cured(policy: Policy, problems: list[Problem]) -> Policy:
    """The policy of somebody who does what each cure says."""
    data = policy.model_dump(by_alias=True)
    for problem in problems:
        for key, number in NUMBERS.findall(problem.cure):
            if key == "revision":
                data["revision"] = int(number)
            for section, name in places(problem) if key == "since" else ():
                data[section][name]["since"] = int(number)
    return Policy.model_validate(data)


def places(problem: Problem) -> Iterator[Loc]:
    """Where its `since` is to be written: under the names in the cure, or under the place."""
    named = NAMED.findall(problem.cure)
    yield from ((SECTION[kind], name) for kind, name in named)
    if not named:
        yield problem.loc[:2]


def errors(problems: list[Problem]) -> list[Problem]:
    return [each for each in problems if not each.is_warning]


@given(policies(), policies())
def test_whoever_follows_every_cure_is_told_of_nothing_more(old: Policy, new: Policy) -> None:
    """The numbers in the cures are the right ones, together and at once."""
    found = errors(problems_against(old, new))
    whole = cured(new, found)
    assert errors(problems_against(old, whole)) == []
    assert [each for each in changes_between(old, whole) if each.asks is Asks.UNMARKED] == []
    assert not [each for each in problems_in(whole) if each.loc[-1:] == ("since",)]


@given(policies(), policies())
def test_whoever_follows_warnings_too_comes_to_an_end(old: Policy, new: Policy) -> None:
    """A mark may uncover one that is missing; then that is told, and nothing after it."""
    for _ in range(3):
        new = cured(new, problems_against(old, new))
    assert problems_against(old, new) == []


def visitors(old: Policy) -> Iterator[tuple[Consent, frozenset[Signal]]]:
    """Visitors who have seen the old policy, and said each thing that one can say to it."""
    asked = old.optional_purposes
    for signals in (NO_SIGNALS, frozenset({Signal.GPC})):
        for seen in (None, Seen(old.revision, old.revision, NOW)):
            for consent in (
                NOBODY_YET,
                NOBODY_YET.grant(asked, old.revision, NOW, signals),
                NOBODY_YET.refuse(asked, old.revision, NOW),
            ):
                yield Consent(consent.given, seen), signals


def asked_about(changes: tuple[Change, ...], *asks: Asks) -> set[str]:
    return {name for each in changes if each.asks in asks for name in each.purposes}


@given(policies(), policies())
def test_nobody_is_asked_about_what_asks_nothing(old: Policy, new: Policy) -> None:
    """Whoever had nothing left to answer is asked only about what is said to ask."""
    told = asked_about(changes_between(old, new), Asks.AGAIN, Asks.UNMARKED)
    for consent, signals in visitors(old):
        for name in {*new.optional_purposes} - told:
            was_open = is_open_to(old, name, consent, signals)
            assert was_open or not is_open_to(new, name, consent, signals)


@given(policies(), policies())
def test_everybody_is_asked_about_what_is_marked(old: Policy, new: Policy) -> None:
    """Who had granted everything, is asked about each purpose that is named."""
    whole = cured(new, errors(problems_against(old, new)))
    everything = NOBODY_YET.grant(old.optional_purposes, old.revision, NOW, NO_SIGNALS)
    for change in changes_between(old, whole):
        if change.asks is not Asks.AGAIN:
            continue
        for name in change.purposes:
            if "gone on" in change.what:
                gone_on = Consent(seen=Seen(old.revision, old.revision, NOW))
                assert not is_open_to(old, name, gone_on)
                assert is_open_to(whole, name, gone_on)
            elif "answered before" in change.what:
                before = NOBODY_YET.grant([name], old.revision - 1, NOW, NO_SIGNALS)
                assert is_open_to(whole, name, before)
            else:
                assert is_open_to(whole, name, everything), change


@given(policies(), policies())
def test_what_is_unmarked_is_not_asked(old: Policy, new: Policy) -> None:
    """The control: without the mark, whoever granted a purpose hears nothing of the change."""
    changes = changes_between(old, new)
    untold = asked_about(changes, Asks.UNMARKED) - asked_about(changes, Asks.AGAIN)
    everything = NOBODY_YET.grant(old.optional_purposes, old.revision, NOW, NO_SIGNALS)
    for name in untold & {*old.optional_purposes} & {*new.optional_purposes}:
        assert not is_open_to(new, name, everything)


def test_who_answered_long_ago_is_asked_sooner() -> None:
    """A shorter period asks whoever answered before it began."""
    old, new = policy(), policy(**{"ask-again-after": "1 month"})
    granted = NOBODY_YET.grant(["videos"], 1, NOW, NO_SIGNALS)
    later = NOW + 40 * 86_400
    assert is_open_to(new, "videos", granted, now=later)
    assert not is_open_to(old, "videos", granted, now=later)

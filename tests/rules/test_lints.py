from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.notice.text import LANGUAGES, choose_language
from consentkit.rules.lints import LINTS, lints_in
from consentkit.rules.policy import LONGEST, PRESETS, Basis, Mode, Policy, Preset
from consentkit.rules.policy_file import policy_from
from consentkit.rules.texts import TEXTS

NECESSARY = {
    "title": "Necessary",
    "description": "Makes it work.",
    "basis": "strictly-necessary",
    "justification": "security",
}
PURPOSES = {"necessary": NECESSARY, "polls": {"title": "Polls", "description": "One vote each."}}
SITE = {"name": "A site", "controller": "Its owner"}


def policy(**changes: Any) -> Policy:
    return Policy.model_validate(
        {"site": SITE, "mode": "explicit", "purposes": PURPOSES, **changes}
    )


def cookie(**changes: Any) -> dict[str, Any]:
    plain = {"kind": "session", "purpose": "polls", "description": "It counts."}
    return {**plain, **changes}


def lasting(days: int, **changes: Any) -> dict[str, Any]:
    return cookie(**{"kind": "persistent", "duration": days * 86_400, **changes})


def said(changes: dict[str, Any], spoken: tuple[str, ...] = ()) -> list[tuple[str, str, bool]]:
    """Place, sentence and whether it only warns."""
    found = lints_in(policy(**changes), spoken=spoken)
    return [(".".join(each.loc), each.what, each.is_warning) for each in found]


OPT_OUT = {**PURPOSES, "polls": {**PURPOSES["polls"], "basis": "opt-out"}}
MANY = {**PURPOSES, **{f"p{n}": PURPOSES["polls"] for n in range(4)}}
BARE = {**PURPOSES, "necessary": {**NECESSARY, "justification": None}}


def necessary_service(*hosts: str, name: str = "scripts") -> dict[str, Any]:
    return {"services": {name: {"purpose": "necessary", "provider": "Us", "hosts": hosts}}}


MATOMO = {
    "services": {"matomo": {"purpose": "polls", "provider": "Us"}},
    "cookies": {"_pk_id.*": cookie(service="matomo")},
}
DEAF = {**PURPOSES, "polls": {**PURPOSES["polls"], "honours": []}}
FOUND: list[tuple[str, dict[str, Any], str, str, bool]] = [
    (
        "a preset that asks first, and a mode that does not",
        {"preset": "eu", "mode": "implied"},
        "mode",
        "purpose 'polls' has the basis implied, and preset 'eu' allows consent",
        False,
    ),
    (
        "a preset that asks first, and a purpose that does not",
        {"preset": "fr", "purposes": OPT_OUT},
        "purposes.polls.basis",
        "purpose 'polls' has the basis opt-out, and preset 'fr' allows consent",
        False,
    ),
    (
        "a preset that asks first, and a later purpose that does not",
        {"preset": "fr", "purposes": {"a": {**PURPOSES["polls"], "basis": "consent"}, **OPT_OUT}},
        "purposes.polls.basis",
        "purpose 'polls' has the basis opt-out, and preset 'fr' allows consent",
        False,
    ),
    (
        "a duration over the preset's cap",
        {"preset": "de", "cookies": {"a": lasting(396)}},
        "cookies.a.duration",
        "cookie 'a' lasts 396 days, and preset 'de' allows 395",
        False,
    ),
    (
        "asking too soon, with the number that stands there",
        {"preset": "eu", "ask_again_after": 90 * 86_400},
        "ask-again-after",
        "visitors are asked again after 90 days, and preset 'eu' leaves them alone for 182",
        False,
    ),
    (
        "deaf to GPC where it is the law",
        {"preset": "us-ca", "purposes": DEAF},
        "purposes.polls.honours",
        "purpose 'polls' must honour GPC under preset 'us-ca'",
        False,
    ),
    (
        "deaf to GPC where two laws know it",
        {"preset": ["us-ca", "eu", "us-uoom"], "purposes": DEAF},
        "purposes.polls.honours",
        "purpose 'polls' must honour GPC under presets 'us-ca' and 'us-uoom'",
        False,
    ),
    (
        "presets with one rule, and a mode of many purposes",
        {"preset": ["fr", "uk", "it"], "mode": "implied", "purposes": MANY},
        "mode",
        (
            "purposes 'polls', 'p0', 'p1', 'p2' and 1 more have the basis implied, and presets "
            "'fr' and 'it' allow consent"
        ),
        False,
    ),
    (
        "a duration over the caps of several presets",
        {"preset": ["fr", "us-ca", "it", "de"], "cookies": {"a": lasting(400)}},
        "cookies.a.duration",
        "cookie 'a' lasts 400 days, and presets 'fr', 'it' and 'de' allow 395",
        False,
    ),
    (
        "a duration over what browsers keep and the preset allows",
        {"preset": "uk", "cookies": {"a": lasting(730)}},
        "cookies.a.duration",
        "cookie 'a' lasts 730 days, and preset 'uk' allows 395",
        False,
    ),
    (
        "asking too soon for both",
        {"preset": ["us-ca", "eu", "us-other"], "ask_again_after": 200 * 86_400},
        "ask-again-after",
        (
            "visitors are asked again after 200 days, and presets 'us-ca' and 'us-other' leave "
            "them alone for 365"
        ),
        False,
    ),
    (
        "storing until somebody objects, and nobody knows where",
        {"mode": "opt-out"},
        "mode",
        "no regulator of the EU or the EEA accepts storage until somebody objects, and the UK",
        True,
    ),
    (
        "one purpose that stores until somebody objects",
        {"purposes": OPT_OUT},
        "purposes.polls.basis",
        "no regulator of the EU or the EEA accepts storage until somebody objects, and the UK",
        True,
    ),
    (
        "one purpose of implied consent",
        {"purposes": {"polls": {**PURPOSES["polls"], "basis": "implied"}}},
        "purposes.polls.basis",
        "no regulator of the EU, the EEA or the UK accepts consent by going on",
        True,
    ),
    (
        "a tracker for which no reason is given either",
        {"purposes": BARE, "cookies": {"_ga": cookie(purpose="necessary")}},
        "cookies._ga",
        "cookie '_ga' is declared strictly necessary, and '_ga' of google-analytics is known to",
        False,
    ),
    (
        "a tracker that says itself what it is for",
        {"cookies": {"_ga": lasting(1, kind="analytics", purpose="necessary")}},
        "cookies._ga",
        "cookie '_ga' is declared strictly necessary, and '_ga' of google-analytics is known to",
        False,
    ),
    (
        "a tracker that is said to be cut into pieces",
        {"cookies": {"_hp2_id": cookie(purpose="necessary", chunked=True)}},
        "cookies._hp2_id",
        "cookie '_hp2_id' is declared strictly necessary, and '_hp2_id.*' of heap is known to be",
        False,
    ),
    (
        "a name that nobody knows, of a service that tracks",
        {
            "cookies": {"number": cookie(purpose="necessary", service="google-analytics")},
            "services": {"google-analytics": {"purpose": "polls", "provider": "Google"}},
        },
        "cookies.number",
        "cookie 'number' is declared strictly necessary, and its service, Google Analytics, is",
        False,
    ),
    (
        "the same in storage, of a service by another name",
        {
            "storage": {
                "number": {
                    "where": "local",
                    "purpose": "necessary",
                    "description": "D.",
                    "service": "numbers",
                }
            },
            "services": {
                "numbers": {
                    "purpose": "polls",
                    "provider": "P",
                    "hosts": ["a.org", "WWW.google-analytics.com"],
                }
            },
        },
        "storage.number",
        "stored item 'number' is declared strictly necessary, and its service, Google Analytics",
        False,
    ),
    (
        "a wildcard over a tracker's host",
        necessary_service("*.facebook.net"),
        "services.scripts",
        (
            "service 'scripts' is declared strictly necessary, and its '*.facebook.net' covers "
            "'connect.facebook.net', and Meta Pixel is known to be for advertising"
        ),
        False,
    ),
    (
        "analytics by its kind",
        {"cookies": {"a": lasting(1, kind="analytics", purpose="necessary")}},
        "cookies.a.kind",
        "cookie 'a' is for analytics, and its purpose is strictly necessary",
        False,
    ),
    (
        "a cookie without a reason",
        {"purposes": BARE, "cookies": {"a": cookie(purpose="necessary")}},
        "cookies.a",
        "cookie 'a' is strictly necessary and does not say why",
        False,
    ),
    (
        "a service without a reason",
        {"purposes": BARE, "services": {"map": {"purpose": "necessary", "provider": "P"}}},
        "services.map",
        "service 'map' is strictly necessary and does not say why",
        False,
    ),
    (
        "a poll that is a tracker",
        {"cookies": {"_ga_{id}": cookie(kind="poll-timeout")}},
        "cookies._ga_{id}.kind",
        "cookie '_ga_{id}' is of kind poll-timeout, and '_ga_*' of google-analytics is known to",
        False,
    ),
    (
        "a poll that may be a tracker",
        {"cookies": {"IDE": cookie(kind="poll-timeout")}},
        "cookies.IDE.kind",
        "cookie 'IDE' is of kind poll-timeout, and 'IDE'",
        True,
    ),
    (
        "a wildcard over many cookies of other purposes",
        {
            "cookies": {
                "app_*": cookie(),
                **{f"app_{n}": cookie(purpose="necessary") for n in range(6)},
            }
        },
        "cookies.app_*",
        "cookie 'app_*' also covers 'app_0', 'app_1', 'app_2', 'app_3' and 2 more, which have",
        False,
    ),
    (
        "a wildcard over two cookies of other purposes",
        {"cookies": {"app_*": cookie()} | {f"app_{n}": cookie(purpose="necessary") for n in "ab"}},
        "cookies.app_*",
        "cookie 'app_*' also covers 'app_a', 'app_b', which have other purposes",
        False,
    ),
    (
        "one host for two purposes",
        {
            "services": {
                "map": {"purpose": "necessary", "provider": "P", "hosts": ["a.org", "b.org"]},
                "polls": {"purpose": "polls", "provider": "P", "hosts": ["B.org"]},
            }
        },
        "services.polls.hosts.0",
        "service 'polls' has the host 'B.org', and so has service 'map', which has another purpose",
        True,
    ),
    (
        "a tracker of no single service",
        {"cookies": {"tk_ai": cookie(purpose="necessary")}},
        "cookies.tk_ai",
        "cookie 'tk_ai' is declared strictly necessary, and 'tk_ai' is known to be for analytics",
        False,
    ),
    (
        "an advertising cookie called necessary",
        {"cookies": {"_fbp": cookie(purpose="necessary")}},
        "cookies._fbp",
        "cookie '_fbp' is declared strictly necessary, and '_fbp' of meta-pixel is known to be",
        False,
    ),
    (
        "a wildcard called necessary that lets a tracker through",
        {"cookies": {"_gi*": cookie(purpose="necessary")}},
        "cookies._gi*",
        "cookie '_gi*' is declared strictly necessary, and '_gid' of google-analytics is known",
        False,
    ),
    (
        "a tag manager called necessary",
        {"services": {"google-tag-manager": {"purpose": "necessary", "provider": "Google"}}},
        "services.google-tag-manager",
        "service 'google-tag-manager' is declared strictly necessary, and Google Tag Manager i",
        False,
    ),
    (
        "a tracker by its name and by both of its hosts",
        necessary_service(
            "www.google-analytics.com", "www.googletagmanager.com", name="google-analytics"
        )
        | {"cookies": {"_ga": cookie(service="google-analytics")}},
        "services.google-analytics",
        "service 'google-analytics' is declared strictly necessary, and Google Analytics is known",
        False,
    ),
    (
        "a tracker's host after another",
        necessary_service("a.org", "www.googletagmanager.com"),
        "services.scripts",
        "service 'scripts' is declared strictly necessary, and Google Tag Manager is known to",
        False,
    ),
    (
        "a tracker's stored item called necessary",
        {
            "storage": {
                "_gcl_ls": {"where": "local", "purpose": "necessary", "description": "D."},
            }
        },
        "storage._gcl_ls",
        "stored item '_gcl_ls' is declared strictly necessary, and '_gcl_ls' of google-ads is kn",
        False,
    ),
    (
        "a tag manager's host under another name",
        {
            "services": {
                "scripts": {
                    "purpose": "necessary",
                    "provider": "Us",
                    "hosts": ["www.googletagmanager.com"],
                }
            }
        },
        "services.scripts",
        "service 'scripts' is declared strictly necessary, and Google Tag Manager is known to ",
        False,
    ),
    (
        "a wildcard over another purpose's cookie",
        {"cookies": {"app_*": cookie(), "app_login": cookie(purpose="necessary")}},
        "cookies.app_*",
        "cookie 'app_*' also covers 'app_login', which has another purpose",
        False,
    ),
    (
        "a wildcard over another purpose's pattern",
        {"cookies": {"app_*": cookie(), "app_x_{id}": cookie(purpose="necessary")}},
        "cookies.app_*",
        "cookie 'app_*' also covers 'app_x_{id}', which has another purpose",
        False,
    ),
    (
        "a wildcard with a placeholder, over another purpose's cookie",
        {"cookies": {"app_{n}x*": cookie(), "app_1xlogin": cookie(purpose="necessary")}},
        "cookies.app_{n}x*",
        "cookie 'app_{n}x*' also covers 'app_1xlogin', which has another purpose",
        False,
    ),
    (
        "a wildcard over stored items of another purpose",
        {
            "storage": {
                "app_*": {"where": "local", "purpose": "polls", "description": "D."},
                "app_b": {"where": "local", "purpose": "necessary", "description": "D."},
            }
        },
        "storage.app_*",
        "stored item 'app_*' also covers 'app_b', which has another purpose",
        False,
    ),
    (
        "a wildcard of two letters",
        {"cookies": {"ab*": cookie()}},
        "cookies.ab*",
        "cookie 'ab*' covers every name that begins with 'ab'",
        True,
    ),
    (
        "going on taken for an answer",
        {"banner": {"body": "By continuing to browse you agree."}},
        "banner.body",
        "'banner' says 'by continuing' in 'body', which takes going on for an answer",
        False,
    ),
    (
        "the same on a site of implied consent",
        {"mode": "implied", "preset": "us-other"}
        | {"banner": {"body": {"de": "Durch die weitere Nutzung …"}}, "languages": ["de"]},
        "banner.body.de",
        "'banner' says 'durch die weitere nutzung' in 'body', which takes going on for an answer",
        True,
    ),
    (
        "praise",
        {"purposes": {"polls": {"title": "Polls", "description": "To improve your experience."}}},
        "purposes.polls.description",
        "purpose 'polls' says 'improve your experience' in 'description', which praises instea",
        True,
    ),
    (
        "praise in the banner",
        {"banner": {"body": "To improve your experience."}},
        "banner.body",
        "'banner' says 'improve your experience' in 'body', which praises instead",
        False,
    ),
    (
        "closing that says yes",
        {"banner": {"accept": "Accept & close"}},
        "banner.accept",
        "'banner' says 'accept & close' in 'accept', which makes closing the notice a yes",
        False,
    ),
    (
        "going on taken for an answer, in a text of the notice",
        {"texts": {"en": {"asks.consent.lead": "By continuing to browse you agree:"}}},
        "texts.en.asks.consent.lead",
        "'texts' says 'by continuing' in 'asks.consent.lead', which takes going on for an answer",
        False,
    ),
    (
        "the same in a text that is read where consent is implied",
        {"texts": {"en": {"notes.implied": "By continuing to browse you agree."}}},
        "texts.en.notes.implied",
        "'texts' says 'by continuing' in 'notes.implied', which takes going on for an answer",
        True,
    ),
    (
        "a button that closes with a yes",
        {"texts": {"en": {"accept_all": "Accept & close"}}},
        "texts.en.accept_all",
        "'texts' says 'accept & close' in 'accept_all', which makes closing the notice a yes",
        False,
    ),
    (
        "a refusal that praises",
        {"mode": "implied", "preset": "us-other"}
        | {"texts": {"en": {"reject_all": "Without the best experience"}}},
        "texts.en.reject_all",
        "'texts' says 'best experience' in 'reject_all', which praises instead",
        True,
    ),
    (
        "a site that withdraws somewhere else",
        {"settings_link": "manual"},
        "settings-link",
        "'settings-link' is manual, so that withdrawing takes a press more than accepting did",
        True,
    ),
    (
        "a whole site for children",
        {"child_directed": ["/"]},
        "child-directed.0",
        "'child-directed' names the whole site, so that 'polls' can never be on",
        True,
    ),
    (
        "a whole site for children, with many purposes",
        {"child_directed": ["//"], "purposes": MANY},
        "child-directed.0",
        "'child-directed' names the whole site, so that 'polls', 'p0', 'p1', 'p2' and 1 more can",
        True,
    ),
    (
        "a path for children twice",
        {"child_directed": ["/kids", "/games", "/kids/"]},
        "child-directed.2",
        "'child-directed' names '/kids/' twice",
        True,
    ),
    (
        "a path for children below another",
        {"child_directed": ["/kids/games", "/kids!", "/kids"]},
        "child-directed.0",
        "'child-directed' names '/kids/games' and '/kids/', which it is below",
        True,
    ),
    (
        "templates that count from anywhere",
        {"templates": "our/notice"},
        "templates",
        "'templates' is 'our/notice', and this policy stands in no folder",
        True,
    ),
    (
        "a language without texts",
        {"languages": ["en", "de"]},
        "languages.1",
        "4 of 4 texts have no words in 'de', as purpose 'necessary': 'title'",
        True,
    ),
    (
        "implied before a no is possible",
        {"mode": "implied", "takes_effect": "at-once", "preset": "us-other"},
        "takes-effect",
        "'takes-effect: at-once' stores everything before the visitor could say no",
        True,
    ),
    (
        "implied, and nobody knows where",
        {"mode": "implied"},
        "mode",
        "no regulator of the EU, the EEA or the UK accepts consent by going on",
        True,
    ),
    (
        "a service whose cookies are missing",
        {"services": {"matomo": {"purpose": "polls", "provider": "We"}}},
        "services.matomo",
        "service 'matomo' usually sets '_pk_id*', '_pk_ses*' and more, and none of them is declar",
        True,
    ),
    (
        "a service whose only cookie is missing",
        {"services": {"klaviyo": {"purpose": "polls", "provider": "Klaviyo"}}},
        "services.klaviyo",
        "service 'klaviyo' usually sets '__kla_id', and it is not declared",
        True,
    ),
    (
        "a service whose two cookies are missing",
        {"services": {"stripe": {"purpose": "polls", "provider": "Stripe"}}},
        "services.stripe",
        "service 'stripe' usually sets '__stripe_mid' and '__stripe_sid', and none of them is decl",
        True,
    ),
    (
        "implied where no page view is heard of",
        {"pages": "shared", "mode": "implied", "preset": "us-other"},
        "pages",
        (
            "'pages' is shared, and purpose 'polls' has the basis implied: consent is never "
            "implied on shared pages"
        ),
        True,
    ),
    (
        "advertising that is denied and still told of",
        {
            "integrations": {
                "google_consent_mode": {
                    "signals": {"ad_storage": "polls"},
                    "ads_data_redaction": False,
                }
            }
        },
        "integrations.google-consent-mode.ads-data-redaction",
        "'ads-data-redaction' is false, so requests carry identifiers of advertising",
        True,
    ),
    (
        "cookies that wait with what sets them",
        MATOMO | {"integrations": {"matomo": {"purpose": "polls", "consent": "cookies"}}},
        "integrations.matomo.consent",
        "Matomo's cookies wait for 'polls', and so does service 'matomo' itself: it never runs",
        True,
    ),
    (
        "a tracker that is called the site's own",
        {"site": {**SITE, "hosts": ["static.example", "bat.bing.com"]}},
        "site.hosts.1",
        (
            "'site' has the host 'bat.bing.com', which is known: Microsoft Advertising is for "
            "advertising"
        ),
        False,
    ),
    (
        "a tracker within the site's own hosts",
        {"site": {**SITE, "hosts": ["*.licdn.com"]}},
        "site.hosts.0",
        "'site' has the host '*.licdn.com', which covers 'snap.licdn.com', and is known: ",
        False,
    ),
]
AT_KEY = {
    "asking too soon, with the number that stands there",
    "asking too soon for both",
    "a tracker for which no reason is given either",
    "a tracker that says itself what it is for",
    "a tracker that is said to be cut into pieces",
    "a name that nobody knows, of a service that tracks",
    "the same in storage, of a service by another name",
    "a wildcard over a tracker's host",
    "a cookie without a reason",
    "a service without a reason",
    "a wildcard over many cookies of other purposes",
    "a tracker of no single service",
    "an advertising cookie called necessary",
    "a wildcard called necessary that lets a tracker through",
    "a tag manager called necessary",
    "a tracker by its name and by both of its hosts",
    "a tracker's host after another",
    "a tracker's stored item called necessary",
    "a wildcard over two cookies of other purposes",
    "a tag manager's host under another name",
    "a wildcard over another purpose's cookie",
    "a wildcard over another purpose's pattern",
    "a wildcard with a placeholder, over another purpose's cookie",
    "a wildcard over stored items of another purpose",
    "a wildcard of two letters",
    "a service whose cookies are missing",
    "a service whose only cookie is missing",
    "a service whose two cookies are missing",
    "advertising that is denied and still told of",
}
"""Those whose key would be another, or taken away, or that stand at a whole entry."""


@pytest.mark.parametrize(
    ("changes", "loc", "what", "warns"), [row[1:] for row in FOUND], ids=[row[0] for row in FOUND]
)
def test_what_speaks_against_a_policy_is_said_once_in_its_place(
    changes: dict[str, Any], loc: str, what: str, *, warns: bool
) -> None:
    """One sentence, at the key that would be changed; an error only where nobody can mean it."""
    ((place, sentence, is_warning),) = said(changes)
    assert (place, sentence[: len(what)], is_warning) == (loc, what, warns)


@pytest.mark.parametrize("row", FOUND, ids=[row[0] for row in FOUND])
def test_a_problem_that_is_about_a_key_points_at_it(row: tuple[Any, ...]) -> None:
    """All others point at the value, which is what is to be written anew."""
    (problem,) = lints_in(policy(**row[1]))
    assert problem.at_key is (row[0] in AT_KEY)


QUIET: list[tuple[str, dict[str, Any]]] = [
    ("a plain policy", {}),
    ("a preset that is kept", {"preset": ["eu", "uk"], "cookies": {"a": lasting(395)}}),
    ("an objection, in the United Kingdom", {"preset": "uk", "purposes": OPT_OUT}),
    ("a year, in California", {"preset": "us-ca"}),
    ("deaf to GPC, and nobody knows where", {"purposes": DEAF}),
    ("deaf to GPC where it is no law", {"preset": "eu", "purposes": DEAF}),
    ("analytics that are asked about", {"cookies": {"_ga": lasting(395)}}),
    ("a name of one's own", {"cookies": {"basket": cookie(purpose="necessary")}}),
    ("a name that begins like one", {"cookies": {"_fb_*": cookie(purpose="necessary")}}),
    ("a pattern that covers none", {"cookies": {"_x{n}q": cookie(purpose="necessary")}}),
    ("a pattern after all of them", {"cookies": {"~~~{n}": cookie(purpose="necessary")}}),
    ("a name that can be none", {"cookies": {"*": cookie(purpose="necessary")}}),
    ("a placeholder before a name", {"cookies": {"{n}_basket": cookie(purpose="necessary")}}),
    (
        "an opt-out cookie of a tracker",
        {
            "cookies": {"mtm_consent": cookie(purpose="necessary", service="matomo")},
            "services": {"matomo": {"purpose": "polls", "provider": "We"}},
        },
    ),
    (
        "a cookie of an own service",
        {
            "cookies": {"number": cookie(purpose="necessary", service="ours")},
            "services": {"ours": {"purpose": "polls", "provider": "We", "hosts": ["a.org"]}},
        },
    ),
    (
        "hosts that the catalogue lists for a service",
        necessary_service("platform.linkedin.com", "*.licdn.com", name="linkedin-embeds"),
    ),
    (
        "a wildcard of two parts that passes by",
        {"cookies": {"app_{n}x*": cookie(), "app_login": cookie(purpose="necessary")}},
    ),
    ("a poll", {"cookies": {"poll-{id}": cookie(kind="poll-timeout")}}),
    ("objection where two laws allow it", {"preset": ["uk", "us-ca"], "purposes": OPT_OUT}),
    (
        "one host, one purpose",
        {
            "services": {
                name: {"purpose": "polls", "provider": "P", "hosts": ["a.org"]} for name in "ab"
            }
        },
    ),
    (
        "two hosts, two purposes",
        {
            "services": {
                "map": {"purpose": "necessary", "provider": "P", "hosts": ["a.org", "x.a.org"]},
                "polls": {"purpose": "polls", "provider": "P", "hosts": ["b.org"]},
            }
        },
    ),
    (
        "names of services, and own texts, in one language",
        {
            "languages": ["en", "de"],
            "purposes": {
                "polls": {key: {"en": "A", "de": "B"} for key in ("title", "description")}
            },
            "services": {"map": {"purpose": "polls", "provider": "P", "title": "Map"}},
            "texts": {"en": {"reject": "No"}},
        },
    ),
    (
        "a service's cookie that does not name it",
        {
            "services": {"matomo": {"purpose": "polls", "provider": "We"}},
            "cookies": {"_pk_id.*": cookie()},
        },
    ),
    (
        "a new version of a service that sets fewer",
        {
            "services": {"google-analytics": {"purpose": "polls", "provider": "Google"}},
            "cookies": {"_ga": cookie(), "_ga_*": cookie()},
        },
    ),
    ("one purpose, one wildcard", {"cookies": {"app_*": cookie(), "app_login": cookie()}}),
    (
        "a placeholder beside an exact name",
        {"cookies": {"poll-{id}": cookie(), "poll-log": cookie(purpose="necessary")}},
    ),
    ("words of the site's own", {"texts": {"en": {"accept_all": "Yes", "close": "Continue"}}}),
    ("a language whose notice has its own words", {"texts": {"en": {"label": "Cookies"}}}),
    ("a line where nothing is optional", {"settings_link": "always"}),
    (
        "a link of one's own, with nothing to withdraw",
        {"settings_link": "manual", "purposes": {"necessary": NECESSARY}},
    ),
    ("paths for children", {"child_directed": ["/kids", "/kids-and-parents", "/Kids"]}),
    ("paths for children of one letter", {"child_directed": ["/kids", "/kidsX", "/X"]}),
    (
        "a whole site for children, without a question",
        {"child_directed": ["/"], "purposes": {"necessary": NECESSARY}},
    ),
    ("templates", {"templates": "/srv/our/notice"}),
    ("words that say what happens", {"banner": {"accept": "Accept", "body": "Continue reading"}}),
    (
        "implied, and said where",
        {"mode": "implied", "preset": "us-localgov"},
    ),
    ("implied, with nothing to imply", {"mode": "implied", "purposes": {"necessary": NECESSARY}}),
    (
        "a service with its cookie",
        {
            "services": {"hotjar": {"purpose": "polls", "provider": "Hotjar"}},
            "cookies": {"hj": cookie(service="hotjar")},
        },
    ),
    ("implied, on pages of each visitor's own", {"mode": "implied", "preset": "us-other"}),
    ("shared pages that ask", {"pages": "shared"}),
    (
        "Matomo that waits altogether",
        MATOMO | {"integrations": {"matomo": {"purpose": "polls"}}},
    ),
    (
        "Matomo that counts without cookies",
        {
            **MATOMO,
            "purposes": {**PURPOSES, "counting": PURPOSES["polls"]},
            "integrations": {"matomo": {"purpose": "counting", "consent": "cookies"}},
        },
    ),
    (
        "Matomo from elsewhere",
        {"integrations": {"matomo": {"purpose": "polls", "consent": "cookies"}}},
    ),
    (
        "Google's defaults",
        {"integrations": {"google_consent_mode": {"signals": {"ad_storage": "polls"}}}},
    ),
    ("hosts of the site's own", {"site": {**SITE, "hosts": ["static.example", "*.cdn.example"]}}),
    ("an unknown service", {"services": {"ours": {"purpose": "polls", "provider": "We"}}}),
]


@pytest.mark.parametrize("changes", [row[1] for row in QUIET], ids=[row[0] for row in QUIET])
def test_what_is_as_it_should_be_is_not_spoken_of(changes: dict[str, Any]) -> None:
    """A warning about nothing teaches to overlook warnings."""
    assert said(changes) == []


def test_a_language_that_the_notice_does_not_speak_is_warned_of() -> None:
    """The visitor would read it in English; regional variants of a language it has are fine."""
    texts = {"title": {"cy": "T", "de-AT": "T"}, "description": {"cy": "D", "de-AT": "D"}}
    changes = {"languages": ["cy", "de-AT"], "purposes": {"polls": texts}}
    assert said(changes, ("en", "de")) == [
        ("languages.0", "the notice has no words of its own in 'cy'", True)
    ]
    assert said(changes) == []
    assert said(changes, ("cy-GB", "de")) == []


@pytest.mark.parametrize(
    "tag",
    [
        *LANGUAGES,
        *("no", "NO", "nn", "iw", "iw-IL", "en-GB", "pt-BR", "de-AT", "zh", "zh-TW", "zh-HK"),
        *("ca", "eu", "tlh", "sr-Latn", "ji", "nob"),
    ],
)
def test_what_is_warned_of_is_what_would_be_read_in_english(tag: str) -> None:
    """The notice chooses its words itself; who checks a file does not ask it."""
    purposes = {"polls": {"title": {tag: "T"}, "description": {tag: "D"}}}
    found = said({"languages": [tag], "purposes": purposes}, LANGUAGES)
    is_spoken = choose_language(LANGUAGES, [tag]) != "en" or tag.startswith("en")
    assert found == (
        []
        if is_spoken
        else [("languages.0", f"the notice has no words of its own in '{tag}'", True)]
    )


def test_a_language_of_the_sites_own_needs_every_text() -> None:
    """Half a notice in English is none in the language of the page (EDPB 03/2022; R-07)."""
    texts = {"title": {"cy": "T"}, "description": {"cy": "D"}}
    changes: dict[str, Any] = {"languages": ["cy"], "purposes": {"polls": texts}}
    whole = {key: "T" for key in TEXTS if key not in ("close", "search")}
    lacking = said({**changes, "texts": {"cy": whole}}, ("en", "de"))
    assert lacking == [("languages.0", "the notice lacks 2 of its texts in 'cy', as 'close'", True)]
    (problem,) = lints_in(policy(**changes, texts={"cy": {}}), spoken=("en", "de"))
    assert problem.cure == ("It speaks English there, until you write them under 'texts'.")
    assert said({**changes, "texts": {"cy": dict.fromkeys(TEXTS, "T")}}, ("en", "de")) == []


@given(st.lists(st.text("/ab", max_size=5).map("/".__add__), max_size=6))
def test_every_path_that_another_covers_is_named(paths: list[str]) -> None:
    """Brute force is the oracle: the first of equal ones stays, and what is below it goes.

    What is said again and again is told once.
    """
    found = lints_in(policy(child_directed=paths, purposes={"necessary": NECESSARY}))
    bare = [path.rstrip("/") for path in paths]
    needless = {
        path
        for place, path in enumerate(bare)
        if path in bare[:place] or any(path.startswith(f"{each}/") for each in bare)
    }
    told = [bare[int(each.loc[1])] for each in found]
    assert len(told) == len({*told})
    assert {*told} == needless


@pytest.mark.parametrize("name", ["uid", "id"])
def test_a_name_that_anybody_could_use_only_warns(name: str) -> None:
    """What proves nothing stops nobody: a catalogue never overrules a declaration (FZ-09)."""
    found = said({"cookies": {name: cookie(purpose="necessary")}})
    assert all(warns for _, _, warns in found)
    assert said({"cookies": {"_ga": cookie(purpose="necessary")}})[0][2] is False


def test_a_tracker_that_is_not_sure_still_has_to_say_why() -> None:
    """A warning about it does not stand for the reason that is missing."""
    found = said({"purposes": BARE, "cookies": {"IDE": cookie(purpose="necessary")}})
    assert [warns for _, _, warns in found] == [True, False]
    assert found[1][1] == "cookie 'IDE' is strictly necessary and does not say why"


def test_what_the_cures_of_presets_say_is_enough() -> None:
    """Whoever does what is asked is not asked again (R-19, R-24)."""
    for problem in lints_in(policy(preset=["uk", "us-ca"], cookies={"a": lasting(800)})):
        assert problem.cure == "Write '13 months' or less."
    (problem,) = lints_in(policy(preset="us-ca", ask_again_after=86_400))
    assert problem.cure == "Write 'ask-again-after: 1 year'."
    assert said({"preset": ["uk", "us-ca"], "cookies": {"a": lasting(395)}}) == []


@pytest.mark.parametrize(
    ("changes", "cure"),
    [({"mode": "opt-out"}, "mode: explicit"), ({"purposes": OPT_OUT}, "basis: consent")],
)
def test_who_does_not_ask_says_where_or_asks(changes: dict[str, Any], cure: str) -> None:
    """The law hangs on where the visitors are, which a policy need not say (R-09)."""
    (problem,) = lints_in(policy(**changes))
    assert problem.cure == (
        f"If your visitors are there, write '{cure}'. If they are not, say so with a preset, as "
        "in 'preset: us-other' (R-09)."
    )


def test_each_path_for_children_that_is_said_again_is_told_once() -> None:
    """A path three times is one slip, and the next is told all the same."""
    paths = ["/a", "/a", "/a", "/b", "/c", "/c"]
    assert said({"child_directed": paths}) == [
        ("child-directed.1", "'child-directed' names '/a' twice", True),
        ("child-directed.5", "'child-directed' names '/c' twice", True),
    ]


@pytest.mark.parametrize(("place", "is_told"), [(31, True), (32, False)])
def test_of_many_wildcards_of_one_beginning_the_first_are_compared(
    place: int, *, is_told: bool
) -> None:
    """Thousands of them would each be compared with thousands of names."""
    wild = {f"app_{{n}}.{number}.*": cookie() for number in range(40)}
    name = f"app_1.{place}."
    found = said({"cookies": wild | {name: cookie(purpose="necessary")}})
    assert [what for _, what, _ in found] == [
        f"cookie 'app_{{n}}.{place}.*' also covers '{name}', which has another purpose"
    ] * is_told


def test_of_templates_that_count_from_anywhere_is_told_from_where() -> None:
    """No file can say it: its own folder makes the path whole."""
    (problem,) = lints_in(policy(templates="our/notice"))
    assert problem.cure == (
        "It counts from where the site is started: write the whole path, or save the policy as a "
        "file, and load it with load_policy."
    )


def test_a_language_that_is_named_twice_lacks_no_words() -> None:
    """One slip is told once: it is a fault already."""
    assert said({"languages": ["en", "EN"]}) == []
    assert said({"languages": ["en", "de"]}) != []


def test_of_several_presets_the_strictest_counts() -> None:
    """Each rule is asked of each preset, so the narrowest of them holds (LAW §2)."""
    both = {"preset": ["us-other", "eu"]}
    ((_, what, _),) = said({**both, "cookies": {"a": lasting(400)}})
    assert what == "cookie 'a' lasts 400 days, and preset 'eu' allows 395"
    assert policy(**both).ask_again_after == 365 * 86_400
    assert policy().ask_again_after == policy(preset="eu").ask_again_after == 182 * 86_400


def test_every_preset_has_its_rules() -> None:
    """A name without rules would promise what nobody checks."""
    assert set(PRESETS) == set(Preset)
    for rules in PRESETS.values():
        assert rules.longest <= LONGEST
        assert Basis.CONSENT in rules.bases
        assert Basis.STRICTLY_NECESSARY not in rules.bases


def test_parts_that_could_not_be_read_are_not_spoken_of() -> None:
    """A mode that is misspelt is one fault, and says nothing of implied consent."""
    implied = policy(mode=Mode.IMPLIED)
    assert [each.loc for each in lints_in(implied)] == [("mode",)]
    assert lints_in(implied, [("mode",)]) == []
    keys = {key for leans_on, _ in LINTS for key in leans_on}
    assert keys <= {str(info.alias) for info in Policy.model_fields.values()}


def test_an_error_stops_the_start_and_a_warning_does_not() -> None:
    """`load_policy` passes over warnings: they are for whoever checks the file."""
    data = {"site": SITE, "mode": "implied", "purposes": PURPOSES}
    assert policy_from(data).mode is Mode.IMPLIED
    with pytest.raises(ValueError, match="preset 'eu' allows consent"):
        policy_from({**data, "preset": "eu"})


@given(st.text(max_size=300))
def test_any_words_can_be_judged(words: str) -> None:
    """The phrases are looked for in a time that any text allows."""
    for _, what, _ in said({"banner": {"body": words}}):
        assert "'banner' says" in what


@pytest.mark.parametrize(
    ("words", "misleads"),
    [("improve " * 20_000, False), ("best possible " * 10_000 + "experience", True)],
)
def test_beginnings_of_a_phrase_do_not_pile_up(words: str, *, misleads: bool) -> None:
    """A text that begins a phrase again and again is read in one go (no test ends otherwise)."""
    assert bool(said({"banner": {"body": words}})) is misleads

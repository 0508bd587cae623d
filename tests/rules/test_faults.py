from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.rules.faults import LONGEST_NAME, problems_in
from consentkit.rules.names import NamePattern
from consentkit.rules.policy import LONGEST, Basis, Policy
from consentkit.rules.problems import (
    MOST_COMPARED,
    Problem,
    listed,
    meant_by,
    quoted,
    repeated,
    some_of,
    subject_of,
)


def cookie(name: str = "a", **changes: Any) -> dict[str, Any]:
    """A policy's cookies, with one that asks for nothing but what `changes` say."""
    plain = {"kind": "session", "purpose": "polls", "description": "C"}
    return {"cookies": {name: {**plain, **changes}}}


def stored(name: str = "a", **changes: Any) -> dict[str, Any]:
    plain = {"where": "local", "purpose": "polls", "description": "D"}
    return {"storage": {name: {**plain, **changes}}}


def service(**changes: Any) -> dict[str, Any]:
    return {"services": {"map": {"purpose": "polls", "provider": "P", **changes}}}


def purpose(**changes: Any) -> dict[str, Any]:
    return {"purposes": {**PURPOSES, "late": {"title": "A", "description": "B", **changes}}}


PURPOSES = {
    "necessary": {"title": "A", "description": "B", "basis": "strictly-necessary"},
    "polls": {"title": "A", "description": "B"},
}
SITE = {"name": "A site", "controller": "Its owner"}


def policy(changes: dict[str, Any]) -> Policy:
    whole = {"site": SITE, "mode": "explicit", "purposes": PURPOSES}
    return Policy.model_validate({**whole, **changes})


FAULTS: list[tuple[str, dict[str, Any], str, str, str]] = [
    (
        "policy has no purpose",
        {"purposes": {}},
        "purposes",
        "the policy declares no purpose",
        "Declare at least one, with a 'title' and a 'description'.",
    ),
    (
        "purpose is undeclared",
        cookie(purpose="poll"),
        "cookies.a.purpose",
        "cookie 'a' names purpose 'poll', which is not declared",
        "Declared purposes: necessary, polls. Did you mean 'polls'?",
    ),
    (
        "one of several purposes is undeclared",
        cookie(purpose=["polls", "analitics"]),
        "cookies.a.purpose.1",
        "cookie 'a' names purpose 'analitics', which is not declared",
        "Declared purposes: necessary, polls.",
    ),
    (
        "service's purpose is undeclared",
        service(purpose="maps"),
        "services.map.purpose",
        "service 'map' names purpose 'maps', which is not declared",
        "Declared purposes: necessary, polls.",
    ),
    (
        "no purpose at all",
        cookie(purpose=[]),
        "cookies.a.purpose",
        "cookie 'a' names no purpose",
        "Name at least one. Declared purposes: necessary, polls.",
    ),
    (
        "service is undeclared",
        cookie(service="maps"),
        "cookies.a.service",
        "cookie 'a' names service 'maps', which is not declared",
        "Declared services: none.",
    ),
    (
        "service is undeclared, of the second cookie",
        {"cookies": {**cookie("b")["cookies"], **cookie(service="maps")["cookies"]}},
        "cookies.a.service",
        "cookie 'a' names service 'maps', which is not declared",
        "Declared services: none.",
    ),
    (
        "service is misspelt",
        {**cookie(service="maps"), **service()},
        "cookies.a.service",
        "cookie 'a' names service 'maps', which is not declared",
        "Declared services: map. Did you mean 'map'?",
    ),
    (
        "bare star",
        cookie("*"),
        "cookies.*",
        "cookie '*' cannot be: it would cover every name there is",
        "Write an exact name, 'name-{placeholder}', or 'name*'.",
    ),
    (
        "star in the middle",
        cookie("a*b"),
        "cookies.a*b",
        "cookie 'a*b' cannot be: '*' may only stand at the end",
        "Write an exact name, 'name-{placeholder}', or 'name*'.",
    ),
    (
        "adjacent placeholders",
        cookie("a{b}{c}"),
        "cookies.a{b}{c}",
        "cookie 'a{b}{c}' cannot be: two placeholders need a literal between them",
        "Write an exact name, 'name-{placeholder}', or 'name*'.",
    ),
    (
        "empty name",
        cookie(""),
        "cookies.",
        "cookie '' cannot be: the empty name",
        "Write an exact name, 'name-{placeholder}', or 'name*'.",
    ),
    (
        "name with =",
        cookie("a=b"),
        "cookies.a=b",
        "cookie 'a=b' has '=' in its name, which no Set-Cookie can carry",
        ("A name has no '=', ';', ',', white space or control character (RFC 6265bis §4.1.1)."),
    ),
    (
        "name with white space",
        cookie("a b"),
        "cookies.a b",
        "cookie 'a b' has ' ' in its name, which no Set-Cookie can carry",
        ("A name has no '=', ';', ',', white space or control character (RFC 6265bis §4.1.1)."),
    ),
    (
        "name with a control character",
        cookie("a\x07"),
        "cookies.a\u0007",
        "cookie 'a\\x07' has '\\x07' in its name, which no Set-Cookie can carry",
        ("A name has no '=', ';', ',', white space or control character (RFC 6265bis §4.1.1)."),
    ),
    (
        "name too long",
        cookie("a" * 257),
        "cookies." + "a" * 257,
        f"cookie '{'a' * 60}…' has a name of 257 characters",
        "A cookie's name has at most 256 characters here.",
    ),
    (
        "two patterns",
        {"cookies": {**cookie("a{x}b")["cookies"], **cookie("a{y}b")["cookies"]}},
        "cookies.a{y}b",
        ("cookie 'a{y}b' and 'a{x}b' can cover the same name, and neither is more exact"),
        "Give one of them a longer literal part, or declare the names one by one.",
    ),
    (
        "two patterns of stored items",
        {"storage": {**stored("a{x}b")["storage"], **stored("a{y}b")["storage"]}},
        "storage.a{y}b",
        "stored item 'a{y}b' and 'a{x}b' can cover the same name, and neither is more exact",
        "Give one of them a longer literal part, or declare the names one by one.",
    ),
    *(
        (
            f"two patterns of which {which}",
            {"cookies": {**cookie(first)["cookies"], **cookie(second)["cookies"]}},
            f"cookies.{second}",
            f"cookie {second!r} and {first!r} can cover the same name, and neither is more exact",
            "Give one of them a longer literal part, or declare the names one by one.",
        )
        for which, first, second in (
            ("the second ends with the first's end and more", "a{x}c{y}b", "a{z}cb"),
            ("the first ends with the second's end and more", "a{x}cb", "a{y}c{z}b"),
            ("the first has no end", "a{y}c*", "a{x}c"),
            ("the second has no end", "a{x}c", "ac*"),
            ("the second begins with the first's beginning and more", "a{x}cb", "ac{y}b"),
            ("the first has no beginning", "{x}ab", "a{y}b"),
        )
    ),
    (
        "own token",
        cookie("consent"),
        "cookies.consent",
        "cookie 'consent' covers 'consent', in which consentkit keeps the answers",
        "Take it out: it is declared already. Or give the token another 'name'.",
    ),
    *(
        (
            f"own token, named {name}",
            cookie(name, attributes={"secure": True}),
            f"cookies.{name}",
            f"cookie '{name}' covers '{name}', in which consentkit keeps the answers",
            "Take it out: it is declared already. Or give the token another 'name'.",
        )
        for name in (
            *("consent-seen", "__Host-consent", "__Host-consent-seen"),
            *("__Secure-consent", "__Secure-consent-seen"),
        )
    ),
    (
        "own token by pattern",
        cookie("__Host-c*", attributes={"secure": True}),
        "cookies.__Host-c*",
        ("cookie '__Host-c*' covers '__Host-consent', in which consentkit keeps the answers"),
        "Take it out: it is declared already. Or give the token another 'name'.",
    ),
    (
        "own renamed token",
        {**cookie("c-seen"), "token": {"name": "c"}},
        "cookies.c-seen",
        "cookie 'c-seen' covers 'c-seen', in which consentkit keeps the answers",
        "Take it out: it is declared already. Or give the token another 'name'.",
    ),
    (
        "purpose's name",
        {"purposes": {"über uns": PURPOSES["polls"]}},
        "purposes.über uns",
        "purpose 'über uns' has a name that cannot travel in forms and cookies",
        ("Use letters, digits, '-', '_' and '.', at most 64; the title may say anything."),
    ),
    (
        "too many purposes",
        {"purposes": {f"a-purpose-with-a-long-name-{n}": PURPOSES["polls"] for n in range(99)}},
        "purposes",
        "the optional purposes' names come to 3158 characters, too many for a cookie",
        "Keep them under 2000: fewer purposes, or shorter names.",
    ),
    (
        "justified optional purpose",
        purpose(justification="security"),
        "purposes.late.justification",
        ("purpose 'late' has a justification, and the visitor is asked about it all the same"),
        (
            "Take it away, or give its purposes 'basis: strictly-necessary' if that "
            "is what they are."
        ),
    ),
    (
        "justified optional cookie",
        cookie(justification="security"),
        "cookies.a.justification",
        ("cookie 'a' has a justification, and the visitor is asked about it all the same"),
        (
            "Take it away, or give its purposes 'basis: strictly-necessary' if that "
            "is what they are."
        ),
    ),
    (
        "cookie justified in part",
        cookie(purpose=["necessary", "polls"], justification="security"),
        "cookies.a.justification",
        ("cookie 'a' has a justification, and the visitor is asked about it all the same"),
        (
            "Take it away, or give its purposes 'basis: strictly-necessary' if that "
            "is what they are."
        ),
    ),
    (
        "persistent without duration",
        cookie(kind="persistent"),
        "cookies.a",
        "cookie 'a' is of kind persistent and has no 'duration'",
        "Add one, as in 'duration: 13 months', or write 'kind: session'.",
    ),
    (
        "analytics without duration",
        cookie(kind="analytics"),
        "cookies.a",
        "cookie 'a' is of kind analytics and has no 'duration'",
        "Add one, as in 'duration: 13 months', or write 'kind: session'.",
    ),
    (
        "session with duration",
        cookie(duration="1 day"),
        "cookies.a.duration",
        "cookie 'a' is of kind session and has a 'duration'",
        "Take the duration away, or write 'kind: persistent'.",
    ),
    (
        "zero duration",
        cookie(kind="persistent", duration=0),
        "cookies.a.duration",
        "cookie 'a' lasts no time at all",
        "Write a duration such as '1 day'.",
    ),
    (
        "duration over 400 days",
        cookie(kind="persistent", duration="401 days"),
        "cookies.a.duration",
        "cookie 'a' lasts 401 days, and browsers keep nothing longer than 400",
        "Write '400 days' or less (RFC 6265bis §5.5).",
    ),
    (
        "duration a second over 400 days",
        cookie("a{id}", kind="poll-timeout", duration=34_560_001),
        "cookies.a{id}.duration",
        "cookie 'a{id}' lasts 401 days, and browsers keep nothing longer than 400",
        "Write '400 days' or less (RFC 6265bis §5.5).",
    ),
    (
        "asking for ever",
        {"ask_again_after": "2 years"},
        "ask-again-after",
        "'ask-again-after' lasts 730 days, and browsers keep nothing longer than 400",
        "Write '400 days' or less (RFC 6265bis §5.5).",
    ),
    (
        "asking always",
        {"ask_again_after": 0},
        "ask-again-after",
        "'ask-again-after' lasts no time at all",
        "Write a duration such as '1 day'.",
    ),
    (
        "stored for no time",
        stored(duration=0),
        "storage.a.duration",
        "stored item 'a' lasts no time at all",
        "Write a duration such as '1 day'.",
    ),
    (
        "a duration in what goes with the tab",
        stored(where="session", duration="1 day"),
        "storage.a.duration",
        "stored item 'a' is kept in session storage and has a 'duration'",
        "Take the duration away: it goes when the tab is closed.",
    ),
    (
        "poll without id",
        cookie("vote", kind="poll-timeout"),
        "cookies.vote",
        ("cookie 'vote' is of kind poll-timeout and has no place for the poll in its name"),
        "Write 'vote-{pollid}', so that one poll's vote says nothing of another.",
    ),
    (
        "chunked pattern",
        cookie("a*", chunked=True),
        "cookies.a*.chunked",
        "cookie 'a*' is chunked, and its name is a pattern",
        "Take 'chunked' away and end the name with '*', which covers every chunk.",
    ),
    (
        "secure prefix",
        cookie("__Secure-a"),
        "cookies.__Secure-a",
        ("cookie '__Secure-a' begins with __Secure-, and browsers refuse it as declared"),
        (
            "Write 'attributes: {secure: true}', or take the prefix off its name (RFC "
            "6265bis §4.1.3)."
        ),
    ),
    (
        "host prefix",
        cookie("__host-a", path="/x", domain="a.org"),
        "cookies.__host-a",
        "cookie '__host-a' begins with __Host-, and browsers refuse it as declared",
        (
            "Write 'attributes: {secure: true}', 'path: /' and no 'domain', or take "
            "the prefix off its name (RFC 6265bis §4.1.3)."
        ),
    ),
    (
        "http prefix",
        cookie("__Http-a", attributes={"secure": True}),
        "cookies.__Http-a",
        "cookie '__Http-a' begins with __Http-, and browsers refuse it as declared",
        (
            "Write 'attributes: {http-only: true}', or take the prefix off its name "
            "(RFC 6265bis §4.1.3)."
        ),
    ),
    (
        "host http prefix",
        cookie("__Host-Http-a"),
        "cookies.__Host-Http-a",
        ("cookie '__Host-Http-a' begins with __Host-Http-, and browsers refuse it as declared"),
        (
            "Write 'attributes: {secure: true}' and 'attributes: {http-only: true}', "
            "or take the prefix off its name (RFC 6265bis §4.1.3)."
        ),
    ),
    (
        "same-site none",
        cookie(attributes={"same_site": "none"}),
        "cookies.a.attributes.same-site",
        "cookie 'a' has 'same-site: none' and no 'secure: true': browsers refuse it",
        "Add 'secure: true' to its attributes.",
    ),
    (
        "partitioned",
        cookie(attributes={"partitioned": True}),
        "cookies.a.attributes.partitioned",
        "cookie 'a' has 'partitioned: true' and no 'secure: true': browsers refuse it",
        "Add 'secure: true' to its attributes.",
    ),
    (
        "relative path",
        cookie(path="x"),
        "cookies.a.path",
        "cookie 'a' has the path 'x', which browsers ignore",
        "A path begins with '/' and has no ';' and no control character in it.",
    ),
    (
        "path with ;",
        cookie(path="/a;b"),
        "cookies.a.path",
        "cookie 'a' has the path '/a;b', which browsers ignore",
        "A path begins with '/' and has no ';' and no control character in it.",
    ),
    (
        "domain with scheme",
        cookie(domain="https://a.org"),
        "cookies.a.domain",
        "cookie 'a' has the domain 'https://a.org', which is no host name",
        "Write a host name such as 'example.org': no scheme, no port, no path.",
    ),
    (
        "domain with a leading dot",
        cookie(domain=".a.org"),
        "cookies.a.domain",
        "cookie 'a' has the domain '.a.org', which is no host name",
        "Write 'a.org': the leading dot means nothing any more.",
    ),
    (
        "domain with a port",
        cookie(domain="a.org:80"),
        "cookies.a.domain",
        "cookie 'a' has the domain 'a.org:80', which is no host name",
        "Write a host name such as 'example.org': no scheme, no port, no path.",
    ),
    (
        "token's domain",
        {"token": {"domain": "a..org"}},
        "token.domain",
        "'token' has the domain 'a..org', which is no host name",
        "Write a host name such as 'example.org': no scheme, no port, no path.",
    ),
    (
        "service's host",
        service(hosts=["a.org", "*.b.org", "https://c.org/x"]),
        "services.map.hosts.2",
        "service 'map' has the host 'https://c.org/x', which is no host name",
        ("Write 'example.org', or '*.example.org' for all below it: no scheme, no path."),
    ),
    (
        "everybody's hosts",
        service(hosts=["*.b.org", "*.com"]),
        "services.map.hosts.1",
        "service 'map' has the host '*.com', which covers everybody's",
        "Write more of the name, as in '*.example.org'.",
    ),
    (
        "everybody's hosts in a country",
        service(hosts=["*.CO.uk"]),
        "services.map.hosts.0",
        "service 'map' has the host '*.CO.uk', which covers everybody's",
        "Write more of the name, as in '*.example.org'.",
    ),
    (
        "a name that reads backwards",
        cookie("a\u202eb"),
        "cookies.a\u202eb",
        "cookie 'a\\u202eb' has '\\u202e' in its name, which nobody sees",
        "Take it out: what looks like one name must be one.",
    ),
    (
        "a name with what nobody sees",
        cookie("a\u200bb"),
        "cookies.a\u200bb",
        "cookie 'a\\u200bb' has '\\u200b' in its name, which nobody sees",
        "Take it out: what looks like one name must be one.",
    ),
    (
        "a service's name with a line in it",
        {"services": {"a\nb": {"purpose": "polls", "provider": "P"}}},
        "services.a\nb",
        "service 'a\\nb' has a name that cannot travel in forms and cookies",
        "Use letters, digits, '-', '_' and '.', at most 64; the title may say anything.",
    ),
    (
        "a purpose that is named as a service's grant is kept",
        {"purposes": {"@map": PURPOSES["polls"]}},
        "purposes.@map",
        "purpose '@map' has a name that cannot travel in forms and cookies",
        "Use letters, digits, '-', '_' and '.', at most 64; the title may say anything.",
    ),
    (
        "the site's own host is none",
        {"site": {**SITE, "hosts": ["a.example", "https://b.example"]}},
        "site.hosts.1",
        "'site' has the host 'https://b.example', which is no host name",
        "Write 'example.org', or '*.example.org' for all below it: no scheme, no path.",
    ),
    (
        "the site owns everybody's hosts",
        {"site": {**SITE, "hosts": ["*.example"]}},
        "site.hosts.0",
        "'site' has the host '*.example', which covers everybody's",
        "Write more of the name, as in '*.example.org'.",
    ),
    (
        "a host that is the site's own and a service's",
        {"site": {**SITE, "hosts": ["Tiles.example"]}, **service(hosts=["tiles.example"])},
        "site.hosts.0",
        "'site' has the host 'Tiles.example', and so has service 'map'",
        "Take one of them away: the site's own hosts wait for no answer.",
    ),
    (
        "a marker that is too short",
        service(inline=["map(", "m("]),
        "services.map.inline.1",
        "service 'map' has 'm(' under 'inline', which tells no script apart",
        "Write 3 to 200 characters of plain ASCII that stand in one line of it.",
    ),
    (
        "a marker of two lines",
        service(inline=["map(\n)"]),
        "services.map.inline.0",
        "service 'map' has 'map(\\n)' under 'inline', which tells no script apart",
        "Write 3 to 200 characters of plain ASCII that stand in one line of it.",
    ),
    (
        "a marker for two purposes",
        {
            "services": {
                "one": {"purpose": "polls", "provider": "P", "inline": ["map("]},
                "two": {"purpose": ["polls", "necessary"], "provider": "P", "inline": ["map("]},
            }
        },
        "services.two.inline.0",
        (
            "service 'two' has 'map(' under 'inline', and so has service 'one', which has another "
            "purpose"
        ),
        (
            "Write a text that stands in the one's script alone, or 'inline: []' where nothing "
            "of it is inline."
        ),
    ),
    (
        "an integration of an undeclared purpose",
        {"integrations": {"matomo": {"purpose": "pols"}}},
        "integrations.matomo.purpose",
        "'matomo' names purpose 'pols', which is not declared",
        "Declared purposes: necessary, polls. Did you mean 'polls'?",
    ),
    (
        "one of a signal's purposes is undeclared",
        {"integrations": {"microsoft_clarity": {"ad_storage": ["polls", "ads"]}}},
        "integrations.microsoft-clarity.ad-storage.1",
        "'microsoft-clarity' names purpose 'ads', which is not declared",
        "Declared purposes: necessary, polls.",
    ),
    (
        "an integration of a purpose that nobody is asked about",
        {"integrations": {"google_consent_mode": {"signals": {"ad_storage": "necessary"}}}},
        "integrations.google-consent-mode.signals.ad_storage",
        (
            "'google-consent-mode' names purpose 'necessary', which is strictly necessary: nobody "
            "is asked about it"
        ),
        "Name a purpose that the visitor answers to, or take the line away.",
    ),
    (
        "an integration of no purpose",
        {"integrations": {"microsoft_uet": {"ad_storage": []}}},
        "integrations.microsoft-uet",
        "'microsoft-uet' names no purpose, so that everything would stay denied",
        "Name those that its signals hang on. Declared purposes: necessary, polls.",
    ),
    (
        "a region in small letters",
        {
            "integrations": {
                "google_consent_mode": {"signals": {"ad_storage": "polls"}, "region": ["DE", "us"]}
            }
        },
        "integrations.google-consent-mode.region.1",
        "'google-consent-mode' has 'us' under 'region', which is no region",
        "Write a code of ISO 3166-2 such as DE or US-CA. Did you mean 'US'?",
    ),
    (
        "a region by its name",
        {
            "integrations": {
                "google_consent_mode": {"signals": {"ad_storage": "polls"}, "region": ["Europe"]}
            }
        },
        "integrations.google-consent-mode.region.0",
        "'google-consent-mode' has 'Europe' under 'region', which is no region",
        "Write a code of ISO 3166-2 such as DE or US-CA.",
    ),
    (
        "links are decorated without consent to advertising",
        {
            "integrations": {
                "google_consent_mode": {
                    "signals": {"analytics_storage": "polls"},
                    "url_passthrough": True,
                }
            }
        },
        "integrations.google-consent-mode.url-passthrough",
        "'url-passthrough' is true, and nobody can agree to it: 'ad_storage' has no purpose",
        "Name one under 'signals', or take 'url-passthrough' away (R-57).",
    ),
    (
        "a key of storage that reads backwards",
        {"storage": {"a\u2066": {"where": "local", "purpose": "polls", "description": "D"}}},
        "storage.a\u2066",
        "stored item 'a\\u2066' has the character '\\u2066' in its name",
        "Take it out: no page can show it.",
    ),
    (
        "a country nobody knows",
        cookie(transfer=["US", "XX"]),
        "cookies.a.transfer.1",
        "cookie 'a' has 'XX' under 'transfer', which is no country code that the notice knows",
        "Write a code such as US or IE, or the country's name.",
    ),
    (
        "cookie from the future",
        cookie(since=2),
        "cookies.a.since",
        "cookie 'a' stands since revision 2, and the policy is at revision 1",
        "Raise 'revision' to 2, or correct 'since'.",
    ),
    (
        "purpose from the future",
        purpose(since=3),
        "purposes.late.since",
        "purpose 'late' stands since revision 3, and the policy is at revision 1",
        "Raise 'revision' to 3, or correct 'since'.",
    ),
    (
        "preset many times",
        {"preset": ["eu", "eu", "eu"]},
        "preset.1",
        "'preset' names 'eu' twice",
        "Take one of them away.",
    ),
    (
        "years, where no preset allows less",
        {"preset": "us-other", **cookie(kind="persistent", duration="2 years")},
        "cookies.a.duration",
        "cookie 'a' lasts 730 days, and browsers keep nothing longer than 400",
        "Write '400 days' or less (RFC 6265bis §5.5).",
    ),
    (
        "link with a script",
        {**cookie(more="javascript:alert(1)"), **stored(), **service()},
        "cookies.a.more",
        "cookie 'a' has 'javascript:alert(1)' as 'more', which is no link",
        "Write 'https://…', or a path of this site that begins with '/'.",
    ),
    (
        "link of the site",
        {"site": {**SITE, "policy": "privacy.html"}, **service(), **cookie(), **stored()},
        "site.policy",
        "'site' has 'privacy.html' as 'policy', which is no link",
        "Write 'https://…', or a path of this site that begins with '/'.",
    ),
    (
        "link of a service",
        service(opt_out="opt out here"),
        "services.map.opt-out",
        "service 'map' has 'opt out here' as 'opt-out', which is no link",
        "Write 'https://…', or a path of this site that begins with '/'.",
    ),
]
AT_KEY = {
    "bare star",
    "star in the middle",
    "adjacent placeholders",
    "empty name",
    "name with =",
    "name with white space",
    "name with a control character",
    "name too long",
    "two patterns",
    "two patterns of stored items",
    "two patterns of which the second ends with the first's end and more",
    "two patterns of which the first ends with the second's end and more",
    "two patterns of which the first has no end",
    "two patterns of which the second has no end",
    "two patterns of which the second begins with the first's beginning and more",
    "two patterns of which the first has no beginning",
    "own token",
    "own token, named consent-seen",
    "own token, named __Host-consent",
    "own token, named __Host-consent-seen",
    "own token, named __Secure-consent",
    "own token, named __Secure-consent-seen",
    "own token by pattern",
    "own renamed token",
    "purpose's name",
    "too many purposes",
    "justified optional purpose",
    "justified optional cookie",
    "cookie justified in part",
    "persistent without duration",
    "analytics without duration",
    "session with duration",
    "a duration in what goes with the tab",
    "poll without id",
    "chunked pattern",
    "secure prefix",
    "host prefix",
    "http prefix",
    "host http prefix",
    "same-site none",
    "partitioned",
    "a name that reads backwards",
    "a name with what nobody sees",
    "a service's name with a line in it",
    "a purpose that is named as a service's grant is kept",
    "an integration of no purpose",
    "links are decorated without consent to advertising",
    "a key of storage that reads backwards",
}
"""Those whose key would be another, or taken away, or that stand at a whole entry."""


@pytest.mark.parametrize(
    ("changes", "loc", "what", "cure"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS]
)
def test_a_fault_is_one_problem_with_its_place_and_its_cure(
    changes: dict[str, Any], loc: str, what: str, cure: str
) -> None:
    """One slip is one problem: where, what, and what to do."""
    (problem,) = problems_in(policy(changes))
    assert (".".join(problem.loc), problem.what, problem.cure) == (loc, what, cure)


@pytest.mark.parametrize("row", FAULTS, ids=[row[0] for row in FAULTS])
def test_a_problem_that_is_about_a_key_points_at_it(row: tuple[Any, ...]) -> None:
    """All others point at the value, which is what is to be written anew."""
    (problem,) = problems_in(policy(row[1]))
    assert problem.at_key is (row[0] in AT_KEY)


SOUND: dict[str, dict[str, Any]] = {
    # What a preset allows is said of it where presets are judged (`lints`).
    "years, where a preset allows less": {
        "preset": "uk",
        **cookie(kind="persistent", duration="2 years"),
    },
    "stored for a day": stored(duration="1 day"),
    "a text from the right": purpose(title="a\u200fb\u200d\u200cc"),
    "a host below everybody's": service(hosts=["*.a.co.uk", "*.a.com", "localhost"]),
    "two presets": {"preset": ["eu", "us-ca"]},
    "nothing but a purpose": {},
    "justified cookie": cookie(purpose="necessary", justification="security"),
    "justified purpose": {
        "purposes": {"necessary": {**PURPOSES["necessary"], "justification": "security"}},
        **cookie(purpose="necessary"),
    },
    "necessary in part": cookie(purpose=["necessary", "polls"]),
    "analytics in part": cookie(kind="analytics", purpose=["necessary", "polls"], duration="1 day"),
    "400 days": cookie(kind="persistent", duration=LONGEST),
    "poll without duration": cookie("poll-{id}", kind="poll-timeout"),
    "chunked cookie": cookie(chunked=True),
    "longest name": cookie("a" * LONGEST_NAME),
    "host prefix": cookie("__Host-a", attributes={"secure": True}),
    "http prefix": cookie("__http-a", attributes={"secure": True, "http_only": True}),
    "two underscores": cookie("__a"),
    "secure partitioned": cookie(
        attributes={"secure": True, "same_site": "none", "partitioned": True}
    ),
    "domain": cookie(domain="a.example.org", path="/a/b"),
    "declared service": {**cookie(service="map"), **service(hosts=["*.a.org"], privacy="/p")},
    "links": {"site": {**SITE, "policy": "https://a.org/p?q#f"}},
    "since the revision": {"revision": 2, **cookie(since=2)},
    "all languages": {
        "languages": ["en", "zh-Hant"],
        **cookie(description={"en": "A", "zh-Hant": "B"}),
    },
    "some languages": {"languages": ["en", "cy"], **cookie(description={"en": "A"})},
    "implied, in sight": {
        "mode": "implied",
        "takes_effect": "at-once",
        "banner": {"layout": "sticky"},
    },
    "implied by one purpose": {
        **purpose(basis="implied"),
        "takes_effect": "at-once",
        "banner": {"layout": "bottom"},
    },
    "explicit, anywhere": {"banner": {"layout": "corner"}},
    "placeholders": {"placeholders": ["/a", "/b"]},
    "placeholders everywhere": {"placeholders": ["*"]},
    "own words": {"banner": {"title": "A", "body": {"en": "B"}}},
    "token of another name": {**cookie("consent-a"), "token": {"name": "c", "domain": "a.org"}},
    "as many purposes as a cookie holds": {
        "purposes": {f"{'a' * 44}-{n}": PURPOSES["polls"] for n in range(10, 50)}
    },
    "markers of two purposes": {
        "services": {
            "one": {"purpose": "polls", "provider": "P", "inline": ["map("]},
            "two": {"purpose": "necessary", "provider": "P", "inline": ["plan("]},
        }
    },
    "a second": cookie(kind="persistent", duration=1),
    "two patterns of unlike ends": {
        "cookies": {**cookie("a{x}b")["cookies"], **cookie("a{x}c")["cookies"]}
    },
    "two patterns of unequal weight": {
        "cookies": {**cookie("a{x}")["cookies"], **cookie("ab{x}")["cookies"]}
    },
}


@pytest.mark.parametrize("changes", SOUND.values(), ids=SOUND)
def test_what_holds_is_no_problem(changes: dict[str, Any]) -> None:
    """The control for every rule: its neighbour that is right."""
    assert problems_in(policy(changes)) == []


def test_every_problem_is_found_in_one_run() -> None:
    """A file is repaired once, not once for each fault."""
    changes = {**cookie("*", kind="persistent", purpose="poll", path="x"), "languages": []}
    found = {problem.loc for problem in problems_in(policy(changes))}
    assert found == {
        ("cookies", "*"),
        ("cookies", "*", "purpose"),
        ("cookies", "*", "path"),
        ("languages",),
    }


@pytest.mark.parametrize(
    ("changes", "unread"),
    [
        (cookie(purpose="gone"), ("purposes", "gone")),
        (cookie(service="gone"), ("services", "gone")),
        (cookie(purpose="gone"), ("purposes",)),
        (cookie(service="gone"), ("services",)),
        ({"integrations": {"matomo": {"purpose": "gone"}}}, ("purposes",)),
        ({"integrations": {"matomo": {"purpose": "gone"}}}, ("purposes", "gone")),
        (cookie(purpose=["necessary", "gone"], justification="security"), ("purposes", "gone")),
        ({"purposes": {}}, ("purposes",)),
        ({"takes_effect": "at-once"}, ("purposes", "gone")),
        ({"takes_effect": "at-once"}, ("mode",)),
        ({"mode": "implied", "banner": {"layout": "top"}}, ("mode",)),
        (cookie(since=2), ("revision",)),
        (cookie("consent"), ("token",)),
        (cookie(description={"cy": "A"}), ("languages",)),
    ],
)
def test_nothing_is_said_of_what_hangs_on_a_part_that_was_not_read(
    changes: dict[str, Any], unread: tuple[str, ...]
) -> None:
    """The fault there is reported already; with the part read, the same is a problem."""
    assert problems_in(policy(changes), {unread}) == []
    assert problems_in(policy(changes)) != []


def test_what_could_not_be_read_is_still_offered() -> None:
    """A purpose that is faulty is declared all the same."""
    (problem,) = problems_in(policy(cookie(purpose="pol")), {("purposes", "poll")})
    assert problem.cure == "Declared purposes: necessary, polls, poll. Did you mean 'poll'?"


def test_where_no_purpose_could_be_read_none_is_offered() -> None:
    """The whole section is faulty: it has no names."""
    (problem,) = problems_in(policy({"purposes": {}, **cookie(purpose=[])}), {("purposes",)})
    assert problem.cure == "Name at least one. Declared purposes: none."


@st.composite
def _patterns(draw: st.DrawFn) -> str:
    pieces = draw(st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=2))
    end = draw(st.sampled_from(["{z}", "{z}a", "*"]))
    return draw(st.sampled_from(["", "{w}"])) + "{x}".join(pieces) + end


@given(st.lists(_patterns(), unique=True, max_size=6))
def test_every_pattern_that_has_a_rival_is_named(names: list[str]) -> None:
    """Brute force is the oracle: each pair of equal weight that overlaps is reported once or more.

    The search looks only at kindred beginnings and ends, so that 3,000 patterns cost little.
    """
    cookies = {name: each for name in names for each in cookie(name)["cookies"].values()}
    found = [p for p in problems_in(policy({"cookies": cookies})) if "more exact" in p.what]
    parsed = [NamePattern.parse(name) for name in names]
    rivals = {
        frozenset((one.text, two.text))
        for one in parsed
        for two in parsed
        if one is not two and one.weight == two.weight and one.overlaps(two)
    }
    named = [frozenset(problem.what.split("'")[1:4:2]) for problem in found]
    assert set(named) <= rivals
    assert bool(named) == bool(rivals)


def test_a_problem_belongs_to_its_entry() -> None:
    """What an error begins with."""
    assert subject_of(()) == "the policy"
    assert subject_of(("cookies",)) == "'cookies'"
    assert subject_of(("cookies", "_ga", "kind")) == "cookie '_ga'"
    assert subject_of(("site", "name")) == "'site'"
    assert subject_of(("purposes", "p" * 99)) == f"purpose '{'p' * 60}…'"


def test_words_are_listed_as_people_do() -> None:
    """A comma between, a word before the last."""
    assert listed(["a"]) == "a"
    assert listed(Basis, "or") == "strictly-necessary, consent, implied or opt-out"


def test_a_problem_is_a_value() -> None:
    """It can be compared, so a test can name it."""
    assert Problem(("a",), "b", "c") == Problem(("a",), "b", "c", at_key=False)


@given(st.text())
def test_a_name_in_a_sentence_breaks_no_line_and_turns_nothing_round(name: str) -> None:
    """A sentence is read in a terminal and in a log: what it quotes must not act there."""
    for shown in (quoted(name), subject_of(("cookies", name)), some_of([name])):
        assert shown.isprintable()
    assert len(quoted("a" * 999)) < 70


@given(st.lists(st.text("ab", min_size=1), max_size=30), st.integers(1, 20))
def test_of_many_names_some_are_told_and_the_rest_is_counted(names: list[str], most: int) -> None:
    """Nobody reads a thousand names, and a thousand faults that list them fill a disk."""
    told = some_of(names, most)
    first, _, rest = told.partition(" and ")
    assert [each for each in first.split(", ") if each] == names[:most]
    assert rest == (f"{len(names) - most} more" if len(names) > most else "")


@given(st.lists(st.sampled_from(["en", "EN", "de", "fr"])))
def test_what_a_list_says_again_is_told_once(values: list[str]) -> None:
    """A list of ten thousand equal words is one slip."""
    found = {word.lower() for _, word, _ in repeated(values)}
    lowered = [value.lower() for value in values]
    assert found == {word for word in lowered if lowered.count(word) > 1}
    for place, word, before in repeated(values):
        assert values[place] == word
        assert before in values[:place]
        assert before.lower() == word.lower()
    assert len([*repeated(values)]) == len(found)


def test_among_very_many_names_none_is_guessed() -> None:
    """To compare one word with each of many takes long, and a file may have many such words."""
    assert meant_by("poll", ["polls"]) == " Did you mean 'polls'?"
    assert meant_by("poll", ["polls", *map(str, range(MOST_COMPARED))]) == ""

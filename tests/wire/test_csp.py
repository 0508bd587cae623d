"""Policies are judged by a matcher of their own, written from CSP3 §6.7.2 and §6.8."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from consentkit.wire.csp import (
    Sources,
    built,
    has_meta_policy,
    nonce_of,
    own_source,
    tightened,
    wide_sources,
)

OWN = b"www.site.example/notices"

# --- The judge: what a browser does with a policy.


@dataclass(frozen=True)
class Url:
    scheme: str
    host: str
    port: int
    path: str


PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
PAGE = Url("https", "www.site.example", 443, "/")
FALLS_BACK = {
    "script-src-elem": ("script-src-elem", "script-src", "default-src"),
    "style-src-elem": ("style-src-elem", "style-src", "default-src"),
    "worker-src": ("worker-src", "child-src", "script-src", "default-src"),
    "frame-src": ("frame-src", "child-src", "default-src"),
    "connect-src": ("connect-src", "default-src"),
    "img-src": ("img-src", "default-src"),
    "font-src": ("font-src", "default-src"),
    "object-src": ("object-src", "default-src"),
    "form-action": ("form-action",),
}


def directives_of(policy: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in policy.split(";"):
        if text.isascii() and (tokens := text.split()):
            found.setdefault(tokens[0].lower(), tokens[1:])
    return found


def allows(value: bytes, directive: str, url: Url) -> bool:
    """True if every policy of a header lets a URL be fetched."""
    for policy in value.decode("latin-1").split(","):
        directives = directives_of(policy)
        name = next((name for name in FALLS_BACK[directive] if name in directives), None)
        if name is not None and not any(matches(source, url) for source in directives[name]):
            return False
    return True


def matches(source: str, url: Url) -> bool:
    if source == "*":
        return url.scheme in PORTS
    if source.lower() == "'self'":
        return (url.host, url.port) == (PAGE.host, PAGE.port) and url.scheme in {"https", "wss"}
    if source[0] == "'":
        return False
    if source.endswith(":") and "/" not in source:
        return scheme_matches(source[:-1].lower(), url.scheme)
    scheme, _, rest = source.rpartition("://") if "://" in source else ("", "", source)
    authority, slash, path = rest.partition("/")
    host, colon, port = authority.partition(":")
    return (
        scheme_matches(scheme.lower() or PAGE.scheme, url.scheme)
        and host_matches(host.lower(), url.host)
        and port_matches(port if colon else "", url)
        and path_matches(slash + path.partition("?")[0], url.path)
    )


def scheme_matches(listed: str, scheme: str) -> bool:
    more = {"http": {"https"}, "ws": {"wss", "http", "https"}, "wss": {"https"}}
    return listed == scheme or scheme in more.get(listed, ())


def host_matches(listed: str, host: str) -> bool:
    listed = listed.removesuffix(".")
    if listed.startswith("*"):
        return host.endswith(listed[1:])
    return listed == host


def port_matches(listed: str, url: Url) -> bool:
    if not listed:
        return url.port == PORTS.get(url.scheme)
    return listed == "*" or int(listed) == url.port


def path_matches(listed: str, path: str) -> bool:
    if listed in {"", "/"}:
        return True
    return path.startswith(unquote(listed)) if listed.endswith("/") else path == unquote(listed)


def test_the_judge_knows_what_browsers_do() -> None:
    """The control: what CSP3 §6.7.2.8 gives as examples."""
    image = Url("https", "cdn.example", 443, "/a/b.png")
    for listed in (b"*", b"https:", b"http://cdn.example", b"cdn.example/a/", b"CDN.example:*"):
        assert allows(b"img-src " + listed, "img-src", image), listed
        assert allows(b"default-src " + listed, "img-src", image), listed
    for listed in (b"", b"'none'", b"*.cdn.example", b"cdn.example:80", b"cdn.example/a", b"ftp:"):
        assert not allows(b"img-src " + listed, "img-src", image), listed
    assert not allows(b"img-src *, default-src 'self'", "img-src", image)
    assert not allows(b"img-src; img-src *", "img-src", image)


# --- Policies, and who may load.

NAMES = (
    "www.site.example",
    "static.site.example",
    "tracker.example",
    "cdn.tracker.example",
    "a.cdn.tracker.example",
    "video.example",
    "www.video.example",
    "nobody.example",
    "cloud.test",
)
WILDCARDS = (
    "*.site.example",
    "*.tracker.example",
    "*.cdn.tracker.example",
    "*.video.example",
    "*.example",
    "*.test",
)


def judged_by(patterns: dict[str, bool], *, strict: bool) -> Callable[[str], bool]:
    """Who is blocked: the longest pattern that covers a host decides, else `strict`."""

    def is_blocked(host: str) -> bool:
        covering = [p for p in patterns if p == host or (p[0] == "*" and host.endswith(p[1:]))]
        return patterns[max(covering, key=len)] if covering else strict

    return is_blocked


@dataclass(frozen=True)
class Site:
    patterns: dict[str, bool]
    strict: bool

    @property
    def is_blocked(self) -> Callable[[str], bool]:
        return judged_by(self.patterns, strict=self.strict)

    @property
    def sources(self) -> Sources:
        return Sources(OWN, self.patterns, self.is_blocked, b"ours")


declared = st.dictionaries(st.sampled_from(NAMES[1:] + WILDCARDS), st.booleans())
sites = st.builds(
    Site, declared.map(lambda some: {**some, "www.site.example": False}), st.booleans()
)


hosts = st.sampled_from((*NAMES, *WILDCARDS, "*"))
host_sources = st.builds(
    lambda *parts: "".join(parts).encode(),
    st.sampled_from(["", "", "https://", "http://", "wss://", "HTTPS://"]),
    hosts | hosts.map(str.upper),
    st.sampled_from(["", "", ":443", ":8443", ":*"]),
    st.sampled_from(["", "", "/", "/a/", "/a/b.js", "/notices/", "/a?b"]),
)
keywords = st.sampled_from(
    [b"'self'", b"'none'", b"'unsafe-inline'", b"'nonce-q1w2'", b"data:", b"'SELF'", b"blob:"]
)
wide = st.sampled_from([b"*", b"https:", b"http:", b"wss:", b"https://*", b"*:443"])
source_lists = st.lists(host_sources | keywords | wide, max_size=4).map(b" ".join)
names = st.sampled_from([*FALLS_BACK, "default-src", "script-src", "style-src", "child-src"])
directives = st.builds(
    lambda before, name, listed: before + name.encode() + b" " + listed,
    st.sampled_from([b"", b" ", b"\t"]),
    names | names.map(str.upper),
    source_lists,
)
others = st.sampled_from(
    [
        b"",
        b" ",
        b"upgrade-insecure-requests",
        b" sandbox allow-forms",
        b"report-uri https://tracker.example/r",
        b"report-to csp",
        b"frame-ancestors *",
        b"base-uri https://tracker.example",
        b"script-src-attr https:",
        b"require-trusted-types-for 'script'",
        b"script-src t\xe9st *",
    ]
)
policies = st.lists(directives | others, max_size=5).map(b";".join)
values = st.lists(policies, min_size=1, max_size=2).map(b", ".join)
urls = st.builds(
    lambda scheme, host, port, path: Url(scheme, host, port or PORTS.get(scheme, 0), path),
    st.sampled_from(["https", "https", "http", "wss", "data"]),
    st.sampled_from((*NAMES, "x.tracker.example", "y.site.example", "z.video.example")),
    st.sampled_from([0, 0, 443, 8443]),
    st.sampled_from(["/", "/a/", "/a/b.js", "/notices", "/notices/x.css"]),
)
kinds = st.sampled_from(sorted(FALLS_BACK))


def is_ours(url: Url) -> bool:
    return url.host == "www.site.example" and url.path.startswith("/notices")


@given(values, sites, kinds, urls)
def test_nothing_is_let_through_that_was_refused(
    value: bytes, site: Site, kind: str, url: Url
) -> None:
    """The site's own policy is the limit; what the site serves for us alone is added to it."""
    if allows(tightened(value, site.sources), kind, url):
        assert allows(value, kind, url) or is_ours(url)


@given(values, sites, st.sampled_from(sorted(FALLS_BACK.keys() - {"form-action"})), urls)
@example(
    b"default-src *",
    Site({"tracker.example": True}, strict=True),
    "img-src",
    Url("https", "tracker.example", 443, "/"),
)
def test_what_may_not_load_is_let_through_by_nothing_but_what_is_told(
    value: bytes, site: Site, kind: str, url: Url
) -> None:
    """A blocked host is on no list; where one is wide and has to stay, it is told."""
    assume(site.is_blocked(url.host) and url.scheme != "data")
    value = value if kind in value.decode("latin-1").lower() else b"default-src *;" + value
    after = tightened(value, site.sources)
    if allows(after, kind, url):
        assert wide_sources(after, site.sources)
        assert not site.strict


@pytest.mark.counted
@given(values, sites, kinds, urls)
def test_what_may_load_goes_on_loading(value: bytes, site: Site, kind: str, url: Url) -> None:
    """A host that is declared by its name, and may load, is not lost with a wide source."""
    assume(url.host in site.patterns and not site.is_blocked(url.host))
    assume(url.scheme == "https" and allows(value, kind, url))
    assert allows(tightened(value, site.sources), kind, url)


@given(values, sites)
def test_a_tightened_policy_is_not_tightened_further(value: bytes, site: Site) -> None:
    """A page that passes twice has the same policy."""
    once = tightened(value, site.sources)
    assert tightened(once, site.sources) == once


@given(values)
def test_where_all_may_load_a_policy_stays_byte_for_byte(value: bytes) -> None:
    """What is not changed is not printed anew."""
    assert tightened(value, Sources(None, NAMES, lambda host: False)) == value


@given(values, sites, st.sampled_from([";", ","]))
def test_directives_that_fetch_nothing_stay_byte_for_byte(
    value: bytes, site: Site, between: str
) -> None:
    """``sandbox``, ``report-uri``, ``frame-ancestors`` and the rest mean what the app meant."""
    fixed = b" Sandbox  allow-forms;report-uri\thttps://tracker.example/r;frame-ancestors * "
    whole = fixed + between.encode() + value
    assert tightened(whole, site.sources).startswith(fixed)


@given(values, sites)
def test_our_own_assets_and_endpoint_pass(value: bytes, site: Site) -> None:
    """The notice is styled, its forms can be sent and its script can ask, whatever the app says."""
    after = tightened(value, site.sources)
    asset = Url("https", "www.site.example", 443, "/notices/assets/x.css")
    endpoint = Url("https", "www.site.example", 443, "/notices")
    for kind in ("script-src-elem", "style-src-elem", "connect-src"):
        assert allows(after, kind, asset)
    assert allows(after, "connect-src", endpoint)
    assert allows(after, "form-action", endpoint)


# --- By example.

BLOCKED = {"tracker.example": True, "*.tracker.example": True}
REPORTING = Site({"www.site.example": False, "video.example": False, **BLOCKED}, strict=False)
STRICT = Site({"www.site.example": False, "video.example": False, **BLOCKED}, strict=True)


@pytest.mark.parametrize(
    ("value", "after"),
    [
        (b"img-src 'self' tracker.example", b"img-src 'self'"),
        (b"img-src  https://Tracker.example:443/a/  data: ", b"img-src  data: "),
        (b"img-src http://cdn.tracker.example", b"img-src 'none'"),
        (b"img-src 'self' *.tracker.example *.cdn.tracker.example", b"img-src 'self'"),
        (b"img-src tracker.example.", b"img-src 'none'"),
        (b"img-src nobody.example https:", b"img-src nobody.example https:"),
        (b"img-src 'self', img-src tracker.example", b"img-src 'self', img-src 'none'"),
        (b"IMG-SRC tracker.example; img-src tracker.example", b"IMG-SRC 'none'; img-src 'none'"),
        (b"img-src", b"img-src"),
        (b" ;; ", b" ;; "),
        (b"", b""),
        (b"script-src-attr tracker.example", b"script-src-attr tracker.example"),
        (b"form-action 'self' tracker.example", b"form-action 'self' tracker.example"),
    ],
)
def test_hosts_that_may_not_load_are_taken_out(value: bytes, after: bytes) -> None:
    """However they are written; an emptied list is ``'none'``, for none at all would fall back."""
    assert tightened(value, REPORTING.sources) == after


@pytest.mark.parametrize(
    ("value", "after"),
    [
        (b"img-src *", b"img-src 'self' www.site.example:* video.example:*"),
        (b"img-src 'self' * data:", b"img-src 'self' www.site.example:* video.example:* data:"),
        (
            b"img-src https: ws:",
            (
                b"img-src https://www.site.example:* https://video.example:* "
                b"ws://www.site.example:* ws://video.example:*"
            ),
        ),
        (
            b"img-src https://*.example:8443/a",
            (b"img-src https://www.site.example:8443/a https://video.example:8443/a"),
        ),
        (b"img-src *.test nobody.example", b"img-src 'none'"),
        (
            b"connect-src 'self' *",
            (
                b"connect-src 'self' www.site.example:* video.example:*"
                b" wss://www.site.example:* wss://video.example:*"
            ),
        ),
        (b"img-src *. *x x.* a..b !", b"img-src *. *x x.* a..b !"),
    ],
)
def test_wide_sources_are_replaced_where_undeclared_hosts_are_blocked(
    value: bytes, after: bytes
) -> None:
    """Nothing can be subtracted from ``*``; what browsers cannot read is left as it is."""
    assert tightened(value, STRICT.sources) == after


def test_a_wide_source_stays_and_is_told_where_undeclared_hosts_load() -> None:
    """A list cannot say "all but these", so the log has to."""
    value = b"default-src 'self'; img-src https: *.example, font-src * *.other.test data: https:"
    assert tightened(value, REPORTING.sources) == value
    assert wide_sources(value, REPORTING.sources) == (b"https:", b"*.example", b"*")
    assert wide_sources(tightened(value, STRICT.sources), STRICT.sources) == ()
    assert wide_sources(b"frame-ancestors *;;", REPORTING.sources) == ()


def test_a_wildcard_of_the_site_itself_is_narrowed_where_a_service_stands_below_it() -> None:
    """A service under a name of the site's own (a CNAME) is no less a third party."""
    patterns = {"*.site.example": False, "img.site.example": False, "stats.site.example": True}
    after = tightened(b"img-src *.site.example", Site(patterns, strict=True).sources)
    assert after == b"img-src img.site.example"
    reporting = Site(patterns, strict=False).sources
    assert tightened(b"img-src *.site.example", reporting) == b"img-src *.site.example"
    assert wide_sources(b"img-src *.site.example", reporting) == (b"*.site.example",)


@pytest.mark.parametrize(
    ("value", "after"),
    [
        (
            b"default-src 'none'; img-src 'self';",
            (
                b"default-src 'none'; img-src 'self'; script-src www.site.example/notices/;"
                b" style-src www.site.example/notices/;"
                b" connect-src www.site.example/notices www.site.example/notices/;"
            ),
        ),
        (b"default-src 'Self'", b"default-src 'Self'"),
        (b"style-src *", b"style-src *"),
        (b"script-src www.site.example", b"script-src www.site.example"),
        (b"script-src video.example", b"script-src video.example www.site.example/notices/"),
        (b"script-src tracker.example", b"script-src www.site.example/notices/"),
        (
            b"script-src 'none'; script-src-elem",
            b"script-src 'none'; script-src-elem www.site.example/notices/",
        ),
        (b"script-src 'nonce-a' 'strict-dynamic'", b"script-src 'nonce-a' 'strict-dynamic'"),
        (b"form-action 'none'", b"form-action www.site.example/notices"),
        (b"img-src 'none'", b"img-src 'none'"),
    ],
)
def test_our_own_sources_are_added_where_they_would_not_pass(value: bytes, after: bytes) -> None:
    """And nowhere else: ``default-src`` is copied and not widened."""
    assert tightened(value, REPORTING.sources) == after


def test_without_a_host_that_can_be_named_nothing_is_added() -> None:
    """A wrong source would let somebody else's scripts through."""
    sources = Sources(None, (), lambda host: False)
    assert tightened(b"default-src 'none'", sources) == b"default-src 'none'"


@pytest.mark.parametrize(
    ("value", "after"),
    [
        (b"trusted-types app", b"trusted-types app ours"),
        (b"Trusted-Types 'none' ", b"Trusted-Types ours"),
        (b"trusted-types", b"trusted-types ours"),
        (b"trusted-types *", b"trusted-types *"),
        (b"trusted-types ours app", b"trusted-types ours app"),
        (b"require-trusted-types-for 'script'", b"require-trusted-types-for 'script'"),
    ],
)
def test_our_trusted_types_policy_may_be_made(value: bytes, after: bytes) -> None:
    """A list of policies that lacks ours would stop our script (Trusted Types §4.2.2)."""
    assert tightened(value, REPORTING.sources) == after
    nameless = Sources(OWN, (), REPORTING.is_blocked)
    assert tightened(value, nameless) == value


def test_what_was_tightened_is_remembered_whatever_its_nonce() -> None:
    """A nonce is another one in every response; long values and several nonces are worked out."""
    asked = []

    def is_blocked(host: str) -> bool:
        asked.append(host)
        return host == "tracker.example"

    sources = Sources(OWN, (), is_blocked)
    for nonce in (b"q1w2", b"0", b"e3r4"):
        value = b"img-src tracker.example; script-src 'nonce-%b' www.site.example" % nonce
        after = b"img-src 'none'; script-src 'nonce-%b' www.site.example" % nonce
        assert tightened(value, sources) == after
    assert asked == ["*", "tracker.example", "www.site.example"]
    value = b"script-src 'nonce-a' tracker.example 'self'; style-src 'nonce-b' 'self'"
    assert tightened(value, sources) == value.replace(b" tracker.example", b"")
    value = b"img-src tracker.example" + b" a.example" * 1000
    assert tightened(value, sources) == value.replace(b" tracker.example", b"")


# --- Our own source, nonces, a policy where there is none.


@pytest.mark.parametrize(
    ("host", "path", "source"),
    [
        (b"Example.org", "/notices", b"example.org/notices"),
        (b"127.0.0.1:8000", "/shop/notices", b"127.0.0.1:8000/shop/notices"),
        (
            b"example.org",
            "/a;b,c d/\N{LATIN SMALL LETTER E WITH ACUTE}",
            b"example.org/a%3Bb%2Cc%20d/%C3%A9",
        ),
        (b"[::1]:8000", "/notices", None),
        (b"a.example; script-src *", "/notices", None),
        (b"*", "/notices", None),
        (b"", "/notices", None),
    ],
)
def test_our_own_source_is_a_path_without_a_scheme(
    host: bytes, path: str, source: bytes | None
) -> None:
    """The Host header comes from outside: what is no host says nothing in a policy."""
    assert own_source(host, path) == source


@pytest.mark.parametrize(
    ("headers", "nonce"),
    [
        ([], None),
        ([b"img-src *"], None),
        ([b"script-src 'nonce-abc='"], b"abc="),
        ([b"script-src 'NONCE-aB/+-_'"], b"aB/+-_"),
        ([b"default-src 'nonce-d'"], b"d"),
        ([b"default-src 'nonce-d'; script-src 'self'"], None),
        ([b"script-src 'nonce-s'; script-src-elem 'nonce-e'"], b"e"),
        ([b"script-src 'nonce-1' 'nonce-2'", b"script-src 'nonce-2'"], b"2"),
        ([b"script-src 'self', script-src 'nonce-1'"], b"1"),
        ([b"script-src 'nonce-1'", b"script-src 'nonce-2'"], None),
        ([b"script-src 'nonce-\"><script>'"], None),
        ([b"script-src 'nonce-'"], None),
        ([b"style-src 'nonce-s'"], None),
    ],
)
def test_the_nonce_is_one_that_all_policies_take(
    headers: Sequence[bytes], nonce: bytes | None
) -> None:
    """A script has one nonce, and every policy is asked (§6.7.1.1)."""
    assert nonce_of(headers) == nonce


def test_a_policy_is_built_where_the_app_sends_none() -> None:
    """The site itself and whoever may load; nothing inline, nothing evaluated."""
    assert built(STRICT.sources, b"q1w2") == (
        b"default-src 'self' data: blob: www.site.example:* video.example:*; "
        b"script-src 'self' www.site.example:* video.example:* 'nonce-q1w2'; "
        b"style-src 'self' www.site.example:* video.example:* 'nonce-q1w2'; "
        b"connect-src 'self' data: blob: www.site.example:* video.example:* "
        b"wss://www.site.example:* wss://video.example:*; "
        b"worker-src 'self' blob: www.site.example:* video.example:*"
    )


@given(sites, kinds.filter(lambda kind: kind != "form-action"), urls)
def test_a_built_policy_lets_nothing_through_that_may_not_load(
    site: Site, kind: str, url: Url
) -> None:
    """What nobody names is left out, and so are wildcards under which something waits."""
    policy = built(site.sources)
    assert b"unsafe" not in policy
    assert b"nonce" not in policy
    assert tightened(policy, site.sources) == policy
    if site.is_blocked(url.host) and url.scheme != "data":
        assert not allows(policy, kind, url)
    elif site.patterns.get(url.host) is False and url.scheme == "https":
        assert allows(policy, kind, url)


@given(
    st.lists(
        st.sampled_from(
            [
                "::1",
                "[::1]",
                "a b",
                "b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example",
                ";",
                "*.",
            ]
        )
    )
)
def test_hosts_that_no_policy_can_name_stay_out(listed: list[str]) -> None:
    """They would be read as something else, or end the directive."""
    policy = built(Sources(OWN, listed, lambda host: False))
    assert policy == built(Sources(OWN, (), lambda host: False))


@pytest.mark.parametrize(
    ("head", "has_one"),
    [
        (b'<meta http-equiv="Content-Security-Policy" content="img-src *">', True),
        (b"<META content='img-src *' HTTP-EQUIV = content-security-policy>", True),
        (b"<meta http-equiv='refresh' content='1'>", False),
        (b"<title>Content-Security-Policy</title>", False),
        (b"http-equiv" * 4000 + b"http-equiv=" + b" " * 4000, False),
    ],
)
def test_a_policy_in_the_markup_is_noted(head: bytes, has_one: bool) -> None:  # noqa: FBT001
    """It counts too, and stays as it is: the log says so."""
    assert has_meta_policy(head) is has_one

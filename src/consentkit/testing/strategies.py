"""Hypothesis strategies for a site's own tests: policies, visitors' answers, cookies, pages.

They have never heard of your app: what they make is handed to it. Hypothesis is imported with this
module (``pip install "consentkit[testing]"``), and with nothing else of consentkit.

::

    from hypothesis import given
    from consentkit.testing import strategies

    @given(strategies.policies(), strategies.cookie_headers())
    def test_no_request_breaks_the_app(policy, headers): ...

Bytes are as they would stand on the wire, and wild: what a browser never sends is sent by others.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from hypothesis import strategies as st

from consentkit.rules.consent import Consent, Given, Seen, key_of_service, start_of_day
from consentkit.rules.policy import DAY, Policy
from consentkit.rules.signals import Signal
from consentkit.testing.policies import InvalidPolicy, invalid_policies, policies, policy_data
from consentkit.wire.cookies import MAX_ATTRIBUTE, MAX_PAIR, MAX_PAIRS

__all__ = [
    "AWKWARD",
    "COOKIE_WORDS",
    "InvalidPolicy",
    "consents",
    "cookie_headers",
    "fetches_from",
    "invalid_policies",
    "pages_with_third_parties",
    "policies",
    "policy_data",
    "set_cookie_headers",
    "set_cookies",
]

# What visitors answered


def consents(policy: Policy, *, now: float = 1_800_000_000) -> st.SearchStrategy[Consent]:
    """Whatever a visitor can have answered up to `now` (POSIX seconds), and what was lost of it.

    Answers are as old as twice `ask_again_after`, to this revision and earlier ones, to purposes
    and single services of the policy and to one that it does not have any more; with the notice
    shown, gone on from, or neither; and with a token that was read or that does not verify.
    """
    names = [*policy.purposes, *map(key_of_service, policy.services), "no-longer-there"]
    again = policy.ask_again_after
    ages = st.sampled_from([0, DAY, again, 2 * again]) | st.integers(0, 2 * again)
    times = ages.map(lambda age: int(now) - age)
    revisions = st.integers(1, policy.revision)
    granted = st.builds(
        Given, st.just(value=True), revisions, times, st.frozensets(st.sampled_from(Signal))
    )
    refused = st.builds(Given, st.just(value=False), revisions, times.map(start_of_day))
    answers = st.fixed_dictionaries({}, optional=dict.fromkeys(names, granted | refused))
    shown = revisions.flatmap(
        lambda shown: st.builds(
            Seen,
            st.just(shown),
            st.integers(0, shown),
            times.map(start_of_day),
            st.booleans(),
        )
    )
    return st.builds(Consent, answers.map(MappingProxyType), st.none() | shown, st.booleans())


# Cookies

COOKIE_WORDS: Final = (
    *b'; |=|;|,|.|/|-|:|\t| |\x00|\x7f|\xff|"|\\|0|9|_'.split(b"|"),
    *b"Max-Age= Expires= Domain= Path=/ Secure HttpOnly SameSite=None Partitioned".split(),
    *b"__Secure- __Host- __Http- __Host-Http- Jan 1970 70 31 23:59:59 GMT".split(),
)
"""What a parser of cookies looks for, to be strung together."""

_NAMES: Final = (
    *(b"a", b"A", b"", b"__Host-a", b"__Secure-a", b"__HOST-a", b"__Http-a", b"$Version", b"a b"),
    *(b"\xff", b"\xc3\xa9", b'"a"', b"a,b", b"constructor", b"a" * 300),
)
_VALUES: Final = (
    *(
        b"1",
        b"",
        b'"a=b"',
        b"x y",
        b"a,b=c",
        b'{"a":1}',
        b"%3B",
        b"\xff\xfe",
        b"\x00",
        b"a\tb",
        b"==",
    ),
    *(b"v" * (MAX_PAIR - 1), b"v" * (MAX_PAIR + 1)),
)
_ATTRIBUTES: Final = (
    *(b"Path=/", b"path=", b"Path=a", b"Path=/a b", b"Path=/" + b"y" * MAX_ATTRIBUTE),
    *(b"Domain=example.org", b"Domain=.Example.ORG", b"Domain=", b"domain=..", b"Domain=\xff"),
    *(b"Secure", b"secure=no", b"HttpOnly", b"Partitioned", b"SameSite=None", b"samesite=STRICT"),
    *(b"SameSite=Lax", b"SameSite=", b"SameSite=maybe", b"", b"Priority=High", b"=", b"Sec\x00ure"),
    *(b"Max-Age=60", b"max-age=99999999999", b"Max-Age=0", b"Max-Age=-5", b"Max-Age=soon"),
    *(b"Max-Age=", b"Max-Age=+5", b"Max-Age=1.5", b"Max-Age=" + b"9" * 40),
    *(b"Expires=Thu, 01 Jan 1970 00:00:00 GMT", b"Expires=Fri, 01 Jan 2038 00:00:00 GMT"),
    *(b"Expires=Fri, 07-Aug-27 08:04:19 GMT", b"Expires=31 Feb 2027 24:60:60", b"expires=never"),
)
_strings: Final = st.lists(st.sampled_from(COOKIE_WORDS) | st.binary(max_size=3), max_size=30).map(
    b"".join
)


def _pairs(names: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    # What is hoped for and what is not come by turns, so that a site's own names are often there.
    named = st.sampled_from([*names, *_NAMES]) if names else st.sampled_from(_NAMES)
    values = st.sampled_from(_VALUES) | st.binary(max_size=8)
    often = st.sampled_from([*names] or _NAMES) | named
    return st.builds(lambda name, value: name + b"=" + value, often, values) | values


def set_cookies(names: Sequence[bytes] = ()) -> st.SearchStrategy[bytes]:
    """Values of one Set-Cookie header each: of `names`, of odd names, and of none.

    Among them are all attributes of RFC 6265bis in every spelling, twice and against each other,
    dates and ages that cannot be read, prefixes that are not kept to, control characters, octets
    that are no UTF-8, and pairs and attributes one octet longer than a browser takes.
    """
    spaced = st.sampled_from([b"", b" ", b"\t"])
    tails = st.lists(st.tuples(spaced, st.sampled_from(_ATTRIBUTES)).map(b"".join), max_size=5)
    written = st.tuples(_pairs(names), tails).map(lambda parts: b";".join([parts[0], *parts[1]]))
    return written | _strings


def set_cookie_headers(names: Sequence[bytes] = ()) -> st.SearchStrategy[list[bytes]]:
    """The values of all Set-Cookie headers of a response, in order; see `set_cookies`."""
    return st.lists(set_cookies(names), max_size=8)


def cookie_headers(names: Sequence[bytes] = ()) -> st.SearchStrategy[list[bytes]]:
    """The values of all Cookie headers of a request: mostly one, with `names` among odd ones.

    Pairs stand twice, have no name or no value, are joined as no browser joins them, hold quotes,
    commas, control characters and octets that are no UTF-8, and are thousands.
    """
    joints = st.sampled_from([b"; "] * 4 + [b";", b" ; ", b", ", b";;", b"; ;", b";\t"])
    joined = st.tuples(joints, st.lists(_pairs(names), max_size=8)).map(
        lambda parts: parts[0].join(parts[1])
    )
    thousands = _pairs(names).map(lambda pair: b"; ".join([pair[:8]] * (MAX_PAIRS + 2)))
    one = joined | joined | _strings | thousands
    return one.map(lambda value: [value]) | st.lists(one, max_size=3)


# Pages

_FETCHING: Final = (
    "<script src=//third.example/1></script>",
    "<script type=module src='https://third.example/2'></script>",
    "<SCRIPT SRC=HTTPS://THIRD.EXAMPLE/3 TYPE=Text/JavaScript></SCRIPT>",
    "<script src=/own.js src=//third.example/no></script>",
    "<script type=text/plain type=module src=//third.example/no></script>",
    "<img src=//third.example/4>",
    "<img/src='//third.example/5'/>",
    '<img alt=">"src="//third.example/6"x>',
    '<IMG\nSRC\n=\n"\thttps:\\\\third.example/7">',
    "<img src='&#x2f;&sol;third.example/8'>",
    "<img src=/a srcset='/a, //third.example/9 2x'>",
    "<img src=//third.example/10 src=//third.example/11>",
    "<img =src=//third.example/no src=https:third.example/12>",
    "<image src=//third.example/13>",
    "<iframe src=//third.example/14></iframe>",
    "<iframe srcdoc='<img src=//third.example/15>'></iframe>",
    "<iframe src=//third.example/16>",
    "<link rel=stylesheet href=//third.example/17>",
    "<link REL=' x PRELOAD' href=https://user@third.example:8443/18>",
    "<link rel=preconnect href=//%74hird.example>",
    "<link rel=canonical href=//third.example/no>",
    "<object data=//third.example/19></object>",
    "<embed src=//third.example/20>",
    "<video src=/a poster=//third.example/21></video>",
    "<audio><source src=//third.example/22></audio>",
    "<track src=//third.example/23>",
    "<picture><source srcset='//third.example/24 1x'><img src=/b></picture>",
    "<input type=image src=//third.example/25>",
    "<input src=//third.example/no>",
    "<body background=//third.example/26>",
    "<table background=//third.example/27>",
    "<td background='//third.example/28'>",
    "<svg><image href=//third.example/29 /></svg>",
    "<svg><use xlink:href='//third.example/30#a'/></svg>",
    "<image xlink:href=//third.example/31>",
    "<feImage href=//third.example/32>",
    "<script href=//third.example/33></script>",
    "<frame src=//third.example/34>",
    "<a href=//third.example/no>a</a>",
    "<img src=/a.png>", "<img src=/b.png>", "<base href=//third.example/>",
)  # fmt: skip
"""What would fetch from a third party, in every way that HTML knows; `/no` is what would not."""

AWKWARD: Final = (
    "<!doctype html>", "<html>", "<head>", "</head>", "<body>", "</body>", "<frameset>",
    "</frameset>", "<title>", "</title>", "<title>a</title>", "<style>", "</style>",
    "<style>p{}</style>",
    "<textarea>", "</textarea>", "<xmp>", "</xmp>", "<noembed>", "</noembed>", "<noframes>",
    "</noframes>", "<plaintext>", "<iframe>", "</iframe>", "<script>", "</script>",
    "<script>1</script>", "<script><!--<script>", "<script>'<!--'</script>", "<!--", "-->", "--!>",
    "<!-->", "<!--->", "<!-- a -->", "<!a>", "<?a>", "</>", "</ a>", "<", "<a", "<![CDATA[",
    "]]>", "<![CDATA[>", "<noscript>", "</noscript>", "<noscript><!--", "<noscript><p title='",
    "<noscript><style>", "<noscript>a</noscript>", "<template>", "</template>", "<template><col>",
    "<select>", "</select>", "<option>", "<select><svg>", "<select><style>", "<svg>", "</svg>",
    "<svg/>", "<svg a=b/>", "<svg><g>", "</g>", "<svg><title>", "<svg><desc>", "</desc>",
    "<svg><style>", "<svg><script>", "<svg><foreignObject>", "</foreignObject>", "<math>",
    "</math>", "<math><mi>", "</mi>", "<mglyph>", "<math><annotation-xml>",
    "<annotation-xml encoding=text/html>", "</annotation-xml>", "<font>", "<font color=a>",
    "<p>", "</p>",
    "<div>", "</div>", "<b>", "</b>", "<table>", "</table>", "<tr>", "<td>", "</td>", "<col>",
    "<colgroup>", "<caption>", "</br>", "<br/>", "<input>", "<button>", "<li>", "<h1>",
    '<a b="', '">', "'>", "<a b='", "<p title=", "<a b = ", '"', "'", "=", "/", ">", " ", "\n",
    "\0", "&lt;", "a", "é",
)  # fmt: skip
"""What changes how the rest of a page is read."""


def fetches_from(host: str) -> tuple[str, ...]:
    """Pieces of HTML that name `host` (ASCII, without port), in every way that HTML knows.

    Those with ``/no`` at the end of the address fetch nothing: a page has such beside the others,
    and pictures of its own, which a ``<base>`` may turn into the host's.
    """
    escaped = f"%{ord(host[0]):02x}{host[1:]}"
    return tuple(
        piece.replace("%74hird.example", escaped)
        .replace("third.example", host)
        .replace("THIRD.EXAMPLE", host.upper())
        for piece in _FETCHING
    )


def pages_with_third_parties(hosts: Sequence[str]) -> st.SearchStrategy[bytes]:
    """Pages that fetch from some of `hosts` (ASCII, without port), as UTF-8.

    Half of them are whole documents; the others are pieces in any order, with
    tags, comments, scripts and foreign content left open: what a page of a hostile author, or cut
    by a proxy, may be. In those the pieces that fetch may be inert.
    """
    fetching = st.sampled_from([piece for host in hosts for piece in fetches_from(host)])
    plain = st.sampled_from(["<p>Hello</p>", "<img src=/a.png>", "<script>1</script>", "<br>"])
    document = st.tuples(st.lists(plain | fetching, max_size=5), fetching, st.lists(plain)).map(
        lambda parts: _document("".join([*parts[0], parts[1], *parts[2]]))
    )
    awkward = st.sampled_from(AWKWARD)
    pieces = st.tuples(
        st.lists(awkward | awkward | fetching, max_size=8), fetching, st.lists(awkward, max_size=3)
    ).map(lambda parts: "".join([*parts[0], parts[1], *parts[2]]))
    return (document | pieces).map(str.encode)


def _document(body: str) -> str:
    head = "<!doctype html><html lang=en><head><meta charset=utf-8><title>A page</title></head>"
    return f"{head}<body>{body}</body></html>"

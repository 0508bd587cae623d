"""A fuzz target for consentkit.wire.cookies: ``python tests/wire/fuzz_cookies.py [seconds]``.

It has never heard of what a good cookie looks like. `check_invariants` says what holds for any
bytes whatever; the tests feed it from Hypothesis, this file from atheris where that is installed,
else from a mutator with a fixed seed, so that a failure comes back on the next run.
"""

from __future__ import annotations

import random
import sys
import time
from dataclasses import replace
from itertools import count

from consentkit.testing.strategies import COOKIE_WORDS
from consentkit.wire import cookies

FIRST_YEAR_1601 = -11_644_473_600.0
FIRST_YEAR_10000 = 253_402_300_800.0
MOMENTS = (FIRST_YEAR_1601, -1.0, 0.0, 1_785_542_400.5, FIRST_YEAR_10000)
DROPPED = frozenset({b"max-age", b"expires"})

SEEDS = (
    b"",
    b"sid=1; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax",
    b"__Host-Http-sid=1; Secure; HttpOnly; Path=/; Partitioned",
    b"=__Secure-x; Secure",
    b"a=b; Expires=Fri, 07-Aug-27 08:04:19 GMT; Domain=.Example.ORG; Path=; Max-Age=-0",
    b"a=b; Expires=31 Feb 1600 24:60:60; max-age=99999999999999999999999999999999",
    b'sid="1;2"; flag; sid=; =x; ==y; \xc3\xa9=\xff;; ;\t',
    b"a=" + b"x" * cookies.MAX_PAIR + b"; Path=/" + b"y" * cookies.MAX_ATTRIBUTE,
    b"a=b;" * (cookies.MAX_PAIRS + 1),
)


def check_invariants(data: bytes) -> None:
    """Check `data` as a Set-Cookie, a Cookie and a date; raise AssertionError where one fails."""
    check_set_cookie(data)
    check_attributes(data)
    check_changes(data)
    check_cookie(data)
    check_date(data)


def check_set_cookie(raw: bytes) -> None:
    """The fast name is the parsed name, and what is parsed is within the limits."""
    cookie = cookies.parse_set_cookie(raw)
    if cookie is None:
        return
    assert cookie.name == cookies.set_cookie_name(raw)
    assert cookie.attributes == cookies.parse_attributes(cookies.set_cookie_tail(raw))
    assert 0 < len(cookie.name) + len(cookie.value) <= cookies.MAX_PAIR
    assert b";" not in cookie.name + cookie.value
    assert b"=" not in cookie.name
    for part in (cookie.name, cookie.value):
        assert part == part.strip(b" \t")
    # A domain that still begins with a dot (it was sent with two) is no host's.
    if cookies.is_printable_name(cookie.name) and (cookie.attributes.domain or b"x")[:1] != b".":
        check_removal(cookie)


def check_removal(cookie: cookies.SetCookie) -> None:
    """A cookie that was set can be expired: same name, domain, path and Partitioned."""
    given = cookie.attributes
    try:
        printed = cookies.print_removal(
            cookie.name,
            path=given.path or b"/",
            domain=given.domain,
            http_only=given.http_only,
            partitioned=given.partitioned,
        )
    except ValueError:
        return  # the domain or the path is one that cannot be printed
    removal = cookies.parse_set_cookie(printed)
    assert removal is not None
    assert (removal.name, removal.attributes.domain) == (cookie.name, given.domain)
    assert removal.attributes.path == given.path or given.path is None
    assert all(removal.attributes.is_removal(now) for now in MOMENTS)


def check_attributes(tail: bytes) -> None:
    """A removal is a cookie that lives no second; Max-Age beats Expires at any time."""
    given = cookies.parse_attributes(tail)
    for now in MOMENTS:
        lifetime = given.lifetime(now)
        assert given.is_removal(now) == (lifetime is not None and lifetime <= 0)
        assert (lifetime is None) == (given.max_age is None and given.expires is None)
        if given.max_age is not None:
            assert lifetime == given.max_age
    assert given.domain is None or (given.domain and given.domain == given.domain.lower())
    assert given.path is None or given.path.startswith(b"/")
    assert len(given.domain or b"") <= cookies.MAX_ATTRIBUTE
    assert len(given.path or b"") <= cookies.MAX_ATTRIBUTE


def check_changes(raw: bytes) -> None:
    """What is dropped is gone, what is added counts, and nothing else changes."""
    dropped = cookies.drop_attributes(raw, DROPPED)
    before = cookies.parse_attributes(cookies.set_cookie_tail(raw))
    after = cookies.parse_attributes(cookies.set_cookie_tail(dropped))
    assert after == replace(before, max_age=None, expires=None)
    assert cookies.drop_attributes(dropped, DROPPED) is dropped
    assert dropped is raw or len(dropped) < len(raw)
    added = cookies.add_attributes(raw, b"Secure", b"Max-Age=7")
    grown = cookies.parse_attributes(cookies.set_cookie_tail(added))
    assert grown == replace(before, secure=True, max_age=7)
    for changed in (dropped, added):
        assert changed.partition(b";")[0].rstrip(b" \t") == raw.partition(b";")[0].rstrip(b" \t")


def check_cookie(raw: bytes) -> None:
    """A refused name is not there on re-reading; the others are, in order, byte for byte."""
    pairs = cookies.parse_cookie(raw)
    assert len(pairs) <= cookies.MAX_PAIRS
    everything = cookies.keep_pairs(raw, lambda _name: True)
    assert (everything is raw) == (raw.count(b";") < cookies.MAX_PAIRS)
    assert cookies.parse_cookie(everything) == pairs
    assert cookies.parse_cookie(cookies.keep_pairs(raw, lambda _name: False)) == []
    for refused in {name for name, _ in pairs[:3]}:
        kept = cookies.keep_pairs(raw, refused.__ne__)
        assert cookies.parse_cookie(kept) == [pair for pair in pairs if pair[0] != refused]
        values = [value for name, value in pairs if name == refused]
        assert cookies.first_values([raw, kept, raw], refused) == values * 2


def check_date(text: bytes) -> None:
    """A date is from 1601 to 9999, on a whole second."""
    seconds = cookies.parse_cookie_date(text)
    if seconds is not None:
        assert FIRST_YEAR_1601 <= seconds < FIRST_YEAR_10000
        assert seconds == int(seconds)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Return `data` with a few words put in, pieces taken out, or bytes changed."""
    for _ in range(rng.randint(1, 6)):
        start = rng.randint(0, len(data))
        end = min(len(data), start + rng.choice((0, 0, 1, 2, 8, 64)))
        put_in = rng.choice((b"", *rng.choices(COOKIE_WORDS, k=2), rng.randbytes(2)))
        data = data[:start] + put_in * rng.choice((1, 1, 1, 2, 40)) + data[end:]
    return data[: 1 << 14]


def run_mutator(seconds: float, seed: int = 6265) -> int:
    """Feed mutated seeds to the invariants for so many seconds; return how many were fed."""
    rng = random.Random(seed)  # noqa: S311 - it must repeat, not surprise
    corpus = list(SEEDS)
    end = time.monotonic() + seconds
    for done in count():
        if time.monotonic() >= end:
            return done
        data = mutate(rng.choice(corpus), rng)
        try:
            check_invariants(data)
        except Exception:
            print(f"input {done}, seed {seed}: {data!r}", file=sys.stderr)  # noqa: T201
            raise
        if len(corpus) < 500 and rng.random() < 0.05:  # mutants of mutants, not too many
            corpus.append(data)
    raise AssertionError("count() does not end")


def main(argv: list[str]) -> None:
    """Fuzz for the seconds given, 10 by default."""
    seconds = float(argv[1]) if len(argv) > 1 else 10.0
    try:
        import atheris  # optional
    except ImportError:
        print(f"{run_mutator(seconds)} inputs, no failure")  # noqa: T201
        return
    atheris.instrument_all()
    atheris.Setup([argv[0], f"-max_total_time={seconds:.0f}"], check_invariants)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)

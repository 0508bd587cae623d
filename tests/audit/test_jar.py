import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.audit.jar import MOST_COOKIES, Jar

SITE = "https://shop.example"


def stored(*cookies: str, url: str = f"{SITE}/a/b", now: float = 0.0) -> Jar:
    jar = Jar()
    for cookie in cookies:
        jar.store(cookie.encode(), url, now)
    return jar


def sent(jar: Jar, url: str, now: float = 0.0) -> list[str]:
    return [cookie.name.decode() for cookie in jar.sent_to(url, now)]


def test_a_cookie_goes_back_to_where_it_belongs() -> None:
    """RFC 6265bis 5.8.3: the host or the domain, at or below the path; the longest path first."""
    jar = stored("host=1; Path=/", "deep=1", "wide=1; Domain=shop.example; Path=/")
    assert sent(jar, f"{SITE}/a/b") == ["deep", "host", "wide"]
    assert sent(jar, f"{SITE}/a") == ["deep", "host", "wide"]
    assert sent(jar, f"{SITE}/ab") == ["host", "wide"]
    assert sent(jar, "https://www.shop.example/a") == ["wide"]
    assert sent(jar, "https://other.example/a") == []


@pytest.mark.parametrize(
    ("cookie", "url"),
    [
        ("a=1; Domain=other.example", f"{SITE}/"),
        ("a=1; Domain=com", "https://shop.com/"),
        ("a=1; Domain=co.uk", "https://shop.co.uk/"),
        ("a=1; Domain=0.0.1", "https://127.0.0.1/"),
        ("a=1; Secure", "http://shop.example/"),
        ("__Host-a=1; Secure; Path=/x", f"{SITE}/"),
        ("a=1; Max-Age=0", f"{SITE}/"),
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", f"{SITE}/"),
    ],
)
def test_what_a_browser_would_not_store_is_not_stored(cookie: str, url: str) -> None:
    """RFC 6265bis 5.7: another's domain, a public suffix, a promise of a name that is broken."""
    assert Jar().store(cookie.encode(), url, 100.0) is None
    control = cookie.partition(";")[0].replace("__Host-", "") + "; Path=/"
    assert Jar().store(control.encode(), url, 100.0) is not None


def test_a_public_suffix_that_is_the_very_host_is_host_only() -> None:
    """5.7, step 8: localhost may name itself."""
    jar = stored("a=1; Domain=localhost; Path=/", url="http://localhost/")
    assert sent(jar, "http://localhost/") == ["a"]
    assert sent(jar, "http://a.localhost/") == []


def test_secure_cookies_stay_on_https_and_on_this_machine() -> None:
    """As Chromium has it: a machine may trust itself without TLS."""
    jar = stored("a=1; Secure; Path=/")
    assert sent(jar, "http://shop.example/") == []
    assert sent(jar, f"{SITE}/") == ["a"]
    here = stored("a=1; Secure; Path=/", url="http://127.0.0.1:8000/")
    assert sent(here, "http://127.0.0.1:9000/") == ["a"]


def test_plain_http_lays_nothing_over_a_secure_cookie() -> None:
    """5.7, step 13: whoever is on the wire may not change what came by TLS."""
    jar = stored("a=1; Secure; Path=/")
    jar.store(b"a=2; Path=/", "http://shop.example/", 0.0)
    assert [cookie.value for cookie in jar.sent_to(f"{SITE}/", 0.0)] == [b"1"]
    jar.store(b"b=2; Path=/", "http://shop.example/", 0.0)
    assert sent(jar, f"{SITE}/") == ["a", "b"]


def test_a_cookie_ends_when_it_is_removed_and_when_its_time_is_up() -> None:
    jar = stored("a=1; Path=/", "b=1; Max-Age=10; Path=/", "c=1; Path=/x")
    assert sent(jar, f"{SITE}/", now=9.0) == ["a", "b"]
    assert sent(jar, f"{SITE}/", now=10.0) == ["a"]
    jar.store(b"a=; Max-Age=0; Path=/", f"{SITE}/", 0.0)
    jar.store(b"c=; Max-Age=0; Path=/", f"{SITE}/", 0.0)
    assert sent(jar, f"{SITE}/x") == ["c", "b"]


def test_a_copy_of_a_jar_is_another_jar() -> None:
    """Each visit has its own, so that none finds what another left."""
    jar = stored("a=1; Path=/")
    copy = jar.copy()
    copy.store(b"b=1; Path=/", f"{SITE}/", 0.0)
    assert (sent(jar, f"{SITE}/"), sent(copy, f"{SITE}/")) == (["a"], ["a", "b"])


def test_a_cookie_that_is_set_again_keeps_its_place() -> None:
    """5.7, step 22: the creation time of the old one counts."""
    assert sent(stored("a=1; Path=/", "b=1; Path=/", "a=2; Path=/"), f"{SITE}/") == ["a", "b"]


def test_a_jar_has_a_bound() -> None:
    jar = stored(*(f"c{n}=1; Path=/" for n in range(MOST_COOKIES + 9)), "c1=2; Path=/")
    assert len(sent(jar, f"{SITE}/")) == MOST_COOKIES
    assert jar.sent_to(f"{SITE}/", 0.0)[1].value == b"2"


@given(
    st.lists(st.binary(max_size=40), max_size=6), st.sampled_from([f"{SITE}/a", "http://[::1]/"])
)
def test_any_set_cookie_is_read(raws: list[bytes], url: str) -> None:
    """Whatever a server sends: no error, and what is stored goes back to its own host alone."""
    jar = Jar()
    for raw in raws:
        jar.store(raw, url, 0.0)
    assert jar.sent_to("https://elsewhere.example/", 0.0) == []

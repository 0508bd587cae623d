"""Which declared host covers a host, against the definition told once more."""

from hypothesis import example, given
from hypothesis import strategies as st

from consentkit.rules.hosts import LONGEST_HOST, HostIndex, is_at_or_below, plain_host

labels = st.sampled_from(["a", "b", "com", "xn--bcher-kva", "1"])
hosts = st.lists(labels, min_size=1, max_size=4).map(".".join)
patterns = hosts.map("*.{}".format)


def by_hand(declared: list[str], host: str) -> str | None:
    """The exact host, else the longest of the patterns that end as it does."""
    if host in declared:
        return host
    fitting = [each for each in declared if each.startswith("*.") and host.endswith(each[1:])]
    return max(fitting, key=len, default=None)


@given(st.lists(hosts | patterns, unique=True), hosts)
@example(["*.com"], "com")
@example(["*.b.com", "*.com", "a.b.com"], "a.b.com")
def test_the_exact_host_wins_and_then_the_longest_pattern(declared: list[str], host: str) -> None:
    """One host has one meaning, whatever the order of the file."""
    index = HostIndex({each: each for each in declared})
    assert index.find(host) == by_hand(declared, host)


def test_a_pattern_covers_what_is_below_and_nothing_else() -> None:
    """CSP3 6.7.2.8 reads a host source so too, and the backstop stops what the page does."""
    index = HostIndex({"*.example.com": True})
    assert index.find("a.b.example.com")
    for host in ("example.com", "notexample.com", "example.com.evil.test", "com", "", "."):
        assert index.find(host) is None


def test_letter_case_and_the_last_dot_mean_nothing() -> None:
    """RFC 4343, and RFC 3986 6.2.2.1: browsers ask the same server for both."""
    index = HostIndex({"Maps.Example.": 1, "*.EXAMPLE.org": 2})
    assert index.find("maps.example") == index.find("MAPS.EXAMPLE.") == 1
    assert index.find("A.example.ORG.") == 2
    assert plain_host("A.example.") == "a.example"


def test_of_one_host_named_twice_the_first_counts() -> None:
    """Two services may share a host where they have one purpose."""
    assert HostIndex({"a.example": 1, "A.example": 2}).find("a.example") == 1


def test_a_host_that_cannot_be_is_not_looked_for() -> None:
    """A page may hold anything, and no host may take longer the longer it is."""
    longest = "a." * ((LONGEST_HOST - 3) // 2) + "com"
    index = HostIndex({"*.com": True})
    assert index.find(longest)
    assert index.find("a." * LONGEST_HOST + "com") is None
    assert index.find("[2001:db8::1]") is None


@given(hosts, hosts)
def test_below_is_told_by_whole_labels(host: str, domain: str) -> None:
    """evil-example.com is not below example.com."""
    ends = host.split(".")[-len(domain.split(".")) :] == domain.split(".")
    assert is_at_or_below(host, domain) is ends

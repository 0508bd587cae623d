"""Which host an address in a page is fetched from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.wire.urls import (
    host_of,
    hosts_of_srcset,
    may_name_a_host,
    url_text,
    urls_of_srcset,
)


@pytest.mark.parametrize(
    ("value", "host"),
    [
        (b"https://evil.test/a", "evil.test"),
        (b"//evil.test", "evil.test"),
        (b"  \n//evil.test?a", "evil.test"),
        (b"\x01\x1f//evil.test", "evil.test"),
        (b"HTTPS://EVIL.TEST/", "evil.test"),
        (b"https:evil.test", "evil.test"),
        (b"https:/evil.test/a", "evil.test"),
        (b"https:\\\\evil.test\\a", "evil.test"),
        (b"////evil.test", "evil.test"),
        (b"/\\evil.test", "evil.test"),
        (b"\\/evil.test", "evil.test"),
        (b"/\t/ev\nil.te\rst", "evil.test"),
        (b"ht\ntps://evil.test", "evil.test"),
        (b"&#x2f;&sol;evil&period;test&quest;", "evil.test"),
        (b"h&#116;tps&colon;//evil.test", "evil.test"),
        (b"//evil.test&#47a", "evil.test"),
        (b"//user:pass@evil.test:8443/", "evil.test"),
        (b"//own.test@evil.test", "evil.test"),
        (b"//a@own.test@evil.test", "evil.test"),
        (b"//own.test\\@evil.test", "own.test"),
        (b"//own.test/@evil.test", "own.test"),
        (b"//own.test?@evil.test", "own.test"),
        (b"//own.test#@evil.test", "own.test"),
        (b"//evil.test.", "evil.test"),
        (b"//e%76il.test", "evil.test"),
        (b"//evil.test:", "evil.test"),
        (b"wss://evil.test", "evil.test"),
        ("//b\u00fccher.test".encode(), "xn--bcher-kva.test"),
        ("//B\u00dcCHER.test".encode(), "xn--bcher-kva.test"),
        (b"//b%C3%BCcher.test", "xn--bcher-kva.test"),
        ("//stra\u00dfe.test".encode(), "xn--strae-oqa.test"),
        ("//evil\u3002test".encode(), "evil.test"),
        ("//\uff45vil.test".encode(), "evil.test"),
        ("//ev\u00adil.test".encode(), "evil.test"),
        (b"//localhost:80/", "localhost"),
        (b"//[::1]:80/", "[::1]"),
        (b"//[0:0::0001]/", "[::1]"),
        (b"//127.0.0.1", "127.0.0.1"),
        (b"//0x7f.1", "127.0.0.1"),
        (b"//0177.0.0.01", "127.0.0.1"),
        (b"//2130706433", "127.0.0.1"),
        (b"//0X/", "0.0.0.0"),
        (b"//1.2.3.4.example", "1.2.3.4.example"),
    ],
)
def test_a_host_is_read_as_browsers_read_it(value: bytes, host: str) -> None:
    """URL Standard 4.4; what a look-alike hides in a query or a user name is no host."""
    assert host_of(value) == host
    assert host_of(value, "base.test") == host


@pytest.mark.parametrize(
    "value",
    [
        b"data:text/html,//evil.test", b"javascript:'//evil.test'", b"blob:https://evil.test/1",
        b"about:blank", b"mailto:a@evil.test", b"https:", b"https:///", b"//", b"//@", b"//:80",
        b"//[::1", b"//[::g]/", b"//[]", b"//ex ample", b"//a%00b", b"//a%zzb", b"//a|b",
        b"//256.0.0.1", b"//1.2.3.4.5", b"//a.1", b"//4294967296", b"//08", b"//" + b"9" * 1000,
    ],
)  # fmt: skip
def test_what_is_not_fetched_from_a_host_has_none(value: bytes) -> None:
    """Other schemes, and addresses that a browser's parser refuses."""
    assert host_of(value) is None
    assert host_of(value, "base.test") is None


@pytest.mark.parametrize(
    "value",
    [
        b"//" + b"9" * 5000, b"//" + b"a" * 2000, b"//x\x83|.own.test/a", b"//\x83@own.test/a",
        b"//\x83[own.test]", b"//own.test\x83:80", b"//" + b"\xc3\xa9" * 2000 + b".own.test",
    ],
)  # fmt: skip
def test_a_host_that_cannot_be_read_is_nobody_s(value: bytes) -> None:
    """In Shift_JIS, "@", "[" and "|" may be the second half of a letter; too long is too long."""
    host = host_of(value)
    assert host is not None
    assert host.endswith("?")  # no host ends so, and no pattern of a policy
    assert host.isascii()
    assert len(host) <= 65
    assert host_of(value, "base.test") == host


IGNORED = [0xAD, 0x34F, 0x180B, 0x180D, 0x180F, 0x200B, 0x200C, 0x200D, 0x2060, 0x2064, 0xFE00,
           0xFE0F, 0xFEFF, 0xE0100, 0xE01EF]  # fmt: skip


@pytest.mark.parametrize("number", IGNORED)
@pytest.mark.parametrize("count", [1, 1100])
def test_what_is_ignored_in_a_host_hides_none(number: int, count: int) -> None:
    """UTS 46 maps these away, however many there are."""
    assert host_of(f"//ev{chr(number) * count}il.test".encode()) == "evil.test"
    assert host_of(f"//ev{chr(number)}\u00efl.test".encode()) is not None


def test_a_joiner_among_other_letters_is_a_letter() -> None:
    """It makes another name of a Persian one (URL Standard: CheckJoiners, not transitional)."""
    name = "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc"
    assert host_of(f"//{name}.test".encode()) == "xn--mgba3gch31f060k.test"


@pytest.mark.parametrize(
    "value",
    [b"", b"/", b"a.js", b"/a//evil.test", b"?//evil.test", b"#//evil.test", b"a:80/", b"./a:b",
     b" /a", b"&#x2f;a", b"&amp;//evil.test", b"&copy=//evil.test", b"&nothing;//evil.test"],
)  # fmt: skip
def test_a_relative_address_is_the_base_s(value: bytes) -> None:
    """<base href> says whose it is; without one it is the page's own, and no host is named."""
    if not value.startswith(b"a:"):
        assert host_of(value, "base.test") == "base.test"
    assert host_of(value) is None


@given(st.text(max_size=40), st.sampled_from(["//", "https://", "/", "\\\\", ""]))
def test_any_address_has_a_host_of_ascii_or_none(text: str, start: str) -> None:
    """What the index of hosts is asked is always written one way."""
    host = host_of((start + text).encode("utf-8", "replace"))
    assert host is None or (host.isascii() and host == host.lower() and not host.endswith("."))


@pytest.mark.parametrize(
    ("value", "urls"),
    [
        (b"", ()),
        (b"a.png", (b"a.png",)),
        (b" a.png 1x , b.png 2x,c.png", (b"a.png", b"b.png", b"c.png")),
        (b"a.png,b.png", (b"a.png,b.png",)),
        (b"a.png, ,,b.png,,", (b"a.png", b"b.png")),
        (b"a.png (1,2) x,b.png (", (b"a.png", b"b.png")),
        (b"data:,a 1x, b", (b"data:,a", b"b")),
        (b"a&#32;1x&comma; b?c&amp;d 2x", (b"a", b"b?c&amp;d")),
    ],
)
def test_a_srcset_is_cut_where_browsers_cut_it(value: bytes, urls: tuple[bytes, ...]) -> None:
    """HTML 4.8.4.3.9: white space separates, and a comma only at an address's end."""
    assert urls_of_srcset(value) == urls


def test_the_hosts_of_a_srcset_stand_in_order_and_once() -> None:
    """Each host is asked about once."""
    assert hosts_of_srcset(b"//b.test/1, //a.test/2 2x, //b.test/3 3x, c") == ("b.test", "a.test")
    assert hosts_of_srcset(b"//b.test/1, c", "a.test") == ("b.test", "a.test")


def test_an_address_for_a_link_is_decoded_and_trimmed() -> None:
    """It is shown to people, and put into another attribute."""
    assert url_text(b" https://x.test/?a=1&amp;b=2&copy=3&copy;&#0;\n") == (
        "https://x.test/?a=1&b=2&copy=3\u00a9\ufffd"
    )


PIECES = [
    "/", "\\", "\t", "\n", "&#47;", "&#x2F", "&sol;", "&bsol;", "&Tab;", "&NewLine;", "&colon;",
    "http", "HTTPS", "ws", ":", "&#58;", "evil.test", "@", " ", "&amp;", "s", "a",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=7).map("".join))
def test_no_address_with_a_host_escapes_the_quick_look(address: str) -> None:
    """A page that is passed after it has nothing that could be fetched from elsewhere."""
    value = address.encode()
    assert host_of(value) is None or may_name_a_host(b"<img src='" + value + b"'>")
    once_more = value.replace(b"&", b"&amp;")  # in a srcdoc
    assert host_of(value) is None or may_name_a_host(once_more)


@pytest.mark.parametrize(
    "text", [b"<a href='/a?b=1&amp;c'>a: b</a>", b"<p style='color:red'>&nbsp;</p>", b""]
)
def test_the_quick_look_lets_ordinary_markup_pass(text: bytes) -> None:
    """The control: it is of use."""
    assert not may_name_a_host(text)

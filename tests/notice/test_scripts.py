"""What the scripts in a page are told, and the holes in their markup."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.notice.scripts import NOTHING, Hole, cut, head_scripts, state_json
from consentkit.rules.names import NamePattern
from consentkit.rules.policy import Policy
from tests.notice import policy_of, tree

STORAGE: dict[str, Any] = {
    "seen-{id}": {"where": "local", "purpose": "analytics", "description": "d"},
    "seen-help": {"where": "local", "purpose": "necessary", "description": "d"},
    "seen-{id}-now": {"where": "local", "purpose": "necessary", "description": "d"},
    "both": {"where": "local", "purpose": ["analytics", "embeds"], "description": "d"},
    "tab*": {"where": "session", "purpose": "analytics", "description": "d"},
    "visits.$1": {"where": "indexed-db", "purpose": "analytics", "description": "d"},
}


def state(policy: Policy, *purposes: str, **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(
        state_json(policy, purposes, more.pop("services", ()), **more)
    )
    return told


# Holes


def test_each_hole_takes_its_own() -> None:
    """The page to come back to differs with the page, the nonce with the response."""
    hole = cut(b'<a><input name="next" value=""><script nonce=""></script><b nonce=""></b>')
    assert hole.fill(b"/a?b&c", b"bm9u") == (
        b'<a><input name="next" value="/a?b&amp;c"><script nonce="bm9u"></script>'
        b'<b nonce="bm9u"></b>'
    )
    assert hole.fill(b"/") == b'<a><input name="next" value="/"><script></script><b></b>'


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        (b"<p>", b"<p>"),
        (b'<p><b nonce="">', b'<p><b nonce="x">'),
        (b'name="next" value="">', b'name="next" value="/y">'),
        (b"", b""),
    ],
)
def test_no_hole_need_be_there(markup: bytes, expected: bytes) -> None:
    """A line has no form, and a page without the script no nonce."""
    assert cut(markup).fill(b"/y", b"x") == expected


def test_a_nonce_ends_no_attribute() -> None:
    """It comes from a header of the app's, which nobody has checked."""
    assert cut(b'<b nonce="">').fill(b"", b'"><i>') == b'<b nonce="&quot;&gt;&lt;i&gt;">'
    assert Hole(b"a", b"").fill(b"/x", b"y") == b"a"
    assert NOTHING.fill(b"/x", b"y") == b""


# The state


def test_the_state_names_what_is_allowed_in_the_policys_order() -> None:
    """Equal answers give equal texts, whatever order they came in."""
    told = state(policy_of(), "embeds", "necessary", services={"films"}, open_purposes=["polls"])
    assert told == {
        "purposes": ["necessary", "embeds"],
        "services": ["films"],
        "clear": {},
        "open": ["polls"],
    }


def test_what_is_stored_and_not_allowed_is_to_be_cleared() -> None:
    """Every purpose of an item must be allowed (R-28)."""
    policy = policy_of(storage=STORAGE)
    assert {*state(policy)["clear"]} == {"localStorage", "sessionStorage", "indexedDB"}
    granted = state(policy, "necessary", "analytics")["clear"]
    assert granted == {"localStorage": "^(?:both)$"}
    assert state(policy, "necessary", "analytics", "embeds")["clear"] == {}


@pytest.mark.parametrize(
    ("where", "name", "is_cleared"),
    [
        ("localStorage", "seen-1", True),
        ("localStorage", "seen-help", False),
        ("localStorage", "seen-helping", True),
        ("localStorage", "seen-1-now", False),
        ("localStorage", "seen-", False),
        ("localStorage", "seen-a\nb", True),
        ("localStorage", "xseen-1", False),
        ("localStorage", "both", True),
        ("sessionStorage", "tab", True),
        ("sessionStorage", "table", True),
        ("sessionStorage", "ta", False),
        ("indexedDB", "visits.$1", True),
        ("indexedDB", "visitsx$1", False),
    ],
)
def test_names_are_covered_as_the_policy_covers_them(
    where: str, name: str, *, is_cleared: bool
) -> None:
    """What is declared more closely, and allowed, is spared."""
    clear = state(policy_of(storage=STORAGE), "necessary")["clear"]
    assert bool(in_python(clear[where]).match(name)) is is_cleared


def in_python(pattern: str) -> re.Pattern[str]:
    r"""A regular expression of ours: ``[^]`` is JavaScript's for any character at all."""
    return re.compile(pattern.replace("[^]", r"[\s\S]").replace("$", r"\Z"))


@given(
    st.lists(st.text(alphabet="ab.*$^\\/-{[(|é\U0001f36a", min_size=1, max_size=4), max_size=2),
    st.text(alphabet="ab.$^\\/-é\U0001f36a", max_size=9),
)
def test_a_pattern_reads_the_same_in_a_browser(pieces: list[str], name: str) -> None:
    """One rule for names, in two languages; names are what they are, and no syntax."""
    text = "{x}".join(re.sub(r"[{}*]", "", piece) + "a" for piece in pieces) or "a"
    told = json.loads(
        state_json(
            policy_of(
                storage={text: {"where": "local", "purpose": "analytics", "description": "d"}}
            ),
            (),
            (),
        )
    )
    escaped = told["clear"]["localStorage"]
    units = re.sub(r"\\ud83c\\udf6a", "\U0001f36a", escaped)  # Python's patterns know no surrogates
    assert bool(in_python(units).match(name)) == NamePattern.parse(text).covers(name)


# The scripts in the head

USED = {
    "google-consent-mode": {"signals": {"ad_storage": "embeds"}, "region": ["DE"]},
    "microsoft-clarity": {"ad-storage": "embeds"},
    "microsoft-uet": {"ad-storage": "embeds"},
    "matomo": {"purpose": "analytics", "consent": "cookies"},
}


def told(policy: Policy, name: str, *purposes: str) -> tuple[Any, Any]:
    markup = head_scripts(policy, purposes, {name: f"/{name}"}).fill(b"", b"bm9u")
    [script] = tree(markup).iter("script")
    assert (script.get("src"), script.get("nonce")) == (f"/{name}", "bm9u")
    return (
        json.loads(script.get("data-purposes") or ""),
        json.loads(script.get("data-settings") or ""),
    )


def test_the_guard_has_every_declared_name_the_closest_first() -> None:
    """It finds what covers a name as the server does: exact before pattern, long before short."""
    kind = {"kind": "session", "description": "d"}
    policy = policy_of(
        cookies={
            "a{x}": {**kind, "purpose": "analytics"},
            "ab{x}": {**kind, "purpose": ["analytics", "embeds"]},
            "abc": {**kind, "purpose": "necessary", "chunked": True},
        }
    )
    purposes, settings = told(policy, "guard.js", "necessary", "embeds")
    assert purposes == ["necessary", "embeds"]
    assert settings == {
        "cookies": [
            [r"^abc(?:(?:C|-|\.)[0-9]{1,2})?$", []],
            ["^ab[^]+$", ["analytics", "embeds"]],
            ["^a[^]+$", ["analytics"]],
        ],
        "others": False,
    }
    assert told(policy_of(undeclared="report"), "guard.js")[1]["others"] is True


def test_google_is_told_all_seven_signals_denied_but_for_security() -> None:
    """R-56, R-57."""
    _, settings = told(policy_of(integrations=USED), "google-consent-mode.js")
    denied = ("ad_storage", "ad_user_data", "ad_personalization", "analytics_storage")
    assert settings["default"] == {
        **dict.fromkeys((*denied, "functionality_storage", "personalization_storage"), "denied"),
        "security_storage": "granted",
        "wait_for_update": 500,
        "region": ["DE"],
    }
    assert settings["signals"]["ad_storage"] == ["embeds"]
    assert settings["signals"]["ad_user_data"] == []
    assert (settings["redacts"], settings["passes"]) == (True, False)
    everywhere = {"google-consent-mode": {"signals": {"ad_storage": "embeds"}}}
    _, settings = told(policy_of(integrations=everywhere), "google-consent-mode.js")
    assert "region" not in settings["default"]


def test_the_others_are_told_what_they_hang_on() -> None:
    """R-58, R-59; of Microsoft's two, only what is used."""
    policy = policy_of(integrations=USED)
    assert told(policy, "microsoft.js")[1] == {
        "clarity": {"ad_Storage": ["embeds"], "analytics_Storage": []},
        "uet": {"ad_storage": ["embeds"]},
    }
    assert told(policy, "matomo.js")[1] == {"waits": "cookies", "needs": ["analytics"]}
    alone = policy_of(integrations={"microsoft-uet": {"ad-storage": "embeds"}})
    assert told(alone, "microsoft.js")[1] == {"uet": {"ad_storage": ["embeds"]}}


def test_what_a_policy_does_not_use_is_told_nothing() -> None:
    """Asked for all the same, a script finds no settings."""
    assert told(policy_of(), "google-consent-mode.js")[1] is None
    assert told(policy_of(), "matomo.js")[1] is None
    assert head_scripts(policy_of(), (), {}) is NOTHING


def test_scripts_stand_in_the_order_they_are_given() -> None:
    """The guard comes before what it guards against."""
    names = ["guard.js", "google-consent-mode.js", "matomo.js"]
    markup = head_scripts(policy_of(integrations=USED), (), {name: name for name in names})
    assert [one.get("src") for one in tree(markup.fill(b"")).iter("script")] == names
    assert [one.get("nonce") for one in tree(markup.fill(b"")).iter("script")] == [None] * 3

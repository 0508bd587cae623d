"""What the scripts in a page are told: what is allowed now, and how the site uses them.

It has never heard of what the scripts do with it, nor of where their files come from.

Everything stands in attributes of their own elements, as JSON: a page needs no inline script, so a
Content-Security-Policy with a nonce is enough (LAW R-92). The nonce differs with each response and
the rest does not, so the markup is made once, with a `Hole`.

Names go to the browser as regular expressions, which read the same in every engine: what stands for
itself is written as it is or as an escape, and a placeholder as ``[^]+``.
"""

from __future__ import annotations

import json
from collections import defaultdict
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from consentkit.notice.templates import render
from consentkit.rules.names import NamePattern
from consentkit.rules.policy import Policy, Undeclared, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping


__all__ = ["NOTHING", "Hole", "cut", "head_scripts", "state_json"]

_NEXT: Final = b'name="next" value="'
_NONCE: Final = b' nonce=""'
"""Bare quotes stand in our templates only, so nothing from a policy can look like these two."""


class Hole(NamedTuple):
    """Markup with at most one hole for the page to come back to, then holes for a nonce.

    `after` follows the first hole, and is empty where there is none; `rest` is what stands behind
    each hole for a nonce.
    """

    before: bytes
    after: bytes
    rest: tuple[bytes, ...] = ()

    def fill(self, next_path: bytes, nonce: bytes = b"") -> bytes:
        """The markup with `next_path` (a path and query, percent-encoded) and `nonce` in the holes.

        `nonce` is that of the page's Content-Security-Policy, empty where it has none.
        """
        markup = self.before
        if self.after:
            value = escape(next_path.decode("latin-1")).encode("ascii", "xmlcharrefreplace")
            markup += value + self.after
        if self.rest:
            joint = b' nonce="%b"' % escape(nonce.decode("latin-1")).encode() if nonce else b""
            markup += joint + joint.join(self.rest)
        return markup


NOTHING: Final = Hole(b"", b"")
"""No markup at all."""


def cut(markup: bytes) -> Hole:
    """Rendered markup, cut at its holes."""
    before, hole, behind = markup.partition(_NEXT)
    first, *rest = (behind if hole else before).split(_NONCE)
    return Hole(before + hole, first, tuple(rest)) if hole else Hole(first, b"", tuple(rest))


_KEPT_IN: Final = MappingProxyType(
    {
        Where.LOCAL: "localStorage",
        Where.SESSION: "sessionStorage",
        Where.INDEXED_DB: "indexedDB",
    }
)


def state_json(
    policy: Policy,
    purposes: Collection[str],
    services: Collection[str],
    open_purposes: Collection[str] = (),
    *,
    clears: bool = True,
) -> str:
    """What `consent.js` is told of a visitor.

    `purposes` are allowed now, `services` may load now, `open_purposes` are still asked about: with
    them equal texts mean equal notices. `clear` has, for each kind of storage, a regular expression
    for the names that are declared and not allowed; it is empty where nothing `clears`, as on
    a page for children, whose storage is that of the whole site.
    """
    blocked: dict[Where, list[NamePattern]] = defaultdict(list)
    spared: dict[Where, list[NamePattern]] = defaultdict(list)
    for name, item in policy.storage.items():
        known = spared if {*item.purpose} <= {*purposes} else blocked
        known[item.where].append(NamePattern.parse(name))
    clear = {_KEPT_IN[where]: _any_of(blocked[where], spared[where]) for where in blocked if clears}
    state = {
        "purposes": [name for name in policy.purposes if name in purposes],
        "services": [name for name in policy.services if name in services],
        "clear": clear,
        "open": [*open_purposes],
    }
    return _json(state)


def _any_of(patterns: Iterable[NamePattern], spared: Collection[NamePattern]) -> str:
    """A regular expression for the names that `patterns` cover and nothing closer spares."""
    found = []
    for pattern in patterns:
        closer = [one for one in spared if _is_closer(one, pattern) and one.overlaps(pattern)]
        but = f"(?!(?:{'|'.join(map(_regex, closer))})$)" if closer else ""
        found.append(but + _regex(pattern))
    return f"^(?:{'|'.join(found)})$"


def _is_closer(one: NamePattern, other: NamePattern) -> bool:
    return _closeness(one) > _closeness(other)


def _closeness(pattern: NamePattern) -> tuple[bool, int]:
    """An exact name beats a pattern, the longer literal beats the shorter."""
    return pattern.is_exact, pattern.weight


def _regex(pattern: NamePattern) -> str:
    first, *rest = map(_literal, pattern.pieces)
    gaps = ("[^]+" if gap else "[^]*" for gap in pattern.gaps)
    return first + "".join(gap + piece for gap, piece in zip(gaps, rest, strict=True))


def _literal(text: str) -> str:
    return "".join(
        character if character.isascii() and (character.isalnum() or character == "_") else escaped
        for character in text
        for escaped in [_escape(character)]
    )


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def head_scripts(policy: Policy, purposes: Collection[str], urls: Mapping[str, str]) -> Hole:
    """The scripts that stand first in a page's head, before everything they are about.

    `purposes` are allowed now; `urls` has the URL of each script by its file name, in order
    (``guard.js``, ``google-consent-mode.js`` …). Each learns of later answers by itself.
    """
    if not urls:
        return NOTHING
    now = _json([name for name in policy.purposes if name in purposes])
    told = (
        render(
            policy,
            "head_script.html",
            policy.languages[0],
            script=url,
            purposes=now,
            settings=settings,
        )
        for name, url in urls.items()
        for settings in [_json(_SETTINGS[name](policy))]
    )
    return cut(b"".join(told))


def _guard(policy: Policy) -> object:
    patterns: list[tuple[NamePattern, str, list[str]]] = []
    for name, cookie in policy.cookies.items():
        pattern = NamePattern.parse(name)
        needed = [one for one in cookie.purpose if one in policy.optional_purposes]
        chunk = r"(?:(?:C|-|\.)[0-9]{1,2})?" if cookie.chunked and pattern.is_exact else ""
        patterns.append((pattern, _regex(pattern) + chunk, needed))
    patterns.sort(key=lambda each: _closeness(each[0]), reverse=True)
    return {
        "cookies": [(f"^{regex}$", needed) for _, regex, needed in patterns],
        "others": policy.undeclared is Undeclared.REPORT,
    }


def _google_consent_mode(policy: Policy) -> object:
    google = policy.integrations.google_consent_mode
    if google is None:
        return None
    # All seven signals, whoever the visitor is: what they answered follows (LAW R-56).
    default: dict[str, object] = dict.fromkeys(google.purposes_of, "denied")
    default |= {"security_storage": "granted", "wait_for_update": google.wait_for_update}
    if google.region:
        default["region"] = google.region
    return {
        "default": default,
        "signals": google.purposes_of,
        "redacts": google.ads_data_redaction,
        "passes": google.url_passthrough,
    }


def _microsoft(policy: Policy) -> object:
    used = {
        "clarity": policy.integrations.microsoft_clarity,
        "uet": policy.integrations.microsoft_uet,
    }
    return {name: each.purposes_of for name, each in used.items() if each is not None}


def _matomo(policy: Policy) -> object:
    matomo = policy.integrations.matomo
    return None if matomo is None else {"waits": matomo.consent, "needs": matomo.purpose}


_SETTINGS: Final[Mapping[str, Callable[[Policy], object]]] = MappingProxyType(
    {
        "guard.js": _guard,
        "google-consent-mode.js": _google_consent_mode,
        "microsoft.js": _microsoft,
        "matomo.js": _matomo,
    }
)


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), default=dict)

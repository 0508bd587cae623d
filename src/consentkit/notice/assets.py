"""The files for the browser: style sheets and scripts, small, and under names that never go stale.

It has never heard of requests: it is given a file's name and gives back bytes.

The files are written by hand for people, and squeezed at first use: comments and spaces go, and a
script's own names become a letter or two signs. Nothing inside a string, a template literal or a
regular expression changes. The rules are simple because the files keep to a style: a statement ends
with its line, a regular expression stands where a value may, and no name of a script's own is also
one of the browser's.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from consentkit.rules.policy import Policy

__all__ = ["ASSETS", "SHEETS", "Asset", "asset", "assets_of", "stylesheet"]

_STYLE: Final = "text/css; charset=utf-8"
_SCRIPT: Final = "text/javascript; charset=utf-8"

ASSETS: Final = (
    "consent.css",
    "pages.css",
    "embed.css",
    "consent.js",
    "guard.js",
    "google-consent-mode.js",
    "microsoft.js",
    "matomo.js",
)
"""Every file for the browser."""

SHEETS: Final = ("consent.css", "pages.css")
"""The style sheets of our own pages; what stands in a site's page needs the first alone."""

_SCRIPTS: Final = {
    "google-consent-mode": "google-consent-mode.js",
    "microsoft-clarity": "microsoft.js",
    "microsoft-uet": "microsoft.js",
    "matomo": "matomo.js",
}
"""The script that tells each integration, by its key in a policy."""


class Asset(NamedTuple):
    """A file for the browser. Its name changes with its content, so it may be kept for ever.

    `gzip` and `brotli` are the body, compressed; `brotli` is None without the module of that name.
    """

    name: str
    content_type: str
    body: bytes
    gzip: bytes
    brotli: bytes | None


@cache
def asset(file_name: str) -> Asset:
    """One of `ASSETS`, made ready at first use. Raises KeyError for any other name."""
    if file_name not in ASSETS:
        raise KeyError(file_name)
    text = files("consentkit.notice").joinpath("assets", file_name).read_text("utf-8")
    stem, _, kind = file_name.rpartition(".")
    is_style = kind == "css"
    body = (squeezed_style(text) if is_style else squeezed_script(text)).encode()
    name = f"{stem}.{hashlib.sha256(body).hexdigest()[:12]}.{kind}"
    packed = gzip.compress(body, 9, mtime=0)
    return Asset(name, _STYLE if is_style else _SCRIPT, body, packed, _brotli(body))


def stylesheet() -> Asset:
    """The style sheet of what stands in a site's pages."""
    return asset("consent.css")


def assets_of(policy: Policy) -> Iterator[Asset]:
    """The files that the pages of a site with this policy ask for."""
    for name in (*SHEETS, "embed.css", "consent.js", *scripts_of(policy)):
        yield asset(name)


def scripts_of(policy: Policy) -> tuple[str, ...]:
    """The scripts that stand first in a page's head under this policy, in their order."""
    guard = ("guard.js",) if policy.guard else ()
    used = (_SCRIPTS[name] for name, _ in policy.integrations.used())
    return tuple(dict.fromkeys((*guard, *used)))


def _brotli(body: bytes) -> bytes | None:
    try:
        module = import_module("brotli")
    except ImportError:
        return None
    # What a mode is named for says little of which is best for so few bytes: the smallest is.
    modes = (module.MODE_GENERIC, module.MODE_TEXT, module.MODE_FONT)
    packed = [module.compress(body, quality=11, mode=mode, lgwin=16) for mode in modes]
    smallest: bytes = min(packed, key=len)
    return smallest


# Squeezing

_STRING: Final = r'"(?:[^"\\\n]|\\.)*"' + r"|'(?:[^'\\\n]|\\.)*'"
_COMMENT: Final = r"/\*.*?\*/"
_CSS: Final = re.compile(
    rf"(?P<kept>{_STRING})|\s*{_COMMENT}|\s*;\s*(?P<end>}})\s*|\s*(?P<mark>[{{}};,])\s*"
    r"|(?P<colon>:) +|(?P<space>\s+)|[^\"'\s{};,:/]+|[:/]",
    re.DOTALL,
)


def squeezed_style(text: str) -> str:
    """A style sheet without comments and needless spaces."""
    # Twice, since what stood around a comment comes together.
    for _ in range(2):
        text = _CSS.sub(_squeezed, text)
    return text.strip()


def _squeezed(found: re.Match[str]) -> str:
    if found[0].lstrip().startswith("/*"):
        return ""
    if found["space"]:
        return " "
    return found["kept"] or found["end"] or found["mark"] or found["colon"] or found[0]


_REGEX: Final = r"/(?![*/ ])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*"
_JS: Final = re.compile(
    rf"{_STRING}|`(?:[^`\\]|\\.)*`|//[^\n]*|{_COMMENT}"
    rf"|(?<=[(,=:\[!&|?{{}};>]){_REGEX}|(?<=[(,=:\[!&|?{{}};>] ){_REGEX}"
    r"|\s+|[\w$]+|=>|\?\.|\.\.\.|[^\w\s]",
    re.DOTALL,
)
_OPENS: Final = frozenset("{([,;=?:&|") | {"=>"}
_CLOSES: Final = frozenset("})].?:&|,") | {"?."}


def squeezed_script(text: str) -> str:
    """A script without comments and needless spaces, its own names cut short."""
    tokens = [token for token in _JS.findall(text) if not token.startswith(("//", "/*"))]
    short = _short_names(text, [token for token in tokens if not token.isspace()])
    return "".join(short.get(token, token) for token in _tight(tokens)).strip()


def _tight(tokens: Iterable[str]) -> Iterator[str]:
    """The tokens, with a line's end or a space only where it means something."""
    before, gap = "", ""
    for token in (*tokens, ""):
        if token.isspace():
            gap += token
            continue
        if "\n" in gap and before not in _OPENS and token not in _CLOSES:
            yield "\n"
        elif gap and (_are_words(before, token) or {before, token} <= {"+", "-"}):
            yield " "
        yield token
        before, gap = token, ""


def _are_words(before: str, after: str) -> bool:
    return bool(re.match(r"[\w$]", before[-1:]) and re.match(r"[\w$]", after))


_DECLARED: Final = re.compile(
    r"\b(?:const|let) (\w+)|\b(?:const|let) \[([\w, ]+)\]|(\w+) =>|\(([\w, =]+)\) =>"
)
_BEFORE_A_BLOCK: Final = frozenset({"", ")", "=>", "try", "catch", "else"})
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
# No word of the language ends with a digit.
_SHORT: Final = (*_LETTERS, *(letter + digit for digit in "0123456789" for letter in _LETTERS))


def _short_names(text: str, tokens: list[str]) -> dict[str, str]:
    """A short name for each that a script declares, and that is nothing else anywhere in it."""
    declared = [
        name.partition(" =")[0]
        for found in _DECLARED.findall(text)
        for name in ", ".join(found).split(", ")
    ]
    kept = {*_properties(tokens), ""}
    names = dict.fromkeys(name for name in declared if name not in kept)
    return dict(zip(names, (one for one in _SHORT if one not in tokens), strict=False))


def _properties(tokens: list[str]) -> Iterator[str]:
    """Every name that may be a property: after a dot, in a pattern or object, in a template."""
    before, is_pattern = "", [False]
    for token in tokens:
        if before in {".", "?."} or (is_pattern[-1] and before in {"{", ","}):
            yield token
        elif token.startswith("`"):
            yield from re.findall(r"\w+", token)
        match token:
            case "{":
                is_pattern.append(before not in _BEFORE_A_BLOCK)
            case "(" | "[":
                is_pattern.append(False)
            case ")" | "]" | "}":
                is_pattern.pop()
        before = token

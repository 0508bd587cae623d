"""What a page holds between two tags that matter, as one pattern: most of a page in one step.

It has never heard of what is done with the rest. It is an optimisation and nothing else: whatever
it matches, token by token reading would step over too.

The pattern is anchored and possessive, and fails fast: no byte is read more than a few times.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from typing import Final

from consentkit.wire.html import (
    BOGUS_COMMENT,
    COMMENT,
    FOREIGN,
    NAME_ENDS,
    RAW_WITH_SCRIPTING,
    REST_OF_ANY_TAG,
    REST_OF_TAG,
    SPACE,
    names_of,
    raw_text_element,
)

__all__ = ["dull_pattern"]

_NAME: Final = rb"[^\t\n\f\r />]*+"
# Tags that are read one by one: those that may fetch, and those that change how others are read.
_READ_APART: Final = RAW_WITH_SCRIPTING | FOREIGN | names_of(
    "frame img image source input video audio track embed link object use feimage base "
    "template select frameset col"
)  # fmt: skip
_MAY_HAVE_BACKGROUND: Final = names_of("body table tr td th tbody thead tfoot")
_MOSTLY: Final = b"adlpshtibucfnomevgrqwkyjxz"  # how often names begin with these
# Of these no attribute can name a host: the first character that counts settles it.
_LOCAL: Final = (
    rb"(?:/[^/\\&\t\n\r\">]|[a-z0-9_.][a-z0-9_.-]*+[/\"?#]|[?#]|data:)"
)
_LOCAL_LIST: Final = rb"[\w., %@?=~+\n-]*+(?:/[\w., %@?=~+\n-]++)*+\""
_ADDRESSES: Final = rb"src|href|poster|data"
_LOCAL_ATTRIBUTE: Final = (
    rb" (?:(?:" + _ADDRESSES + rb")=\"(?:\"|(?=" + _LOCAL + rb")[^\"]*+\")"
    rb"|srcset=\"" + _LOCAL_LIST
    + rb"|(?!(?:" + _ADDRESSES + rb"|srcset|srcdoc|imagesrcset|background)=|%(skip)b)"
    rb"[a-z][a-z-]*+(?:=\"[^\"]*+\"|(?=[ >/])))"
)  # fmt: skip
_LOCAL_NAMES: Final = rb"(?:img|link|source|input|video|audio|track|embed|object|iframe></iframe)"
_SCRIPT_TYPES: Final = rb"(?:module|text/javascript|application/(?:javascript|json|ld\+json))"
_SCRIPT_ATTRIBUTE: Final = (
    rb" (?:type=\"" + _SCRIPT_TYPES + rb"\"|(?!(?:type|src|href)[ =>/])[a-z][a-z-]*+(?:=\"[^\"]*+\"|(?=[ >/])))"
)
_LOCAL_SRC: Final = rb" src=\"(?=" + _LOCAL + rb")[^\"]*+\""
_SCRIPT_REST: Final = (
    rb"[^<]*+(?:<(?!/(?i:script)[\t\n\f\r />]|!--)[^<]*+)*+</script>"
)
_SVG_NAMES: Final = (
    rb"(?:path|g|circle|rect|line|polygon|polyline|ellipse|defs|symbol|stop|linearGradient"
    rb"|radialGradient|clipPath|mask|text|tspan|pattern|filter|marker)"
)


@functools.cache
def dull_pattern(
    attribute: bytes | None, *, has_markers: bool = False, has_base: bool = False
) -> re.Pattern[bytes]:
    """Return the pattern of what can be stepped over where a tag's name alone says what it means.

    Tags that carry `attribute` are not in it; with `has_markers` no inline script is; with
    `has_base` no tag that fetches from a relative address.
    """
    skip = rb"(?i:%b)[\t\n\f\r />=]" % re.escape(attribute) if attribute else b"(?!)"
    rest = REST_OF_TAG % {b"skip": b"(?!%b)" % skip if attribute else b""}
    with_background = REST_OF_TAG % {b"skip": rb"(?!%b|(?i:background)[\t\n\f\r />=])" % skip}
    kinds = [
        rb"/(?!(?i:template|select)" + NAME_ENDS + rb")[a-zA-Z]" + _NAME + rb"(?:>|" + REST_OF_ANY_TAG + rb")",
        *_by_letter(rest, with_background),
        COMMENT,
        BOGUS_COMMENT,
        *_elements(rest),
    ]
    if not has_base:
        kinds += _local_tags(skip, has_markers=has_markers)
    return re.compile(rb"[^<]*+(?:<(?:" + b"|".join(kinds) + rb")[^<]*+)*+")


def _by_letter(rest: bytes, with_background: bytes) -> list[bytes]:
    """Tags of no interest, told apart by the first letter: an alternative is left at once."""
    apart: dict[int, list[bytes]] = defaultdict(list)
    for name in sorted(_READ_APART | _MAY_HAVE_BACKGROUND):
        apart[name[0]].append(name[1:])
    plain = []
    for letter in _MOSTLY:
        not_these = b"|".join(apart[letter])
        ahead = rb"(?!(?i:%b)%b)" % (not_these, NAME_ENDS) if not_these else b""
        plain.append(b"%c%b%b%b" % (letter, ahead, _NAME, rest))
    every = b"|".join(sorted(_READ_APART | _MAY_HAVE_BACKGROUND))
    return [
        *plain,
        rb"(?:%b)%b%b" % (b"|".join(sorted(_MAY_HAVE_BACKGROUND)), NAME_ENDS, with_background),
        rb"(?!(?i:%b)%b)[A-Z]%b%b" % (every, NAME_ENDS, _NAME, rest),
    ]


def _elements(rest: bytes) -> list[bytes]:
    """Whole elements whose content is dull where they stand alone."""
    option = rb"<(?:/?+(?:option|optgroup)" + NAME_ENDS + rest + rb")"
    shape = rb"<(?:/?+" + _SVG_NAMES + NAME_ENDS + rest + rb"|title>[^<]*+</title>)"
    return [
        raw_text_element(b"style"),
        raw_text_element(b"title"),
        raw_text_element(b"textarea"),
        rb"select" + NAME_ENDS + rest + rb"[^<]*+(?:" + option + rb"[^<]*+)*+</select>",
        rb"svg" + NAME_ENDS + rest + rb"(?<!/>)[^<]*+(?:" + shape + rb"[^<]*+)*+</svg>",
    ]


def _local_tags(skip: bytes, *, has_markers: bool) -> list[bytes]:
    attributes = rb"(?:" + _LOCAL_ATTRIBUTE.replace(b"%(skip)b", skip) + rb")*+"
    of_script = rb"(?:" + _SCRIPT_ATTRIBUTE + rb")*+"
    src = _LOCAL_SRC if has_markers else rb"(?:" + _LOCAL_SRC + rb")?+"
    return [
        rb"(?:img|link|source|input|video|audio|track|embed|object)" + attributes
        + SPACE + rb"*+/?+>",
        rb"iframe" + attributes + rb"></iframe>",
        rb"script" + of_script + src + of_script + rb">" + _SCRIPT_REST,
        rb"script type=\"application/(?:ld\+)?json\"" + of_script + rb">" + _SCRIPT_REST,
    ]  # fmt: skip

"""What a page holds between two tags that matter, as one pattern: most of a page in one step.

It has never heard of what is done with the rest. It is an optimisation and nothing else: whatever
it matches, token by token reading would step over too.

The pattern is anchored and possessive, and fails fast: no byte is read more than a few times.
"""

from __future__ import annotations

import functools
import re
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

__all__ = ["stride_pattern"]

_NAME = rb"[^\t\n\f\r />]*+"
# Tags that are read one by one: those that may fetch, and those that change how others are read.
_READ_APART: Final = RAW_WITH_SCRIPTING | FOREIGN | names_of(
    "frame img image source input video audio track embed link object use feimage base "
    "set animate template select frameset col"
)  # fmt: skip
_ADDRESSES = rb"src|srcset|href|imagesrcset|poster|data|srcdoc"
# How tags are mostly written: in lower case, one space before each attribute.
_VALUE = rb"(?:=(?:\"[^\"]*+\"|'[^']*+'|[\w.,:;%#/-]++(?=[ >]))|(?=[ >]))"
_ATTRIBUTE = rb" (?!%(skip)b)[a-z][a-z0-9:-]*+" + _VALUE
# Of these addresses none can name a host: the first characters settle it.
_LOCAL = (
    rb"(?:\"(?:\"|(?:/[^/\\&\t\n\r\">]|[a-z0-9_.][a-z0-9_.-]*+[/\"?#]|[?#]|data:)[^\"]*+\")"
    rb"|(?:/[a-z0-9_.-]|[a-z0-9_-]++[./])[\w.,:;%#?=&/-]*+(?=[ >]))"
)
_LOCAL_LIST = rb"\"[\w., %@?=~+\n-]*+(?:/[\w., %@?=~+\n-]++)*+\""
_LOCAL_ATTRIBUTE = (
    rb" (?:(?!(?:" + _ADDRESSES + rb")[=> ]|%(skip)b)[a-z][a-z0-9-]*+" + _VALUE
    + rb"|(?:src|href|poster|data)=" + _LOCAL + rb"|srcset=" + _LOCAL_LIST + rb")"
)  # fmt: skip
_NO_MARKUP = rb"(?=[^a-zA-Z/!?])|/>|/[^a-zA-Z>][^>]*+>"
_FETCHING = rb"img|link|source|input|video|audio|track|embed|object|image|use|feimage"
_SCRIPT_TYPES = rb"(?:module|text/javascript|application/(?:javascript|json|ld\+json))"
_SCRIPT_ATTRIBUTE = (
    rb" (?:type=\"" + _SCRIPT_TYPES + rb"\"|(?!(?:type|src|href|xlink:href)[=> ])[a-z][a-z0-9:-]*+"
    + _VALUE + rb")"
)  # fmt: skip
_SCRIPT_CONTENT = rb"[^<]*+(?:<(?!/(?i:script)[\t\n\f\r />]|!--)[^<]*+)*+"
_RAW: Final = (b"style", b"title", b"textarea")
_SVG_NAMES = (
    rb"(?:path|g|circle|rect|line|polygon|polyline|ellipse|defs|symbol|stop|linearGradient"
    rb"|radialGradient|clipPath|mask|text|tspan|pattern|filter|marker)"
)


@functools.cache
def stride_pattern(
    attribute: bytes | None, *, has_markers: bool = False, has_base: bool = False
) -> re.Pattern[bytes]:
    """Return the pattern of what can be stepped over where a tag's name alone says what it means.

    Tags that carry `attribute` are not in it; with `has_markers` no inline script is; with
    `has_base` neither `<body>` nor a tag that fetches from a relative address. A tag that may
    fetch, if it is written plainly, ends the match and stands in a group.
    """
    names = b"background|" + re.escape(attribute) if attribute else b"background"
    skip = rb"(?i:%b)[\t\n\f\r />=]" % names
    apart = _READ_APART | {b"body"} if has_base else _READ_APART
    kinds = [*_tags(names, skip, apart), COMMENT, BOGUS_COMMENT, _NO_MARKUP]
    if not has_base:
        kinds[2:2] = _local_tags(names, has_markers=has_markers)
    kinds += _elements(skip)
    run = rb"[^<]*+(?:<(?:" + b"|".join(kinds) + rb")[^<]*+)*+"
    rest = NAME_ENDS + REST_OF_TAG % {b"skip": rb"(?!%b)" % skip if attribute else b""}
    return re.compile(run + b"(?:" + b"|".join(_fetching(rest)) + b")?+")


def _fetching(rest: bytes) -> list[bytes]:
    """Tags that may fetch, in groups: 1 alone, 2 with content of its own, 3 and 4 a script."""
    return [
        rb"(<(?:" + _FETCHING + rb")" + rest + rb")",
        rb"(<iframe" + rest + rb")[^<]*+</iframe>",
        rb"(<script" + rest + rb")(" + _SCRIPT_CONTENT + rb")</script>",
    ]


def _tags(names: bytes, skip: bytes, read_apart: frozenset[bytes]) -> list[bytes]:
    """Tags of no interest: first as they are mostly written, and then any other way."""
    apart = b"|".join(sorted(read_apart))
    rest = REST_OF_TAG % {b"skip": rb"(?!%b)" % skip}
    return [
        rb"/(?:[a-ru-z]|[st](?!elect|emplate))[a-z0-9]*+>",
        rb"(?!%b)[a-z][a-z0-9]*+(?:%b)*+>" % (apart, _ATTRIBUTE.replace(b"%(skip)b", names)),
        rb"/(?!(?i:template|select)" + NAME_ENDS + rb")[a-zA-Z]" + _NAME + REST_OF_ANY_TAG,
        # The first look is the quick one.
        rb"(?!(?:%b)%b)" % (apart, NAME_ENDS)
        + rb"(?!(?i:%b)%b)[a-zA-Z]%b%b" % (apart, NAME_ENDS, _NAME, rest),
    ]


def _elements(skip: bytes) -> list[bytes]:
    """Whole elements whose content is dull where they stand alone."""
    rest = REST_OF_TAG % {b"skip": rb"(?!%b)" % skip}
    option = rb"<(?:/?+(?:option|optgroup)" + NAME_ENDS + rest + rb")"
    shape = rb"<(?:/?+" + _SVG_NAMES + NAME_ENDS + rest + rb"|title>[^<]*+</title>)"
    return [
        rb"(?=[sStT])(?:" + b"|".join(map(raw_text_element, _RAW)) + rb")",
        rb"select" + NAME_ENDS + rest + rb"[^<]*+(?:" + option + rb"[^<]*+)*+</select>",
        rb"svg" + NAME_ENDS + rest + rb"(?<!/>)[^<]*+(?:" + shape + rb"[^<]*+)*+</svg>",
    ]


def _local_tags(names: bytes, *, has_markers: bool) -> list[bytes]:
    attributes = rb"(?:" + _LOCAL_ATTRIBUTE.replace(b"%(skip)b", names) + rb")*+"
    of_script = rb"(?:" + _SCRIPT_ATTRIBUTE + rb")*+"
    script_end = rb">" + _SCRIPT_CONTENT + rb"</script>"
    src = rb" src=" + _LOCAL
    if not has_markers:
        src = rb"(?:" + src + rb")?+"
    return [
        rb"(?:" + _FETCHING + rb")" + attributes + SPACE + rb"*+/?+>",
        rb"iframe" + attributes + rb"></iframe>",
        rb"script" + of_script + src + of_script + script_end,
        rb"script type=\"application/(?:ld\+)?json\"" + of_script + script_end,
    ]

"""``{notice} languages``, ``tokens``, ``blocks``, ``texts``: what a notice can be given.

It has never heard of how a notice looks: it reads the locales, the style sheet and the templates.
"""

import re
from collections.abc import Callable
from importlib.resources import files

from decision_table import literal, table
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from consentkit.notice.text import LANGUAGES, is_right_to_left, messages_for
from consentkit.rules.texts import TEXTS

NAMES = dict(
    line.strip().split(" ", 1)
    for line in """
    ar Arabic
    bg Bulgarian
    cs Czech
    cy Welsh
    da Danish
    de German
    el Greek
    en English
    es Spanish
    et Estonian
    fa Persian
    fi Finnish
    fr French
    ga Irish
    he Hebrew
    hi Hindi
    hr Croatian
    hu Hungarian
    is Icelandic
    it Italian
    ja Japanese
    ko Korean
    lt Lithuanian
    lv Latvian
    mt Maltese
    nb Norwegian (Bokmål)
    nl Dutch
    pl Polish
    pt Portuguese (Portugal)
    ro Romanian
    sk Slovak
    sl Slovene
    sv Swedish
    tr Turkish
    uk Ukrainian
    vi Vietnamese
    zh-Hans Chinese (simplified)
    zh-Hant Chinese (traditional)
    """.strip().splitlines()
)
WHAT_FOR = {
    "surface": "the ground of banner, pages, dialog and placeholders",
    "field": "the ground of lists, chips, switches and plain buttons",
    "text": "words",
    "muted": "small words",
    "line": "lines that only divide",
    "edge": "the outline of a switch (3:1 against the ground)",
    "accent": "buttons, links, the focus ring, a switch that is on",
    "on-accent": "words on a button (4.5:1 against the accent)",
    "radius": "corners",
    "space": "density: the space around and between",
    "width": "the widest content",
    "size": "the size of words; `medium` is the visitor's own",
    "font": "the typeface; `inherit` takes the site's",
    "scheme": "`light` or `dark`, where a site says so by a class alone",
    "ratio": "width to height of a placeholder, where that of the embed is known to you",
    "z": "the layer of a banner that is fixed",
}


def languages() -> nodes.table:
    rows = [
        [
            literal(tag),
            NAMES[tag],
            messages_for(tag).settings,
            "right to left" if is_right_to_left(tag) else "",
            "yes" if messages_for(tag).reviewed else "no",
        ]
        for tag in sorted(LANGUAGES, key=NAMES.__getitem__)
    ]
    return table(["tag", "language", "“Cookie settings”", "writing", "read by a native"], rows)


def tokens() -> nodes.table:
    css = files("consentkit.notice").joinpath("assets", "consent.css").read_text("utf-8")
    found = re.findall(r"var\(--consentkit-([a-z-]+), *((?:[^()]|\([^()]*\))*)\)", css)
    known = dict.fromkeys(name for name, _ in found)
    known.pop("cover", None)  # a length that the style sheet sets itself
    defaults: dict[str, tuple[str, str]] = {}
    for name, value in found:
        light_dark = re.fullmatch(r"light-dark\((\S+), (\S+)\)", value)
        defaults[name] = (
            light_dark.groups() if light_dark else (value, defaults.get(name, ("", ""))[1])
        )
    rows = [
        [
            literal(f"--consentkit-{name}"),
            *map(literal, filter(None, defaults[name][:1])),
            literal(defaults[name][1]) if defaults[name][1] else "",
            WHAT_FOR[name],
        ]
        for name in known
    ]
    return table(["property", "light, or always", "dark", "for"], rows)


def blocks() -> nodes.table:
    folder = files("consentkit.notice").joinpath("assets")
    rows: list[list[nodes.Node | str]] = []
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".html"):
            names = re.findall(r"{%-? block (\w+)", file.read_text("utf-8"))
            if names:
                rows.append([literal(file.name), ", ".join(dict.fromkeys(names))])
    return table(["template", "blocks"], rows)


def texts() -> nodes.table:
    """Every text that a site may say itself, but for the names of countries and months."""
    words = by_key(messages_for("en").model_dump(mode="json", exclude={"countries", "months"}))
    rows: list[list[nodes.Node | str]] = [
        [literal(key), said, ", ".join(f"{{{name}}}" for name in sorted(TEXTS[key].allowed))]
        for key, said in words
        if key in TEXTS
    ]
    return table(["key", "in English", "filled in"], rows)


def by_key(held: object, above: str = "") -> list[tuple[str, str]]:
    """The texts of a locale by their keys, in its order."""
    if not isinstance(held, dict):
        return [(above, str(held))]
    return [
        pair for key, each in held.items() for pair in by_key(each, f"{above}.{key}".strip("."))
    ]


TABLES: dict[str, Callable[[], nodes.table]] = {
    "languages": languages,
    "tokens": tokens,
    "blocks": blocks,
    "texts": texts,
}


class Notice(SphinxDirective):
    """``languages``, ``tokens``, ``blocks`` or ``texts``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        return [TABLES[self.arguments[0]]()]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("notice", Notice)
    return {"parallel_read_safe": True}

"""The markup of the notice: our templates, and a site's own laid over them.

It has never heard of HTTP, nor of what stands in a template.

A policy may name a folder of templates (`templates:`). A file there takes the place of ours of the
same name; it may begin with ``{% extends "consentkit/banner.html" %}`` and fill single blocks.
`own_templates` looks at what comes out.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
)

from consentkit.notice.text import direction, number_text, safe_href, words_for

if TYPE_CHECKING:
    from consentkit.rules.policy import Policy

__all__ = ["OWN_PREFIX", "digest_of_templates", "render"]

OWN_PREFIX: Final = "consentkit"
"""Before the name of one of our templates, where a site's own extends it."""


@lru_cache(16)
def _environment(folder: str) -> Environment:
    ours = PackageLoader("consentkit.notice", "assets")
    loader: BaseLoader = ours
    if folder:
        prefixed = PrefixLoader({OWN_PREFIX: ours})
        loader = ChoiceLoader([FileSystemLoader(folder), prefixed, ours])
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=bool(folder),  # a policy made anew has its templates as they are now
    )
    made.filters["safe_href"] = safe_href
    return made


def digest_of_templates(policy: Policy) -> bytes:
    """What tells the templates of a policy from others, 16 bytes; another one if one changes."""
    digest = hashlib.blake2b(digest_size=16)
    folders = [files("consentkit.notice").joinpath("assets")]
    folders += [Path(policy.templates)] if policy.templates else []
    for folder in folders:
        for file in sorted(folder.iterdir(), key=lambda each: each.name):
            if file.name.endswith(".html") and file.is_file():
                digest.update(repr((file.name, file.read_bytes())).encode("ascii"))
    return digest.digest()


def render(policy: Policy, template: str, language: str, /, **values: object) -> bytes:
    """A template, filled in: ASCII bytes, everything from outside escaped.

    Templates see the `Messages` as `t`, the writing direction as `dir`, and `n`, which writes a
    whole number in the language's digits. Raises jinja2.TemplateError for a site's own that cannot
    be read or filled in.
    """
    words = words_for(policy, language)

    def number(value: int) -> str:
        return number_text(value, words)

    values |= {"t": words, "dir": direction(words.language), "n": number}
    made = _environment(policy.templates or "").get_template(template)
    # A page is given no text of ours, and a line's end is one where white space counts.
    return made.render(values).strip().encode("ascii", "xmlcharrefreplace")

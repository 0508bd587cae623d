"""What is wrong with the words of a notice and with where it stands: rules as those of `faults`.

It has never heard of markup, of files, or of what any text says: a problem names its key.

A site's own `texts` take the place of ours, so each is held to the key it stands under: it has all
that is filled in there and no other brace, and the labels of a no and a yes are not the same.
`NOTICE_RULES` is the table; it is a part of the one that `faults` goes through.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import islice
from typing import TYPE_CHECKING, Final

from consentkit.errors import did_you_mean
from consentkit.rules.policy import Basis
from consentkit.rules.problems import (
    Problem,
    listed,
    meant_by,
    quoted,
    said_twice,
    some_of,
    subject_of,
)
from consentkit.rules.shapes import UNPRINTABLE
from consentkit.rules.texts import ANSWERS, DIGITS, TEXTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from consentkit.rules.policy import Policy, Text
    from consentkit.rules.problems import Ground, Loc, Rule
    from consentkit.rules.texts import Blanks

__all__ = ["NOTICE_RULES"]

# Scripts that are written from the right, and those of India, need joiners and marks.
_UNFIT_TEXT: Final = re.compile(rf"[{UNPRINTABLE}]")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_BLANK: Final = re.compile(r"\{([^{}]*)\}")
_NO_PATH: Final = re.compile(r"[?;#*\\\s\x00-\x1f\x7f]|%[0-9A-Fa-f]{2}|/\.+(?:/|\Z)")

MOST_HINTS: Final = 100
"""Unknown keys of texts for which the one that was meant is looked for."""


# Languages


def _languages(ground: Ground) -> Iterator[Problem]:
    languages = ground.policy.languages
    if not languages:
        yield Problem(("languages",), "the policy has no language", "Write 'languages: [en]'.")
    for place, tag in enumerate(languages):
        if not _LANGUAGE.fullmatch(tag):
            yield _no_language(("languages", str(place)), tag)
    yield from said_twice("languages", languages)


def _no_language(loc: Loc, tag: str) -> Problem:
    cure = "Write one such as 'en', 'nb' or 'pt-BR' (BCP 47)."
    return Problem(
        loc, f"{subject_of(loc)} has {quoted(tag)}, which is no language tag", cure, at_key=True
    )


def _translations(ground: Ground) -> Iterator[Problem]:
    languages = ground.policy.languages
    for loc, text in ground.texts:
        if isinstance(text, str):
            continue
        if languages and languages[0] not in text:
            yield Problem(
                loc,
                f"{subject_of(loc)} has no '{loc[-1]}' in {quoted(languages[0])}, "
                "the first language",
                f"Add it under '{loc[-1]}': every other language falls back on it.",
                at_key=True,
            )
        yield from _strays(loc, text, languages)
    yield from _strays(("texts",), ground.policy.texts, languages)


def _strays(loc: Loc, tags: Collection[str], languages: Collection[str]) -> Iterator[Problem]:
    known = frozenset(languages)
    for tag in tags:
        if not _LANGUAGE.fullmatch(tag):
            yield _no_language((*loc, tag), tag)
        elif tag not in known:
            yield _stray_language((*loc, tag), languages)


def _stray_language(loc: Loc, languages: Collection[str]) -> Problem:
    tag = loc[-1]
    what = f"{subject_of(loc)} has words in {quoted(tag)}, which is not among the languages"
    cure = f"Add it to 'languages'; now there are: {some_of(languages)}.{meant_by(tag, languages)}"
    return Problem(loc, what, cure, at_key=True)


# Words


def _empty_texts(ground: Ground) -> Iterator[Problem]:
    site = ground.policy.site
    names = ((("site", "name"), site.name), (("site", "controller"), site.controller))
    for loc, text in (*names, *ground.texts):
        for part, words in _parts(loc, text):
            if not words.strip():
                what = f"{subject_of(loc)} has an empty '{loc[-1]}'"
                yield Problem(part, what, "Write what a visitor is to read, or take the key away.")


def _unfit_texts(ground: Ground) -> Iterator[Problem]:
    """What no page can carry, or what makes it read as something else."""
    site = ground.policy.site
    named = [(("site", key), getattr(site, key) or "") for key in ("name", "controller", "contact")]
    for loc, text in (*named, *ground.texts):
        for part, words in _parts(loc, text):
            unfit = _UNFIT_TEXT.search(words)
            if unfit:
                what = f"{subject_of(loc)} has the character {unfit[0]!a} in '{loc[-1]}'"
                yield Problem(part, what, "Take it out: no page can show it.")


def _parts(loc: Loc, text: Text) -> list[tuple[Loc, str]]:
    if isinstance(text, str):
        return [(loc, text)]
    return [((*loc, language), words) for language, words in text.items()]


# The site's own texts


def _own_texts(ground: Ground) -> Iterator[Problem]:
    """Each has a key that the notice knows, and in it what is filled in there."""
    texts = [
        (("texts", tag, key), words)
        for tag, own in ground.policy.texts.items()
        for key, words in own.items()
    ]
    unknown = [loc for loc, _ in texts if loc[-1] not in TEXTS]
    yield from map(_unknown_text, islice(unknown, MOST_HINTS))
    yield from (_unknown_text(loc, hints=False) for loc in unknown[MOST_HINTS:])
    for loc, words in texts:
        if not words.strip():
            continue
        if loc[-1] == DIGITS:
            yield from _no_digits(loc, words)
        elif loc[-1] in TEXTS:
            yield from islice(_misfilled(loc, words, TEXTS[loc[-1]]), 1)


def _unknown_text(loc: Loc, *, hints: bool = True) -> Problem:
    key = loc[-1]
    kin = [each for each in TEXTS if ("." in each) == ("." in key)]
    near = did_you_mean(key, kin) if hints else ""
    return Problem(
        loc,
        f"the notice has no text {quoted(key)}",
        f"Write the key of a text, such as 'settings' or 'asks.consent.title'.{near}",
        at_key=True,
    )


def _no_digits(loc: Loc, words: str) -> Iterator[Problem]:
    if not len(words) == len({*words}) == 10:
        what = f"'texts' has {quoted(words)} as 'digits', which are not ten of them"
        yield Problem(loc, what, 'Write the signs from nought to nine, as in "0123456789".')


def _misfilled(loc: Loc, words: str, blanks: Blanks) -> Iterator[Problem]:
    """Braces stand for what is filled in, and for nothing else."""
    key, names = loc[-1], _BLANK.findall(words)
    known = sorted(blanks.allowed)
    cure = "Take it out: nothing is filled in there."
    if known:
        cure = f"Write what is filled in there: {listed(f'{{{name}}}' for name in known)}."
    if stray := re.search("[{}]", _BLANK.sub("", words)):
        yield Problem(loc, f"'texts' has a '{stray[0]}' in '{key}' that stands for nothing", cure)
    for name in names:
        if name not in blanks.allowed:
            what = f"'texts' has {quoted(f'{{{name}}}')} in '{key}', which nothing is filled into"
            yield Problem(loc, what, f"{cure}{did_you_mean(name, known)}")
    for name in sorted(blanks.needed.difference(names)):
        what = f"'texts' has no {{{name}}} in '{key}'"
        yield Problem(loc, what, f"Write {{{name}}} where it is to stand: it is filled in there.")


def _same_labels(ground: Ground) -> Iterator[Problem]:
    """Who cannot tell a no from a yes has not been asked."""
    policy, banner = ground.policy, ground.policy.banner
    for tag, own in policy.texts.items():
        for no, yes in ANSWERS:
            if no in own and yes in own and _as_read(own[no]) == _as_read(own[yes]):
                yield _same_label(("texts", tag, yes), no, own[yes])
    if banner.reject is None or banner.accept is None:
        return
    for tag in policy.languages:
        reject, accept = (_in(tag, text, policy) for text in (banner.reject, banner.accept))
        if accept.strip() and _as_read(reject) == _as_read(accept):
            yield _same_label(("banner", "accept"), "reject", accept)
            return


def _same_label(loc: Loc, no: str, words: str) -> Problem:
    what = f"{subject_of(loc)} says {quoted(words)} in '{loc[-1]}' as in '{no}'"
    return Problem(loc, what, "Write other words: one of them is a yes, and the other a no.")


def _in(tag: str, text: Text, policy: Policy) -> str:
    if isinstance(text, str):
        return text
    return text.get(tag) or text.get(policy.languages[0], "")


def _as_read(words: str) -> str:
    """Words as an eye tells them apart: not by letter case, width or blanks."""
    return " ".join(unicodedata.normalize("NFKC", words).casefold().split())


# Where it stands


def _is_implied(policy: Policy) -> bool:
    return any(policy.basis_of(name) is Basis.IMPLIED for name in policy.purposes)


def _unseen_notice(ground: Ground) -> Iterator[Problem]:
    """Who has not seen a notice cannot imply anything by going on."""
    layout = ground.policy.banner.layout
    if layout in ("top", "corner") and _is_implied(ground.policy):
        yield Problem(
            ("banner", "layout"),
            f"the banner's layout is '{layout}', and consent is implied by going on",
            "Write 'sticky' or 'bottom': a notice that has scrolled away has not been seen.",
        )


def _nothing_implied(ground: Ground) -> Iterator[Problem]:
    policy = ground.policy
    if "takes_effect" in policy.model_fields_set and not _is_implied(policy):
        yield Problem(
            ("takes-effect",),
            "'takes-effect' is set, and no purpose rests on implied consent",
            "Take it away, or write 'mode: implied'.",
            at_key=True,
        )


def _placeholder_paths(ground: Ground) -> Iterator[Problem]:
    paths = ground.policy.placeholders
    for place, path in enumerate(paths):
        if not path.startswith("/") and paths != ("*",):
            yield Problem(
                ("placeholders", str(place)),
                f"'placeholders' has {quoted(path)}, which is no path of this site",
                "Write paths that begin with '/', or ['*'] alone for every page.",
            )


def _paths_of_children(ground: Ground) -> Iterator[Problem]:
    """A path that no page has would leave the pages for children as they are (R-11)."""
    for place, path in enumerate(ground.policy.child_directed):
        if not path.startswith("/") or _NO_PATH.search(path):
            yield Problem(
                ("child-directed", str(place)),
                f"'child-directed' has {quoted(path)}, which is no path that a page could have",
                "Write it as '/kids', all below it meant: no '?', ';', '#', '*', '..' or '%20'.",
            )


def _templates(ground: Ground) -> Iterator[Problem]:
    if ground.policy.templates is not None and not ground.policy.templates.strip():
        cure = "Write the path of a folder, or take the line away."
        yield Problem(("templates",), "'templates' names no folder", cure)


NOTICE_RULES: Final[tuple[tuple[tuple[str, ...], Rule], ...]] = (
    # leans on             rule
    ((), _languages),
    (("languages",), _translations),
    ((), _empty_texts),
    ((), _unfit_texts),
    ((), _own_texts),
    (("languages",), _same_labels),
    (("mode",), _unseen_notice),
    (("mode", "purposes"), _nothing_implied),
    ((), _placeholder_paths),
    ((), _paths_of_children),
    ((), _templates),
)

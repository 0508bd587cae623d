"""The declaration: every declared cookie with all that the law asks to be told of it.

It has never heard of HTTP, nor of a visitor: it is the same for everybody, answered or not.

The table holds strictly necessary cookies too, our own tokens among them (LAW R-73, R-74); the
same facts are there as JSON for machines (R-77). It stands in a site's own page, or in a page that
also says who is responsible, what the visitor's choice is, and what the purposes are. There the
table can be searched, without a script.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

from consentkit.notice.chapters import (
    chapters_of,
    kept_for,
    provider_of,
    recipients_of,
    token_cookies,
    transfer_of,
    way_of,
)
from consentkit.notice.templates import render
from consentkit.notice.text import date_text, duration_text, number_text, words_for
from consentkit.rules.policy import Basis
from consentkit.rules.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consentkit.notice.chapters import Chapter, Entry, ServiceEntry
    from consentkit.notice.text import Messages
    from consentkit.rules.policy import DeclaredCookie, Policy, StoredItem

__all__ = [
    "LONGEST_QUERY",
    "Observed",
    "declaration_json",
    "declaration_page",
    "declaration_table",
]

LONGEST_QUERY: Final = 200
"""Characters of a search; what is behind them is not looked for."""

_JOINERS: Final = "\u200c\u200d"
"""Invisible, and a part of how words are written in Persian and Hindi."""


class Observed(NamedTuple):
    """What was seen and is not declared, for the people who run the site.

    `sightings` are names, each with how it was seen; `draft` is what would declare them, as a part
    of a policy file. Where they are the only ones who have the page, there `is_no_choice`: nobody
    is asked yet.
    """

    sightings: tuple[tuple[str, str], ...]
    draft: str
    is_no_choice: bool = False


def declaration_table(
    policy: Policy, language: str, *, stylesheets: Sequence[str] = (), tokens: Sequence[str] = ()
) -> bytes:
    """The table as a part of the site's own page, ASCII markup in one element.

    `stylesheets` are URLs, none where the page has them already; `tokens` are
    the names of our two cookies, that of the answers first.
    """
    chapters = chapters_of(policy, language, tokens)
    return render(
        policy,
        "declaration_part.html",
        language,
        chapters=chapters,
        caption=_caption(policy, words_for(policy, language), _count(chapters)),
        services=_services(chapters),
        stylesheets=stylesheets,
    )


def declaration_page(  # noqa: PLR0913  # each is named where it is given
    policy: Policy,
    language: str,
    *,
    path: str,
    stylesheets: Sequence[str],
    tokens: Sequence[str] = (),
    next_path: str = "/",
    query: str = "",
    asked_language: str = "",
    observed: Observed | None = None,
) -> bytes:
    """The table as a page of its own, with all that a visitor is told besides.

    A `query` leaves the entries that have every word of it, in any case. `asked_language` is the
    language where the address names one, so that a search keeps it. `observed` is for the people
    who run the site, and nobody else (None).
    """
    words = words_for(policy, language)
    chapters = chapters_of(policy, language, tokens)
    query = " ".join(_printable(query[:LONGEST_QUERY]).split())
    found = _found(chapters, query) if query else chapters
    counted = words.found if query else words.declaration_caption
    return render(
        policy,
        "declaration.html",
        language,
        site=policy.site,
        checked=_caption(policy, words, _count(chapters)),
        revision=words.revision.format(revision=number_text(policy.revision, words)),
        is_asking=bool(policy.optional_purposes) and not (observed and observed.is_no_choice),
        is_optional=bool(policy.optional_purposes),
        signals=_signals(policy, words),
        again=words.choice_again.format(duration=duration_text(policy.ask_again_after, words)),
        purposes=chapters,
        chapters=found,
        caption=counted.format(count=number_text(_count(found), words)) if found else "",
        services=_services(chapters),
        query=query,
        nothing=words.found_nothing.format(query=f"\u2068{query}\u2069") if not found else "",
        longest=LONGEST_QUERY,
        asked_language=asked_language,
        observed=observed,
        path=path,
        stylesheets=stylesheets,
        next=next_path,
    )


def _count(chapters: Sequence[Chapter]) -> int:
    return len({entry.name for chapter in chapters for entry in chapter.entries})


def _caption(policy: Policy, words: Messages, entries: int) -> str:
    count = number_text(entries, words)
    if policy.site.updated is None:
        return words.declaration_caption.format(count=count)
    checked = date_text(policy.site.updated, words)
    return words.declaration_checked.format(count=count, date=checked)


def _signals(policy: Policy, words: Messages) -> str:
    """What the signals that some purpose honours do; empty where none does (LAW R-36)."""
    honoured = frozenset().union(
        *(policy.purposes[name].honours for name in policy.optional_purposes)
    )
    names = [words.signals[signal] for signal in Signal if signal in honoured]
    return words.choice_signals.format(signals=words.both.join(names)) if names else ""


def _services(chapters: tuple[Chapter, ...]) -> list[ServiceEntry]:
    told = {
        service._replace(entries=()): None for chapter in chapters for service in chapter.services
    }
    return list(told)


# The search


def _found(chapters: tuple[Chapter, ...], query: str) -> tuple[Chapter, ...]:
    """The chapters with the entries that have every word of `query`; none that has no entry."""
    wanted = _folded(query).split()
    left = (
        chapter._replace(
            entries=tuple(entry for entry in chapter.entries if _tells_all(chapter, entry, wanted))
        )
        for chapter in chapters
    )
    return tuple(chapter for chapter in left if chapter.entries)


def _tells_all(chapter: Chapter, entry: Entry, wanted: Sequence[str]) -> bool:
    parts = (entry.name, entry.kind, entry.description, entry.provider, chapter.title)
    told = _folded("\n".join(parts))
    return all(word in told for word in wanted)


def _folded(text: str) -> str:
    """`text` as it is compared: without case, and in one way of writing each letter."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() or sign in _JOINERS else " " for sign in text)


# For machines


def declaration_json(policy: Policy, tokens: Sequence[str] = ()) -> dict[str, object]:
    """The declaration for machines: plain dicts, lists, strings and numbers.

    Durations are whole seconds, null stands for the session. Texts are as in the policy: a
    string, or one for each language.
    """
    updated = policy.site.updated
    return {
        "revision": policy.revision,
        "lastUpdate": updated.isoformat() if updated else None,
        "site": policy.site.name,
        "controller": {"name": policy.site.controller, "contact": policy.site.contact},
        "policy": policy.site.policy,
        "languages": [*policy.languages],
        "purposes": [_purpose(policy, name) for name in policy.purposes],
        "cookies": [
            _cookie(policy, cookie)
            for cookie in (*policy.cookies.values(), *token_cookies(policy, tokens))
        ],
        "storage": [_stored(policy, item) for item in policy.storage.values()],
        "services": [_service(policy, name) for name in policy.services],
    }


def _purpose(policy: Policy, name: str) -> dict[str, object]:
    purpose = policy.purposes[name]
    return {
        "name": name,
        "title": purpose.title,
        "description": purpose.description,
        "basis": policy.basis_of(name).value,
        "way": way_of(policy, name).value,
        "justification": purpose.justification,
        "honours": sorted(purpose.honours),
        "since": purpose.since,
    }


def _cookie(policy: Policy, cookie: DeclaredCookie) -> dict[str, object]:
    return {
        "name": cookie.name,
        "kind": cookie.kind.value,
        "purposes": [*cookie.purpose],
        "description": cookie.description,
        "duration": kept_for(cookie),
        "provider": provider_of(policy, cookie) or None,
        "service": cookie.service,
        "party": cookie.party,
        "path": cookie.path,
        "domain": cookie.domain,
        "recipients": recipients_of(policy, cookie),
        "transfer": transfer_of(policy, cookie),
        "bases": _bases(policy, cookie),
        "justification": cookie.justification,
        "more": cookie.more,
        "since": cookie.since,
    }


def _stored(policy: Policy, item: StoredItem) -> dict[str, object]:
    return {
        "name": item.name,
        "where": item.where.value,
        "purposes": [*item.purpose],
        "description": item.description,
        "duration": item.duration,
        "provider": provider_of(policy, item),
        "service": item.service,
        "recipients": recipients_of(policy, item),
        "transfer": transfer_of(policy, item),
        "bases": _bases(policy, item),
        "justification": item.justification,
        "more": item.more,
        "since": item.since,
    }


def _bases(policy: Policy, cookie: DeclaredCookie | StoredItem) -> list[str]:
    # Our own tokens stand under no purpose where the policy has no strictly necessary one.
    bases = {policy.basis_of(name).value for name in cookie.purpose}
    return sorted(bases) or [Basis.STRICTLY_NECESSARY.value]


def _service(policy: Policy, name: str) -> dict[str, object]:
    service = policy.services[name]
    return {
        "name": name,
        "title": service.title,
        "provider": service.provider,
        "purposes": [*service.purpose],
        "hosts": [*service.hosts],
        "transfer": service.transfer,
        "privacy": service.privacy,
        "optOut": service.opt_out,
        "since": service.since,
    }

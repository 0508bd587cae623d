"""The declaration: every declared cookie with all that the law asks to be told of it.

It has never heard of HTTP, nor of a visitor: it is the same for everybody, answered or not.

The table holds strictly necessary cookies too, our own tokens among them (LAW R-73, R-74); the
same facts are there as JSON for machines (R-77).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.notice.text import (
    chapters_of,
    date_text,
    kept_for,
    messages_for,
    provider_of,
    recipients_of,
    render,
    token_cookies,
    transfer_of,
    way_of,
)
from consentkit.rules.policy import Basis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consentkit.notice.text import Chapter, Messages, ServiceEntry
    from consentkit.rules.policy import DeclaredCookie, Policy, StoredItem

__all__ = ["declaration_json", "declaration_page", "declaration_table"]


def declaration_table(
    policy: Policy, language: str, *, stylesheet: str = "", tokens: Sequence[str] = ()
) -> bytes:
    """The table as a part of the site's own page, ASCII markup in one element.

    `stylesheet` is the URL of the style sheet, empty where the page has it already; `tokens` are
    the names of our two cookies, that of the answers first.
    """
    values = _table(policy, language, tokens)
    return render("declaration_part.html", language, **values, stylesheet=stylesheet)


def declaration_page(  # noqa: PLR0913  # each is named where it is given
    policy: Policy,
    language: str,
    *,
    path: str,
    stylesheet: str,
    tokens: Sequence[str] = (),
    next_path: str = "/",
) -> bytes:
    """The table as a page of its own, with who answers for it and the way to the preferences."""
    return render(
        "declaration.html",
        language,
        **_table(policy, language, tokens),
        is_asking=bool(policy.optional_purposes),
        site=policy.site,
        path=path,
        stylesheet=stylesheet,
        next=next_path,
    )


def _table(policy: Policy, language: str, tokens: Sequence[str]) -> dict[str, object]:
    chapters = chapters_of(policy, language, tokens)
    return {
        "chapters": chapters,
        "caption": _caption(policy, messages_for(language), chapters),
        "services": _services(chapters),
    }


def _caption(policy: Policy, words: Messages, chapters: tuple[Chapter, ...]) -> str:
    count = len({entry.name for chapter in chapters for entry in chapter.entries})
    if policy.site.updated is None:
        return words.declaration_caption.format(count=count)
    checked = date_text(policy.site.updated, words)
    return words.declaration_checked.format(count=count, date=checked)


def _services(chapters: tuple[Chapter, ...]) -> list[ServiceEntry]:
    told = {
        service._replace(entries=()): None for chapter in chapters for service in chapter.services
    }
    return list(told)


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

"""The texts of the notice by their keys, and what is filled into each: those a site may say itself.

It has never heard of what they say: the words stand in the locales of the notice.

`_TABLE` has a row for all keys of one shape into which the same is filled. Its parts are joined
with dots, each word of one with each of the next, and a list's items are counted from 1. Left out
are a locale's `language` and `reviewed`, which are about the file and not for the visitor. Every
plural form may be given: a language has some of them, and `one`, `two` and `zero` may say their
number in a word.
"""

from __future__ import annotations

from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from consentkit.rules.policy import COUNTRIES, SHOWN, Basis, Justification, Kind, Where
from consentkit.rules.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

__all__ = ["ANSWERS", "DIGITS", "TEXTS", "Blanks", "asked_with", "says_going_on", "unwritten"]


class Blanks(NamedTuple):
    """The names that are filled into a text: those it must have, and all that it may have."""

    needed: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()


def _all(words: Iterable[str]) -> str:
    return " ".join(sorted(words))


_WAYS: Final = "consent implied at-once opt-out"
_UNITS: Final = "second minute hour day month year"

DIGITS: Final = "digits"
"""The key of the ten digits, which are no text but stand in every one."""

_TABLE: Final[tuple[tuple[str, ...], ...]] = (
    # filled in, and the keys, part by part
    ("", "label settings do_not_sell see_every choose_each save withdraw both comma"),
    ("", "reject_all accept_all reject accept opt_out allow"),
    ("", "mixed_title mixed_close changed_title changed_lead news_title"),
    ("", "signal_title signal_over signal_wins nothing_optional for_children"),
    ("", "intro intro_asked intro_nothing now saved not_answered all_on all_off always_on on off"),
    ("", "strictly_necessary strictly_necessary_body in_one_table close close_note"),
    ("", "declaration_title declaration_body declaration_nothing choice_title choice_body"),
    ("", "purposes_title table_title search search_label show_all observed_title observed_body"),
    ("", "column_name column_purpose column_provider column_duration column_recipients"),
    ("", "column_basis services_title contact nobody a_third_party token_given token_seen"),
    ("", "basis_vote status_vote page_link embed_of_purpose embed_settings"),
    ("", "until_closed until_tab_closed until_deleted"),
    ("", DIGITS),
    ("", "asks", _WAYS, "title lead close"),
    ("", "sharing", "title lead close"),
    ("", "signals", _all(Signal)),
    ("", "notes", "implied at-once opt-out"),
    ("", "kinds", _all(Kind)),
    ("", "wheres", _all(Where)),
    ("", "parties", "first third"),
    ("", "bases statuses", f"strictly-necessary {_WAYS}"),
    ("", "justifications", _all(Justification)),
    ("", "receipt", "title link body nothing site answered again shown responsible"),
    ("", "receipt", "granted refused implied is_on is_off change machines"),
    ("", "pages", "cross-site too-large unknown", "title body"),
    ("", "embeds", _all({*SHOWN} - {"social"}), "load always"),
    ("", "embeds", "social", "always"),
    ("", "months", "1 2 3 4 5 6 7 8 9 10 11 12"),
    ("", "countries", _all(COUNTRIES)),
    ("controller", "responsible"),
    ("count", "third_parties number_of_cookies number_of_stored number_of_services found"),
    ("count", "declaration_caption"),
    ("count date", "declaration_checked"),
    ("count", "durations", _UNITS, "few many other"),
    ("count?", "durations", _UNITS, "zero one two"),
    ("countries", "transfer"),
    ("day month year", "date"),
    ("duration", "choice_again"),
    ("host", "embed_undeclared"),
    ("host", "embeds", _all(SHOWN), "instead"),
    ("name", "more privacy provider_opt_out"),
    ("provider", "embed_who"),
    ("provider service", "embed_named"),
    ("purpose", "new_purpose changed_purpose"),
    ("purpose names", "changed_items"),
    ("purposes", "some_on embed_purposes embed_allow"),
    ("query", "found_nothing"),
    ("reason", "exempt"),
    ("revision", "revision"),
    ("service", "service_alone embed_stays embed_load"),
    ("service", "embeds", _all(SHOWN), "title"),
    ("service", "embeds", "social", "load"),
    ("signals", "signal_body signal_stops choice_signals"),
    ("signals", "receipt", "signal"),
    ("site", "back"),
    ("title", "embed_not_loaded"),
    ("url", "embed_page"),
    ("who", "embed_lead"),
)


def _blanks(names: str) -> Blanks:
    needed = frozenset(name for name in names.split() if not name.endswith("?"))
    return Blanks(needed, frozenset(name.rstrip("?") for name in names.split()))


TEXTS: Final[Mapping[str, Blanks]] = MappingProxyType(
    {
        ".".join(key): _blanks(names)
        for names, *parts in _TABLE
        for key in product(*(part.split() for part in parts))
    }
)
"""What is filled in, by the key of the text."""

ANSWERS: Final = (("reject_all", "accept_all"), ("reject", "accept"), ("opt_out", "allow"))
"""The labels of two buttons that stand side by side: a no, and a yes."""

_PLURALS: Final = frozenset({"zero", "one", "two", "few", "many"})
_GOING_ON: Final = frozenset({"implied", "at-once"})


def unwritten(own: Collection[str]) -> list[str]:
    """The keys of the texts that a language needs besides its `own`; of plural forms one is enough.

    >>> unwritten(TEXTS), unwritten(["label"])[:2]
    ([], ['settings', 'do_not_sell'])
    """
    return [key for key in TEXTS if key not in own and key.rpartition(".")[2] not in _PLURALS]


def says_going_on(key: str) -> bool:
    """True of a text about purposes whose visitors are taken to agree by going on.

    >>> says_going_on("asks.implied.title"), says_going_on("asks.consent.title")
    (True, False)
    """
    return not _GOING_ON.isdisjoint(key.split("."))


_OPTIONAL: Final = frozenset({Basis.CONSENT, Basis.IMPLIED, Basis.OPT_OUT})
_QUESTIONS: Final = MappingProxyType(
    {
        "asks.consent": frozenset({Basis.CONSENT}),
        "asks.implied": frozenset({Basis.IMPLIED}),
        "asks.at-once": frozenset({Basis.IMPLIED}),
        "asks.opt-out": frozenset({Basis.OPT_OUT}),
        "sharing": frozenset({Basis.OPT_OUT}),
        "mixed_title": _OPTIONAL,
        "mixed_close": _OPTIONAL,
    }
)


def asked_with(key: str) -> frozenset[Basis]:
    """The bases of the purposes that visitors are asked about with a text; none for most texts.

    >>> [str(basis) for basis in asked_with("asks.at-once.lead")], [*asked_with("settings")]
    (['implied'], [])
    """
    return _QUESTIONS.get(key) or _QUESTIONS.get(key.rpartition(".")[0], frozenset())

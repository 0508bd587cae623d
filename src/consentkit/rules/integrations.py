"""What other makers' consent interfaces are told: which of their signals hang on which purposes.

It has never heard of scripts or pages: it says what is to be told, and others say it.

Each signal is denied until every purpose under it is granted, and one that names no purpose stays
denied (LAW R-56 to R-59). A site that uses none of these declares none, and nothing of them is
served. Signals are spelled as their makers spell them.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from pydantic import ConfigDict, Field

from consentkit.rules.shapes import Model, Purposes, Switch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "GoogleConsentMode",
    "GoogleSignals",
    "Integration",
    "Integrations",
    "Matomo",
    "MicrosoftClarity",
    "MicrosoftUet",
    "place_of_signal",
]

REGION: Final = "[A-Z]{2}(?:-[A-Z0-9]{1,3})?"
"""A code of ISO 3166-2, or of a whole country (ISO 3166-1)."""
LONGEST_WAIT: Final = 10_000
"""Milliseconds that a tag may be kept waiting: nobody stays longer for a page to begin."""


class GoogleSignals(Model):
    """The signals of Google Consent Mode that a visitor answers; security_storage is granted."""

    model_config = ConfigDict(alias_generator=str, populate_by_name=True)

    ad_storage: Purposes = ()
    """Purposes under which advertising may be stored."""
    ad_user_data: Purposes = ()
    """Purposes under which data about a visitor may be sent to Google for advertising."""
    ad_personalization: Purposes = ()
    """Purposes under which advertising may be fitted to the visitor."""
    analytics_storage: Purposes = ()
    """Purposes under which visits may be measured."""
    functionality_storage: Purposes = ()
    """Purposes under which settings such as the language may be stored."""
    personalization_storage: Purposes = ()
    """Purposes under which the site's content may be fitted to the visitor."""


class GoogleConsentMode(Model):
    """Google Consent Mode, version 2 (LAW R-56, R-57)."""

    signals: GoogleSignals
    """Each signal with the purposes it hangs on."""
    wait_for_update: Annotated[int, Field(ge=0, le=LONGEST_WAIT)] = 500
    """Milliseconds that a tag waits for a visitor's answer that is known already."""
    region: tuple[str, ...] = ()
    """Codes of ISO 3166-2 (``DE``, ``US-CA``) where the denial counts; absent for everywhere."""
    ads_data_redaction: Switch = True
    """True: identifiers of advertising are cut out while ad_storage is denied."""
    url_passthrough: Switch = False
    """True: links carry what cookies may not; only ever once ad_storage is granted."""

    @property
    def purposes_of(self) -> Mapping[str, tuple[str, ...]]:
        """Each signal that a visitor answers, with the purposes that it hangs on."""
        fields = GoogleSignals.model_fields
        return MappingProxyType({name: getattr(self.signals, name) for name in fields})


class MicrosoftClarity(Model):
    """Microsoft Clarity's consent interface, version 2 (LAW R-58)."""

    ad_storage: Purposes = ()
    """Purposes under which advertising may be stored."""
    analytics_storage: Purposes = ()
    """Purposes under which visits may be measured."""

    @property
    def purposes_of(self) -> Mapping[str, tuple[str, ...]]:
        """Each signal, as Clarity spells it, with the purposes that it hangs on."""
        return MappingProxyType(
            {"ad_Storage": self.ad_storage, "analytics_Storage": self.analytics_storage}
        )


class MicrosoftUet(Model):
    """Consent of Microsoft Advertising's Universal Event Tracking (LAW R-58)."""

    ad_storage: Purposes
    """Purposes under which advertising may be stored."""

    @property
    def purposes_of(self) -> Mapping[str, tuple[str, ...]]:
        """The signal, as UET spells it, with the purposes that it hangs on."""
        return MappingProxyType({"ad_storage": self.ad_storage})


class Matomo(Model):
    """Matomo's consent interface (LAW R-59)."""

    purpose: Purposes
    """Purposes under which Matomo may do what waits."""
    consent: Literal["tracking", "cookies"] = "tracking"
    """What waits: `tracking` for everything, `cookies` for cookies alone."""

    @property
    def purposes_of(self) -> Mapping[str, tuple[str, ...]]:
        """What waits, with the purposes that it hangs on."""
        return MappingProxyType({self.consent: self.purpose})


Integration: TypeAlias = GoogleConsentMode | MicrosoftClarity | MicrosoftUet | Matomo


class Integrations(Model):
    """Other makers' consent interfaces, each told where the policy names it."""

    google_consent_mode: GoogleConsentMode | None = None
    """Google Consent Mode, version 2: which signals hang on which purposes."""
    microsoft_clarity: MicrosoftClarity | None = None
    """Microsoft Clarity: which signals hang on which purposes."""
    microsoft_uet: MicrosoftUet | None = None
    """Microsoft Advertising (UET): the purposes that its ad-storage hangs on."""
    matomo: Matomo | None = None
    """Matomo: the purpose it waits for, and whether tracking waits or its cookies alone."""

    def used(self) -> Iterator[tuple[str, Integration]]:
        """Those the policy has, each by its key in a file."""
        for name, info in type(self).model_fields.items():
            if (integration := getattr(self, name)) is not None:
                yield str(info.alias), integration


def place_of_signal(key: str, signal: str) -> tuple[str, ...]:
    """The keys below `integrations` at which a signal's purposes stand in a file.

    >>> place_of_signal("microsoft-clarity", "ad_Storage")
    ('microsoft-clarity', 'ad-storage')
    """
    if key == "google-consent-mode":
        return key, "signals", signal
    return key, "purpose" if key == "matomo" else signal.lower().replace("_", "-")

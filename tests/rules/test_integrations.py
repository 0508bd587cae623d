"""What other makers' interfaces are told, in their makers' own spelling."""

from typing import Any

import pytest

from consentkit.rules.integrations import (
    GoogleSignals,
    Integrations,
    MicrosoftUet,
    place_of_signal,
)
from consentkit.rules.policy import Policy
from consentkit.rules.policy_file import policy_from, read_policy

WORDS = {"title": "A", "description": "B"}
WHOLE: dict[str, Any] = {
    "google-consent-mode": {"signals": {"ad_storage": "ads", "analytics_storage": ["a", "ads"]}},
    "microsoft-clarity": {"ad-storage": "ads", "analytics-storage": "a"},
    "microsoft-uet": {"ad-storage": ["ads"]},
    "matomo": {"purpose": "a"},
}


def policy(**integrations: Any) -> Policy:
    return policy_from(
        {
            "site": {"name": "A", "controller": "B"},
            "mode": "explicit",
            "purposes": {"a": WORDS, "ads": WORDS},
            "integrations": integrations,
        }
    )


def test_a_site_that_uses_none_tells_nobody() -> None:
    """R-60: nothing of anybody else's interface is there unless the policy asks for it."""
    assert [*policy().integrations.used()] == []
    assert policy().integrations == Integrations()


def test_each_signal_is_spelled_as_its_maker_spells_it() -> None:
    """R-56, R-58: ad_Storage with a capital S is Clarity's own; six of Google's are answered."""
    told = {key: {**each.purposes_of} for key, each in policy(**WHOLE).integrations.used()}
    assert told == {
        "google-consent-mode": {
            "ad_storage": ("ads",),
            "ad_user_data": (),
            "ad_personalization": (),
            "analytics_storage": ("a", "ads"),
            "functionality_storage": (),
            "personalization_storage": (),
        },
        "microsoft-clarity": {"ad_Storage": ("ads",), "analytics_Storage": ("a",)},
        "microsoft-uet": {"ad_storage": ("ads",)},
        "matomo": {"tracking": ("a",)},
    }
    assert "security_storage" not in GoogleSignals.model_fields


def test_what_is_not_said_is_the_careful_choice() -> None:
    """R-57, R-59: redacted, no decorated links, half a second, everywhere; and Matomo waits."""
    some = policy(**WHOLE).integrations
    google = some.google_consent_mode
    assert google is not None
    assert some.matomo is not None
    assert (google.wait_for_update, google.region) == (500, ())
    assert google.ads_data_redaction
    assert not google.url_passthrough
    assert some.matomo.consent == "tracking"


@pytest.mark.parametrize("key", WHOLE)
def test_a_signal_has_its_place_in_the_file(key: str) -> None:
    """Where its purposes are said: a fault, and a change, is told of there."""
    used = dict(policy(**{key: WHOLE[key]}).integrations.used())
    for signal, purposes in used[key].purposes_of.items():
        found: Any = WHOLE
        for part in place_of_signal(key, signal):
            found = found.get(part, [])
        assert purposes == ((found,) if isinstance(found, str) else tuple(found))


def test_it_survives_its_file() -> None:
    """One purpose alone stands without brackets, and a default is left out."""
    some = policy(**WHOLE)
    text = some.to_yaml()
    assert "analytics_storage: [a, ads]" in text
    assert "wait-for-update" not in text
    assert read_policy(text) == some


def test_it_may_be_built_in_python() -> None:
    """With underscores, as everywhere."""
    assert MicrosoftUet(ad_storage=("ads",)) == policy(**WHOLE).integrations.microsoft_uet

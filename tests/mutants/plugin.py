"""What pytest is told while it looks at a mutant: few examples, no shrinking, no memory.

It has never heard of mutmut. ``-p tests.mutants.plugin --hypothesis-profile=mutants`` loads it.
"""

import sys

import pytest
from hypothesis import HealthCheck, Phase, settings

# The patches that Hypothesis writes for a failing test cost seconds, and nobody reads them here.
sys.modules["hypothesis.extra._patching"] = None  # type: ignore[assignment]  # Python: not there

settings.register_profile(
    "mutants",
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # that a mutant dies is enough
    suppress_health_check=list(HealthCheck),
)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Forget what was remembered: a mutant's process is forked from one that was not mutated."""
    modules = [module for name, module in sys.modules.items() if name.startswith("consentkit")]
    for value in [value for module in modules for value in [*vars(module).values()]]:
        if callable(getattr(value, "cache_clear", None)):
            value.cache_clear()

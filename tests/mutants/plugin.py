"""What pytest is told while it looks at a mutant: few examples, no shrinking, no memory.

``-p tests.mutants.plugin --hypothesis-profile=mutants`` loads it.
"""

import sys

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

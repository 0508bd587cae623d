import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from consentkit.rules.policy_file import Inspection, inspect_policy, inspect_text
from tests.conftest import in_a_deep_run
from tests.rules import mutate_policies
from tests.rules.mutate_policies import (
    LARGE,
    MUTATIONS,
    chance_of,
    failures,
    large,
    limit,
    mutated,
    valid_files,
)

ROOT = Path(__file__).parents[2]
MANY = 50_000


def test_any_mutation_is_a_policy_or_has_faults() -> None:
    """Nothing a site can write goes wrong silently, loudly in the wrong way, or slowly."""
    count = in_a_deep_run(MANY, else_only=MANY // 10)
    command = [sys.executable, "-m", "tests.rules.mutate_policies", str(count)]
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    env = {**os.environ, "PYTHONPATH": path}
    ran = subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


@pytest.mark.parametrize("file", valid_files(), ids=lambda file: file.parent.name + file.stem)
def test_what_is_mutated_is_valid(file: Path) -> None:
    """A mutation of what was broken already would show little."""
    assert inspect_policy(file).faults == ()


def test_the_large_file_is_valid_and_large() -> None:
    """A time per 100 KB is measured on 100 KB."""
    assert inspect_text(large()).policy is not None
    assert LARGE <= len(large()) < 1.1 * LARGE


def test_mutations_do_both(tmp_path: Path) -> None:
    """The control: some leave a policy, more do not, and each way to mutate is one."""
    corpus = mutate_policies.Corpus(tmp_path)
    chance = chance_of("1")
    read = [inspect_text(mutated(chance.choice(corpus.texts), chance)) for _ in range(300)]
    policies = sum(inspection.policy is not None for inspection in read)
    assert 30 < policies < 270
    for mutation in MUTATIONS:
        texts = {mutation(corpus.texts[0], chance_of(str(seed))) for seed in range(50)}
        assert len(texts) > 25


def test_a_mutation_comes_back(tmp_path: Path) -> None:
    """A number and a seed are enough to see a failure again."""
    corpus = mutate_policies.Corpus(tmp_path)
    for number in (0, 1, 25):
        one, other = (corpus.mutated(number, chance_of(f"7:{number}"))[0] for _ in range(2))
        assert one == other


def planted(text: bytes) -> Inspection:
    """A reader as a careless one would be: it trusts that a word is there."""
    text.index(b"controller")
    return inspect_text(text)


def silent(text: bytes) -> Inspection:
    """A reader that says neither yes nor no."""
    inspection = inspect_text(text)
    return Inspection(inspection.file, None, (), (), {})


def slow(text: bytes) -> Inspection:
    """A reader that keeps the processor for longer than a text of this size may."""
    end = time.process_time() + 1.1 * limit(len(text))
    while time.process_time() < end:
        pass
    return inspect_text(text)


def test_a_reader_that_raises_is_caught() -> None:
    """The control: the run sees an exception of another kind, and shows the text."""
    found = failures(2000, read=planted)
    assert found
    for failure in found:
        assert "ValueError: subsection not found" in failure
        assert "\nb" in failure
    assert failures(300, read=inspect_text) == []


def test_a_reader_that_says_nothing_is_caught() -> None:
    """The control: None and no fault is no answer."""
    assert len(failures(50, read=silent)) == mutate_policies.MOST_FAILURES


def test_a_reader_that_is_slow_is_caught() -> None:
    """The control: the clock is one that counts."""
    (found,) = failures(2, read=slow, share=1)
    assert "ms for" in found

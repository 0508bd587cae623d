"""Mutates valid policy files: ``python -m tests.rules.mutate_policies [count] [seed]``.

It has never heard of what a mutation should lead to. `fault_of` says what holds for any text at
all: it is a policy or it has faults, nothing else is raised, and none costs more than `MOST_TIMES`
what a faultless file of its size costs, measured in the same moment: a ratio holds on a machine of
any speed, and a time does not. The same seed gives the same mutations, so that a failure comes back
on the next run. Each processor of the machine runs a share.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from consentkit.errors import PolicyError
from consentkit.rules.policy_file import Inspection, inspect_policy, inspect_text

ROOT = Path(__file__).parents[2]
FOLDERS = ("examples/*/consent.yaml", "tests/policies/good/*.yaml")
EXTENDED = "group.yaml"
LARGE = 100_000
ONE_LARGE_IN = 500
ONE_EXTENDED_IN = 25
MOST_FAILURES = 5

MOST_TIMES = 5
SECONDS_FOR_ANY = 0.050
"""What any file may take on top, so that small ones are not judged by the clock's own noise."""

Read = Callable[[bytes], Inspection]

TOKEN = re.compile(rb"[A-Za-z0-9_.-]+|\s+|.", re.DOTALL)
SIGNS = [
    *b": |- |? |, |{|}|[|]|#|&a |*a|!|!!int |!!python/none |>|>-|%|@|`|'|\"|<<: |~".split(b"|"),
    *b"---\n|...\n|\t|\n|\r\n|\r|  |    |\x00|\x08|\x7f|\x85|\xa0|\xff|\xfe\xff".split(b"|"),
    *(text.encode() for text in ("\u2028", "\ufeff", "é", "🍪", "\\uD800", "\\x00", "|")),
]
WORDS = b"""
site name controller contact updated policy mode explicit implied opt-out preset eu uk us-ca fr
takes-effect next-page at-once revision since ask-again-after languages en de no NO pt-BR tlh
purposes title description basis strictly-necessary consent justification security honours gpc dnt
cookies kind session persistent poll-timeout analytics purpose duration service more path domain
party first third recipients transfer US IE attributes secure http-only same-site none lax strict
partitioned chunked renew storage where local indexed-db services provider hosts privacy opt-out
undeclared report block hide settings-link auto manual placeholders banner body accept reject layout
always child-directed /kids texts settings asks.consent.title back {site} templates
token extends uses django starlette-sessions google-analytics youtube _ga _ga_* * {x} __Host-a
true false null yes 0 1 -1 2 007 1e9 99999999999999999999 1.5 2015-06-01 2015-13-99 day days years
""".split()
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2**63, 10**30, 1.5, float("inf"), "", " ", "*", "a*b", "{x}"),
    *([], {}, [[]], [None], [""], {"": ""}, {"en": "A"}, {"en": 1}, {"a": {"b": {"c": []}}}),
    *("1 day", "500 years", "\u0000", "\ud800", "x" * 5000, "__Host-consent", "group.yaml", "no"),
]


# One mutation: a text, and where chance takes it


def chance_of(seed: str) -> random.Random:
    """The same chance for the same seed, in every process."""
    return random.Random(seed)  # noqa: S311  # nothing is secret here


def in_bytes(text: bytes, chance: random.Random) -> bytes:
    """A run of bytes is lost, doubled, changed or put elsewhere."""
    at = chance.randrange(len(text) + 1)
    end = at + chance.choice((1, 1, 1, 2, 8, 64, 512))
    part = text[at:end]
    other = chance.choice(
        (b"", part * 2, part[::-1], bytes([chance.randrange(256)]), chance.choice(SIGNS))
    )
    return text[:at] + other + text[end if chance.random() < 0.7 else at :]


def in_lines(text: bytes, chance: random.Random) -> bytes:
    """A line is lost, doubled, moved, indented or joined with the next."""
    lines = text.split(b"\n")
    at, to = chance.randrange(len(lines)), chance.randrange(len(lines))
    line = lines[at]
    what = chance.randrange(6)
    if what == 0:
        del lines[at : at + chance.choice((1, 1, 3, 20))]
    elif what == 1:
        lines.insert(to, line)
    elif what == 2:
        lines[at], lines[to] = lines[to], lines[at]
    elif what == 3:
        lines[at] = chance.choice((b" ", b"  ", b"\t", b"- ", b"# ", b"    ")) + line
    elif what == 4:
        lines[at] = line[chance.randrange(1, 5) :]
    else:
        lines[at : at + 2] = [b"".join(lines[at : at + 2])]
    return b"\n".join(lines)


def in_tokens(text: bytes, chance: random.Random) -> bytes:
    """A word or a sign becomes another, or that of another place."""
    tokens = TOKEN.findall(text) or [b""]
    at = chance.randrange(len(tokens))
    tokens[at] = chance.choice(
        (b"", chance.choice(WORDS), chance.choice(SIGNS), chance.choice(tokens), tokens[at] * 2)
    )
    return b"".join(tokens)


def in_structure(text: bytes, chance: random.Random) -> bytes:
    """A key or a value is lost, renamed, or another value; then it is written out again."""
    try:
        return restructured(yaml.load(text, Loader=yaml.CSafeLoader), chance)
    except Exception:  # noqa: BLE001  # another reader may trip over what ours must not
        return in_tokens(text, chance)


def restructured(data: Any, chance: random.Random) -> bytes:
    places = list(holders(data))
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        change(*chance.choice(places), places, chance)
    written = json.dumps(data, default=str, ensure_ascii=chance.random() < 0.5)
    return written.encode("utf-8", "surrogatepass")


def holders(data: Any) -> Iterator[tuple[Any, Any]]:
    """Each mapping or list with each of its keys, however deep."""
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield data, key
        if isinstance(value, dict | list):
            yield from holders(value)


def change(holder: Any, key: Any, places: list[tuple[Any, Any]], chance: random.Random) -> None:
    if isinstance(holder, list):
        if key >= len(holder):
            return
    elif key not in holder:
        return
    what = chance.randrange(4)
    if what == 0:
        del holder[key]
    elif what == 1 and isinstance(holder, dict):
        holder[chance.choice(WORDS).decode()] = holder.pop(key)
    elif what == 2:
        other, at = chance.choice(places)
        in_it = at in other if isinstance(other, dict) else at < len(other)
        holder[key] = other[at] if in_it else None
    else:
        holder[key] = chance.choice(VALUES)


MUTATIONS = (in_bytes, in_lines, in_tokens, in_structure)


# What is mutated


def valid_files() -> list[Path]:
    """The examples, and policies that use every key there is."""
    return sorted(path for pattern in FOLDERS for path in ROOT.glob(pattern))


def large() -> bytes:
    """A policy of 100 KB: every third line of it is a key, as people write them."""
    text = (ROOT / "examples/staffordshire_police/consent.yaml").read_text("utf-8")
    head, _, rest = text.partition("cookies:\n")
    entry = rest.partition("\n  PollTimeout")[0].replace("more:", "path: /\n    more:")
    count = (LARGE - len(text)) // len(entry) + 1
    more = (entry.replace("clientvars", f"kept-{number:05}") + "\n" for number in range(count))
    return f"{head}cookies:\n{''.join(more)}{rest}".encode()


@dataclass
class Corpus:
    """The texts that are mutated, and a folder in which some of them extend another."""

    folder: Path
    texts: list[bytes] = field(
        default_factory=lambda: [path.read_bytes() for path in valid_files()]
    )
    large: bytes = field(default_factory=large)

    def mutated(self, number: int, chance: random.Random) -> tuple[bytes, Read]:
        """One text that nobody has written, and how it is read."""
        if number % ONE_LARGE_IN == 0:
            return mutated(self.large, chance), inspect_text
        if number % ONE_EXTENDED_IN == 0:
            return mutated(self._good("one-of-the-group.yaml"), chance), self._upon_a_base(chance)
        return mutated(chance.choice(self.texts), chance), inspect_text

    def _good(self, name: str) -> bytes:
        return (ROOT / "tests/policies/good" / name).read_bytes()

    def _upon_a_base(self, chance: random.Random) -> Read:
        base = self._good(EXTENDED)
        if chance.random() < 0.5:
            base = mutated(base, chance)

        def read(text: bytes) -> Inspection:
            (self.folder / EXTENDED).write_bytes(base)
            (self.folder / "site.yaml").write_bytes(text)
            return inspect_policy(self.folder / "site.yaml")

        return read


def mutated(text: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        text = chance.choice(MUTATIONS)(text, chance)
    return text


# What holds for any text


def limit(size: int) -> float:
    """The seconds of processor time that a text of `size` bytes may take, at this moment."""
    faultless = b"".join(FAULTLESS)
    return SECONDS_FOR_ANY + MOST_TIMES * timed(inspect_text, faultless)[1] * size / len(faultless)


HEAD = (
    b"site: {name: A site, controller: Its owner}\nmode: explicit\npurposes:\n"
    b"  polls: {title: Polls, description: One vote each.}\ncookies:\n"
)
COOKIE = (
    b"  vote-%05d:\n    kind: session\n    purpose: polls\n    description: Remembers a vote.\n"
)
FAULTLESS = (HEAD, *(COOKIE % number for number in range(LARGE // len(COOKIE))))


def fault_of(text: bytes, read: Read) -> str | None:
    """What does not hold for a text, in words; None if all is well."""
    try:
        inspection, took = timed(read, text)
        is_slow = took > SECONDS_FOR_ANY and all(
            timed(read, text)[1] > limit(len(text)) for _ in range(5)
        )
        judge(inspection)
    except Exception as error:  # noqa: BLE001  # that is what is looked for
        return f"{type(error).__name__}: {error}"
    if is_slow:
        return f"took {took * 1000:.0f} ms for {len(text)} bytes, over {MOST_TIMES} times the usual"
    return None


def timed(read: Read, text: bytes) -> tuple[Inspection, float]:
    start = time.process_time()
    inspection = read(text)
    return inspection, time.process_time() - start


def judge(inspection: Inspection) -> None:
    """A policy that can be asked, or faults that can be printed."""
    if inspection.policy is not None:
        assert not inspection.faults
        assert len(inspection.policy.questions) >= len(inspection.policy.optional_purposes)
    else:
        assert inspection.faults
        assert str(PolicyError(inspection.faults))
    for fault in (*inspection.faults, *inspection.warnings):
        assert fault.what.endswith(".")
        assert str(fault).encode()


def failures(
    count: int, seed: int = 0, *, share: int = 0, of: int = 1, read: Read | None = None
) -> list[str]:
    """What went wrong in every `of`-th of `count` mutations, beginning with `share`."""
    found: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        corpus = Corpus(Path(folder))
        for number in range(share, count, of):
            text, own = corpus.mutated(number, chance_of(f"{seed}:{number}"))
            fault = fault_of(text, read or own)
            if fault:
                shown = text if len(text) < 8000 else text[:2000] + b" [...]"
                found.append(f"mutation {number}, seed {seed}: {fault}\n{shown!r}")
            if len(found) >= MOST_FAILURES:
                break
    return found


def main(count: int, seed: int) -> int:
    """Run `count` mutations on all processors; 1 if anything went wrong."""
    workers = os.cpu_count() or 1
    command = [sys.executable, "-m", "tests.rules.mutate_policies", str(count), str(seed)]
    running = [subprocess.Popen([*command, str(share), str(workers)]) for share in range(workers)]
    return max(each.wait() for each in running)


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    amount, start_at, *part = [*numbers, *(50_000, 0)[len(numbers) :]]
    if not part:
        sys.exit(main(amount, start_at))
    wrong = failures(amount, start_at, share=part[0], of=part[1])
    sys.stdout.write("".join(f"{each}\n" for each in wrong))
    sys.exit(bool(wrong))

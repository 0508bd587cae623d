"""A policy file -> Policy, or PolicyError with every fault, its place and its cure.

It has never heard of visitors or HTTP: it reads text and says what is wrong with it.

A policy is laid together from parts: what its `uses` declare, then each base that it `extends`,
then the file itself, the upper part's words over the lower's. What says of itself what it is (a
purpose with title and description, a cookie's kind) stands alone, so that no base can make it what
its author did not read. A service that the catalogue knows is filled in beneath what the file says
of it, as long as that is the provider the catalogue means.

pydantic checks the shape of the whole, `wording` says what it found, and `problems_on` checks the
sense; entries that have no shape are left out there, so one slip is one fault. `lints_on` says what
may be and would be better otherwise. Each fault stands where its words stand, in whichever file
that is.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any, Final, NoReturn

from pydantic import ValidationError

from consentkit.errors import Fault, PolicyError, did_you_mean
from consentkit.rules import catalogue
from consentkit.rules.faults import problems_on
from consentkit.rules.lints import lints_on
from consentkit.rules.policy import IN_A_FILE, Basis, Policy
from consentkit.rules.problems import Loc, Problem, ground_of, subject_of
from consentkit.rules.wording import (
    ENTRIES,
    FILE_KEYS,
    LONGEST_KEY,
    MOST_HINTS,
    dashed,
    in_our_words,
)
from consentkit.rules.yaml_text import (
    DEEPEST,
    HALF_A_CHARACTER,
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
    "file_of",
    "inspect_policy",
    "inspect_text",
    "load_policy",
    "policy_from",
    "read_policy",
]

LONGEST_CHAIN: Final = 10
"""Files that may extend one another."""
MOST_VALUES: Final = 200_000
"""Values in a policy that is built in Python."""
MOST_DIGITS: Final = 18
"""Digits of a whole number, as in a file."""
MOST_ROUNDS: Final = 4
"""Validations of one policy; what is faulty in one is left out of the next."""


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
    root: Node | None = field(default=None, repr=False, compare=False)

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
    policy = _policy_of(inspect_policy(path))
    # Beside what a policy works out of itself: no field of it, and no part of what makes two equal.
    policy.__dict__[_FILE] = os.fspath(Path(path).absolute())
    return policy


_FILE: Final = "loaded from"


def file_of(policy: Policy) -> str | None:
    """The file that `load_policy` read a policy from; None for one that was made otherwise.

    A copy is taken to be from there too. What the file says is as `inspect_policy` reads it.
    """
    file: str | None = policy.__dict__.get(_FILE)
    return file


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
    fault, whatever `data` is; a fault's place is the path of its keys.
    """
    given = _Given(Place(file))
    own = given.policy(data)
    parts = _Parts(own)
    policy, problems = _judge(parts.laid_together().data, given.holes, in_file=False)
    if own.get("extends"):
        what = "'extends' names a file, and this policy stands in no folder"
        problems.append(Problem(("extends",), what, _SAVE_IT))
    _raise_pathed([*given.problems, *parts.problems, *problems], file)
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
            for path in [[".".join(map(_cut, each.loc))] if each.loc else []]
        )


def _cut(key: str) -> str:
    return key if len(key) <= LONGEST_KEY else f"{key[:LONGEST_KEY]}…"


def _fault(place: Place, what: str, cure: str, *, is_warning: bool = False) -> Fault:
    return Fault(*place, f"{what}.", cure, is_warning)


def _stop(place: Place, what: str, cure: str) -> NoReturn:
    raise PolicyError([_fault(place, what, cure)])


# Plain data

_SECTIONS: Final = frozenset((section,) for section in ENTRIES)


class _Given:
    """Plain data that was built in Python, as nodes; what no file could hold is noted, left out."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._values = 0
        self.problems: list[Problem] = []

    @property
    def holes(self) -> frozenset[Loc]:
        """The parts of which something was left out; a section whose keys are names is whole."""
        places = (problem.loc for problem in self.problems)
        return frozenset(_part_of(loc) for loc in places if loc and loc not in _SECTIONS)

    def policy(self, data: object) -> Node:
        """The top node. Raises PolicyError for what is no set of keys, or has no end."""
        if not isinstance(data, Mapping):
            what = f"the policy is {shown(data)}, and must be keys with values"
            _stop(self._place, what, "Give it 'site', 'mode' and 'purposes'.")
        return self._node(data, ())

    def _node(self, data: Any, loc: Loc) -> Node:  # noqa: ANN401  # whatever a program hands in
        self._values += 1
        if len(loc) > DEEPEST or self._values > MOST_VALUES:
            is_deep = len(loc) > DEEPEST
            much = f"{DEEPEST} levels inside one another" if is_deep else f"{MOST_VALUES} values"
            what = f"{_cut(loc[0])}: the policy has more than {much}"
            _stop(self._place, what, "Does it hold itself? Five levels are usual.")
        if isinstance(data, Mapping):
            return self._mapping(data, loc)
        if isinstance(data, list | tuple):
            return self._list(data, loc)
        if isinstance(data, int) and abs(data) >= 10**MOST_DIGITS:
            what = f"'{'.'.join(loc)}' is a number of more than {MOST_DIGITS} digits"
            self.problems.append(Problem(loc, what, "Write a smaller one."))
        return Node(self._place, data)

    def _mapping(self, data: Mapping[Any, Any], loc: Loc) -> Node:
        node = Node(self._place, {})
        for key, value in data.items():
            if isinstance(key, str) and not HALF_A_CHARACTER.search(key):
                child = self._node(value, (*loc, key))
                node.add(key, self._place, child)
                node.data[key] = child.data
            else:
                self._refuse(key, loc)
        return node

    def _list(self, data: Sequence[Any], loc: Loc) -> Node:
        node = Node(self._place, [])
        for index, value in enumerate(data):
            child = self._node(value, (*loc, str(index)))
            node.add(str(index), self._place, child)
            node.data.append(child.data)
        return node

    def _refuse(self, key: object, loc: Loc) -> None:
        why = "has half of a character in it" if isinstance(key, str) else "is not text"
        named = (
            f"the key {shown(key)}"
            if isinstance(key, str | int)
            else f"a key of type {type(key).__name__}"
        )
        what = f"{subject_of(loc)} has {named}, which {why}"
        self.problems.append(Problem(loc, what, "Write it as a string."))


# Files


class _NoRegularFileError(OSError):
    """A pipe, a socket, a device."""


_UNREADABLE: Final[Mapping[type[Exception], tuple[str, str]]] = {
    FileNotFoundError: ("there is no such file", "Check the path; it counts from where you start."),
    IsADirectoryError: ("this is a directory", "Name the policy file in it."),
    PermissionError: ("this file may not be read", "Let the user who runs the site read it."),
    _NoRegularFileError: ("this is no regular file", "Save the policy as a file, and name that."),
}


def _bytes_of(file: str, place: Place) -> bytes:
    """What a file holds; PolicyError at `place`, which names it, where it cannot be read."""
    try:
        # Looked at before it is opened: a pipe would wait for its writer, and a device may act.
        mode = Path(file).stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise _NoRegularFileError
        with Path(file).open("rb") as stream:
            return stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        otherwise = f"this file cannot be read: {said}", "Check the path."
        what, cure = _UNREADABLE.get(type(error), otherwise)
        if place.line:
            what, cure = f"{shown(file)} cannot be extended: {what}", _FROM_THIS_FOLDER
        raise PolicyError([_fault(place, what, cure)]) from error


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # it may not be looked at, or its name is too long
        return False


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
        if self._from_disk:
            self._find_templates(root)
        holes = _holes_in(root) if self._faults else frozenset()
        policy, problems = _judge(root.data, holes, in_file=True, spoken=self._spoken)
        found = {*self._faults, *(_placed(each, root) for each in (*parts.problems, *problems))}
        faults = tuple(sorted(fault for fault in found if not fault.is_warning))
        warnings = tuple(sorted(fault for fault in found if fault.is_warning))
        return Inspection(file, None if faults else policy, faults, warnings, self._sources, root)

    def _chain(self, file: str, read: Callable[[], bytes | str]) -> Node:
        """The file, laid upon the base that it extends, which lies upon its own, and so on."""
        nodes = [self._mapping(file, read())]
        been = [os.path.realpath(file)] if self._from_disk else []
        while base := self._base_of(nodes[-1]):
            name, place = base
            source = _bytes_of(name, place)
            if os.path.realpath(name) in been:
                what = f"{shown(name)} is extended in a circle"
                _stop(place, what, "Take one 'extends' out.")
            if len(been) >= LONGEST_CHAIN:
                what = f"more than {LONGEST_CHAIN} files extend one another"
                _stop(place, what, "One base for all of them is easier to read.")
            been.append(os.path.realpath(name))
            nodes.append(self._mapping(name, source))
        root = nodes.pop()
        while nodes:
            root = merged(root, nodes.pop(), _stands_alone)
        return _without_unlisted_words(root) if len(been) > 1 else root

    def _find_templates(self, root: Node) -> None:
        """Make the path of the templates one that leads there from anywhere."""
        node = root.get("templates")
        if node is None or not isinstance(node.data, str) or not node.data.strip():
            return
        path = Path(node.place.file).parent.absolute() / node.data
        if not _is_folder(path):
            what = f"'templates' is {shown(node.data)}, and there is no such folder"
            self._faults.append(_fault(node.place, what, "It counts from this file's folder."))
        root.data["templates"] = os.fspath(path)

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
            _stop(base.place, what, _FROM_THIS_FOLDER)
        elif not self._from_disk:
            what = "'extends' names a file, and this policy stands in no folder"
            self._faults.append(_fault(base.place, what, _SAVE_IT))
        elif not base.data.endswith((".yaml", ".yml")) or PureWindowsPath(base.data).anchor:
            what = f"'extends' is {shown(base.data)}, and must be a relative path of a .yaml file"
            _stop(base.place, what, _FROM_THIS_FOLDER)
        else:
            # '..' stays as it is written: behind a link it leads elsewhere than one would count.
            return os.fspath(Path(base.place.file).parent / base.data), base.place
        return None


_SIGNS: Final[Mapping[str, tuple[str, ...]]] = {
    "purposes": ("title", "description"),
    "cookies": ("kind",),
    "storage": ("where",),
}
"""The keys by which an entry says of itself what it is."""
_TEXTS: Final = frozenset(
    ("title", "description", "provider", "recipients", "transfer", "body", "accept", "reject")
)
"""The keys, of an entry or of the banner, whose values are what a visitor reads."""


def _is_text(loc: Loc) -> bool:
    depth = 3 if loc[0] in ENTRIES else 2
    return len(loc) == depth and loc[0] in (*ENTRIES, "banner") and loc[-1] in _TEXTS


def _stands_alone(loc: Loc, own: Node) -> bool:
    """True for what replaces all that lies beneath: an entry that says what it is, and a text."""
    if len(loc) == 2 and loc[0] in _SIGNS:
        return all(own.get(sign) for sign in _SIGNS[loc[0]])
    return _is_text(loc)


def _without_unlisted_words(root: Node) -> Node:
    """The policy without what its bases say in languages that it does not list itself.

    Another site may speak more languages; what this one's own file says in them is a fault.
    """
    tags = _languages_of(root)
    return _with_listed_words(root, (), root.place.file, tags)


def _with_listed_words(node: Node, loc: Loc, own: str, tags: tuple[str, ...]) -> Node:
    if not isinstance(node.data, dict):
        return node
    is_foreign = bool(loc) and _is_text(loc) and node.place.file != own
    kept = Node(node.place, {}, has_holes=node.has_holes)
    for key, (place, child) in (node.items or {}).items():
        if key in tags or not (is_foreign or (loc == ("texts",) and place.file != own)):
            new = _with_listed_words(child, (*loc, key), own, tags)
            kept.add(key, place, new)
            kept.data[key] = new.data
    return kept


# What the catalogue supplies

_SAY_WHY: Final = "'necessary: {basis: strictly-necessary, title: …, description: …}'"


class _Parts:
    """A policy's own words, and what the catalogue lays beneath them."""

    def __init__(self, own: Node) -> None:
        self._own = own
        self._purpose = next(iter(_necessary_purposes(own)), None)
        self.problems: list[Problem] = []

    def laid_together(self) -> Node:
        """The whole: frameworks' cookies and services' facts beneath what the policy says."""
        root = self._own
        for place, framework in self._used():
            root = merged(self._declared_by(framework, place), root, _stands_alone)
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
        left = dict(known)
        every = ", ".join(known)
        for loc, name in names:
            if not isinstance(name, str) or name not in known:
                self._found(loc, *_unknown_framework(name, every, len(self.problems)))
            elif used := left.pop(name, None):
                yield loc, used

    def _declared_by(self, framework: catalogue.Framework, loc: Loc) -> Node:
        """The framework's cookies, declared at the place that names it."""
        if self._purpose is None:
            what = f"'{framework.key}' sets cookies that are strictly necessary, and no purpose is"
            self._found(loc, what, f"Add one to 'purposes': {_SAY_WHY}.")
            return node_of({}, self._own.place)
        tags = _languages_of(self._own)
        cookies = {
            name: {**declared, "purpose": self._purpose, "description": _in(tags, declared)}
            for name, declared in framework.cookies.items()
        }
        for name in cookies.keys() & self._asked_about():
            # The visitor is asked, so there is nothing to justify any more.
            del cookies[name]["justification"]
        return node_of({"cookies": cookies}, _place_at(self._own, loc))

    def _asked_about(self) -> set[str]:
        """The cookies to which the policy itself gives a purpose that is not strictly necessary."""
        cookies, necessary = self._own.get("cookies"), set(_necessary_purposes(self._own))
        named = {
            name: purpose.data
            for name, cookie in (cookies.children() if cookies else ())
            if (purpose := cookie.get("purpose"))
        }
        return {
            name for name, purpose in named.items() if not necessary.issuperset(_texts_in(purpose))
        }

    def _found(self, loc: Loc, what: str, cure: str) -> None:
        self.problems.append(Problem(loc, what, cure))


def _unknown_framework(name: object, every: str, number: int) -> tuple[str, str]:
    near = ""
    if isinstance(name, str) and number < MOST_HINTS:
        near = did_you_mean(name, every.split(", "))
    what = f"'uses' names {shown(name)}, whose cookies the catalogue does not know"
    return what, f"It knows those of: {every}.{near}"


def _listed(node: Node) -> list[tuple[Loc, object]] | None:
    if not isinstance(node.data, list | tuple):
        return None
    return [(("uses", key), child.data) for key, child in node.children()]


def _necessary_purposes(root: Node) -> list[str]:
    purposes = root.get("purposes")
    return [
        name
        for name, purpose in (purposes.children() if purposes else ())
        if (basis := purpose.get("basis")) and basis.data == Basis.STRICTLY_NECESSARY
    ]


def _texts_in(data: object) -> list[str]:
    said = data if isinstance(data, list | tuple) else [data]
    return [each for each in said if isinstance(each, str)]


def _languages_of(root: Node) -> tuple[str, ...]:
    node = root.get("languages")
    said = _texts_in(node.data) if node and isinstance(node.data, list) else ()
    return tuple(said) or ("en",)


def _in(tags: tuple[str, ...], declared: Mapping[str, Any]) -> str | dict[str, str]:
    """A catalogued description in the policy's languages; in English where the first is not."""
    words = declared["description"]
    said = {tag: words[tag] for tag in tags if tag in words}
    return said if tags[0] in said else words["en"]


def _known_services(place: Place, services: Node) -> Node:
    """What the catalogue knows of the services that are named, each at the name's place.

    One that names its provider or its hosts is not where the catalogue says, as Matomo on a
    site's own server is not: its title is known, and what it is in a page.
    """
    known, beneath = catalogue.services(), Node(place, {})
    for name, (where, own) in (services.items or {}).items():
        if name in known and isinstance(own.data, Mapping):
            facts, said = _facts_of(known[name]), set(map(dashed, own.data))
            if said & {"provider", "hosts"}:
                facts = {key: facts[key] for key in _WHEREVER & facts.keys()}
            new = {key: facts[key] for key in facts.keys() - said}
            beneath.add(name, where, node_of(new, where))
    return _holding(place, "services", beneath)


_WHEREVER: Final = frozenset({"title", "inline", "shows"})
"""What is true of a service wherever it runs."""


def _holding(place: Place, key: str, child: Node) -> Node:
    node = Node(place, {})
    node.add(key, place, child)
    return node


def _facts_of(service: catalogue.KnownService) -> dict[str, object]:
    facts = {
        "title": service.title,
        "provider": service.provider,
        "hosts": list(service.hosts),
        "inline": list(service.inline),
        "shows": service.shows,
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
    rounds = 0
    while True:
        rounds += 1
        try:
            policy = _validated(rest, in_file=in_file)
        except ValidationError as error:
            details = error.errors(include_url=False)
            problems += in_our_words(details, rest)
            unread |= {_part_of(detail["loc"]) for detail in details}
            if rounds == MOST_ROUNDS:
                unread |= {(dashed(key),) for key in data}
            rest = _without(data, unread)
        else:
            ground = ground_of(policy, unread)
            return policy, [*problems, *problems_on(ground), *lints_on(ground, spoken)]


def _validated(data: Mapping[str, Any], *, in_file: bool) -> Policy:
    if in_file:
        return Policy.model_validate(data, by_name=False, context=IN_A_FILE)
    return Policy.model_validate(data)


def _part_of(loc: tuple[int | str, ...]) -> Loc:
    """What is left out for an error at `loc`: an entry, or a key of the policy."""
    head, *rest = map(str, loc)
    return (head, rest[0]) if head in ENTRIES and rest else (dashed(head),)


def _without(data: Mapping[str, Any], unread: frozenset[Loc]) -> dict[str, Any]:
    keys = {loc[0] for loc in unread if len(loc) == 1}
    rest = {key: value for key, value in data.items() if dashed(str(key)) not in keys}
    for section in {loc[0] for loc in unread} & rest.keys():
        if isinstance(rest[section], Mapping):
            rest[section] = {
                name: entry
                for name, entry in rest[section].items()
                if (section, str(name)) not in unread
            }
    return rest | {key: value for key, value in _STAND_INS.items() if key in keys}

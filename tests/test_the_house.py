"""How the house stands: who may import whom, and what each room has never heard of."""

import ast
import re
import subprocess
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HOUSE = ROOT / "src" / "consentkit"
PACKAGE = HOUSE.name
FACE = "__init__"

# The ladder, lowest rung first. A module imports only from rungs below its own. On the top rung
# stand the public face and those who use the house as its users do: they may import everything.
LADDER = (
    (
        *("errors", "memory", "wire.cookies", "wire.html", "wire.headers", "wire.urls"),
        *("rules.names", "rules.hosts", "rules.signals", "rules.yaml_print", "rules.shapes"),
        *("rules.misleading_words", "rules.paths", "notice.plurals"),
    ),
    (
        *("wire.body_start", "wire.csp", "wire.dull", "wire.fetching", "wire.tree"),
        *("wire.validators", "rules.catalogue", "rules.integrations", "rules.yaml_text"),
    ),
    ("wire.gate", "wire.representation", "rules.policy"),
    ("rules.consent", "rules.problems", "rules.trackers", "rules.texts", "notice.text"),
    (
        *("rules.decision", "rules.notice_faults", "rules.lints", "rules.wording"),
        *("rules.policy_schema", "notice.templates", "notice.chapters"),
    ),
    (
        *("rules.faults", "rules.changes", "notice.assets", "notice.scripts"),
        *("notice.declaration", "notice.embeds"),
    ),
    ("rules.policy_file", "rules.visitor", "events", "records"),
    ("notice.preferences", "notice.receipt", "observed"),
    ("notice.banner",),
    ("notice.own_templates",),
    ("rulings", "gating", "routes", "shell"),
    ("enforcement", "pages", "audit"),
    ("ready",),
    ("refuge",),
    ("exchange",),
    ("middleware", "cli"),
    ("testing", "pytest_plugin", FACE),
)
RUNG = {module: rung for rung, modules in enumerate(LADDER, start=1) for module in modules}
TOP = len(LADDER)
DOORPLATE = 0  # a room's own __init__.py says what the room is, and imports nothing

# Rooms that are one on the ladder, and arrange their own modules.
WHOLE_ROOMS = ("audit", "shell", "testing")

# The pillars take values and return values. What would let the world in:
PILLARS = ("wire", "rules")
WORLD = (
    *("anyio", "asgiref", "asyncio", "fastapi", "http", "httpx", "httpx2", "starlette", "uvicorn"),
    *("socket", "ssl", "time", "urllib.request"),
)
CLOCKS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today")
FILES = ("open", "read_bytes", "read_text")
MAY_READ_FILES = {
    "rules.policy_file": "a policy's file form is read from a file",
    "rules.catalogue": "the catalogue is data that ships inside the package",
}

LEAST_LINES = 60
MAY_BE_SMALL = {
    "rules.signals": "Sec-GPC and DNT have specifications of their own",
}
MOST_LINES_OF_A_FUNCTION = 50


@dataclass(frozen=True)
class Module:
    """A parsed module: `name` without the package's, `plate` for a room's `__init__.py`."""

    name: str
    path: Path
    source: str
    tree: ast.Module
    plate: bool

    def at(self, line: int) -> str:
        """Where a line stands, as an editor opens it."""
        path = self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path
        return f"{path.as_posix()}:{line}"


def read_module(path: Path, house: Path) -> Module:
    dotted = ".".join(path.relative_to(house).with_suffix("").parts)
    name = dotted if dotted == FACE else dotted.removesuffix(f".{FACE}")
    source = path.read_text("utf-8")
    return Module(name, path, source, ast.parse(source, path), name != dotted)


@cache
def read_house(house: Path) -> dict[str, Module]:
    modules = (read_module(path, house) for path in sorted(house.rglob("*.py")))
    return {module.name: module for module in modules}


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def dotted_names(node: ast.AST, importer: Module) -> list[str]:
    """The absolute dotted names that a node imports; none if it is no import."""
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom():
            start = origin(importer, node)
            return [f"{start}.{alias.name}" for alias in node.names]
        case ast.Call(
            func=ast.Name("__import__" | "import_module")
            | ast.Attribute(attr="__import__" | "import_module"),
            args=[ast.Constant(value=str(name)), *_],
        ):
            return [name]
    return []


def origin(importer: Module, node: ast.ImportFrom) -> str:
    """The absolute name that a `from` statement starts at, its dots resolved (PEP 328)."""
    if not node.level:
        return node.module or ""
    parts = [PACKAGE] if importer.name == FACE else [PACKAGE, *importer.name.split(".")]
    is_package = importer.plate or importer.name == FACE
    kept = len(parts) - node.level + is_package
    return ".".join([*parts[:kept], *([node.module] if node.module else [])])


def imports(module: Module) -> Iterator[tuple[int, str]]:
    """Each line that imports, wherever it stands, with the absolute dotted name it asks for."""
    for node in ast.walk(module.tree):
        for name in dotted_names(node, module):
            yield getattr(node, "lineno", 1), name


def imports_at_home(module: Module, house: dict[str, Module]) -> Iterator[tuple[int, str]]:
    """Of a module's imports those that stay in the package, as names of its modules."""
    for line, name in imports(module):
        if name.split(".")[0] == PACKAGE:
            yield line, home(name.removeprefix(PACKAGE).lstrip("."), house)


def home(name: str, house: dict[str, Module]) -> str:
    """The module in which a dotted name lives: itself, or the nearest one above."""
    while name and name not in house:
        name = name.rpartition(".")[0]
    return name or FACE


def place(name: str) -> str:
    """What stands for a module in the drawing."""
    room = name.partition(".")[0]
    return room if room in WHOLE_ROOMS else name


def rung(module: Module) -> int:
    return RUNG.get(place(module.name), DOORPLATE)


def is_drawn(module: Module) -> bool:
    return module.plate or place(module.name) in RUNG


def may_import(importer: Module, imported: Module) -> bool:
    same_room = place(importer.name) == place(imported.name)
    return rung(importer) == TOP or rung(imported) < rung(importer) or same_room


def misplaced_imports(house: Path) -> list[str]:
    modules = read_house(house)
    return [
        f"{module.at(line)}: {module.name} (rung {rung(module)}) imports {name} "
        f"(rung {rung(modules[name])}). Imports go down the ladder, never up or across: move what "
        "both need to a rung below, or hand it over as an argument."
        for module in modules.values()
        if is_drawn(module)
        for line, name in dict.fromkeys(imports_at_home(module, modules))
        if name in modules and not may_import(module, modules[name])
    ]


def undrawn_modules(house: Path) -> list[str]:
    return [
        f"{module.at(1)}: {module.name} is not in the drawing. Give it a rung in LADDER "
        "(tests/test_the_house.py), or move what it holds into the module that needs it."
        for module in read_house(house).values()
        if not is_drawn(module)
    ]


def is_within(name: str, roots: tuple[str, ...]) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def world_let_in(house: Path) -> Iterator[str]:
    """Where a pillar imports the world, asks what time it is, or reads a file."""
    for module in read_house(house).values():
        if not is_within(module.name, PILLARS):
            continue
        for line, name in imports(module):
            if is_within(name, WORLD):
                yield f"{module.at(line)}: {module.name} imports {name}; hand in its value instead."
        for line, call in calls(module):
            if is_within_call(call, CLOCKS):
                yield f"{module.at(line)}: {module.name} calls {call}; time is an argument."
            if is_within_call(call, FILES) and module.name not in MAY_READ_FILES:
                yield f"{module.at(line)}: {module.name} calls {call}; hand in what it holds."


def calls(module: Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def is_within_call(call: str, forbidden: tuple[str, ...]) -> bool:
    return any(call == name or call.endswith(f".{name}") for name in forbidden)


def identifiers(module: Module) -> Iterator[tuple[int, str]]:
    """Every name that the code itself writes: not its strings, and not its comments."""
    for node in ast.walk(module.tree):
        for field in ("name", "id", "attr", "arg", "asname"):
            if isinstance(value := getattr(node, field, None), str):
                yield getattr(node, "lineno", 1), value


def words_of_the_other_pillar(house: Path) -> list[str]:
    return [
        f"{module.at(line)}: {module.name} says {name!r}; wire knows the web, not consent."
        for module in read_house(house).values()
        if is_within(module.name, ("wire",))
        for line, name in (*identifiers(module), *imports(module))
        if "consent" in name.removeprefix(PACKAGE).lower()
    ]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, the docstring aside: to explain is not to be long."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is None:
        return lines
    return lines - ((first.end_lineno or first.lineno) - first.lineno + 1)


def long_functions(house: Path) -> list[str]:
    return [
        f"{module.at(function.lineno)}: {function.name} has {length(function)} lines, and no more "
        f"than {MOST_LINES_OF_A_FUNCTION} are read in one go."
        for module in read_house(house).values()
        for function in functions(module)
        if length(function) > MOST_LINES_OF_A_FUNCTION
    ]


def importers(house: dict[str, Module]) -> dict[str, set[str]]:
    """Who imports each module; the public face aside, since it imports in order to show."""
    found = defaultdict(set)
    for module in house.values():
        if module.name != FACE:
            for _, name in imports_at_home(module, house):
                found[name].add(module.name)
    return found


def shallow_modules(house: Path) -> list[str]:
    modules = read_house(house)
    found = importers(modules)
    return [
        f"{module.at(1)}: {module.name} is under {LEAST_LINES} lines, and only "
        f"{', '.join(found[module.name])} imports it: move it there, or list it in MAY_BE_SMALL."
        for module in modules.values()
        if not module.plate and module.name != FACE
        if len(module.source.splitlines()) < LEAST_LINES and len(found[module.name]) == 1
        if module.name not in MAY_BE_SMALL
    ]


def undescribed_modules(house: Path) -> list[str]:
    return [
        f"{module.at(1)}: {module.name} has no docstring. Say what it is, and what it has never "
        "heard of."
        for module in read_house(house).values()
        if not ast.get_docstring(module.tree)
    ]


def excused_lines(house: Path) -> list[str]:
    return [
        f"{module.at(number)}: a pragma excuses a line from being tested; test it, or remove it."
        for module in read_house(house).values()
        for number, line in enumerate(module.source.splitlines(), start=1)
        if re.search(r"#\s*pragma\b", line)
    ]


def test_imports_go_down_the_ladder() -> None:
    """A rung knows the rungs below: what is pure stays pure, and no two modules need each other."""
    assert misplaced_imports(HOUSE) == []


def test_every_module_stands_in_the_drawing() -> None:
    """The map of the house is complete, so that a new room is thought about before it is built."""
    assert undrawn_modules(HOUSE) == []


def test_the_pillars_are_closed_to_the_world() -> None:
    """`wire` and `rules` are functions of values: no server, no clock, no file, no socket."""
    assert list(world_let_in(HOUSE)) == []


def test_wire_has_never_heard_of_consent() -> None:
    """Pillar one knows the web, and could be used by someone who blocks nothing."""
    assert words_of_the_other_pillar(HOUSE) == []


def test_every_module_says_what_it_is() -> None:
    """The first thing read in a file is what it is for."""
    assert undescribed_modules(HOUSE) == []


def test_modules_are_deep() -> None:
    """A short file with one reader is a page torn out of that reader's book."""
    assert shallow_modules(HOUSE) == []


def test_functions_fit_on_a_screen() -> None:
    """What is longer than one look does more than one thing."""
    assert long_functions(HOUSE) == []


def test_no_line_is_excused_from_being_tested() -> None:
    """Coverage of 100 % says something only where nothing was left out of the count."""
    assert excused_lines(HOUSE) == []


# --- Controls: a made-up house with one fault each, and each is found where it stands.


def build(folder: Path, files: dict[str, str]) -> Path:
    house = folder / PACKAGE
    for name, source in files.items():
        path = house / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, "utf-8")
    return house


UP = f"rules/policy.py:1: rules.policy (rung 3) imports enforcement (rung {RUNG['enforcement']})"
MISPLACED = {
    "up": ("from consentkit.enforcement import filter_headers", UP),
    "up, by its full name": ("import consentkit.enforcement", UP),
    "up, from the package": ("from consentkit import enforcement", UP),
    "up, with dots": ("from ..enforcement import filter_headers", UP),
    "up, from two dots": ("from .. import enforcement", UP),
    "up, by a call": ("__import__('importlib').import_module('consentkit.enforcement')", UP),
    "up, in a function": ("def f():\n    import consentkit.enforcement", UP.replace(":1:", ":2:")),
    "up, for types only": (
        "import typing\nif typing.TYPE_CHECKING:\n    from consentkit import enforcement",
        UP.replace(":1:", ":3:"),
    ),
    "the public face": (
        "from consentkit import Policy",
        f"rules/policy.py:1: rules.policy (rung 3) imports __init__ (rung {TOP})",
    ),
}


@pytest.mark.parametrize("statement", MISPLACED)
def test_an_import_up_the_ladder_is_found(statement: str, tmp_path: Path) -> None:
    """However the import is written and wherever it stands: the drawing is of what happens."""
    source, fault = MISPLACED[statement]
    house = build(
        tmp_path, {"__init__.py": "", "enforcement.py": "", "rules/policy.py": f"{source}\n"}
    )
    found = misplaced_imports(house)
    assert len(found) == 1
    assert fault in found[0]


def test_an_import_across_a_rung_is_found(tmp_path: Path) -> None:
    """Neighbours on one rung do not know each other, or the rung would hide an order."""
    house = build(
        tmp_path,
        {"wire/cookies.py": "", "wire/html.py": "from consentkit.wire import cookies\n"},
    )
    (found,) = misplaced_imports(house)
    assert "wire/html.py:1: wire.html (rung 1) imports wire.cookies (rung 1)" in found


def test_a_doorplate_imports_nothing(tmp_path: Path) -> None:
    """Importing one module of a room must not pull in its neighbours."""
    house = build(
        tmp_path, {"wire/__init__.py": "from .cookies import parse\n", "wire/cookies.py": ""}
    )
    (found,) = misplaced_imports(house)
    assert "wire/__init__.py:1: wire (rung 0) imports wire.cookies (rung 1)" in found


def test_an_import_down_the_ladder_is_allowed(tmp_path: Path) -> None:
    """The control of the controls: a house in order has no faults."""
    house = build(
        tmp_path,
        {
            "__init__.py": "from consentkit.middleware import ConsentMiddleware\n",
            "audit/__init__.py": "from consentkit.audit.crawl import visit\n",
            "audit/crawl.py": "from consentkit.wire.cookies import parse\nimport json\n",
            "middleware.py": "from . import enforcement\n",
            "enforcement.py": "from .wire import cookies\n",
            "pytest_plugin.py": "from consentkit import testing\n",
            "testing.py": "from consentkit import Policy\n",
            "wire/__init__.py": "",
            "wire/cookies.py": "",
        },
    )
    assert misplaced_imports(house) == []
    assert undrawn_modules(house) == []


def test_an_undrawn_module_is_found(tmp_path: Path) -> None:
    """The message says what to do: draw it, or do without it."""
    (found,) = undrawn_modules(build(tmp_path, {"rules/utils.py": ""}))
    assert "rules/utils.py:1: rules.utils is not in the drawing. Give it a rung in LADDER" in found


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from http import cookies",
        "from starlette.requests import Request",
        "import urllib.request",
        "now = datetime.datetime.now(tz=UTC)",
        "today = date.today()",
        "text = open('policy.yaml').read()",
        "text = Path('policy.yaml').read_text()",
    ],
)
def test_a_pillar_open_to_the_world_is_found(source: str, tmp_path: Path) -> None:
    """A clock or a file inside would make the same values give two answers."""
    house = build(tmp_path, {"rules/decision.py": f"\n{source}\n", "middleware.py": source})
    (found,) = world_let_in(house)
    assert "rules/decision.py:2: " in found


@pytest.mark.parametrize(
    "source",
    ["def consent(): ...", "f(has_consent=1)", "x.consent", "import consentkit.rules.consent"],
)
def test_the_word_consent_in_wire_is_found(source: str, tmp_path: Path) -> None:
    """In identifiers and imports; a docstring may name what the module has never heard of."""
    house = build(tmp_path, {"wire/cookies.py": f'"""Never heard of consent."""\n{source}\n'})
    assert words_of_the_other_pillar(house)
    assert not words_of_the_other_pillar(build(tmp_path / "b", {"wire/html.py": '"consent"'}))


def test_faults_of_shape_are_found(tmp_path: Path) -> None:
    """Each rule of shape, broken once and kept once."""
    longest = "def f():\n    '''Long.'''\n" + "    x = 1\n" * (MOST_LINES_OF_A_FUNCTION - 1)
    house = build(
        tmp_path,
        {
            "errors.py": "'''Errors.'''\n" + longest,
            "enforcement.py": "'''Header lists.'''\nimport consentkit.rules.policy\n",
            "rules/policy.py": "'''Words.'''\n" + longest + "    x = 2  # pragma: no cover\n",
            "cli.py": "",
        },
    )
    (long,) = long_functions(house)
    (shallow,) = shallow_modules(
        build(tmp_path / "b", {"cli.py": "import consentkit.records", "records.py": ""})
    )
    (undescribed,) = undescribed_modules(house)
    (excused,) = excused_lines(house)
    assert f"rules/policy.py:2: f has {MOST_LINES_OF_A_FUNCTION + 1} lines" in long
    assert "records.py:1: records is under 60 lines, and only cli imports it" in shallow
    assert "cli.py:1: cli has no docstring" in undescribed
    assert "rules/policy.py:53: a pragma" in excused


# --- Around the code.

MACHINE_PATH = r"(^|[^A-Za-z0-9_.])/(root|home|farm|work)/[A-Za-z.]"
REGISTRY = r"\"resolved\": *\"http|(?<!no-emit-)\bindex-url\b|https?://[^\s\"']+/simple\b"
OF_ONE_PLACE = re.compile(f"{MACHINE_PATH}|{REGISTRY}", re.MULTILINE)


def tracked_files() -> list[Path]:
    """What git tracks, or would on the next `git add`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("this tree is no git checkout, so nothing says which files belong to it")
    names = (name for name in listing.stdout.split("\0") if name)
    return [path for name in names if (path := ROOT / name).is_file()]


def test_no_file_names_one_machine() -> None:
    """A clone works anywhere: pip's own configuration says where packages come from."""
    named = [
        f"{path.relative_to(ROOT).as_posix()}: {found.group().strip()}"
        for path in tracked_files()
        if (found := OF_ONE_PLACE.search(path.read_text("utf-8", errors="replace")))
    ]
    assert named == []


@pytest.mark.parametrize(
    "text",
    [
        "open('" + "/home" + "/someone/policy.yaml')",
        "#!" + "/root" + "/.venv/bin/python",
        '"resolved": ' + '"https://registry.example/x.tgz"',
        "--index" + "-url https://mirror.example/",
        "https://mirror.example" + "/simple",
    ],
)
def test_a_name_of_one_machine_is_found(text: str) -> None:
    """The control: what must not stand in a file is seen there."""
    assert OF_ONE_PLACE.search(f"first line\n{text}\n")
    assert not OF_ONE_PLACE.search("GET /homepage, src/work/, --no-emit-index" + "-url")


def test_constraints_pin_every_package_and_name_no_source() -> None:
    """The same versions everywhere, from wherever this machine gets its packages."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert lines
    assert [line for line in lines if not re.match(r"[a-z0-9.-]+==[\w.]+( ; [^:/]+)?$", line)] == []


@pytest.mark.parametrize(
    "script", ["bench", "check", "demo", "docs", "mutate", "setup", "stale", "test"]
)
def test_a_script_says_what_it_does_and_can_be_run(script: str) -> None:
    """Whoever lists the folder can run what stands there, from any folder."""
    path = ROOT / "scripts" / script
    shebang, purpose, *rest = path.read_text("utf-8").splitlines()
    assert shebang == "#!/usr/bin/env bash"
    assert purpose.startswith("# ")
    assert rest[:2] == ["set -eu", 'cd "$(dirname "$0")/.."']
    assert path.stat().st_mode & 0o111


def test_the_wheel_holds_what_the_folder_holds(tmp_path: Path) -> None:
    """Templates, languages, styles and `py.typed` are installed with the code that reads them."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = (path for path in HOUSE.rglob("*") if path.is_file() and path.suffix != ".pyc")
    assert packed == {path.relative_to(HOUSE.parent).as_posix() for path in files}
    assert f"{PACKAGE}/py.typed" in packed

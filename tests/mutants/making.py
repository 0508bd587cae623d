"""Makes the mutants of a module, with mutmut, and tells what is changed in one.

A mutant has a name such as ``consentkit.rules.paths.x__plain__mutmut_7``; all of a module stand in
one file, each beside the function that it is of.
"""

from __future__ import annotations

import ast
from difflib import unified_diff
from functools import cache
from pathlib import Path
from typing import NamedTuple

from mutmut.mutation.file_mutation import mutate_file_contents

from tests.mutants.switch import DECORATOR, INSTEAD


class Change(NamedTuple):
    """A function, and the lines of it that are gone and that came instead, without indentation."""

    function: str
    lines: tuple[str, ...]


class Mutants(NamedTuple):
    """The mutants of a module: their names, and the file to put in its place."""

    names: tuple[str, ...]
    code: str


def mutants_of(file: Path, module: str) -> Mutants:
    """All mutants of a file that is imported as `module`."""
    made = mutate_file_contents(str(file), file.read_text("utf-8"))
    code = made.code.replace(DECORATOR, INSTEAD)
    return Mutants(tuple(f"{module}.{name}" for name in made.mutant_names), code)


def function_of(name: str) -> str:
    """The function that a mutant is of, as one writes it.

    >>> function_of("consentkit.rules.paths.xǁPathIndexǁcovers__mutmut_2")
    'consentkit.rules.paths.PathIndex.covers'
    >>> function_of("consentkit.rules.paths.x__plain__mutmut_7")
    'consentkit.rules.paths._plain'
    """
    module, _, mangled = name.rpartition("__mutmut_")[0].rpartition(".")
    plain = mangled.removeprefix("xǁ").replace("ǁ", ".") if "ǁ" in mangled else mangled[2:]
    return f"{module}.{plain}"


def change_of(name: str, code: str) -> Change:
    """What is changed in a mutant, which stands in this file."""
    mangled, function = name.rpartition(".")[2], function_of(name)
    original = f"{mangled.rpartition('__mutmut_')[0]}__mutmut_orig"
    plain = function.rpartition(".")[2]
    before, after = (
        [line.replace(each, plain) for line in _functions(code)[each]]
        for each in (original, mangled)
    )
    return Change(function, changed("\n".join(unified_diff(before, after, lineterm=""))))


@cache
def _functions(code: str) -> dict[str, list[str]]:
    """The lines of every function in a file."""
    lines = code.split("\n")
    return {
        node.name: lines[node.lineno - 1 : node.end_lineno]
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def changed(diff: str) -> tuple[str, ...]:
    r"""The lines of a diff that are gone and that came, each with its sign, without indentation.

    >>> changed("--- old\n+++ new\n@@ -1,2 +1,2 @@\n def f():\n-    return 1\n+    return 2")
    ('- return 1', '+ return 2')
    """
    lines = [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in "+++---"]
    return tuple(f"{line[0]} {line[1:].strip()}" for line in lines)

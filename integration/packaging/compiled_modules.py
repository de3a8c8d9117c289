"""Which modules the hook compiles, and what their sources must not hold.

mypyc tells whether a `Final` has been set by a value that its type can't have; no float is such a value. So a fixed
tuple that holds nothing but floats reads as unset although it is set: `NameError: value for final name was not set`, in
the compiled build only. `Final[tuple[float, ...]]` is an object, and well.

Compiled abstract classes have one memory of `isinstance` for all of them, since ABCMeta does not make them. Compiled
code asks the type itself, but plain Python is told what was remembered of another class. So it must not ask.
"""

from __future__ import annotations

import ast
import tomllib

from integration.packaging.wheels import PACKAGES, ROOT


def hook_patterns(key: str) -> list[str]:
    """What pyproject.toml tells the compiling hook to include or exclude."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns: list[str] = project["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["mypyc"][key]
    return [pattern.lstrip("/") for pattern in patterns]


def compiled_by_configuration() -> set[str]:
    """The modules that pyproject.toml tells the hook to compile."""
    names: set[str] = set()
    for pattern in hook_patterns("include"):
        found = [path.relative_to(ROOT) for path in ROOT.glob(pattern)]
        assert found, f"{pattern} names nothing"
        names |= {".".join(path.with_suffix("").parts) for path in found}
    excluded = {pattern.removesuffix(".py").replace("/", ".") for pattern in hook_patterns("exclude")}
    return {name for name in names if name not in excluded and not name.endswith(".__init__")}


def unit_suites() -> list[str]:
    """The unit suites of the rooms that are compiled."""
    rooms = [pattern.removesuffix("/*.py") for pattern in hook_patterns("include") if pattern.endswith("/*.py")]
    suites = [f"tests/unit/{room}" for room in rooms]
    return [suite for suite in suites if any((ROOT / suite).glob("test_*.py"))]


def find_unsafe_constants(source: str) -> list[str]:
    """`line: name` of each `Final` of a module or class that may be a fixed tuple of nothing but floats."""
    tree = ast.parse(source)
    fixed = {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and _is_fixed_tuple(node.returns)
    }
    bodies = [tree.body, *(node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef))]
    return [
        f"{statement.lineno}: {ast.unparse(statement.target)}"
        for body in bodies
        for statement in body
        if isinstance(statement, ast.AnnAssign) and statement.value is not None and _is_unsafe(statement, fixed)
    ]


def _is_unsafe(statement: ast.AnnAssign, fixed: set[str]) -> bool:
    annotation, value = statement.annotation, statement.value
    while isinstance(annotation, ast.Subscript):
        name = ast.unparse(annotation.value)
        if name not in ("Final", "ClassVar"):
            return _is_fixed_tuple(annotation) and value is not None and _may_be_floats(value)
        annotation = annotation.slice
    if ast.unparse(annotation) != "Final" or value is None:
        return False
    if isinstance(value, ast.Call):
        return ast.unparse(value.func) in fixed
    return isinstance(value, ast.Tuple) and _may_be_floats(value)


def _is_fixed_tuple(annotation: ast.expr | None) -> bool:
    if not isinstance(annotation, ast.Subscript) or ast.unparse(annotation.value) != "tuple":
        return False
    return "..." not in ast.unparse(annotation) and "float" in ast.unparse(annotation)


def _may_be_floats(value: ast.expr) -> bool:
    """Whether no part of it is seen to be something else: one whole number or text in a tuple is enough to be safe."""
    if isinstance(value, ast.Tuple):
        return bool(value.elts) and all(_may_be_floats(part) for part in value.elts)
    if isinstance(value, ast.UnaryOp):
        return _may_be_floats(value.operand)
    if isinstance(value, ast.Constant):
        return isinstance(value.value, float)
    # A name or a sum of something: its type is not seen here, so it has to be written down.
    return not isinstance(value, (ast.JoinedStr, ast.List, ast.Dict, ast.Set, ast.Lambda))


def find_unsafe_questions() -> list[str]:
    """`module:line: class` of each isinstance of a compiled abstract class in a module that stays plain."""
    compiled = compiled_by_configuration()
    trees = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text())
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    }
    bases: dict[str, list[str]] = {}
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and (name in compiled or node.name not in bases):
                bases[node.name] = [ast.unparse(base) for base in node.bases]
    of_compiled = {
        node.name
        for name in compiled
        for node in ast.walk(trees[name])
        if isinstance(node, ast.ClassDef) and _is_abstract(node.name, bases)
    }
    return [
        f"{name}:{node.lineno}: {asked.id}"
        for name, tree in sorted(trees.items())
        if name not in compiled
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass")
        for asked in ast.walk(node.args[1])
        if isinstance(asked, ast.Name) and asked.id in of_compiled
    ]


def _is_abstract(name: str, bases: dict[str, list[str]]) -> bool:
    return name == "ABC" or any(_is_abstract(base, bases) for base in bases.get(name, ()) if base != name)

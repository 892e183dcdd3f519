"""Reads the four packages as text, so that the house's rules can be held against what is written."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = ("app", "geo", "data", "tiles")


@dataclass(frozen=True)
class Function:
    """A function and the lines its body takes, without the docstring."""

    where: str
    lines: int


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name and what stands in it."""

    name: str
    file: Path

    @property
    def part(self) -> str:
        return self.name.split(".")[0]

    @cached_property
    def text(self) -> str:
        return self.file.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.file))

    @property
    def package(self) -> list[str]:
        """The dotted name that one leading dot of an import stands for, in pieces."""
        pieces = self.name.split(".")
        return pieces if self.file.name == "__init__.py" else pieces[:-1]

    def imports(self) -> Iterator[str]:
        """Every name that is imported anywhere in the file, also inside functions; ``from a import b`` as a and a.b."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                origin = ".".join([*self.origin_pieces(node.level), *filter(None, [node.module])])
                yield origin
                yield from (f"{origin}.{alias.name}" for alias in node.names)

    def origin_pieces(self, level: int) -> list[str]:
        """Where a relative import starts."""
        return self.package[: len(self.package) - level + 1] if level else []

    def functions(self) -> Iterator[Function]:
        """Every function, method and nested function."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield Function(f"{self.file.relative_to(ROOT)}:{node.lineno} {node.name}", body_lines(node))

    def public(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
        """The functions and classes that stand at the top of the file without a leading underscore."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        yield from (node for node in self.tree.body if isinstance(node, kinds) and not node.name.startswith("_"))


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement after the docstring to the last."""
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def modules(*parts: str) -> dict[str, Module]:
    """Every module of the named packages (all four when none is named)."""
    found = {}
    for part in parts or PARTS:
        for file in sorted((ROOT / part).rglob("*.py")):
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = Module(name, file)
    return found


def graph() -> dict[str, set[str]]:
    """Which of our modules imports which of our modules."""
    ours = modules()
    return {name: set(module.imports()) & ours.keys() - {name} for name, module in ours.items()}


def circle(edges: dict[str, set[str]]) -> list[str]:
    """One circle of imports as the names along it; empty when there is none."""
    done: set[str] = set()

    def walk(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return []
        for other in sorted(edges.get(name, ())):
            found = walk(other, [*trail, name])
            if found:
                return found
        done.add(name)
        return []

    return next(filter(None, (walk(name, []) for name in sorted(edges))), [])

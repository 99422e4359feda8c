"""Versions of families, read from their code: nobody has to remember to raise a number.

Measurements are kept with labels for years, and rows that other code measured must not be compared
with new ones. What counts is the code of a family's module and of every module of :data:`ROOMS`
that it builds on. Comments, docstrings and layout are left out, so that explaining a rule costs
nobody the labels they gave.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from typing import NamedTuple

ROOMS = ("traceloc.graph", "traceloc.signals")
"""Where measuring is done; a family that stands elsewhere counts with its own module."""


class Code(NamedTuple):
    """What one module does, and on which others."""

    digest: str
    imports: frozenset[str]
    """Modules of :data:`ROOMS`."""


@lru_cache(maxsize=64)
def read_version(module: str) -> str:
    """The version of a family that stands in this module.

    It is ``code`` and a digest, else ``traceloc`` and the release where there is no source to read.
    """
    found: dict[str, str] = {}
    waiting = [module]
    try:
        while waiting:
            name = waiting.pop()
            if name not in found:
                code = _read_code(name)
                found[name] = code.digest
                waiting.extend(code.imports)
    except (ImportError, OSError, SyntaxError, ValueError):
        from traceloc import __version__

        return f"traceloc {__version__}"
    text = "\n".join(f"{name} {digest}" for name, digest in sorted(found.items()))
    return f"code {_hash(text)}"


@lru_cache(maxsize=64)
def _read_code(module: str) -> Code:
    spec = find_spec(module)
    source = getattr(spec.loader, "get_source", lambda _: None)(module) if spec else None
    if source is None:
        raise ImportError(f"there is no source of {module!r}")
    tree = ast.parse(source)
    return Code(_hash(" ".join(_outline(tree, []))), frozenset(_imports(tree)))


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(ROOMS):
            yield str(node.module)
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name for name in names if name in sys.modules)


def _outline(node: object, words: list[str]) -> list[str]:
    """The tree in words. Empty fields are left out: other releases of Python add some."""
    if isinstance(node, ast.AST):
        words.append(f"({type(node).__name__}")
        for name in node._fields:
            value = getattr(node, name, None)
            if value is not None and value != []:
                words.append(name)
                _outline(value, words)
        words.append(")")
    elif isinstance(node, list):
        words.append("[")
        for each in node:
            if not _is_docstring(each):
                _outline(each, words)
        words.append("]")
    else:
        words.append(ascii(node))
    return words


def _is_docstring(node: object) -> bool:
    """Whether a statement is a mere string, at the head of a block or under a field."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant):
        return False
    return isinstance(node.value.value, str)


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()

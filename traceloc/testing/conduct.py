"""Checks that hold for every kind: the interface, and to give the same for the same."""

from __future__ import annotations

import locale
import logging
import os
import random
import re
import socket
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from traceloc.errors import PluginError
from traceloc.registry import check_plugin
from traceloc.testing.another_process import exercise_elsewhere
from traceloc.testing.kinds import kind_of, module_of
from traceloc.testing.violation import ContractViolation


def check_interface(plugin: Any, samples: Sequence[Any]) -> None:
    """It has every member of its contract, with the parameters it is called with."""
    name = getattr(plugin, "name", None)
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        raise ContractViolation(
            f"name is {name!r}", mend="call it by a lower-case word such as 'my_format'"
        )
    try:
        check_plugin(kind_of(plugin), plugin, name=name)
    except PluginError as error:
        raise ContractViolation(error.message, mend=error.hint or error.message) from error


def check_same_again(plugin: Any, samples: Sequence[Any]) -> None:
    """The same input gives the same, also after other input was seen, and from a new object."""
    module = module_of(kind_of(plugin))
    ready = module.prepare(samples)
    first = module.exercise(plugin, ready)
    _require_equal(first, module.exercise(plugin, ready), "when asked a second time")
    backwards = module.exercise(plugin, ready[::-1])[::-1]
    _require_equal(first, backwards, "when other samples come before it")
    try:
        other = type(plugin)()
    except TypeError:
        return  # an object made with arguments: an entry point may name one
    if repr(getattr(other, "__dict__", {})) == repr(getattr(plugin, "__dict__", {})):
        _require_equal(first, module.exercise(other, ready), "from a new object of its class")


def check_same_in_another_process(plugin: Any, samples: Sequence[Any]) -> None:
    """Another process, with another seed of hashes, gives the same byte for byte."""
    kind = kind_of(plugin)
    module = module_of(kind)
    ready = module.prepare(samples)
    here = module.exercise(plugin, ready)
    there = exercise_elsewhere(kind, plugin, module.pack(ready))
    _require_equal(here, there, "in another process with another PYTHONHASHSEED")


def check_leaves_the_process_alone(plugin: Any, samples: Sequence[Any]) -> None:
    """Environment, working folder, random numbers, warnings and logging are left as they were."""
    module = module_of(kind_of(plugin))
    ready = module.prepare(samples)
    settled = _settings()
    module.exercise(plugin, ready)
    changed = _differing(settled, _settings())
    with _known_chance():
        # What an import sets up, it sets up once; this is not the first use any more.
        before = _machinery()
        module.exercise(plugin, ready)
        changed += _differing(before, _machinery())
    if changed:
        raise ContractViolation(
            f"using it changes {', '.join(changed)}",
            mend="keep to a copy: random.Random(seed), a dict of your own, catch_warnings()",
        )


def _settings() -> dict[str, Any]:
    return {
        "os.environ": dict(os.environ),
        "the working folder": Path.cwd(),
        "the recursion limit": sys.getrecursionlimit(),
        "the locale": locale.setlocale(locale.LC_ALL),
        "the default socket timeout": socket.getdefaulttimeout(),
        "the standard streams": (sys.stdin, sys.stdout, sys.stderr),
    }


def _machinery() -> dict[str, Any]:
    root = logging.getLogger()
    state: dict[str, Any] = {
        "sys.path": list(sys.path),
        "the state of random": random.getstate(),
        "the warning filters": list(warnings.filters),
        "logging": (root.level, list(root.handlers), root.manager.disable),
    }
    if "numpy" in sys.modules:
        import numpy as np

        state["the state of numpy.random"] = repr(np.random.get_state())
        state["the error state of numpy"] = np.geterr()
    return state


@contextmanager
def _known_chance() -> Iterator[None]:
    """Random states that no plugin would set, and then those of before again."""
    import numpy as np

    kept, kept_by_numpy = random.getstate(), np.random.get_state()
    random.seed("traceloc.testing")
    np.random.seed(20260301)
    try:
        yield
    finally:
        random.setstate(kept)
        np.random.set_state(kept_by_numpy)


def _differing(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [name for name in before if before[name] != after[name]]


def _require_equal(first: Sequence[str], second: Sequence[str], when: str) -> None:
    if first == second:
        return
    for number, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            place = next(
                (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
                min(len(one), len(other)),
            )
            start = max(0, place - 40)
            raise ContractViolation(
                f"gives something else {when}: on sample {number} "
                f"{one[start : place + 40]!r} became {other[start : place + 40]!r}",
                mend="sort what comes out of sets, keep no state between calls, and use no clock, "
                "random number, id() or hash()",
            )
    raise ContractViolation(
        f"gives {len(second)} outcomes {when}, {len(first)} before",
        mend="keep no state between calls",
    )


FIRST = (check_interface, check_leaves_the_process_alone)
LAST = (check_same_again, check_same_in_another_process)

"""Uses a plugin in a fresh process whose strings hash differently."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from traceloc.testing.kinds import module_of
from traceloc.testing.violation import ContractViolation

SECONDS = 120
_PROGRAM = "from traceloc.testing.another_process import main; main()"
_MARK = "\x1etraceloc\x1e"
"""Stands before the answer: a plugin may print."""


def exercise_elsewhere(kind: str, plugin: Any, packed: Any) -> list[str]:
    """What ``exercise`` gives in another process.

    Raises:
        ContractViolation: If the plugin cannot be made there, or fails there.
    """
    return exercise_all_elsewhere(kind, [(plugin, packed)])[0]


def exercise_all_elsewhere(kind: str, work: Sequence[tuple[Any, Any]]) -> list[list[str]]:
    """The same for several plugins in one process: starting one takes longer than most of them.

    Args:
        kind: Of all plugins.
        work: Each plugin with its packed samples.

    Raises:
        ContractViolation: If one cannot be made there, or fails there.
    """
    order = {
        "kind": kind,
        "work": [{"plugin": _address(plugin), "samples": packed} for plugin, packed in work],
        "path": [entry or os.getcwd() for entry in sys.path],  # noqa: PTH109
    }
    seed = "1" if os.environ.get("PYTHONHASHSEED") == "2" else "2"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", _PROGRAM],
        input=json.dumps(order),
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=SECONDS,
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
        | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
    )
    if done.returncode or _MARK not in done.stdout:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ContractViolation(
            f"fails in another process: {last}",
            mend="make it work as an entry point does: imported by name, made without arguments",
        )
    outcomes: list[list[str]] = json.loads(done.stdout.rpartition(_MARK)[2])
    return outcomes


def _address(plugin: Any) -> dict[str, str | None]:
    """Where another process finds the plugin: its class, or the name of the object itself."""
    kind = type(plugin)
    module = sys.modules.get(kind.__module__)
    name = kind.__qualname__
    for other, value in vars(module).items() if module else ():
        if value is plugin:
            name = other
    if "<locals>" in name:
        raise ContractViolation(
            f"{name} is made inside a function, where no entry point finds it",
            mend="define the class at the top of a module",
        )
    file = getattr(module, "__file__", None) or _file_of(kind)
    return {"module": kind.__module__, "name": name, "file": file}


def _file_of(kind: type) -> str | None:
    try:
        return inspect.getfile(kind)
    except (OSError, TypeError):
        return None


def _find(address: dict[str, str | None]) -> Any:
    name, file = str(address["module"]), address["file"]
    try:
        found: Any = importlib.import_module(name)
    except ImportError:
        # A module that is no part of a package, such as a test, is found by its file.
        spec = importlib.util.spec_from_file_location(name, file) if file else None
        if spec is None or spec.loader is None:
            raise
        found = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
    for part in str(address["name"]).split("."):
        found = getattr(found, part)
    return found() if inspect.isclass(found) else found


def main() -> None:
    """Do as the order on standard input says, and print what came out."""
    order = json.loads(sys.stdin.read())
    sys.path[:] = order["path"]
    module = module_of(order["kind"])
    outcomes = [
        module.exercise(_find(each["plugin"]), module.unpack(each["samples"]))
        for each in order["work"]
    ]
    sys.stdout.write(_MARK + json.dumps(outcomes))

"""What is imported when: nobody waits for what he does not use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import traceloc

ROOT = Path(__file__).parent.parent
HEAVY = {"faiss", "networkx", "openai", "scipy", "sentence_transformers", "torch", "zstandard"}
COMMAND = "from traceloc.cli import main; main()"
PROGRAM = """
import atexit, sys
PLACE = sys.argv.pop(1)

@atexit.register
def tell():
    with open(PLACE, "w") as stream:
        print(*{name.partition(".")[0] for name in sys.modules}, file=stream)

"""


@pytest.fixture
def modules_after(tmp_path: Path) -> Callable[..., set[str]]:
    """Top-level modules that a program has loaded by its end."""

    def run(program: str, *arguments: str) -> set[str]:
        place = tmp_path / "modules"
        (tmp_path / "plain-model").write_text('{"name": "plain"}')
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TRACELOC_")}
        environment["TRACELOC_MODEL"] = str(tmp_path / "plain-model")
        command = [sys.executable, "-c", PROGRAM + program, str(place), *arguments]
        subprocess.run(command, check=True, timeout=120, capture_output=True, env=environment)
        return set(place.read_text().split())

    return run


def test_import_costs_next_to_nothing(modules_after: Callable[..., set[str]]) -> None:
    bare = modules_after("pass")
    assert modules_after("import traceloc") - bare <= {"traceloc", "__future__"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_loads_no_model(modules_after: Callable[..., set[str]], arguments: list[str]) -> None:
    loaded = modules_after(COMMAND, *arguments)
    assert "typer" in loaded
    assert not loaded & (HEAVY | {"numpy", "pydantic", "rich", "traceloc_plugins"})


def test_a_scan_loads_nothing_heavy(modules_after: Callable[..., set[str]]) -> None:
    loaded = modules_after(COMMAND, "scan", str(ROOT / "examples"), "--jobs", "1")
    assert {"numpy", "pydantic", "traceloc_plugins"} <= loaded
    assert not loaded & (HEAVY | {"multiprocessing", "rich"})


def test_listing_plugins_imports_none(modules_after: Callable[..., set[str]]) -> None:
    assert "traceloc_plugins" not in modules_after(COMMAND, "plugins", "list")


def test_every_name_of_the_library_is_there() -> None:
    for name in traceloc.__all__:
        assert getattr(traceloc, name).__name__ == name
    assert set(traceloc.__all__) <= set(dir(traceloc))


@pytest.mark.skipif("WHEEL_UNDER_TEST" not in os.environ, reason="set by `make test`")
def test_the_wheel_is_tested_and_not_the_checkout() -> None:
    import traceloc_plugins

    for package in (traceloc, traceloc_plugins):
        place = Path(str(package.__file__)).resolve()
        assert "site-packages" in place.parts, place
        assert (place.parent / "py.typed").exists()

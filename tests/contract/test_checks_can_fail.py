"""Every check finds the flaw it is there for, and says how to mend it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import broken_embedders
import broken_judges
import broken_loaders
import broken_memories
import broken_reporters
import broken_signals
import pytest
from sound_plugins import DIARY, SOUND, Diary

from traceloc.errors import UsageError
from traceloc.testing import (
    CheckSkipped,
    ContractViolation,
    list_checks,
    parametrize_with_checks,
    run_checks,
)

BROKEN: dict[str, dict[str, type]] = {
    "loaders": broken_loaders.FLAWS.found,
    "signals": broken_signals.FLAWS.found,
    "reporters": broken_reporters.FLAWS.found,
    "embedders": broken_embedders.FLAWS.found,
    "memories": broken_memories.FLAWS.found,
    "judges": broken_judges.FLAWS.found,
}
CASES = [(kind, check) for kind in SOUND for check in list_checks(kind)]
CANNOT_FAIL = {("judges", "same_in_another_process")}
"""Skipped for every plugin of the kind."""


@pytest.mark.parametrize(("kind", "check"), CASES, ids=lambda x: getattr(x, "name", x))
def test_each_check_finds_its_flaw(kind: str, check: Any) -> None:
    samples = SOUND[kind][1]
    if (kind, check.name) in CANNOT_FAIL:
        with pytest.raises(CheckSkipped):
            check(SOUND[kind][0](), samples)
        return
    plugin = BROKEN[kind][check.name]()
    with pytest.raises(ContractViolation) as caught:
        check(plugin, samples)
    assert caught.value.found and caught.value.mend
    assert "\nto mend: " in str(caught.value)


def test_a_hang_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("traceloc.testing.bounds.SECONDS", 0.2)

    class Endless(Diary):
        def load(self, sources: Any) -> Any:
            while True:
                pass

    (check,) = [c for c in list_checks("loaders") if c.name == "cut_off_files"]
    with pytest.raises(ContractViolation, match=r"not done after 0\.2 s with sample 0, cut off"):
        check(Endless(), [DIARY])


def test_what_a_plugin_raises_is_a_violation_with_its_cause() -> None:
    (result,) = [
        r for r in run_checks(broken_loaders.TrustingEncoding, samples=[b"\xff{"])
        if r.check.name == "sniff_knows_its_own"
    ]  # fmt: skip
    assert result.verdict == "broken" and "UnicodeDecodeError was raised" in result.message


def test_expected_failures_are_strict() -> None:
    expected = {"sniff_knows_its_own": "it is shy", "ids_are_stable": "they are not"}
    results = {
        r.check.name: r
        for r in run_checks(broken_loaders.Shy, samples=[DIARY], expected_failures=expected)
    }
    assert results["sniff_knows_its_own"].verdict == "expected"
    assert results["sniff_knows_its_own"].message == "it is shy"
    assert results["ids_are_stable"].verdict == "unexpected"
    assert results["ids_are_stable"].is_failure


@pytest.mark.parametrize(
    ("expected", "message"),
    [({"sniff_knows_its_": "x"}, "no check 'sniff_knows_its_'"), ({"interface": " "}, "no reason")],
)
def test_expected_failures_name_a_check_and_a_reason(
    expected: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        parametrize_with_checks(Diary(), samples=[DIARY], expected_failures=expected)
    with pytest.raises(UsageError, match=message):
        list(run_checks(Diary(), samples=[DIARY], expected_failures=expected))


def test_a_loader_without_samples_is_not_checked() -> None:
    with pytest.raises(UsageError, match="without samples"):
        parametrize_with_checks(Diary())


def test_a_thing_of_no_kind() -> None:
    with pytest.raises(UsageError, match="no method of any plugin contract"):
        list(run_checks(object()))
    with pytest.raises(UsageError, match="no plugin kind 'gadget'"):
        list_checks("gadget")


AUTHORS_TEST = """
import traceloc.testing.hostile_files
from sound_plugins import DIARY, PARTS, Diary
from broken_loaders import Shy
from traceloc.testing import parametrize_with_checks

traceloc.testing.hostile_files.MUTATIONS = 5  # the other tests look at those

@parametrize_with_checks(Diary(), samples=[DIARY, PARTS])
def test_sound(check):
    check()

@parametrize_with_checks(Shy, samples=[DIARY, PARTS], expected_failures={
    "sniff_knows_its_own": "it is shy", "ids_are_stable": "a mistake"})
def test_expected(check):
    check()

@parametrize_with_checks(Shy, samples=[DIARY])
def test_broken(check):
    check()
"""


def test_the_decorator_makes_pytest_tests(tmp_path: Path) -> None:
    (tmp_path / "test_author.py").write_text(AUTHORS_TEST)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rf", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    count = len(list_checks("loaders"))
    # In the third test several files are missing beside what is shy.
    assert f"3 failed, {3 * count - 4} passed, 1 xfailed" in run.stdout, run.stdout
    assert "to mend: look for what the format's documents have in common" in run.stdout
    assert "FAILED test_author.py::test_expected[ids_are_stable] - [XPASS(strict)]" in run.stdout

"""What living frameworks export is read, and read right: see ``stage/story.py`` for the run.

Run by `make test-frameworks` and not by `make test`: each framework is installed, in its latest
release.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from environments import TEAMS, list_frameworks
from expectations import EXPORTS, FIRST, FRAMEWORKS, MISSED, REQUIREMENTS, Export
from findings import Finding, read_export

pytestmark = pytest.mark.frameworks


@pytest.fixture(scope="module", params=EXPORTS, ids=str)
def export(request: pytest.FixtureRequest) -> Export:
    """One of the files that frameworks leave behind."""
    return request.param


@pytest.fixture(scope="module")
def finding(export: Export, exports_of: Callable[[str], Path]) -> Finding:
    """What traceloc read from it."""
    return read_export(export, exports_of(export.framework))


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_the_story_is_in_it(finding: Finding, requirement: str) -> None:
    reason = finding.export.lacks.get(requirement)
    assert finding.meets(requirement) is (reason is None), reason or requirement


def test_an_outline_says_so(finding: Finding) -> None:
    said = any("structure only" in found.message for found in finding.trace.diagnostics)
    assert said is finding.export.outline


def test_no_placeholder_acts(finding: Finding) -> None:
    known = {finding.export.archivist, finding.export.loan_desk}
    assert set(finding.agents) <= known


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_fault_is_found(framework: str, exports_of: Callable[[str], Path]) -> None:
    """Among the first suspects, in the best that the framework writes."""
    folder = exports_of(framework)
    found = [read_export(export, folder) for export in EXPORTS if export.framework == framework]
    ranks = {str(each.export): rank for each in found if (rank := each.rank) is not None}
    best = min(ranks.values(), default=99)
    assert best <= MISSED.get(framework, FIRST), ranks
    assert framework not in MISSED or best > FIRST, f"{framework} needs no exception: {ranks}"


def test_every_team_is_told_about() -> None:
    assert sorted(FRAMEWORKS) == list_frameworks()
    assert all((TEAMS / name / "requirements.txt").is_file() for name in FRAMEWORKS)

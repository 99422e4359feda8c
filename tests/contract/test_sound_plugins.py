"""A plugin that is right passes: the checks ask for nothing that is not in the contract."""

from __future__ import annotations

import pytest
from sound_plugins import SOUND

from traceloc.contracts import KINDS
from traceloc.testing import list_checks, run_checks


def test_there_is_one_of_each_kind() -> None:
    assert set(SOUND) == set(KINDS)


@pytest.mark.parametrize("kind", SOUND)
def test_a_sound_plugin_keeps_every_check(kind: str) -> None:
    plugin, samples = SOUND[kind]
    results = list(run_checks(plugin, samples=samples))
    assert [r.check.name for r in results] == [c.name for c in list_checks(kind)]
    assert [
        (r.check.name, r.message) for r in results if r.verdict not in ("kept", "skipped")
    ] == []
    # Checks that look at nothing prove nothing.
    assert sum(r.verdict == "kept" for r in results) >= len(results) - 2

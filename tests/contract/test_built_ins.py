"""Every plugin that traceloc ships keeps the contract that strangers' plugins are held to."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from built_in_samples import EXPECTED_FAILURES, FIXTURES, samples_of

from traceloc.registry import Registry
from traceloc.testing import CheckSkipped, ContractViolation, conduct, list_checks
from traceloc.testing.another_process import exercise_all_elsewhere
from traceloc.testing.kinds import module_of

REGISTRY = Registry()
TOGETHER = ("loaders", "signals")
"""Kinds whose plugins share the other process in which they must give the same: there are many."""


@cache
def _elsewhere(kind: str) -> dict[str, list[str]]:
    """What all plugins of a kind give in one other process."""
    module = module_of(kind)
    names = [info.name for info in REGISTRY.list(kind) if info.distribution == "traceloc"]
    plugins = [REGISTRY.get(kind, name) for name in names]
    packed = [module.pack(module.prepare(samples_of(kind, name))) for name in names]
    outcomes = exercise_all_elsewhere(kind, list(zip(plugins, packed, strict=True)))
    return dict(zip(names, outcomes, strict=True))


def _from_one_process(kind: str, plugin: Any, packed: Any) -> list[str]:
    return _elsewhere(kind)[plugin.name]


def _cases() -> Iterator[Any]:
    for info in REGISTRY.list():
        if info.distribution != "traceloc":
            continue
        expected = EXPECTED_FAILURES.get((info.kind, info.name), {})
        for check in list_checks(info.kind):
            reason = expected.get(check.name)
            strict = pytest.mark.xfail(reason=reason, strict=True, raises=ContractViolation)
            yield pytest.param(
                info.kind,
                info.name,
                check,
                id=f"{info.kind}-{info.name}-{check.name}",
                marks=[strict] if reason else [],
            )


@pytest.mark.parametrize(("kind", "name", "check"), [*_cases()])
def test_contract(
    kind: str,
    name: str,
    check: Any,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plugin = REGISTRY.get(kind, name)
    fixture = FIXTURES.get((kind, name))
    samples = request.getfixturevalue(fixture) if fixture else samples_of(kind, name)
    if kind in TOGETHER:
        monkeypatch.setattr(conduct, "exercise_elsewhere", _from_one_process)
    try:
        check(plugin, samples)
    except CheckSkipped as skipped:
        pytest.skip(str(skipped))


def test_every_loader_has_samples() -> None:
    missing = [
        info.name
        for info in REGISTRY.list("loaders")
        if info.distribution == "traceloc" and not samples_of("loaders", info.name)
    ]
    assert not missing, f"add a document to tests/plugins/documents for {missing}"


def test_expected_failures_are_of_checks_that_exist() -> None:
    for (kind, name), expected in EXPECTED_FAILURES.items():
        assert name in REGISTRY.names(kind)
        assert set(expected) <= {check.name for check in list_checks(kind)}

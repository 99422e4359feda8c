"""The checks as pytest tests."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from traceloc.errors import UsageError
from traceloc.testing.kinds import kind_of, known_kind, module_of
from traceloc.testing.running import Check, list_checks, require_known
from traceloc.testing.violation import CheckSkipped, ContractViolation


def parametrize_with_checks(
    plugin: Any,
    *,
    samples: Sequence[Any] = (),
    kind: str | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> Callable[[Any], Any]:
    """A decorator that turns ``def test_contract(check): check()`` into one test for each check.

    Args:
        plugin: The object, or a class without arguments.
        samples: What the plugin is fed beside the kit's own samples. For a loader they are needed:
            paths, bytes, text or JSON documents, each a valid file of its format; a directory is
            one sample of several files that belong together.
        kind: Such as ``loader``; by its methods if left out.
        expected_failures: Reason by name of check. Such a check must fail: once it no longer does,
            the test fails until it is taken off the list.

    Raises:
        UsageError: ``TL200`` if the kind is unknown, samples are needed and there are none, or an
            expected failure names no check.
    """
    import pytest

    plugin = plugin() if inspect.isclass(plugin) else plugin
    kind = kind or kind_of(plugin)
    checks = list_checks(kind)
    if module_of(kind).NEEDS_SAMPLES and not samples:
        raise UsageError(
            f"{plugin.name!r} is checked without samples, and most checks would look at nothing",
            hint=f"see the samples that traceloc.testing.{known_kind(kind)} asks for",
        )
    expected = dict(expected_failures or {})
    require_known(expected, checks)

    def marks(check: Check) -> Any:
        if check.name not in expected:
            return ()
        return pytest.mark.xfail(reason=expected[check.name], strict=True, raises=ContractViolation)

    params = [
        pytest.param(
            functools.partial(_run, check, plugin, samples), id=check.name, marks=marks(check)
        )
        for check in checks
    ]
    return pytest.mark.parametrize("check", params)


def _run(check: Check, plugin: Any, samples: Sequence[Any]) -> None:
    import pytest

    __tracebackhide__ = True
    try:
        check(plugin, samples)
    except CheckSkipped as skipped:
        pytest.skip(str(skipped))

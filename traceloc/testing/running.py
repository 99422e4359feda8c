"""The checks of a kind, and running them on a plugin."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from traceloc.errors import TracelocError, UsageError, suggest
from traceloc.testing import conduct
from traceloc.testing.kinds import kind_of, known_kind, module_of
from traceloc.testing.violation import CheckSkipped, ContractViolation

Verdict = Literal["kept", "broken", "expected", "unexpected", "skipped"]
"""``expected``: fails as it was said to. ``unexpected``: was said to fail, and does not."""


@dataclass(frozen=True)
class Check:
    """One check of one kind; call it with a plugin and samples."""

    kind: str
    name: str
    function: Callable[[Any, Sequence[Any]], None]

    @property
    def about(self) -> str:
        """What it asks, in one line."""
        return (inspect.getdoc(self.function) or "").split("\n", 1)[0]

    def __call__(self, plugin: Any, samples: Sequence[Any] = ()) -> None:
        """Check the plugin.

        Raises:
            ContractViolation: If the contract is broken; also for whatever the plugin raises.
            CheckSkipped: If the check does not apply.
        """
        try:
            self.function(plugin, samples)
        except (ContractViolation, CheckSkipped):
            raise
        except TracelocError as error:
            if isinstance(error.__cause__, ImportError):  # said on purpose: an extra is missing
                raise CheckSkipped(error.message) from error
            raise self._found(error) from error
        except Exception as error:  # the plugin boundary: what it raises is a finding
            raise self._found(error) from error

    @staticmethod
    def _found(error: Exception) -> ContractViolation:
        return ContractViolation(
            f"{type(error).__name__} was raised: {error}",
            mend="the traceback shows where; this input must not raise it",
        )


class CheckResult(NamedTuple):
    """What came of one check."""

    check: Check
    verdict: Verdict
    message: str = ""
    """What was found and how to mend it, or why it was skipped or expected."""

    @property
    def is_failure(self) -> bool:
        """Whether something is to be done."""
        return self.verdict in ("broken", "unexpected")


def list_checks(kind: str) -> tuple[Check, ...]:
    """All checks of a kind, in the order in which they are worth mending.

    Raises:
        UsageError: ``TL200`` if there is no such kind.
    """
    kind = known_kind(kind)
    functions = (*conduct.FIRST, *module_of(kind).CHECKS, *conduct.LAST)
    return tuple(Check(kind, f.__name__.removeprefix("check_"), f) for f in functions)


def run_checks(
    plugin: Any,
    *,
    samples: Sequence[Any] = (),
    kind: str | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> Iterator[CheckResult]:
    """Run every check on a plugin, whatever the others say.

    Args:
        plugin: The object, or a class without arguments.
        samples: What the plugin is fed beside the kit's own samples; see the kind's module.
        kind: Such as ``loaders``; by its methods if left out.
        expected_failures: Reason by name of check.

    Raises:
        UsageError: ``TL200`` if the kind is unknown or an expected failure names no check.
    """
    plugin = plugin() if inspect.isclass(plugin) else plugin
    expected = dict(expected_failures or {})
    checks = list_checks(kind or kind_of(plugin))
    require_known(expected, checks)
    for check in checks:
        reason = expected.get(check.name)
        try:
            check(plugin, samples)
        except ContractViolation as violation:
            yield CheckResult(check, "expected" if reason else "broken", reason or str(violation))
        except CheckSkipped as skipped:
            yield CheckResult(check, "skipped", str(skipped))
        else:
            message = f"was expected to fail ({reason}) and does not; take it off the list"
            yield CheckResult(check, *(("unexpected", message) if reason else ("kept", "")))


def require_known(expected: Mapping[str, str], checks: Sequence[Check]) -> None:
    """Make sure that every expected failure names a check and gives a reason.

    Raises:
        UsageError: ``TL200`` if one does not.
    """
    names = [check.name for check in checks]
    for name, reason in expected.items():
        if name not in names:
            raise UsageError(
                f"there is no check {name!r} of {checks[0].kind}",
                hint=suggest(name, names, listed=f"there are: {', '.join(names)}"),
            )
        if not reason.strip():
            raise UsageError(f"the expected failure {name!r} has no reason", hint="say why")

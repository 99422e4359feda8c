"""The contract kit: checks that the author of a plugin runs on it.

    from traceloc.testing import parametrize_with_checks

    @parametrize_with_checks(MyLoader(), samples=[Path("samples/run.json")])
    def test_contract(check):
        check()

Each check is a plain function ``check_xxx(plugin, samples)`` in the module of its kind, and raises
:class:`ContractViolation` with what to mend. :func:`run_checks` runs them without pytest.
"""

from traceloc.testing.files import Files
from traceloc.testing.parametrize import parametrize_with_checks
from traceloc.testing.running import Check, CheckResult, list_checks, run_checks
from traceloc.testing.violation import CheckSkipped, ContractViolation

__all__ = [
    "Check",
    "CheckResult",
    "CheckSkipped",
    "ContractViolation",
    "Files",
    "list_checks",
    "parametrize_with_checks",
    "run_checks",
]

"""What a check says: a contract is broken, or it could not look."""

from __future__ import annotations


class ContractViolation(AssertionError):
    """A plugin does not keep its contract.

    Args:
        found: What was seen, on which input.
        mend: What to change in the plugin.
    """

    def __init__(self, found: str, *, mend: str) -> None:
        super().__init__(found, mend)
        self.found = found
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.found}\nto mend: {self.mend}"


class CheckSkipped(Exception):
    """A check does not apply to this plugin, or has nothing to look at."""

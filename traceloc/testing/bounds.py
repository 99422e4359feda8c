"""A limit on how long a plugin may think about one input, so that a hang is a finding."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from traceloc.testing.violation import ContractViolation

SECONDS = 30.0
"""Far beyond what any input of the kit needs on a slow machine."""


@contextmanager
def within(what: str) -> Iterator[None]:
    """Stop what runs longer than ``SECONDS``, where the platform lets us.

    Raises:
        ContractViolation: If it was stopped.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not _MAIN:
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise ContractViolation(
            f"is not done after {SECONDS:g} s with {what}",
            mend="bound what is read, and look at each part of the input a fixed number of times",
        )

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


_MAIN = threading.main_thread()

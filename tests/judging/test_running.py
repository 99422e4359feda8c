from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest

from traceloc.judging.running import run_ordered


def task(number: int, log: list[str], wait: float = 0.0):
    async def run() -> int:
        try:
            await asyncio.sleep(wait)
        except asyncio.CancelledError:
            log.append(f"cancelled {number}")
            raise
        log.append(f"done {number}")
        return number

    return run


def test_results_come_in_the_order_of_the_input() -> None:
    log: list[str] = []
    items = [task(0, log, 0.05), -1, task(1, log), task(2, log, 0.02)]
    assert list(run_ordered(items, ahead=8)) == [0, -1, 1, 2]
    assert log[-1] == "done 0"  # it took the longest, and nobody waited for it


def test_the_input_is_read_only_so_far_ahead() -> None:
    taken: list[int] = []

    def items():
        for i in range(100):
            taken.append(i)
            yield task(i, [])

    stream = run_ordered(items(), ahead=4)
    assert next(stream) == 0
    assert len(taken) <= 5
    stream.close()


def test_who_stops_reading_cancels_the_rest() -> None:
    log: list[str] = []
    stream = run_ordered([task(0, log), task(1, log, 60.0), task(2, log, 60.0)], ahead=3)
    assert next(stream) == 0
    stream.close()
    assert sorted(log) == ["cancelled 1", "cancelled 2", "done 0"]


def test_an_error_ends_it_and_cancels_the_rest() -> None:
    log: list[str] = []

    async def burst() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(run_ordered([burst, task(1, log, 60.0)], ahead=2))
    assert log == ["cancelled 1"]


def test_an_interrupt_while_reading_the_input_is_passed_on() -> None:
    log: list[str] = []

    def items():
        yield task(0, log, 60.0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_ordered(items(), ahead=4))
    assert log in (["cancelled 0"], [])  # or it had not begun


def test_progress_is_told() -> None:
    told: list[int] = []
    list(run_ordered([1, 2, 3], ahead=2, on_done=told.append))
    assert told == [1, 2, 3]


def test_an_interrupt_that_python_drops_still_counts() -> None:
    log: list[str] = []

    class Dropping:
        def __del__(self) -> None:
            try:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(1)
            except KeyboardInterrupt:
                log.append("dropped")

    def items():
        yield 0
        Dropping()
        yield from range(1, 100)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        list(run_ordered(items(), ahead=1))
    assert log == ["dropped"]
    assert signal.getsignal(signal.SIGINT) is before

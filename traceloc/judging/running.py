"""Judges a stream of traces: many at the same time, and out in the order they came in."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


def run_ordered(
    items: Iterable[T | Callable[[], Coroutine[Any, Any, T]]],
    *,
    ahead: int,
    finish: Callable[[], Coroutine[Any, Any, None]] | None = None,
    on_done: Callable[[int], None] | None = None,
) -> Iterator[T]:
    """Yield items in order; for those that are coroutine functions, what they come to.

    They run in an event loop of a thread of its own, so that whoever reads needs none. Ctrl-C, or a
    reader that stops, cancels what is under way; what was answered by then is in the cache.

    Args:
        items: Read only as far ahead as needed.
        ahead: How many may be under way or wait for their turn.
        finish: Run in the same loop when all else has ended, however it ended.
        on_done: Told of each finished one, in order.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_serve, args=(loop,), name="traceloc-judges", daemon=True)
    thread.start()
    waiting: deque[Any] = deque()
    stream, exhausted, done = iter(items), False, 0
    interrupts = _Interrupts()
    try:
        while True:
            interrupts.check()
            while not exhausted and len(waiting) < ahead:
                try:
                    item = next(stream)
                except StopIteration:
                    exhausted = True
                    break
                waiting.append(
                    asyncio.run_coroutine_threadsafe(item(), loop) if callable(item) else item
                )
            if not waiting:
                return
            head = waiting.popleft()
            yield head.result() if isinstance(head, Future) else head
            done += 1
            if on_done is not None:
                on_done(done)
    finally:
        interrupts.restore()
        asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result()
        if finish is not None:
            asyncio.run_coroutine_threadsafe(finish(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class _Interrupts:
    """Notices Ctrl-C even where Python drops it: one raised while garbage is collected is lost."""

    def __init__(self) -> None:
        self._seen = False
        self._before: Any = None
        # Only the main thread may set handlers, and only it is interrupted.
        if threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGINT)
            if callable(before):
                self._before = before
                signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: Any) -> None:
        self._seen = True
        self._before(number, frame)

    def check(self) -> None:
        """Raise what was dropped."""
        if self._seen:
            raise KeyboardInterrupt

    def restore(self) -> None:
        """Give the handler back."""
        if self._before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._before)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())


async def _cancel_all() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

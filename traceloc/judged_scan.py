"""A scan whose answers go before judges: localize, then judge, then report."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from traceloc import scanning
from traceloc.attribution import Attribution
from traceloc.errors import UsageError
from traceloc.judging.agreement import weigh_judges
from traceloc.judging.cache import CACHE_FILE, AnswerCache
from traceloc.judging.hints import HintSource, read_hints
from traceloc.judging.options import DEFAULT_COVERAGE, FORMS, STRATEGIES, JudgeOptions
from traceloc.judging.panel import Panel
from traceloc.judging.prices import read_prices
from traceloc.judging.remembering import MemoryHints
from traceloc.judging.running import run_ordered
from traceloc.judging.seats import take_seats
from traceloc.labels.home import find_home, find_label_store
from traceloc.localizer import Localizer
from traceloc.registry import Registry
from traceloc.report import Item
from traceloc.scanning import Localizes, Progress, ScanOptions
from traceloc.settings import Settings
from traceloc.trace import Trace

WEIGHED = 200
"""Candidates that are weighed against the judges' votes, of which a few are shown to them."""

Task = Callable[[], Coroutine[Any, Any, Item]]


def read_judge_options(settings: Settings) -> JudgeOptions:
    """How the settings want traces judged.

    Raises:
        UsageError: If a setting makes no sense.
    """
    models = tuple(name.strip() for name in (settings.judge or "").split(",") if name.strip())
    if not models:
        raise UsageError("judge names no model", code="TL603")
    if settings.judge_strategy not in STRATEGIES:
        raise UsageError(
            f"there is no strategy {settings.judge_strategy!r}",
            code="TL601",
            hint=f"strategies: {', '.join(STRATEGIES)}",
        )
    if settings.judge_form not in FORMS:
        raise UsageError(
            f"judge-form is {settings.judge_form!r}",
            code="TL603",
            hint=f"one of {', '.join(FORMS)}",
        )
    # Several models without a word on how are a jury; nobody names the others to have them ignored.
    strategy = settings.judge_strategy
    if len(models) > 1 and strategy == "candidates":
        strategy = "jury"
    return JudgeOptions(
        models=models,
        strategy=strategy,
        budget=settings.judge_budget,
        url=settings.judge_url,
        offline=settings.offline,
        votes=settings.judge_votes,
        concurrency=settings.judge_concurrency,
        timeout=settings.judge_timeout,
        form=settings.judge_form,
        with_expected=settings.judge_expected,
        redact=settings.judge_redact,
    )


def build_panel(
    settings: Settings,
    *,
    registry: Registry,
    hints: HintSource | None = None,
    learn: bool = True,
) -> Panel:
    """The panel of this project or user: its cache, and what its labels say of each judge.

    Args:
        settings: How to judge.
        registry: Plugins to use.
        hints: Where hints come from; if left out the file of the settings, and without one the
            memory of the scan.
        learn: Weigh each judge by past agreement, and keep its votes for that.

    Raises:
        TracelocError: If a judge, the prices or a store cannot be used.
    """
    options = read_judge_options(settings)
    cache = AnswerCache(find_home() / CACHE_FILE)
    weights = {}
    if learn and settings.labels:
        weights = weigh_judges(
            options.models, strategy=options.strategy, cache=cache, labels=find_label_store()
        )
    if hints is None and settings.judge_hints is not None:
        hints = read_hints(settings.judge_hints)
    return Panel(
        options,
        take_seats(options, registry),
        cache=cache,
        prices=read_prices(settings.judge_prices) if settings.judge_prices else None,
        hints=hints,
        weights=weights,
        keep_votes=learn,
    )


def find_memory_hints(settings: Settings, *, registry: Registry) -> HintSource | None:
    """Hints from the failure memory of the settings; ``None`` where it is off or empty.

    Raises:
        TracelocError: If the model or the memory cannot be used.
    """
    return _hints_of(scanning.build_localizer(ScanOptions.of(settings), registry))


def _hints_of(localizer: Localizes | None) -> HintSource | None:
    if isinstance(localizer, Localizer) and localizer.memory is not None:
        return MemoryHints(localizer)
    return None


def judged_scan(
    paths: Iterable[str],
    *,
    options: ScanOptions,
    panel: Panel,
    registry: Registry,
    on_progress: Progress | None = None,
) -> Iterator[Item]:
    """As :func:`traceloc.scanning.scan`, with what judges make of each answer.

    One process: it waits for the judges, not for the processor.

    Args:
        paths: Files, directories, globs, ``-``.
        options: What to look at and how.
        panel: Who judges.
        registry: Plugins to use.
        on_progress: Told of each trace that is through.

    Raises:
        TracelocError: If the loader, the model, or a judge that was asked for cannot be used.
    """
    kept = _Keeper()
    wide = replace(
        options,
        jobs=1,
        top_k=max(options.top_k, WEIGHED),
        coverage=options.coverage or DEFAULT_COVERAGE,
    )
    items = scanning.scan(paths, options=wide, factory=kept.build, registry=registry)
    if panel.hints is None and (hints := kept.find_hints()) is not None:
        panel = panel.with_hints(hints)
    told = None if on_progress is None else partial(_tell, on_progress)
    ahead = 2 * panel.options.concurrency
    judged: Iterator[Item] = run_ordered(
        _tasks(items, kept, panel), ahead=ahead, finish=panel.close, on_done=told
    )
    for item in judged:
        yield _narrow(item, options) if isinstance(item, Attribution) else item


def _tell(on_progress: Progress, done: int) -> None:
    on_progress(done, done)


class _Keeper:
    """Makes the localizer of the scan, and keeps the trace of each answer until it is judged."""

    def __init__(self) -> None:
        self._inner: Localizes | None = None
        self.trace: Trace | None = None

    def build(self, options: ScanOptions, registry: Registry) -> Localizes:
        self._inner = scanning.build_localizer(options, registry)
        return self

    def find_hints(self) -> HintSource | None:
        """Hints from the memory of the scan; ``None`` where it has none."""
        return _hints_of(self._inner)

    def localize(self, trace: Trace, **more: Any) -> Attribution:
        """The answer of the localizer; a scan in one process reads them one by one."""
        if self._inner is None:
            raise RuntimeError("the localizer was not built")
        self.trace = trace
        return self._inner.localize(trace, **more)


def _tasks(items: Iterable[Item], kept: _Keeper, panel: Panel) -> Iterator[Item | Task]:
    for item in items:
        trace, kept.trace = kept.trace, None
        if isinstance(item, Attribution) and trace is not None:
            yield partial(panel.judge, trace, item)
        else:
            yield item


def _narrow(attribution: Attribution, options: ScanOptions) -> Attribution:
    """The answer as it was asked for: as many candidates, and a window only where one was."""
    changes: dict[str, Any] = {"candidates": attribution.candidates[: max(options.top_k, 1)]}
    if options.coverage is None:
        changes["window"] = None
    return attribution.model_copy(update=changes)

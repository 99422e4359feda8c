"""What a plugin must look like: one small protocol per kind.

A plugin is an entry point in the group of its kind (``traceloc.loaders``, ``traceloc.signals``,
``traceloc.reporters``). Its value is a class without arguments, or an object. Built-in parts enter
the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from traceloc.attribution import Evidence
    from traceloc.graph import TraceGraph
    from traceloc.judgement import JudgePrompt, JudgeReply
    from traceloc.loading.head import Head
    from traceloc.loading.source import Source
    from traceloc.memory.store import SchemaStore
    from traceloc.report import Report, ReportOptions
    from traceloc.trace import Trace

SUPPORTED_API_VERSIONS = range(1, 2)

Content = Literal[
    "task",
    "agents",
    "instructions",
    "schemas",
    "calls",
    "results",
    "inputs",
    "outcome",
    "times",
    "usage",
]
"""Kinds of content whose absence ``traceloc doctor`` tells."""


@runtime_checkable
class Loader(Protocol):
    """Reads one format of traces."""

    name: str
    api_version: int

    def sniff(self, head: Head) -> float:
        """How sure the loader is that it can read this input.

        Args:
            head: The first 64 KiB, decompressed, with what could be parsed of them.

        Returns:
            0.0 (surely not) to 1.0 (a mark no other format has). Structure decides, never the
            file's name. A generic shape that many formats share scores at most 0.3.
        """
        ...

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Read the traces of files that belong together, usually one file.

        Raises:
            TraceFormatError: If nothing can be read. Damage to a part is a diagnostic instead.
        """
        ...


class GroupingLoader(Loader, Protocol):
    """A loader whose traces may spread over several files."""

    def group_keys(self, source: Source) -> Iterable[str]:
        """Names of the runs found in a file; files that share one are loaded together."""
        ...


class AdvisingLoader(Loader, Protocol):
    """A loader that knows how its framework can be made to record more."""

    capture: Mapping[Content, str]
    """By kind of content, what to do in the framework where a log lacks it: one clause for
    ``traceloc doctor``, such as "write `result.to_json()`", or that no log of it holds this."""


class Feature(NamedTuple):
    """One number a signal gives each step."""

    name: str
    """Snake case; unique within the signal."""
    claim: str
    """What a high value says about the step, as a clause a reader can check."""
    part: Literal["shared", "system"] = "shared"
    """``shared`` must hold across systems; ``system`` (position, habits) is learned for each."""
    sign: Literal[-1, 0, 1] = 0
    """+1 or -1 where theory says which way it points; a fit then cannot turn it round."""
    prior: float = 0.0
    """Log-odds that a value of 1 is expected to add before any data; a fit starts from there."""
    fault: bool = False
    """Whether the claim names something wrong with the step, not only its place or kind:
    where claims are put in order, and only there, it counts four times its weight."""


@runtime_checkable
class Signal(Protocol):
    """A family of named, pure measurements over a trace."""

    name: str
    api_version: int
    features: tuple[Feature, ...]

    def measure(self, graph: TraceGraph) -> NDArray[np.float32]:
        """One row per step, one finite number per feature: shape ``(n_steps, len(features))``."""
        ...

    def explain(self, graph: TraceGraph, step: int, feature: str) -> Evidence | None:
        """The evidence behind a value, or ``None`` where there is nothing to point at.

        Called only for the few steps that are reported, so it may look closer than ``measure``.
        """
        ...


@runtime_checkable
class Reporter(Protocol):
    """Renders what a scan found."""

    name: str
    api_version: int

    def render(self, report: Report, *, options: ReportOptions) -> Iterator[str]:
        """Yield pieces of text as results come.

        Trace text is hostile and is escaped for the target: see ``traceloc.reporting.terminal``.

        Args:
            report: Attributions as they come; its counts are complete when they are through.
            options: Width, colour and the like.
        """
        ...


@runtime_checkable
class Judge(Protocol):
    """Answers questions about traces, mostly by asking an LLM."""

    name: str
    api_version: int

    async def ask(self, prompt: JudgePrompt) -> JudgeReply:
        """The answer as it came, once: retries, caching and checking are done by the caller.

        Heavy clients are imported here and not with the module; keys come from the environment.

        Raises:
            JudgeError: If there is no answer.
        """
        ...


class ConnectedJudge(Judge, Protocol):
    """A judge that keeps connections open between questions, and knows what it can reach.

    Each of these may be left out.
    """

    def check(self, model: str, *, url: str | None) -> None:
        """Make sure, before anything is asked, that the model can be meant.

        Raises:
            UsageError: If it cannot.
            PluginError: If something is not installed.
        """
        ...

    def choose_form(self, model: str, *, url: str | None) -> Literal["text", "schema", "tool"]:
        """How the model is best held to the form of an answer."""
        ...

    async def close(self) -> None:
        """Close those of the running event loop; it may be asked again afterwards."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into vectors; near vectors mean alike texts."""

    name: str
    api_version: int

    def fingerprint(self) -> str:
        """Changes whenever vectors would: name, model, dimension, settings. Stamped on an index."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text, of unit length (all zero for a text without content).

        A text's row does not depend on the other texts of the batch.
        """
        ...


class WeighingEmbedder(Embedder, Protocol):
    """An embedder that weighs words by how rare they are in a memory."""

    def weigh(self, texts: Iterable[str]) -> bytes:
        """The weights, to be kept beside the vectors they shaped."""
        ...

    def with_state(self, state: bytes) -> Embedder:
        """The embedder with these weights; its fingerprint tells them from others."""
        ...


class ModelEmbedder(Embedder, Protocol):
    """An embedder that runs one of many models: ``name:MODEL`` chooses."""

    def with_model(self, model: str) -> Embedder:
        """The embedder with the model of this name or path."""
        ...


@runtime_checkable
class MemoryBackend(Protocol):
    """Where error schemata and their vectors are kept."""

    name: str
    api_version: int

    def handles(self, address: str) -> bool:
        """Whether an address (a path, ``postgresql://…``) is one of this backend's."""
        ...

    def open(self, address: str) -> SchemaStore:
        """The store at an address; it need not exist until something is written.

        Raises:
            StoreError: If there is something that is no store, or cannot be reached.
        """
        ...


KINDS: dict[str, type] = {
    "loaders": Loader,
    "signals": Signal,
    "reporters": Reporter,
    "embedders": Embedder,
    "memories": MemoryBackend,
    "judges": Judge,
}
"""Plugin kinds by the last part of their entry-point group."""

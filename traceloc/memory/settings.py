"""Every number the failure memory goes by, with where its default comes from."""

from __future__ import annotations

from pydantic import Field

from traceloc.trace import Document


class MemorySettings(Document):
    """Parameters of recall, vote and life cycle. Measurements: ``docs/memory.md``."""

    similar_above: float = Field(default=0.5, ge=-1, le=1)
    """Cosine from which a step is said to look like a schema; below it nothing is similar."""
    stand_out: float = Field(default=0.02, ge=0)
    """How much nearer a schema must be than any ordinary step of the system."""
    elsewhere_above: float = Field(default=0.7, ge=-1, le=1)
    """The same for a schema of another system."""
    matches: int = Field(default=3, ge=1)
    """Schemata named for one step, at most."""

    failing_neighbours: int = Field(default=16, ge=1)
    """Remembered failures each step is compared with."""
    ordinary_neighbours: int = Field(default=64, ge=1)
    """Ordinary steps each step is compared with."""
    temperature: float = Field(default=0.1, gt=0)
    """Width of the kernel, in cosine: how fast a neighbour counts less."""
    max_recalled: int = Field(default=2048, ge=1)
    """Steps of a trace that are recalled, the ranker's most suspicious first."""

    gate_groups: int = Field(default=40, ge=2)
    """Questions with a remembered failure, below which a system's memory never votes: on fewer
    it opened by chance on two of six measured sets, and harmed."""
    gate_traces: int = Field(default=256, ge=2)
    """Remembered failures the gate is learned from, at most."""
    gate_caution: float = Field(default=2.0, ge=0)
    """Standard errors by which the held-out gain must be above zero."""
    gate_gain: float = Field(default=0.02, ge=0)
    """Held-out gain in nats a trace below which a vote is not worth having."""
    gate_prior: float = Field(default=0.3, gt=0)
    """Standard deviation of a Gaussian prior on the weight of the vote, around none."""
    gate_ceiling: float = Field(default=1.0, ge=0)
    """Largest weight a vote can have."""

    merge_above: float = Field(default=0.65, ge=-1, le=1)
    """1 - δ: a failure at least as near as this to a schema is another sighting of it."""
    hot_at: int = Field(default=5, ge=2)
    """Sightings at which a schema is distilled, and again with each doubling (θ_hot)."""
    cluster_above: float = Field(default=0.6, ge=-1, le=1)
    """Schemata as near as this to a hot one are distilled into it, if replay allows."""
    replayed: int = Field(default=128, ge=1)
    """Remembered failures a distillation is replayed on, at most."""
    shared_by: float = Field(default=0.5, gt=0, le=1)
    """Share of the members that must have a signal for the distilled schema to have it."""

    remembered_per_schema: int = Field(default=24, ge=1)
    """Single failures kept beside a schema; of more, an even sample."""
    ordinary_per_trace: int = Field(default=16, ge=1)
    """Ordinary steps kept of a learned trace, an even sample."""
    ordinary_per_system: int = Field(default=8192, ge=1)
    """Ordinary steps kept of a system; later traces add none."""

    max_size: int = Field(default=10_000, ge=1)
    """Schemata kept; the least useful go first."""
    worth_confirmed: float = 3.0
    """What a confirmed recall adds to usefulness; a sighting adds 1."""
    worth_hit: float = 0.5
    """What a recall in an answered trace adds."""
    worth_rejected: float = -2.0
    """What a rejected recall adds."""
    half_life: float = Field(default=180.0, gt=0)
    """Days without a sighting or hit after which usefulness counts half."""


DEFAULTS = MemorySettings()

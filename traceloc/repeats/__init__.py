"""Repeated runs of one task: what failing runs do that passing ones do not, and where they part."""

from traceloc.repeats.cohort import Cohort, Cohorts
from traceloc.repeats.evidence import BUILT_IN, CohortSignal, join_evidence, weigh_with_cohort
from traceloc.repeats.sketch import RunSketch, sketch_run

__all__ = [
    "BUILT_IN",
    "Cohort",
    "CohortSignal",
    "Cohorts",
    "RunSketch",
    "join_evidence",
    "sketch_run",
    "weigh_with_cohort",
]

"""What a fit costs: as many traces, candidates and features as a team's labels give.

python benchmarks/fit.py
"""

from __future__ import annotations

import statistics
import time

import numpy as np
from record import write_result

from traceloc.ranking.fit import Example, fit_model
from traceloc.ranking.table import FeatureSpec

TRACES, CANDIDATES, FEATURES, RUNS, AIM = 100, 20, 150, 5, 2.0


def main() -> None:
    """Measure and write ``results/fit.md``."""
    source = np.random.default_rng(0)
    slopes = np.zeros(FEATURES)
    slopes[:4] = (1.0, -0.7, 0.5, 0.3)
    examples = []
    for number in range(TRACES):
        features = source.normal(size=(CANDIDATES, FEATURES)).astype(np.float32)
        chosen = np.argmax(features @ slopes + source.gumbel(size=CANDIDATES))
        target = np.eye(CANDIDATES)[chosen]
        examples.append(Example(features, target, "system", f"g{number}"))
    specs = [FeatureSpec(f"made.f{i}", "shared", 0) for i in range(FEATURES)]
    seconds = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        fit_model(examples, specs)
        seconds.append(time.perf_counter() - begun)
    median = statistics.median(seconds)
    write_result(
        "fit",
        title="What a fit costs",
        rows=[
            ("traces", "candidates", "features", "s"),
            (TRACES, CANDIDATES, FEATURES, f"{median:.2f}"),
        ],
        notes=[
            f"median of {RUNS}; the strength is chosen among eight on five folds",
            f"at most {AIM:g} s is wanted: {'met' if median <= AIM else 'missed'}",
        ],
    )


if __name__ == "__main__":
    main()

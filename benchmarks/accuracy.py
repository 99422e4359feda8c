"""How good the ranking is: as shipped, on systems left out, and learned within one system.

Run: python benchmarks/accuracy.py [FOLDER OF DATA SETS]
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from shared_data import DATA, SETS

INJECTED = ("tracertraj_code", "evoagentops_langgraph_sql", "evoagentops_agno_rca")
PROTOCOLS = (
    (
        "As shipped (in-sample: these sets set the weights)",
        SETS,
        ("--protocol", "shipped"),
    ),
    (
        "As shipped, on faults that were put in by hand (not in the fit; systems it never saw)",
        INJECTED,
        ("--protocol", "shipped"),
    ),
    (
        "Leave one system out (what a new system can expect)",
        SETS,
        ("--protocol", "loso", "--l2", "1000"),
    ),
    (
        "Five folds by question within each set, around a model of the other systems, five seeds",
        SETS,
        ("--protocol", "kfold", "--with-prior", "--seeds", "5"),
    ),
)


def main() -> None:
    """Run the protocols and write the tables to ``benchmarks/results/accuracy.md``."""
    root = Path(__file__).resolve().parent.parent
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    pieces = ["# Accuracy on labelled real traces\n", INTRODUCTION]
    for title, sets, options in PROTOCOLS:
        command = ["-m", "traceloc.evaluation", *sets, *options, "--format", "markdown"]
        done = subprocess.run(
            [sys.executable, *command],
            cwd=data,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        pieces += [f"## {title}\n", f"    python {' '.join(command)}\n", done.stdout]
    result = root / "benchmarks" / "results" / "accuracy.md"
    result.write_text("\n".join(pieces), encoding="utf-8")
    print(f"wrote {result.relative_to(root)}")


INTRODUCTION = """\
    python benchmarks/accuracy.py

`who_and_when_hc` and `agentrx_magentic` are two labellings of the same system, half of the traces
the same; two teams of annotators agree on the exact step in about 36 % of them, which bounds every
figure. `promas_aqua` names no labeller. Intervals are 95 %, Beta. The prior weights of the signals
(`Feature.prior`, `Feature.sign`) were set by hand, with a look at how single features do on these
sets; so even a system that is left out was not wholly unseen.
"""


if __name__ == "__main__":
    main()

"""What traceloc makes of the logs of living frameworks, and where the known fault stands.

Run with the interpreter traceloc is installed in: ``python benchmarks/frameworks.py``. Reads what
``make test-frameworks`` left in ``.frameworks``; ``--run`` lets the teams write it anew first.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from record import write_result

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "frameworks" / "stage"))

from environments import CACHE, Unavailable, read_version, run_team
from expectations import EXPORTS, FRAMEWORKS, REQUIREMENTS
from findings import Finding, read_export

HEAD = (
    *("framework", "version", "export", "loader", "steps", "agents"),
    *("wrong call", "benign error", "hand-off", "rank"),
)


def describe(finding: Finding) -> list[str]:
    """The cells of an export's row."""
    export, trace = finding.export, finding.trace
    met = {each: finding.meets(each) for each in REQUIREMENTS}
    shown = {each: _say(met[each], each in export.lacks) for each in REQUIREMENTS}
    return [
        export.framework,
        read_version(export.framework),
        f"`{export.path}`",
        trace.format if met["loader"] else f"**{trace.format}**",
        str(len(trace.steps)),
        ", ".join(finding.agents),
        shown["decisive"],
        shown["error"],
        shown["handoff"],
        f"{finding.rank} of {len(trace.steps)}" if finding.rank else "-",
    ]


def _say(met: bool, lacking: bool) -> str:
    return "yes" if met else "not in it" if lacking else "**no**"


def main() -> int:
    """Print the table; 1 if something is misread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", action="store_true", help="let the teams run first")
    folders: dict[str, Path] = {}
    notes = []
    wanted = parser.parse_args().run
    for name in FRAMEWORKS:
        try:
            folders[name] = run_team(name) if wanted else CACHE / name / "exports"
        except Unavailable as reason:
            notes.append(str(reason))
    found = [
        read_export(export, folders[export.framework])
        for export in EXPORTS
        if export.framework in folders and folders[export.framework].is_dir()
    ]
    rows = [describe(finding) for finding in found]
    ranks = [(each.rank, each.export.framework) for each in found if each.rank is not None]
    best = {name: min((r for r, of in ranks if of == name), default=None) for name in FRAMEWORKS}
    top = sum(rank is not None and rank <= 3 for rank in best.values())
    among = sum(rank <= 3 for rank, _ in ranks)
    wrong = [
        each for each in found for r in REQUIREMENTS if each.meets(r) is (r in each.export.lacks)
    ]
    write_result(
        "frameworks",
        title="What living frameworks export, and what is made of it",
        rows=[HEAD, *rows],
        notes=[
            "one story for all: an archivist's look-up fails and does not matter, it hands over to "
            "a loan desk, and that requests the wrong copy (`tests/frameworks/stage/story.py`)",
            "wrong call: a step of the right agent, with its arguments, joined to its result; "
            "`not in it`: the framework does not write it there",
            "rank: of the wrong call among all steps, by the shipped weights, which were fitted to "
            "nothing of this",
            f"among the first three in {among} of {len(ranks)} exports that hold it, and in some "
            f"export of {top} of {len(FRAMEWORKS)} frameworks",
            *notes,
        ],
    )
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())

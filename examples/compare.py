"""Prints, for each example, the step that is known to be decisive and the step traceloc names.

python examples/compare.py
"""

from __future__ import annotations

import json
from pathlib import Path

from traceloc import Attribution, Localizer, load

HERE = Path(__file__).parent
EVERY_STEP = 10_000


def main() -> None:
    """Read the labels, localize each file, and print one line for each."""
    localizer = Localizer(top_k=EVERY_STEP)
    rows = [("example", "expected", "found", "place of the expected step")]
    first = among = 0
    labels = [json.loads(line) for line in (HERE / "labels.jsonl").open(encoding="utf-8")]
    for label in labels:
        answer = next((localizer.localize(trace) for trace in load(HERE / label["file"])), None)
        place = None if answer is None else find_place(answer, label["step"])
        first += place == 1
        among += place is not None and place <= 3
        rows.append((label["group"], expected(label), found(answer), str(place or "-")))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print("\nWhat is known and what is found, by the number that the source gives a step:\n")
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    print(f"\n{len(labels)} examples: {first} right at once, {among} among the first three")


def expected(label: dict[str, object]) -> str:
    """The labelled step and agent."""
    return "nothing" if label["step"] is None else f"{label['step']} {label['agent']}"


def found(answer: Attribution | None) -> str:
    """The step and agent that traceloc puts first, by the number the source gives the step."""
    if answer is None:
        return "not read"
    if answer.status != "located":
        return "nothing" if answer.status == "abstained" else str(answer.status)
    top = answer.candidates[0]
    return f"{top.native_index} {top.agent}"


def find_place(answer: Attribution, step: int | None) -> int | None:
    """Rank of the labelled step; of a clean run 1 if nothing is blamed.

    Where traceloc abstains, nothing is its first answer and the candidates come after it.
    """
    abstained = answer.status == "abstained"
    if step is None:
        return 1 if abstained else None
    for candidate in answer.candidates:
        if candidate.native_index == step:
            return candidate.rank + abstained
    return None


if __name__ == "__main__":
    main()

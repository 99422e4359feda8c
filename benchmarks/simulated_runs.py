"""Simulated runs with one fault at a known step, for benchmarks that need more than there are.

A third of the faults leave a mark that signals can see, a tenth only sounds different, and the rest
reads like any other step. Nobody should quote accuracy on them: they are here to count questions,
failures and votes.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

MARKED, QUIET = 0.33, 0.1
AGENTS = ("Planner", "Desk", "Clerk", "Auditor")
GOODS = ("lamps", "chairs", "cables", "boxes", "tickets", "valves", "pallets", "badges")
PLACES = ("Bergen", "Turku", "Gdansk", "Aarhus", "Riga", "Malmo", "Tartu", "Kiel")
PLAIN = (
    "Checked the list of {place} once more; nothing else to note.",
    "Passing the figures for {place} on to the next desk.",
    "The order for {goods} looks complete, moving on.",
    "Noted. The {goods} for {place} are the next item.",
)
QUIET_FAULTS = (
    "Taking the {goods} of the other site instead, it should not matter.",
    "Skipping the second check of {place} to save time.",
    "The limit is for somebody else, so the order goes out as it is.",
)


def write_runs(folder: Path, count: int, *, seed: int = 0) -> None:
    """Write ``count`` traces and their ``labels.jsonl``."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = []
    for number in range(count):
        document, guilty = make_run(number, random.Random(f"{seed}/{number}"))
        name = f"run-{number:04}.json"
        (folder / name).write_text(json.dumps(document), encoding="utf-8")
        agent = document["steps"][guilty]["agent"]
        labels.append(json.dumps({"file": name, "step": guilty, "agent": agent}))
    (folder / "labels.jsonl").write_text("\n".join(labels) + "\n", encoding="utf-8")


def make_run(number: int, rng: random.Random) -> tuple[dict, int]:
    """One trace and the index of its faulty step."""
    goods, place = rng.choice(GOODS), rng.choice(PLACES)
    task = f"Case {number}: order {rng.randint(10, 90)} {goods} for {place} and report the total."
    lines: list[tuple[str, str, str]] = [("user", "user", task)]
    for _ in range(rng.randint(3, 9)):
        lines.append(("assistant", rng.choice(AGENTS), ""))
        if rng.random() < 0.4:
            stock = json.dumps({"place": place, goods: rng.randint(100, 999)})
            failed = "Error: HTTP 503 from the stock service"
            lines.append(("tool", "stock", failed if rng.random() < 0.3 else stock))
    lines.append(("assistant", "Clerk", ""))
    acting = [i for i, (role, _, _) in enumerate(lines) if role == "assistant"]
    guilty = rng.choice(acting[:-1])
    steps = []
    for i, (role, agent, text) in enumerate(lines):
        if role == "assistant":
            text = _say(i, guilty, goods, place, lines, rng)
        kind = "result" if role == "tool" else "message"
        steps.append(
            {
                "index": i,
                "native_index": i,
                "kind": kind,
                "role": role,
                "agent": agent,
                "text": text,
            }
        )
    agents = [{"name": name, "kind": "worker"} for name in AGENTS]
    document = {
        "schema_version": 1,
        "id": f"run-{number:04}",
        "format": "native",
        "system": "simulated",
        "task": task,
        "agents": agents,
        "steps": steps,
    }
    return document, guilty


def _say(
    i: int,
    guilty: int,
    goods: str,
    place: str,
    lines: list[tuple[str, str, str]],
    rng: random.Random,
) -> str:
    words = rng.choice(PLAIN).format(goods=goods, place=place)
    if i != guilty:
        return words + (f" Total {rng.randint(100, 999)}." if rng.random() < 0.1 else "")
    draw = rng.random()
    if draw < MARKED:
        return f"I assume {rng.randint(1000, 9999)} {goods} are what {place} needs."
    if draw < MARKED + QUIET:
        return rng.choice(QUIET_FAULTS).format(goods=goods, place=place)
    return words

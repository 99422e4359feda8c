"""What starting traceloc costs, against what it cannot be cheaper than.

Run with the interpreter traceloc is installed in: ``python benchmarks/startup.py``. Prints the
median of several runs of each command, interleaved so that a busy machine slows all alike.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from record import write_result

RUNS = 21
EMPTY_APP = """
import typer
app = typer.Typer()
@app.command("one")
def one() -> None: "One."
@app.command("two")
def two() -> None: "Two."
app()
"""
PLAIN_APP = EMPTY_APP.replace("Typer()", "Typer(rich_markup_mode=None)")
HELP = "import sys; sys.argv = ['traceloc', '--help']; from traceloc.cli import main; main()"
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import traceloc": ["-c", "import traceloc"],
    "empty typer app --help": ["-c", EMPTY_APP, "--help"],
    "the same without rich": ["-c", PLAIN_APP, "--help"],
    "traceloc --help": ["-c", HELP],
}


def measure() -> dict[str, float]:
    """Median seconds of each command."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for run in range(RUNS + 1):
        for name, arguments in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, timeout=60
            )
            if run:  # the first round fills the caches
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> int:
    """Print the figures; 1 if one is missed."""
    found = measure()
    ratio = found["traceloc --help"] / found["empty typer app --help"]
    extra = (found["import traceloc"] - found["python -c pass"]) * 1000
    write_result(
        "startup",
        title="What starting costs",
        rows=[("command", "ms"), *((name, f"{1000 * s:.1f}") for name, s in found.items())],
        notes=[
            f"traceloc --help is {ratio:.2f} x an empty typer app's (at most 1.5)",
            f"import traceloc is {extra:.1f} ms over a bare interpreter (at most 50)",
        ],
    )
    return int(ratio > 1.5 or extra > 50)


if __name__ == "__main__":
    sys.exit(main())

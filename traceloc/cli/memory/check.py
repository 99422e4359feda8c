"""``traceloc memory check``: is it sound?"""

from __future__ import annotations

import sys

from traceloc.cli import console
from traceloc.cli.memory.opened import Memory, open_store
from traceloc.cli.options import Debug


def check_command(memory: Memory = None, debug: Debug = False) -> None:
    """Check rows, vectors, log and index; exit with 3 if something is wrong."""
    from traceloc.exit_code import ExitCode
    from traceloc.quoting import say_count
    from traceloc.reporting.terminal import one_line

    store = open_store(memory)
    problems = store.check()
    console.write_pieces((f"{one_line(problem)}\n" for problem in problems), sys.stdout)
    if problems:
        console.say(f"error[TL545]: {say_count(len(problems), 'problem')}")
        console.say(
            "hint: 'traceloc memory rebuild' makes vectors and index anew; in place of a damaged "
            "file restore a copy, or begin anew with what 'traceloc memory export' still reads"
        )
        console.fail(ExitCode.UNMEASURED)
    schemata = say_count(store.count("schema"), "schema", "schemata")
    console.say(f"sound: {schemata}, change {store.version()}")

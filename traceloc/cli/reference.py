"""Writes ``docs/cli.md`` from the commands themselves: ``python -m traceloc.cli.reference``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path("docs/cli.md")
INTRODUCTION = """\
# Command line

Made from the commands by `python -m traceloc.cli.reference`; a test holds it to them.

Results go to standard output, everything else to standard error. `traceloc PATH` is short for
`traceloc scan PATH`. A locator is `path#17`, or `path:trace-id#17` where a file holds several
traces; `scan` prints it and `show` takes it. `-` is standard input.

| exit code | meaning |
|---|---|
| 0 | fine |
| 1 | the gate failed: a trace came to what `--fail-on` names |
| 2 | wrong usage or settings |
| 3 | could not measure: nothing read, a broken file, or below `--min-coverage`; outweighs 1 |
| 130, 141 | interrupted; the reader of the output has gone |

Settings come from the command line, else the environment (`TRACELOC_TOP_K=5`), else `traceloc.toml`
or `[tool.traceloc]` in `pyproject.toml` of this folder or the nearest one above, else the default.
`traceloc doctor` says where each came from.

```toml
# traceloc.toml
top-k = 5
fail-on = "located"
[systems]
"runs/support/**" = "support-bot"
```
"""


def render_reference() -> str:
    """The whole page."""
    from typer.main import get_command

    from traceloc.cli.app import app

    return INTRODUCTION + "".join(_sections(get_command(app), "traceloc"))


def _sections(command: Any, path: str) -> Iterator[str]:
    children = getattr(command, "commands", None)
    if children:
        for name in sorted(children):
            yield from _sections(children[name], f"{path} {name}")
        return
    # Own tables and not the output of --help, which looks different in each version of typer.
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and p.help]
    words = " ".join(_metavar(argument) for argument in arguments)
    yield f"\n## {path}\n\n`{path} {words}".rstrip() + "`\n\n"
    yield "\n\n".join(" ".join(part.split()) for part in command.help.split("\n\n")) + "\n"
    if arguments or options:
        yield "\n| | |\n|---|---|\n"
    for each in (*arguments, *options):
        yield f"| {_name(each)} | {_cell(each.help or '')}{_default(each)} |\n"


def _name(param: Any) -> str:
    if param.param_type_name == "argument":
        return f"`{_cell(_metavar(param))}`"
    flags = ", ".join(f"`{flag}`" for flag in (*param.opts, *param.secondary_opts))
    return flags if param.is_flag else f"{flags} `{_cell(_metavar(param))}`"


def _metavar(param: Any) -> str:
    if param.metavar:
        return str(param.metavar)
    # typer says what kind of value it is in one place or another, by version.
    kind = getattr(param, "type_descriptor", None) or getattr(param, "type", None)
    choices = getattr(kind, "choices", None)
    if choices:
        return "|".join(str(getattr(choice, "value", choice)) for choice in choices)
    return str(param.name).upper() if param.param_type_name == "argument" else "VALUE"


def _default(param: Any) -> str:
    default = param.default
    if callable(default) or default in (None, False, (), []) or param.required:
        return ""
    return f" Default: `{getattr(default, 'value', default)}`."


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def write_reference(target: Path = TARGET) -> None:
    """Write the page."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(render_reference(), encoding="utf-8")


if __name__ == "__main__":
    write_reference(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)

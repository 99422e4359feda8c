"""``python -m traceloc.evaluation PATHS``: the same as ``traceloc eval``."""

import typer

from traceloc.cli.evaluate import eval_command

if __name__ == "__main__":
    typer.run(eval_command)

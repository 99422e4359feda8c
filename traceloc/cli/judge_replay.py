"""``traceloc judge-replay``: an endpoint that answers from a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from traceloc.cli import console


def judge_replay_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of questions and answers.")],
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on loopback; 0 takes a free one.")
    ] = 8123,
    wait: Annotated[
        float,
        typer.Option(min=0.0, metavar="SECONDS", help="How long to wait for an answer."),
    ] = 0.0,
) -> None:
    """Answer judges' questions from a folder, over OpenAI's chat protocol on loopback.

    Each question is written to DIR/HASH.prompt.json; its answer is read from DIR/HASH.answer.json,
    recorded or written by hand. Ends with Ctrl-C.
    """
    from traceloc.errors import Location, UsageError
    from traceloc.judging.replay_server import ReplayServer

    try:
        server = ReplayServer(folder, port=port, wait=wait)
    except OSError as error:
        raise UsageError(
            f"cannot be served: {error.strerror or error}",
            code="TL607",
            hint="--port 0 takes a free port",
            location=Location(str(folder)),
        ) from error
    typer.echo(server.url)
    console.say(f"traceloc scan PATHS --judge replay --judge-url {server.url}")
    try:
        server.serve()
    finally:
        server.close()
        console.say(server.account())

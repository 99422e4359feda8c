"""Answers from a folder: recorded ones, or such as somebody has written by hand.

Each question is written to ``HASH.prompt.json``; its answer is read from ``HASH.answer.json``. That
is either an object ``{"text": …}`` in the form of a :class:`~traceloc.judgement.JudgeReply`, or the
answer itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

from traceloc.errors import UsageError
from traceloc.judgement import JudgeError, JudgePrompt, JudgeReply

POLL_SECONDS = 0.1
LONGEST_ANSWER = 1_000_000


class ReplayFolder:
    """A folder of questions and answers.

    Args:
        path: The folder; made with the first question, in one that is there.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def write_prompt(self, *, model: str, system: str, user: str, **more: Any) -> str:
        """Write a question down, and give the hash its answer goes by."""
        digest = hash_question(model=model, system=system, user=user)
        place = self.path / f"{digest}.prompt.json"
        if not place.exists():
            self.path.mkdir(exist_ok=True)
            document = {"model": model, "system": system, "user": user, **more}
            _write(place, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        return digest

    def read_answer(self, digest: str) -> JudgeReply | None:
        """The answer, or ``None`` as long as there is none.

        Raises:
            JudgeError: ``invalid``, if the file cannot be read.
        """
        place = self.path / f"{digest}.answer.json"
        try:
            if place.stat().st_size > LONGEST_ANSWER:
                raise JudgeError("invalid", f"{place.name} has more than {LONGEST_ANSWER} bytes")
            text = place.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise JudgeError("invalid", f"{place.name} cannot be read: {error}") from error
        try:
            document = json.loads(text)
            if isinstance(document, dict) and isinstance(document.get("text"), str):
                return JudgeReply.model_validate(document)
        except (ValueError, RecursionError):
            pass  # no JSON, or not that of a reply: then it is the answer itself
        return JudgeReply(text=text)

    def wait_for_answer(self, digest: str, *, seconds: float) -> JudgeReply | None:
        """The answer, once it is there; ``None`` if it does not come in time."""
        until = time.monotonic() + seconds
        while (reply := self.read_answer(digest)) is None:
            if time.monotonic() >= until:
                return None
            time.sleep(POLL_SECONDS)
        return reply


class ReplayJudge:
    """``replay:DIR``: answers from a folder, without a server between."""

    name = "replay"
    api_version = 1
    version = "1"

    def check(self, model: str, *, url: str | None) -> None:
        """Make sure that the folder is one, or can be made in one.

        Raises:
            UsageError: ``TL603`` if it cannot.
        """
        folder = Path(model)
        if model and (folder.is_dir() or (not folder.exists() and folder.parent.is_dir())):
            return
        why = "is no folder" if folder.exists() and model else "is not there, nor the one above it"
        raise UsageError(
            f"judge 'replay:{model}': folder {model!r} {why}"
            if model
            else "replay: names no folder",
            code="TL603",
            hint="name a folder of answers: replay:DIR",
        )

    async def ask(self, prompt: JudgePrompt) -> JudgeReply:
        """The answer that the folder ``prompt.model`` holds.

        Raises:
            JudgeError: ``unanswered``, if it holds none; the question is then written there.
        """
        folder = ReplayFolder(prompt.model)
        question = {"model": "replay", "system": prompt.system, "user": prompt.user}
        digest = hash_question(**question)
        reply = folder.read_answer(digest)
        try:
            await asyncio.to_thread(folder.write_prompt, **question)
        except OSError as error:
            # An answer that is there will do, also in a folder that nobody may write to.
            if reply is None:
                why = error.strerror or error
                message = f"the question cannot be written to {prompt.model}: {why}"
                raise JudgeError("unanswered", message) from error
        if reply is None:
            answer = folder.path / f"{digest}.answer.json"
            raise JudgeError("unanswered", f"write {answer} and run again")
        return reply


def hash_question(*, model: str, system: str, user: str) -> str:
    """Name of a question: equal words to an equal model are the same question."""
    text = "\x1f".join((model, system, user))
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()


def _write(place: Path, text: str) -> None:
    """Write a file so that nobody ever sees half of it."""
    aside = place.with_name(f".{place.name}.{os.getpid()}.part")
    aside.write_text(text, encoding="utf-8")
    aside.replace(place)

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

from traceloc.judgement import JudgeError, JudgePrompt, JudgeReply

POLL_SECONDS = 0.1
LONGEST_ANSWER = 1_000_000


class ReplayFolder:
    """A folder of questions and answers.

    Args:
        path: The folder; made if there is none.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def write_prompt(self, *, model: str, system: str, user: str, **more: Any) -> str:
        """Write a question down, and give the hash its answer goes by."""
        digest = hash_question(model=model, system=system, user=user)
        place = self.path / f"{digest}.prompt.json"
        if not place.exists():
            self.path.mkdir(parents=True, exist_ok=True)
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

    async def ask(self, prompt: JudgePrompt) -> JudgeReply:
        """The answer that the folder ``prompt.model`` holds.

        Raises:
            JudgeError: ``unanswered``, if it holds none; the question is then written there.
        """
        folder = ReplayFolder(prompt.model)
        digest = await asyncio.to_thread(
            folder.write_prompt, model="replay", system=prompt.system, user=prompt.user
        )
        reply = folder.read_answer(digest)
        if reply is None:
            raise JudgeError("unanswered", f"write {digest}.answer.json and run again")
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

"""The endpoint of ``traceloc judge-replay``."""

from __future__ import annotations

import threading
from pathlib import Path

from traceloc.judgement import JudgeError
from traceloc.judging.endpoint import ChatAnswer, ChatRequest, ChatServer
from traceloc.judging.replay import ReplayFolder


class ReplayServer(ChatServer):
    """Answers chat completions from a folder.

    Args:
        folder: Where questions go and answers come from.
        port: 0 takes a free one.
        wait: Seconds to wait for an answer that is not there.

    Raises:
        OSError: If the folder cannot be made or the port is taken.
    """

    def __init__(self, folder: str | Path, *, port: int = 0, wait: float = 0.0) -> None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        super().__init__(self._answer_from_folder, port=port)
        self._folder = ReplayFolder(folder)
        self._wait = wait
        self._lock = threading.Lock()
        self._counts = {"answered": 0, "unanswered": 0}

    def account(self) -> str:
        """How many questions were answered and how many were not."""
        return ", ".join(f"{count} {name}" for name, count in self._counts.items())

    def _answer_from_folder(self, request: ChatRequest) -> ChatAnswer:
        try:
            digest = self._folder.write_prompt(
                model=request.model, system=request.system, user=request.user
            )
            reply = self._folder.wait_for_answer(digest, seconds=self._wait)
        except (OSError, JudgeError) as error:
            self._count("unanswered")
            return ChatAnswer(str(error), status=422)
        if reply is None:
            self._count("unanswered")
            # Not found, and not an error of the server: asking again at once would not help.
            return ChatAnswer(f"write {digest}.answer.json and ask again", status=404)
        self._count("answered")
        if reply.finish == "refusal":
            return ChatAnswer(refusal=reply.text or "refused")
        return ChatAnswer(reply.text, finish="length" if reply.finish == "length" else "stop")

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1

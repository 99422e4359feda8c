"""Answers of judges, kept: a run that is done again costs nothing and comes out the same.

One SQLite file, readable by its owner only. It holds raw answers, the digests of the prompts they
answer, and the votes that came of them; no prompt and nothing of a trace but what an answer repeats
of its masked text. Each answer is one transaction, so that whatever ends a run loses none.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from traceloc.judgement import JudgePrompt, JudgeReply
from traceloc.judging import wording
from traceloc.sqlite_file import Codes, FileKind, SqliteFile

CACHE_FILE = "judge.db"
_SCHEMA = """
CREATE TABLE answers (
    key TEXT PRIMARY KEY,
    judge TEXT NOT NULL,
    model TEXT NOT NULL,
    reply TEXT NOT NULL
) STRICT;
CREATE TABLE votes (
    judge TEXT NOT NULL,
    strategy TEXT NOT NULL,
    system TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    vote TEXT NOT NULL,
    PRIMARY KEY (judge, strategy, system, content_hash)
) STRICT;
"""
_KIND = FileKind(
    noun="cache of judges",
    application_id=0x74_6C_6A_64,  # tljd
    version=1,
    schema=_SCHEMA,
    codes=Codes("TL611", "TL612", "TL613", "TL614", "TL615"),
    elsewhere="move it away, or name another TRACELOC_HOME",
)


class Vote(NamedTuple):
    """What a judge said of a trace, beside what the ranker said before any label of it."""

    named: dict[int, float]
    """Share of its samples by the native index they name."""
    none: float
    """Share that says there is no error."""
    native: tuple[int, ...]
    """Native index of each candidate."""
    probabilities: tuple[float, ...]
    """The ranker's."""


def key_of(prompt: JudgePrompt, *, judge: str) -> str:
    """Digest of the prompt, the model, its parameters and the versions of both sides."""
    document = {"judge": judge, "wording": wording.VERSION, **prompt.model_dump(mode="json")}
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=20).hexdigest()


class AnswerCache:
    """Raw answers by key.

    Args:
        path: The file; made with the first answer.
    """

    def __init__(self, path: str | Path) -> None:
        self._file = SqliteFile(path, _KIND)

    def get(self, key: str) -> JudgeReply | None:
        """The answer that was kept, if there is one.

        Raises:
            StoreError: TL61x, if the file is no cache or is damaged.
        """
        with self._file.reading() as db:
            if db is None:
                return None
            row = db.execute("SELECT reply FROM answers WHERE key = ?", (key,)).fetchone()
        try:
            return None if row is None else JudgeReply.model_validate_json(row[0])
        except ValidationError:
            return None  # an answer that cannot be read is asked for again

    def put(self, key: str, reply: JudgeReply, *, judge: str, model: str) -> None:
        """Keep an answer.

        Raises:
            StoreError: TL61x, if it cannot be written.
        """
        with self._file.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)",
                (key, judge, model, reply.model_dump_json()),
            )

    def record(
        self, vote: Vote, *, judge: str, strategy: str, system: str, content_hash: str
    ) -> None:
        """Keep what a judge said of a trace, until somebody says what is right.

        The first one stays: later ones may come of a ranker that has learned from the label.
        """
        key = (judge, strategy, system, content_hash)
        query = "SELECT 1 FROM votes WHERE (judge, strategy, system, content_hash) = (?, ?, ?, ?)"
        with self._file.reading() as db:
            known = db is not None and db.execute(query, key).fetchone()
        if known:
            return
        with self._file.writing() as db:
            db.execute(
                "INSERT OR IGNORE INTO votes VALUES (?, ?, ?, ?, ?)", (*key, json.dumps(vote))
            )

    def votes(self, *, judge: str, strategy: str) -> dict[tuple[str, str], Vote]:
        """Everything one judge said, by system and content of the trace."""
        with self._file.reading() as db:
            if db is None:
                return {}
            rows = db.execute(
                "SELECT system, content_hash, vote FROM votes WHERE judge = ? AND strategy = ? "
                "ORDER BY system, content_hash",
                (judge, strategy),
            ).fetchall()
        return {(system, digest): _vote(json.loads(text)) for system, digest, text in rows}


def _vote(row: list[Any]) -> Vote:
    named, none, native, probabilities = row
    return Vote(
        {int(step): float(share) for step, share in named.items()},
        float(none),
        tuple(native),
        tuple(probabilities),
    )

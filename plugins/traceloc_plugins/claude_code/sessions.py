"""Files into sessions: each line once, the files of sub-agents after the main one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from traceloc.loading import Source
from traceloc_plugins.claude_code.lines import Line, read_lines


@dataclass(slots=True)
class Session:
    """Lines of one session."""

    id: str | None
    path: str
    lines: list[Line] = field(default_factory=list)
    uuids: set[str] = field(default_factory=set)
    repeated: int = 0
    """Lines that were met again under the same uuid."""


def read_sessions(sources: Sequence[Source]) -> list[Session]:
    """Sessions of files that belong together."""
    files = [(source.path, list(read_lines(source))) for source in sources]
    if len(files) > 1:
        files.sort(key=lambda file: (_is_agents(file[1]), *_times(file[1]), file[0]))
    sessions: dict[str | None, Session] = {}
    owner: dict[str, Session] = {}
    offset = 0
    for path, lines in files:
        known = Counter(line.session for line in lines if line.session)
        default = known.most_common(1)[0][0] if known else None
        alone = len(files) > 1 and _is_agents(lines)
        for line in lines:
            line.native += offset
            line.own_file = alone
            key = line.session or default
            session = sessions.get(key)
            if session is None:
                session = sessions[key] = Session(key, path)
            if line.uuid is not None:
                if line.uuid in session.uuids:
                    session.repeated += 1
                    continue
                session.uuids.add(line.uuid)
                line.copied = owner.setdefault(line.uuid, session) is not session
            session.lines.append(line)
        offset += max((line.native - offset + 1 for line in lines), default=0)
    return list(sessions.values())


def _times(lines: list[Line]) -> tuple[float, float]:
    """When a file begins and ends: a session that goes on in another file goes on later.

    A resumed one begins with a copy of what came before, and ends later than the original.
    """
    times = (time.timestamp() for line in lines if (time := line.time) is not None)
    first = next(times, 0.0)
    return first, max(times, default=first)


def _is_agents(lines: list[Line]) -> bool:
    """Whether only a sub-agent wrote to a file."""
    told = [line for line in lines if line.message is not None]
    return bool(told) and all(line.side for line in told)

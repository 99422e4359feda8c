"""Random damage to the files of a corpus, each variant the same for the same number.

Wilder than what the contract kit does to each sample, and of other kinds: values of one document in
another, rows of a database, members of an archive, lines of a log.
"""

from __future__ import annotations

import copy
import gzip
import io
import json
import random
import sqlite3
import zipfile
from collections.abc import Sequence
from typing import Any

from traceloc.loading.bounding import is_small
from traceloc.testing import damage

Chance = random.Random

UNHASHABLE: tuple[Any, ...] = ([], {}, [[1]], {"a": []}, [{"b": {}}], [None, [None]])
SCALARS: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 2**63, 2**64, -(2**130), 10**300, 10**4000, 1e308, -0.0),
    *(float("inf"), float("-inf"), float("nan"), "", " ", "0", "null", "\x00", "\ud800", "é\u202e"),
    *(
        "\x1b[2J",
        "1e999",
        "9" * 400,
        "2026-13-45T99:99:99Z",
        "-9999-01-01",
        "{" * 300,
        '{"a": NaN}',
    ),
    *(
        "[" * 200 + "]" * 200,
        '"\\"[1]\\""',
        "{'a': (1,",
        "\n" * 50,
        "Traceback (most recent",
        "x" * 9000,
    ),
)
DEPTHS = (3, 40, 120, 250, 900)
RAW_DEPTHS = (1_000, 20_000, 200_000)
WORDS = (
    *("id", "role", "content", "type", "name", "messages", "parent_id", "text", "tool_calls", "x"),
    *("events", "args", "error", "timestamp", "result", "agent", "usage", "function", "children"),
)
ENCODINGS = ("utf-16", "utf-16-be", "utf-32", "latin-1", "utf-7", "utf-8-sig", "cp1252")
MAX_GROWTH = 1 << 20


def mutate(data: bytes, chance: Chance, others: Sequence[bytes]) -> bytes:
    """A damaged variant of a file.

    Args:
        data: Its bytes.
        chance: Decides what is done to it.
        others: Other files, of which pieces may be put into this one.
    """
    if data.startswith(b"PK\x03\x04") and chance.random() < 0.7:
        return _mutate_archive(data, chance, others)
    if data.startswith(b"SQLite format 3\x00") and chance.random() < 0.7:
        return _mutate_database(data, chance, others)
    parsed = damage.parse(data) if data.lstrip()[:1] in (b"{", b"[") else None
    if parsed is None:
        text = b"\x00" not in data
        damaged = _mutate_lines(data, chance) if text and chance.random() < 0.6 else data
        return _mutate_bytes(damaged, chance)
    if chance.random() < 0.15:
        return _mutate_bytes(data, chance)
    values, lines = parsed
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        try:
            _mutate_values(values, chance, others)
        except RecursionError:
            break  # nested so deeply by an earlier round that nothing can be copied
        if not is_small(values, size=len(data) + MAX_GROWTH):
            return _mutate_bytes(data, chance)  # pieces of pieces repeated
    damaged = _write(values, lines=lines, chance=chance)[: len(data) + 2 * MAX_GROWTH]
    return _mutate_bytes(damaged, chance) if chance.random() < 0.2 else damaged


def _write(values: list[Any], *, lines: bool, chance: Chance) -> bytes:
    if chance.random() < 0.05 and len(values) == 1 and isinstance(values[0], list):
        values, lines = values[0], True  # a list as lines
    elif chance.random() < 0.05 and len(values) > 1:
        values, lines = [values], False
    try:
        return damage.dump(values, lines=lines)
    except RecursionError:
        return b"[" * 2000
    except ValueError:  # a number with more digits than Python writes
        return b'{"n": ' + b"9" * 5000 + b"}"


def _mutate_values(values: list[Any], chance: Chance, others: Sequence[bytes]) -> None:
    container, key = _place(values, chance)
    if key is None:
        return
    value = container[key]
    match chance.randrange(14):
        case 0:
            del container[key]
        case 1 | 2:
            container[key] = chance.choice(SCALARS)
        case 3:
            container[key] = copy.deepcopy(chance.choice(UNHASHABLE))
        case 4:
            _repeat(container, key, chance)
        case 5 if isinstance(container, list):
            container.insert(chance.randrange(len(container)), container.pop(key))
        case 5 | 6 if isinstance(container, dict):
            container[chance.choice((*WORDS, "", "\ud800", "k" * 300))] = container.pop(key)
        case 7 | 8:
            inner, place = _place(values, chance)
            if place is not None:
                container[key] = copy.deepcopy(inner[place])
        case 9:
            container[key] = _borrow(chance, others)
        case 10:
            for _ in range(chance.choice(DEPTHS)):
                value = [value] if chance.random() < 0.5 else {chance.choice(WORDS): value}
            container[key] = value
        case 11:
            container[key] = json.dumps(value) if chance.random() < 0.7 else repr(value)[:50_000]
        case 12:
            container[key] = _unwrap(value)
        case _:
            _make_alike(values, key, copy.deepcopy(chance.choice((value, *SCALARS, *UNHASHABLE))))


def _place(values: list[Any], chance: Chance) -> tuple[Any, Any]:
    """A container and a key of it, found by going down at random."""
    container: Any = values
    while True:
        keys = list(container) if isinstance(container, dict) else range(len(container))
        if not keys:
            return container, None
        key = chance.choice(keys)
        below = container[key]
        if not isinstance(below, dict | list) or not below or chance.random() < 0.2:
            return container, key
        container = below


def _repeat(container: Any, key: Any, chance: Chance) -> None:
    try:
        size = len(json.dumps(container[key]))
    except (ValueError, RecursionError):
        return
    times = min(chance.choice((1, 2, 30, 1000)), max(1, MAX_GROWTH // (size + 1) // 4))
    if isinstance(container, list):
        container[key:key] = [copy.deepcopy(container[key]) for _ in range(times)]
    else:
        container |= {f"{key}{n}": container[key] for n in range(times)}


def _borrow(chance: Chance, others: Sequence[bytes]) -> Any:
    parsed = damage.parse(chance.choice(others)) if others else None
    if parsed is None:
        return None
    container, key = _place(parsed[0], chance)
    return None if key is None else container[key]


def _unwrap(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return list(value[:40])
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list):
        return {str(n): each for n, each in enumerate(value)} if len(value) != 1 else value[0]
    return str(value)[:400]


def _make_alike(values: Any, key: Any, value: Any) -> None:
    """Everything of one name the same: ids that are no ids, parents in a circle."""
    waiting, seen = [values], 0
    while waiting and seen < 5000:
        item = waiting.pop()
        seen += 1
        if isinstance(item, dict):
            if key in item:
                item[key] = value
            waiting.extend(v for v in item.values() if v is not value)
        elif isinstance(item, list):
            waiting.extend(v for v in item if v is not value)


def _mutate_lines(data: bytes, chance: Chance) -> bytes:
    lines = data.splitlines(keepends=True)
    for _ in range(chance.randint(1, 5)):
        place = chance.randrange(len(lines) + 1) if lines else 0
        end = place + chance.choice((1, 1, 3, 20))
        match chance.randrange(6):
            case 0:
                del lines[place:end]
            case 1:
                lines[place:place] = lines[place:end] * chance.choice((1, 2, 60))
            case 2:
                lines[place:end] = lines[place:end][::-1]
            case 3 if place < len(lines):
                lines[place] = lines[place].strip()[: chance.randint(0, 60)]
            case 4:
                lines[place:place] = [chance.choice((b"\n", b"---\n", b'{"a": [\n', b"\xff\xfe\n"))]
            case _ if lines:
                lines.insert(place, chance.choice(lines))
    return b"".join(lines)[: len(data) + MAX_GROWTH]


def _mutate_bytes(data: bytes, chance: Chance) -> bytes:
    match chance.randrange(12):
        case 0 | 1:
            return data[: chance.randint(0, len(data))]
        case 2:
            return data.decode("utf-8", "replace").encode(chance.choice(ENCODINGS), "replace")
        case 3:
            return data + data if len(data) < MAX_GROWTH else data
        case 4 if chance.random() < 0.3:
            packed = bytearray(gzip.compress(data, 1, mtime=0))
            packed[chance.randrange(len(packed))] ^= chance.choice((0, 0, 1, 64))
            return bytes(packed)
        case 5 if chance.random() < 0.1:
            depth = chance.choice(RAW_DEPTHS)
            place = chance.randint(0, len(data))
            opening = chance.choice((b"[", b'{"a":'))
            return data[:place] + opening * depth + data[place:]
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        place = chance.randint(0, len(changed))
        match chance.randrange(6):
            case 0 if place < len(changed):
                changed[place] ^= 1 << chance.randrange(8)
            case 1:
                changed[place:place] = chance.randbytes(chance.randint(1, 8))
            case 2:
                del changed[place : place + chance.choice((1, 4, 64, 4096))]
            case 3:
                changed[place:place] = changed[place : place + chance.choice((1, 16, 256, 4096))]
            case 4 if place < len(changed):
                changed[place] = chance.choice(b'\x00\xff"{}[]\\,:\n')
            case _:
                changed[place : place + 8] = chance.choice((b"\xff" * 8, b"\x00" * 8, b"99999999"))
    return bytes(changed)


def _mutate_archive(data: bytes, chance: Chance, others: Sequence[bytes]) -> bytes:
    """One member damaged and the archive whole, which is the only way past its checksums."""
    written = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(written, "w") as new:
            names = old.namelist()
            victim = chance.choice(names)
            for name in names:
                content = old.read(name)
                new.writestr(name, mutate(content, chance, others) if name == victim else content)
    except (zipfile.BadZipFile, NotImplementedError, IndexError):
        return _mutate_bytes(data, chance)
    return written.getvalue()


def _mutate_database(data: bytes, chance: Chance, others: Sequence[bytes]) -> bytes:
    """One value damaged and the database whole."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(data)
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
        table = chance.choice(tables)[0].replace('"', '""')
        columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
        column = chance.choice(columns).replace('"', '""')
        rows = connection.execute(f'SELECT rowid, "{column}" FROM "{table}"').fetchall()
        row, value = chance.choice(rows)
        if isinstance(value, str):
            new: Any = mutate(value.encode(), chance, others).decode("utf-8", "replace")
        elif isinstance(value, bytes):
            new = _mutate_bytes(value, chance)
        else:
            new = chance.choice((None, -1, 2**62, "x", b"\x80", 1e300))
        connection.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', (new, row))
        connection.commit()
        return connection.serialize()
    except (sqlite3.Error, IndexError):
        return _mutate_bytes(data, chance)
    finally:
        connection.close()

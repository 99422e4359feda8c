"""Ways to damage a file, each the same on every run."""

from __future__ import annotations

import copy
import gzip
import json
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

SEED = 20260301
"""Of all random damage; a violation names it with the number of the variant."""
DEPTHS = (150, 900, 100_000)
HUGE = 2_000_000
_ID_WORDS = ("id", "uuid", "parent", "ref", "span")

_STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63, -(2**130), 1e308, float("nan"), float("inf"), "", " ", "\x00",
    "\ud800", "\u202e\x1b[31m", "x" * 5000, "{" * 300, "[" * 300 + "]" * 300, '{"a": NaN}', [], {},
    [[]], [None], [{}], {"": None}, {"role": 1}, ["text"], [1, "a", None, {}], "1e999",
)  # fmt: skip


class Damaged(NamedTuple):
    """A damaged file."""

    how: str
    data: bytes


def truncate(data: bytes, *, places: int = 48) -> Iterator[Damaged]:
    """The file cut off at places all over it, and within its last bytes."""
    steps = {len(data) * i // places for i in range(places)}
    for size in sorted(steps | {max(0, len(data) - i) for i in range(1, 6)}):
        yield Damaged(f"cut off after {size} bytes", data[:size])


def mutate(data: bytes, *, count: int) -> Iterator[Damaged]:
    """The file with random damage: to what its JSON says, or to its bytes."""
    parsed = parse(data)
    for number in range(count):
        chance = random.Random(SEED + number)  # noqa: S311
        how = f"mutation {number} with seed {SEED}"
        if parsed is None or number % 4 == 3:
            yield Damaged(how, _mutate_bytes(data, chance))
            continue
        values, lines = copy.deepcopy(parsed)
        for _ in range(chance.randint(1, 4)):
            _mutate_json(values, chance)
        yield Damaged(how, dump(values, lines=lines))


def distort(data: bytes) -> Iterator[Damaged]:
    """The file, and files that are none, in the ways that parsers fall over."""
    yield Damaged("an empty file", b"")
    yield Damaged("only white space", b" \r\n\t\n")
    yield Damaged("NUL bytes", b"\x00" * 64)
    yield Damaged("a NUL byte in the middle", _insert(data, b"\x00"))
    yield Damaged("a byte that is no UTF-8", _insert(data, b"\xff\xfe\xfa"))
    yield Damaged("a byte order mark", b"\xef\xbb\xbf" + data)
    yield Damaged("two byte order marks", b"\xef\xbb\xbf\xff\xfe" + data)
    text = data.decode("utf-8", "replace")
    for encoding in ("utf-16", "utf-16-be", "utf-32", "latin-1", "utf-7"):
        yield Damaged(f"text in {encoding}", text.encode(encoding, "replace"))
    yield Damaged("lines that end in CR LF", data.replace(b"\n", b"\r\n"))
    yield Damaged("lines that end in CR", data.replace(b"\n", b"\r"))
    yield Damaged("compressed and cut off", gzip.compress(data, mtime=0)[:-9])
    yield Damaged("the same twice", data + b"\n" + data)
    yield Damaged("garbage behind it", data + b"\n}]{\x80")
    yield Damaged("garbage before it", b"%PDF-1.7\n" + data)
    yield Damaged("a huge line", b'{"text": "' + b"x" * HUGE + b'"}')
    yield Damaged("a huge number", b'{"n": ' + b"9" * 5000 + b"}")
    yield Damaged("many small lines", b"{}\n" * 5000)
    yield Damaged("JSON that holds nothing", b"[]")
    for depth in DEPTHS:
        for opening, closing in (("[", "]"), ('{"a":', "}")):
            nested = opening * depth + "1" + closing * depth
            yield Damaged(f"{depth} levels of {opening[0]}", nested.encode())
            if (inside := _replace_string(data, nested)) is not None:
                yield Damaged(f"{depth} levels of {opening[0]} inside a field", inside)
    yield from _entangle(data)


def _entangle(data: bytes) -> Iterator[Damaged]:
    """Identifiers and references that run in circles."""
    parsed = parse(data)
    if parsed is None:
        return
    for how, change in (
        ("all identifiers the same", lambda value, n: "same"),
        ("identifiers in a circle", lambda value, n: f"id-{n % 3}"),
        ("identifiers that are no text", lambda value, n: n % 3),
    ):
        values, lines = copy.deepcopy(parsed)
        number = 0
        for container in _containers(values):
            for key in container if isinstance(container, dict) else ():
                if key.lower().endswith(_ID_WORDS) and isinstance(container[key], str | None):
                    number += 1
                    container[key] = change(container[key], number)
        if number:
            yield Damaged(how, dump(values, lines=lines))


def parse(data: bytes) -> tuple[list[Any], bool] | None:
    """JSON documents of a file, and whether there is one a line."""
    try:
        return [json.loads(data)], False
    except (ValueError, RecursionError):
        pass
    try:
        return [json.loads(line) for line in data.splitlines() if line.strip()], True
    except (ValueError, RecursionError):
        return None


def dump(values: list[Any], *, lines: bool) -> bytes:
    """The documents as a file: one a line, or the only one."""
    dumped = [json.dumps(value) for value in values]
    return ("\n".join(dumped) if lines else "".join(dumped[:1])).encode()


def _containers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for inner in list(value.values()) if isinstance(value, dict) else list(value):
            yield from _containers(inner)


def _mutate_json(values: list[Any], chance: random.Random) -> None:
    container = chance.choice([*_containers(values)])
    keys = list(container) if isinstance(container, dict) else list(range(len(container)))
    if not keys:
        return
    key = chance.choice(keys)
    match chance.choice(("delete", "replace", "replace", "repeat", "move", "rename")):
        case "delete":
            del container[key]
        case "replace":
            container[key] = copy.deepcopy(chance.choice(_STRANGE))
        case "repeat" if isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
        case "move" if isinstance(container, list):
            container.insert(chance.randrange(len(container)), container.pop(key))
        case "rename" if isinstance(container, dict):
            container[chance.choice(("id", "role", "content", "type", "x"))] = container.pop(key)


def _mutate_bytes(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        place = chance.randint(0, len(changed))
        match chance.choice(("flip", "insert", "delete", "double")):
            case "flip" if place < len(changed):
                changed[place] ^= 1 << chance.randrange(8)
            case "insert":
                changed[place:place] = chance.randbytes(chance.randint(1, 8))
            case "delete":
                del changed[place : place + chance.randint(1, 64)]
            case "double":
                changed[place:place] = changed[place : place + chance.randint(1, 256)]
    return bytes(changed)


def _insert(data: bytes, piece: bytes) -> bytes:
    return data[: len(data) // 2] + piece + data[len(data) // 2 :]


def _replace_string(data: bytes, json_text: str) -> bytes | None:
    """The file with its longest text replaced by raw JSON."""
    parsed = parse(data)
    if parsed is None:
        return None
    values, lines = copy.deepcopy(parsed)
    longest, where = "", None
    for container in _containers(values):
        for key in container if isinstance(container, dict) else range(len(container)):
            value = container[key]
            if isinstance(value, str) and len(value) > len(longest):
                longest, where = value, (container, key)
    if where is None:
        return None
    where[0][where[1]] = "@@kit@@"
    return dump(values, lines=lines).replace(b'"@@kit@@"', json_text.encode())

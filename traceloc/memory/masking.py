"""Normalisation: what differs from run to run becomes a slot, the words that tell it apart stay.

Numbers, identifiers, paths, links, quoted values and names are masked. One pass of one expression
whose alternatives never give back what they took, so that the time is linear; what is masked once
is not changed by masking it again. The memory keeps nothing but masked text.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import TYPE_CHECKING

from pydantic import JsonValue

from traceloc.memory.schema import MAX_TEXT

if TYPE_CHECKING:
    from traceloc.graph import TraceGraph
    from traceloc.trace import Step

SLOTS = ("num", "id", "path", "url", "quote", "name")
ELLIPSIS = "…"

_HEAD, _TAIL = 1600, 800
"""Characters of a longer text that are read at all."""
_KEPT_HEAD = MAX_TEXT * 7 // 10
_MAX_WORD, _MAX_MARKS, _MAX_QUOTE = 40, 4, 80
_MAX_ARGUMENTS, _SHORT = 20, 80
_QUOTES = "\"'`“”\u2018\u2019«»"
_SENTENCE = frozenset(".!?:;•*#|>-")

_EXTENSIONS = (
    "py|js|ts|java|c|cpp|h|rs|go|rb|sh|sql|md|txt|log|csv|tsv|xlsx?|docx?|pptx?|pdf|json|jsonl|"
    "ya?ml|toml|xml|html?|css|png|jpe?g|gif|svg|mp[34]|wav|zip|gz|tar|db|ipynb|ini|cfg"
)
_TOKEN = re.compile(
    rf"""
    (?P<slot><(?:num|id|path|url|quote|name)>)
    | (?P<url>(?:https?|ftp|file|s3|gs)://[^\s<>"'`]+ | www\.[^\s<>"'`]+)
    | (?P<id>[\w.+-]{{1,64}}@[\w.-]{{1,64}})
    | (?P<key>"[^"\n]{{1,{_MAX_QUOTE}}}"(?=\s{{0,2}}:)
        | (?<!\w)'[^'\n]{{1,{_MAX_QUOTE}}}'(?=\s{{0,2}}:))
    | (?P<quote>"[^"\n]{{1,{_MAX_QUOTE}}}" | (?<!\w)'[^'\n]{{1,{_MAX_QUOTE}}}'(?!\w)
        | “[^”\n]{{1,{_MAX_QUOTE}}}”)
    | (?P<path>(?<![\w>])(?:~|\.{{1,2}})?(?:/[\w.@+-]{{1,80}}){{2,32}}/?
        | (?<!\w)[A-Za-z]:\\[^\s"'<>|]*
        | (?<!\w)[\w-]{{1,80}}\.(?:{_EXTENSIONS})\b)
    | (?P<num>[$€£]?\d(?:[.,:/-]?\w)*%?)
    | (?P<word>\w+(?:['\u2019]\w+)?)
    | (?P<line>\n\s*)
    | (?P<marks>[^\w\s"'“]+ | ["'“])
    """,
    re.VERBOSE,
)


def mask_text(text: str, names: Container[str] = frozenset()) -> str:
    """The text with slots for what is peculiar to its run, lower case, on one line.

    Args:
        text: What was said; of a long one the start and the end.
        names: Words in lower case that are names in this run.

    Returns:
        At most :data:`~traceloc.memory.schema.MAX_TEXT` characters; masking it again gives the
        same.
    """
    if len(text) > _HEAD + _TAIL:
        text = f"{text[:_HEAD]}\n{ELLIPSIS}\n{text[-_TAIL:]}"
    return _cut(_squeeze(_tokens(text, names)))


def mask_prose(text: str, names: Container[str] = frozenset()) -> str:
    """Words about a run: as they are where there is nothing to mask, else masked."""
    flat = " ".join(text.split())
    masked = mask_text(flat, names)
    return masked if any(f"<{slot}>" in masked for slot in SLOTS) else flat[:MAX_TEXT]


def mask_step(step: Step, names: Container[str] = frozenset()) -> str:
    """What a step said and called, masked: calls first, with the names of their arguments."""
    parts = []
    for call in step.tool_calls[:_MAX_ARGUMENTS]:
        arguments = _mask_arguments(call.arguments, names)
        parts.append(f"{mask_text(call.name)} ( {arguments} )" if arguments else call.name)
    if step.text:
        parts.append(step.text)
    elif not parts and step.reasoning:
        parts.append(step.reasoning)
    return mask_text(" ".join(parts), names)


def names_of(graph: TraceGraph) -> frozenset[str]:
    """Words that are names in a trace: its agents, and what its steps write as names."""
    import numpy as np

    from traceloc.graph import TokenKind

    index = graph.lexical
    found = index.spell(np.flatnonzero(index.kinds == TokenKind.NAME).tolist())
    agents = (word for name in graph.agent_names for word in re.findall(r"[^\W_]+", name))
    return frozenset(word.lower() for word in (*found, *agents) if len(word) > 1)


def _tokens(text: str, names: Container[str]) -> Iterator[str]:
    opens = True
    for match in _TOKEN.finditer(text):
        kind, found = match.lastgroup, match[0]
        if kind == "word":
            yield _word(found, names, opens=opens)
            opens = False
        elif kind == "num":
            # A number holds no letters; "3rd", a date with its zone or a hash does.
            yield "<id>" if any(c.isalpha() for c in found) else "<num>"
            opens = False
        elif kind == "key":
            yield from _tokens(found[1:-1], names)
            opens = False
        elif kind == "line":
            opens = True
        elif kind == "marks":
            marks = "".join(c for c in found if c not in _QUOTES)[:_MAX_MARKS]
            opens = found[-1] in _SENTENCE or (opens and not marks)
            if marks:
                yield marks
        else:
            yield found if kind == "slot" else f"<{kind}>"
            opens = False


def _word(word: str, names: Container[str], *, opens: bool) -> str:
    if word.islower() and word.isalpha():
        return "<name>" if word in names else word[:_MAX_WORD]
    lower = word.lower()
    if lower in names:
        return "<name>"
    if any(c.isnumeric() for c in word):
        return "<id>"
    if not lower.isalpha() and _TOKEN.fullmatch(lower) is None:
        # Some capitals of some scripts have no small letter that is still one word.
        return "<id>"
    title = word[0] != lower[0] and len(word) > 1 and word[1:] == lower[1:]
    if title and not opens:
        return "<name>"
    return lower[:_MAX_WORD]


def _squeeze(tokens: Iterator[str]) -> list[str]:
    """Runs of one slot become one: a list of numbers is as long as it happens to be."""
    kept: list[str] = []
    for token in tokens:
        if token[0] == "<" and token[-1] == ">" and token[1:-1] in SLOTS:
            if kept and kept[-1] == token:
                continue
            if len(kept) > 1 and kept[-1] == "," and kept[-2] == token:
                kept.pop()
                continue
        kept.append(token)
    return kept


def _cut(tokens: list[str]) -> str:
    text = " ".join(tokens)
    if len(text) <= MAX_TEXT:
        return text
    room, head = _KEPT_HEAD, 0
    while len(tokens[head]) < room:
        room -= len(tokens[head]) + 1
        head += 1
    room, tail = MAX_TEXT - _KEPT_HEAD - 3, len(tokens)
    while tail > head and len(tokens[tail - 1]) < room:
        tail -= 1
        room -= len(tokens[tail]) + 1
    return " ".join([*tokens[:head], ELLIPSIS, *tokens[tail:]])


def _mask_arguments(value: JsonValue, names: Container[str]) -> str:
    """Arguments by name; what they hold is a slot, unless it is long enough to have a shape."""
    if isinstance(value, Mapping):
        pairs = list(value.items())[:_MAX_ARGUMENTS]
        return " , ".join(f"{mask_text(str(k), names)} = {_mask_value(v, names)}" for k, v in pairs)
    return _mask_value(value, names)


def _mask_value(value: JsonValue, names: Container[str]) -> str:
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return "<num>"
    if isinstance(value, str):
        if not value.strip():
            return "empty"
        short = len(value) <= _SHORT and "\n" not in value
        return "<quote>" if short else mask_text(value, names)
    if not value:
        return "empty"
    return "list" if isinstance(value, list) else "table"

"""A team as MetaGPT serialises it: roles with their memories, and the messages in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from traceloc.loading import TraceBuilder, text_of
from traceloc.trace import Trace
from traceloc_plugins.records import (
    bounded,
    id_field,
    keep_fields,
    keep_rest,
    split_truth,
    text_field,
)
from traceloc_plugins.spans.values import decoded
from traceloc_plugins.turns import Turns

_EVERYBODY = frozenset(("<all>", "<none>", "all", ""))
_PEOPLE = frozenset(("user", "human", "boss"))
_OF_A_ROLE = frozenset(("name", "profile", "goal", "constraints", "desc", "rc"))
_READ = frozenset(("id", "content", "role", "cause_by", "sent_from", "send_to", "instruct_content"))


def is_team(value: Any) -> bool:
    """Whether a JSON value is a team, an environment, or either of them cut off."""
    if not isinstance(value, dict):
        return False
    env = value.get("env", value)
    roles = env.get("roles") if isinstance(env, dict) else None
    if not isinstance(roles, dict) or not roles:
        return False
    return any(
        isinstance(role, dict) and ("profile" in role or ("rc" in role and "actions" in role))
        for role in roles.values()
    )


def is_message(value: Any) -> bool:
    """Whether a JSON value is a message between roles."""
    return (
        isinstance(value, dict)
        and "content" in value
        and not value.keys().isdisjoint(("cause_by", "sent_from", "send_to"))
    )


class TeamReader:
    """Adds messages of a team to a trace.

    Args:
        builder: The trace under construction.
        names: Profiles of the roles, by whatever else they are called.
    """

    def __init__(self, builder: TraceBuilder, names: dict[str, str] | None = None) -> None:
        self._builder = builder
        self._names = names or {}
        self.turns = Turns(builder, self._names.values())
        self._seen: set[str] = set()

    def add(self, message: dict[str, Any], *, native_index: int, **fields: Any) -> None:
        """Add a message; a second time it is flagged."""
        id = id_field(message, "id")
        if id and id in self._seen:
            fields["flags"] = ("duplicate",)
        self._seen.add(id or "")
        role = text_field(message, "role") or ""
        sender = _last(message.get("sent_from"))
        cause = _last(message.get("cause_by"))
        text = text_of(message.get("content"))
        others = {key: value for key, value in message.items() if key not in _READ}
        attributes, truth = split_truth(others)
        if truth:
            self._builder.truth(**{f"messages[{native_index}]": truth})
        if cause:
            attributes["cause_by"] = cause
        common = {"native_index": native_index, "attributes": attributes or None, **fields}
        to = tuple(dict.fromkeys(self._recipients(message.get("send_to"))))
        if cause == "UserRequirement" or role.lower() in _PEOPLE or sender.lower() in _PEOPLE:
            self.turns.ask(text, to=to, **common)
            return
        agent = self._names.get(sender) or self._names.get(role) or sender or role or "role"
        to = tuple(name for name in to if name != agent)
        self.turns.say(agent, text, to=to, kind="message", **common)

    def _recipients(self, raw: Any) -> Iterator[str]:
        for item in raw if isinstance(raw, list) else [raw]:
            name = _last(item)
            if name not in _EVERYBODY:
                yield self._names.get(name, name)


def read_team(builder: TraceBuilder, team: dict[str, Any]) -> Trace:
    """A team; where it was cut off, what stands before the cut."""
    env = team.get("env", team)
    roles = {key: role for key, role in env["roles"].items() if isinstance(role, dict)}
    names: dict[str, str] = {}
    for key, role in roles.items():
        profile = text_field(role, "profile") or key or "role"
        names |= {name: profile for name in (key, profile, text_field(role, "name")) if name}
        names[key] = profile
        if kind := _last(role.get("__module_class_name")):
            names.setdefault(kind, profile)
    reader = TeamReader(builder, names)
    for key, role in roles.items():
        rules = [text_field(role, name) for name in ("goal", "constraints", "desc")]
        reader.turns.introduce(
            names[key],
            description=text_field(role, "name"),
            instructions="\n".join(filter(None, rules)) or _prefix(role),
        )
        others = {f"{names[key]}.{k}": v for k, v in role.items() if k not in _OF_A_ROLE}
        keep_rest(builder, others, frozenset(), place=f"roles[{key}]", whole_trace=True)
    messages = _messages(env, roles)
    idea = text_field(team, "idea")
    if idea and not any(text_of(bounded(m.get("content"))) == idea for m in messages):
        reader.turns.ask(idea, native_index=0)
    for index, message in enumerate(messages):
        try:
            reader.add(bounded(message), native_index=index)
        except (ValueError, RecursionError):
            builder.note("skipped", "messages that cannot be represented")
    if not messages:
        _add_orders(reader, roles, names)
        builder.note(
            "missing",
            "structure only: the memories of the roles are empty or cut off; the log's"
            " publish_message lines (logs/*.txt) hold what was said",
        )
    fields = {key: value for key, value in team.items() if key not in ("env", "idea", "roles")}
    attributes = keep_fields(builder, fields)
    return builder.build(task=idea or reader.turns.first_request, attributes=attributes)


def _messages(env: dict[str, Any], roles: dict[str, Any]) -> list[dict[str, Any]]:
    """All messages: those of the longest list first, then what others add."""
    lists = [_storage(env.get("history"))]
    for role in roles.values():
        rc = role.get("rc")
        if isinstance(rc, dict):
            lists += [_storage(rc.get("memory")), _storage(rc.get("working_memory"))]
    found: dict[str, dict[str, Any]] = {}
    for storage in sorted(lists, key=len, reverse=True):
        for message in storage:
            content = text_of(bounded(message.get("content")))
            key = id_field(message, "id") or f"{message.get('sent_from')}\x1f{content}"
            found.setdefault(key, message)
    return list(found.values())


def _storage(memory: Any) -> list[dict[str, Any]]:
    memory = _decoded(memory)
    storage = memory.get("storage") if isinstance(memory, dict) else memory
    listed = storage if isinstance(storage, list) else []
    return [message for message in map(_decoded, listed) if is_message(message)]


def _add_orders(reader: TeamReader, roles: dict[str, Any], names: dict[str, str]) -> None:
    """What the actions of the roles were given, where nothing else is left."""
    index = 0
    for key, role in roles.items():
        actions = role.get("actions")
        for action in actions if isinstance(actions, list) else ():
            if not isinstance(action, dict):
                continue
            case = action.get("case")
            given = text_of(_decoded(bounded(action.get("i_context"))))
            words = text_field(case, "prompt", "task") if isinstance(case, dict) else None
            if words or given:
                name = text_field(action, "name")
                attributes = {"action": name} if name else None
                reader.turns.ask(
                    words or given, to=(names[key],), native_index=index, attributes=attributes
                )
            index += 1


def _decoded(value: Any) -> Any:
    return decoded(value) if isinstance(value, str) else value


def _prefix(role: dict[str, Any]) -> str | None:
    actions = role.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    return text_field(first, "prefix") if isinstance(first, dict) else None


def _last(path: Any) -> str:
    """The class at the end of a dotted path; a plain name as it is."""
    if not isinstance(path, str):
        return ""
    return path.rpartition(".")[2] if " " not in path else path

"""The database of a checkpointer: made here by hand, as LangGraph's own serialiser writes it."""

from __future__ import annotations

import builtins
import json
import sqlite3

import ormsgpack
import pytest

from traceloc import TraceFormatError, load
from traceloc.loading import Source
from traceloc_plugins.langgraph.loader import LangGraphLoader

SCHEMA = """
CREATE TABLE checkpoints (thread_id TEXT, checkpoint_ns TEXT, checkpoint_id TEXT,
  parent_checkpoint_id TEXT, type TEXT, checkpoint BLOB, metadata BLOB);
CREATE TABLE writes (thread_id TEXT, checkpoint_ns TEXT, checkpoint_id TEXT, task_id TEXT,
  task_path TEXT, idx INTEGER, channel TEXT, type TEXT, value BLOB);
"""


def packed(value):
    return "msgpack", ormsgpack.packb(value)


def obj(name, fields, code=5):
    """A Python object inside msgpack: its module, its class and its fields."""
    return ormsgpack.Ext(code, ormsgpack.packb(("somewhere", name, fields, "model_validate_json")))


def human(**fields):
    return obj("HumanMessage", {"type": "human", "content": "How many lamps?", **fields})


def ai(content, **fields):
    return obj("AIMessage", {"type": "ai", "content": content, **fields})


def tool(content, **fields):
    return obj("ToolMessage", {"type": "tool", "content": content, "tool_call_id": "c1", **fields})


CALL = {"name": "stock", "args": {"sku": 7}, "id": "c1", "type": "tool_call"}


class Store:
    def __init__(self, path):
        self.path = path
        self.db = sqlite3.connect(path)
        self.db.executescript(SCHEMA)

    def checkpoint(self, id, messages, graph="", thread="t-1", **metadata):
        value = {"v": 4, "ts": f"2026-03-09T10:00:0{id}+00:00", "id": str(id)}
        kind, data = packed({**value, "channel_values": {"messages": messages, "n": 1}})
        row = (thread, graph, str(id), None, kind, data, json.dumps(metadata))
        self.db.execute("INSERT INTO checkpoints VALUES (?,?,?,?,?,?,?)", row)

    def write(self, id, channel, value, graph="", thread="t-1", kind=None):
        kind, data = (kind, value) if kind else packed(value)
        row = (thread, graph, str(id), "task", "", 0, channel, kind, data)
        self.db.execute("INSERT INTO writes VALUES (?,?,?,?,?,?,?,?,?)", row)

    def close(self):
        self.db.commit()
        self.db.close()
        return self.path


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "checkpoints.db")


def told(store):
    asked, called = human(id="h1"), ai("", id="a1", tool_calls=[CALL])
    failed = tool("no such sku", status="error", id="t1")
    store.write(0, "messages", [human()])  # no id yet
    store.checkpoint(1, [asked], source="loop", user="kim", reward=0.0)
    store.checkpoint(2, [asked, called], graph="clerk:0-1")
    store.write(2, "messages", [tool("no such sku", status="error")], graph="clerk:0-1")
    store.checkpoint(3, [asked, called, failed], graph="clerk:0-1")
    # What the whole graph wrote is said again above it, and becomes part of a later checkpoint.
    store.write(1, "messages", [asked, called, failed, ai("Twelve.", id="a2", name="writer")])
    store.checkpoint(4, [asked, called, failed, ai("Twelve.", id="a2", name="writer")])
    return store


def test_each_message_once_in_its_agent(store):
    (trace,) = load(told(store).close(), strict=True)
    assert (trace.format, trace.dialect) == ("langgraph", "checkpoints")
    assert (trace.id, trace.session_id, trace.task) == ("t-1", "t-1", "How many lamps?")
    assert [(s.kind, s.agent) for s in trace.steps] == [
        ("message", "user"),
        ("action", "clerk"),
        ("result", "stock"),
        ("message", "writer"),
    ]
    assert trace.agent("clerk").attribution == "namespace"
    assert trace.steps[1].tool_calls[0].arguments == {"sku": 7}
    assert trace.steps[2].error.declared
    assert [s.timestamp.second for s in trace.steps] == [1, 2, 3, 4]
    assert trace.attributes == {"user": "kim"}
    assert (trace.outcome.status, trace.truth.fields) == ("failed", {"reward": 0.0})


def test_threads_and_what_never_got_into_a_checkpoint(store):
    store.checkpoint(1, [human(id="h1")])
    store.write(1, "__error__", "ValueError('no stock')")
    store.checkpoint(1, [human(id="h2")], thread="t-2")
    store.write(1, "messages", [ai("Sure?", id="a1")], thread="t-2")
    store.write(1, "__interrupt__", [obj("Interrupt", {"value": "Really?"}, 2)], thread="t-2")
    first, second = load(store.close(), strict=True)
    assert (first.id, first.steps[-1].error.message) == ("t-1", "ValueError('no stock')")
    assert first.outcome.status == "failed" and not first.alone
    assert [(s.kind, s.text) for s in second.steps[1:]] == [
        ("message", "Sure?"),
        ("event", "Really?"),
    ]
    assert second.steps[-1].error is None and second.outcome.status == "unknown"


@pytest.mark.parametrize(
    "given", [["user", "How many lamps?"], {"role": "user", "content": "How many lamps?"}]
)
@pytest.mark.parametrize("whole", [False, True], ids=["of changes", "of whole states"])
def test_input_in_short_is_told_once(store, given, whole):
    """A channel of changes, as deep agents have, keeps only what was put in."""
    called = ai("Twelve.", id="a1", name="clerk")
    asked = [human(id="h1")] if whole else []
    store.checkpoint(0, [])
    store.write(0, "messages", [given])
    store.checkpoint(1, asked)
    store.write(1, "messages", [called])
    store.checkpoint(2, [*asked, called] if whole else [])
    (trace,) = load(store.close(), strict=True)
    assert trace.task == "How many lamps?"
    assert [(s.kind, s.agent) for s in trace.steps] == [("message", "user"), ("message", "clerk")]


def test_deep_agents_work_at_the_same_time(store):
    """Each order goes to the sub-agent its call names, whoever speaks next."""
    orders = {"clerk": "Count the lamps.", "scribe": "Write it down."}
    calls = [
        {
            "name": "task",
            "args": {"description": text, "subagent_type": name},
            "id": name,
            "type": "tool_call",
        }
        for name, text in orders.items()
    ]
    asked, set_out = human(id="h1"), ai("", id="a1", name="boss", tool_calls=calls)
    store.checkpoint(1, [asked])
    store.checkpoint(2, [asked, set_out])
    for number, (name, text) in enumerate(orders.items()):
        given = obj("HumanMessage", {"type": "human", "content": text, "id": f"h-{name}"})
        store.checkpoint(3, [given], graph=f"tools:{number}")
        said = ai("Done.", id=f"a-{name}", name=name)
        store.checkpoint(4, [given, said], graph=f"tools:{number}")
    (trace,) = load(store.close(), strict=True)
    assert [(s.kind, s.agent, s.to) for s in trace.steps] == [
        ("message", "user", ()),
        ("handoff", "boss", ("clerk", "scribe")),
        ("handoff", "boss", ("clerk",)),
        ("handoff", "boss", ("scribe",)),
        ("message", "clerk", ()),
        ("message", "scribe", ()),
    ]
    assert {trace.agent(name).parent for name in orders} == {"boss"}


def test_no_class_is_looked_up_and_nothing_is_unpickled(store):
    shown = {"key": obj("SecretStr", "hunter2", 0), "when": obj("datetime", "2026", 3)}
    store.checkpoint(1, [human(id="h1", additional_kwargs=shown)])
    store.write(1, "messages", b"cos\nsystem\n(S'false'\ntR.", kind="pickle")
    store.write(1, "messages", b"\xc1\xff", kind="msgpack")
    (trace,) = load(store.close(), strict=True)
    assert "hunter2" not in trace.model_dump_json()
    assert trace.steps[0].attributes["additional_kwargs"]["when"] == "2026"
    skipped = [d.message for d in trace.diagnostics if d.kind == "skipped"]
    assert skipped == [
        "1 values of type 'damaged msgpack' cannot be read",
        "1 values of type 'pickle' cannot be read",
    ]


def test_objects_in_objects_end_somewhere(store):
    value = "deep"
    for _ in range(200):
        value = obj("Box", {"inside": value})
    store.checkpoint(1, [human(id="h1", additional_kwargs={"box": value})])
    (trace,) = load(store.close(), strict=True)
    assert trace.steps[0].text == "How many lamps?"


def test_older_checkpoints_in_json(store):
    message = {"lc": 1, "type": "constructor", "id": ["x", "HumanMessage"], "kwargs": {}}
    message["kwargs"] = {"type": "human", "content": "Count."}
    value = json.dumps({"ts": "2024-03-09T10:00:00Z", "channel_values": {"messages": [message]}})
    row = ("t", "", "1", None, "json", value.encode(), b"{}")
    store.db.execute("INSERT INTO checkpoints VALUES (?,?,?,?,?,?,?)", row)
    (trace,) = load(store.close(), strict=True)
    assert trace.steps[0].text == "Count." and trace.steps[0].timestamp.year == 2024


def test_a_log_beside_it_is_not_silently_missed(store):
    path = told(store).close()
    path.with_name(path.name + "-wal").write_bytes(b"newer")
    (trace,) = load(path, strict=True)
    assert any("-wal" in d.message for d in trace.diagnostics if d.kind == "missing")


def test_a_missing_package_is_named(store, monkeypatch):
    path, real = told(store).close(), builtins.__import__

    def without(name, *args, **kwargs):
        if name == "ormsgpack":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(TraceFormatError, match="ormsgpack") as caught:
        list(load(path, strict=True))
    assert caught.value.code == "TL102" and "traceloc[msgpack]" in caught.value.hint


@pytest.mark.parametrize("how", ["file", "bytes", "write-ahead bytes"])
def test_damaged_databases(store, how, tmp_path):
    data = told(store).close().read_bytes()
    if how == "write-ahead bytes":
        data = data[:18] + b"\x02\x02" + data[20:]
    loader, lengths = LangGraphLoader(), set()
    cuts = [data[:size] for size in range(16, len(data), 97)]
    flips = [data[:at] + b"\xff\xfe\x00" + data[at + 3 :] for at in range(16, len(data), 61)]
    for variant in [data, *cuts, *flips]:
        path = tmp_path / "damaged.db"
        path.write_bytes(variant)
        source = Source(str(path), content=None if how == "file" else variant)
        try:
            traces = list(loader.load([source]))
        except TraceFormatError:
            continue
        lengths.update(len(trace.steps) for trace in traces)
    assert 4 in lengths  # many a flipped byte changes nothing


def test_views_are_not_run(tmp_path):
    path = tmp_path / "views.db"
    db = sqlite3.connect(path)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"
    columns = "i AS thread_id, '' AS checkpoint_ns, i AS checkpoint_id, 'null' AS type"
    db.execute(f"CREATE VIEW checkpoints AS {endless} {columns}, '' AS checkpoint FROM n")
    db.commit()
    db.close()
    with pytest.raises(TraceFormatError, match="holds no trace"):
        list(load(path, strict=True))

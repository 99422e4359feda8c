from __future__ import annotations

import json

import pytest

from traceloc.loading import read


def modern(value):
    """The same in the spelling of version 1.0."""
    if isinstance(value, list):
        return [modern(item) for item in value]
    if not isinstance(value, dict):
        return value
    new = {key: modern(inner) for key, inner in value.items() if key != "kind"}
    if "messageId" in new:
        new["role"] = f"ROLE_{new['role'].upper()}"
    if "state" in new:
        new["state"] = f"TASK_STATE_{new['state'].upper()}"
    return new


@pytest.mark.parametrize("version", ["0.3", "1.0", "rpc", "list", "page", "rpc page"])
def test_task(load_one, documents, version):
    task = documents["a2a"]
    document = {
        "0.3": task,
        "1.0": modern(task),
        "rpc": {"jsonrpc": "2.0", "id": 1, "result": task},
        "list": [task],
        "page": {"tasks": [task], "totalSize": 1},
        "rpc page": {"jsonrpc": "2.0", "id": 1, "result": {"tasks": [task], "nextPageToken": ""}},
    }[version]
    trace = load_one(document)
    assert (trace.format, trace.id, trace.session_id) == ("a2a", "t1", "x1")
    assert trace.task == "How many lamps are left?"
    assert [(s.kind, s.role, s.agent) for s in trace.steps] == [
        ("message", "user", "user"),
        ("action", "assistant", "clerk"),
        ("result", "tool", "stock"),
        ("message", "assistant", "agent"),
        ("message", "assistant", "agent"),
    ]
    made, result, report, last = trace.steps[1:]
    assert made.tool_calls[0].arguments == {"sku": 7} and made.tool_calls[0].result_step == 2
    assert not result.error.declared
    assert report.attributes == {"artifact": "report"}
    assert last.error.declared and last.timestamp.isoformat() == "2026-03-09T10:00:05+00:00"
    assert (trace.outcome.status, trace.outcome.source) == ("failed", "error")


def test_stream(load_all):
    def message(id, role, text):
        return {"messageId": id, "role": role, "parts": [{"text": text}], "taskId": "t1"}

    ids = {"taskId": "t1", "contextId": "x1"}
    artifact = {"artifactId": "a", "parts": [{"data": {"lamps": 12}}, {"url": "http://x/y.pdf"}]}
    lines = [
        {
            "task": {
                "id": "t1",
                "contextId": "x1",
                "status": {"state": "TASK_STATE_SUBMITTED"},
                "history": [message("m1", "ROLE_USER", "Count.")],
            }
        },
        {
            "statusUpdate": {
                **ids,
                "status": {
                    "state": "TASK_STATE_WORKING",
                    "message": message("m2", "ROLE_AGENT", "On it."),
                },
            }
        },
        {"message": message("m2", "ROLE_AGENT", "On it.")},
        {"artifactUpdate": {**ids, "artifact": artifact}},
        {"statusUpdate": {**ids, "status": {"state": "TASK_STATE_INPUT_REQUIRED"}}},
        {
            "kind": "status-update",
            "taskId": "t2",
            "contextId": "x1",
            "status": {"state": "rejected"},
            "final": True,
        },
    ]
    one, two = load_all("\n".join(map(json.dumps, lines)))
    assert [(s.kind, s.text) for s in one.steps] == [
        ("message", "Count."),
        ("message", "On it."),
        ("message", '{"lamps":12}\n[file http://x/y.pdf]'),
        ("event", "the task is input-required"),
    ]
    assert one.outcome.status == "unknown"
    assert any(d.message == "messages that are repeated" for d in one.diagnostics)
    assert two.outcome.status == "failed" and two.steps[0].error.declared


@pytest.mark.parametrize(
    "change", [{"status": {"state": "happy"}}, {"status": 7}, {"kind": "person"}]
)
def test_other_documents_are_left_alone(documents, change):
    from traceloc.loading import Source
    from traceloc.registry import Registry

    document = {**documents["a2a"], **change}
    if "kind" in change:
        document = {"kind": "person", "id": "t1", "status": {"state": "failed"}}
    head = Source("-", content=json.dumps(document).encode()).head()
    assert Registry().get("loaders", "a2a").sniff(head) == 0.0


def sent(*values, end="\n"):
    """What a server sent, as it came over the wire."""
    return end.join(f"data: {json.dumps(value)}{end}" for value in values)


def updates(task):
    """A task as a stream tells of it, from its first state to its last."""
    rest = {key: task[key] for key in ("id", "contextId")}
    ids = {"taskId": task["id"], "contextId": task["contextId"]}
    opened = {**rest, "kind": "task", "status": {"state": "submitted"}, "history": task["history"]}
    ended = {"kind": "status-update", **ids, "status": task["status"], "final": True}
    return [{"jsonrpc": "2.0", "id": 1, "result": value} for value in (opened, ended)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", ["", ": hello\n\nevent: message\nid: 4\n"])
def test_events_as_a_server_sent_them(load_one, documents, end, before):
    told = updates(documents["a2a"])
    lines = load_one("\n".join(map(json.dumps, told)))
    trace = load_one(before.replace("\n", end) + sent(*told, end=end))
    assert (trace.format, trace.id) == ("a2a", "t1")
    assert [(s.agent, s.text) for s in trace.steps] == [(s.agent, s.text) for s in lines.steps]
    assert trace.outcome.status == "failed"


def test_event_in_several_lines(load_one, documents):
    words = json.dumps(updates(documents["a2a"])[0], indent=1)
    trace = load_one("".join(f"data:{line}\n" for line in words.split("\n")))
    assert trace.task == "How many lamps are left?"


def test_event_that_breaks_off(tmp_path, documents):
    path = tmp_path / "stream.txt"
    path.write_text(sent(*updates(documents["a2a"])) + '\ndata: {"jsonrpc": "2.0", "resu')
    trace, problem = read([path])
    assert trace.id == "t1"
    assert (problem.code, problem.location.line) == ("TL103", 5)

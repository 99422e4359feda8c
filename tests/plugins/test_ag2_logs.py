"""What AG2 prints, and what its runtime logging writes."""

from __future__ import annotations

import json

from traceloc import load

RULE = "-" * 80
CONSOLE = f"""\x1b[33mdesk\x1b[0m (to clerk):

Count the lamps.

{RULE}
clerk (to desk):

Let me see.
***** Suggested tool call (c1): stock *****
Arguments:
{{"sku": 7}}
*******************************************

{RULE}

>>>>>>>> EXECUTING FUNCTION stock...
Call ID: c1
Input arguments: {{'sku': 7}}
desk (to clerk):

***** Response from calling tool (c1) *****
Error: no such sku
*******************************************

{RULE}
clerk (to desk):

Twelve.

{RULE}

>>>>>>>> TERMINATING RUN (x): done
user (to boss):

Hello.

{RULE}

Next speaker: clerk

clerk (to boss):

Good day.

{RULE}
"""


def test_console(load_all):
    one, two = load_all(CONSOLE)
    assert (one.format, one.dialect) == ("ag2", "console")
    assert [(s.kind, s.agent, s.text) for s in one.steps] == [
        ("message", "desk", "Count the lamps."),
        ("action", "clerk", "Let me see."),
        ("result", "desk", "Error: no such sku"),
        ("message", "clerk", "Twelve."),
    ]
    assert one.steps[1].tool_calls[0].arguments == {"sku": 7}
    assert one.steps[2].tool_result.call_step == 1 and not one.steps[2].error.declared
    assert [(s.role, s.agent) for s in two.steps] == [("user", "user"), ("assistant", "clerk")]


def received(by, sender, message):
    state = {"message": message, "sender": sender, "valid": True}
    return json.dumps(
        {"source_id": 1, "source_name": by, "event_name": "received_message"}
        | {"json_state": json.dumps(state)}
    )


def test_runtime_log(load_all):
    called = {
        "messages": [{"role": "system", "content": "You count."}],
        "model": "m",
        "tools": [{"type": "function", "function": {"name": "stock"}}],
    }
    ids = {"client_id": 1, "wrapper_id": 2}
    lines = [
        "Started new session with Session ID: s",
        "[file_logger] Failed to log event",
        json.dumps({**ids, "session_id": "s", "class": "OpenAI"}),
        received("boss", "user", "Hello."),
        received("clerk", "boss", {"content": "Hello.", "role": "user", "name": "user"}),
        json.dumps({**ids, "source_name": "clerk", "request": called, "response": "x"}),
        received("boss", "clerk", "Good day."),
        received("writer", "boss", {"content": "Good day.", "role": "user", "name": "clerk"}),
        received("b", "a", "Another chat."),
        '{"cut": ',
    ]
    one, two = load_all("\n".join(lines))
    assert one.dialect == "runtime log"
    # The manager passes on what others said: that is no message of its own.
    assert [(s.agent, s.text) for s in one.steps] == [("user", "Hello."), ("clerk", "Good day.")]
    clerk = one.agent("clerk")
    assert (clerk.instructions, clerk.model) == ("You count.", "m")
    assert [tool.name for tool in one.tools] == ["stock"]
    assert [s.text for s in two.steps] == ["Another chat."]


def test_library_output(shared):
    folder = shared / "samples" / "ag2"
    (result,) = load(folder / "ag2_chat_result.json", strict=True)
    (group,) = load(folder / "ag2_groupchat_messages.json", strict=True)
    for name in ("ag2_console.log", "ag2_runtime_file_logger.log"):
        traces = list(load(folder / name, strict=True))
        # Two chats of one session, told in other ways: the same steps, and so the same ids.
        assert [trace.id for trace in traces] == [result.id, group.id]

from __future__ import annotations

import pytest

from traceloc import load

LOG = """[2024-28-03 12:00:00 INFO] **[Preprocessing]**

**task_prompt**: Build a lamp counter.

**project_name**: Lamps

[2024-28-03 12:00:01 INFO] flask app.py did not start for online log
[2024-28-03 12:00:01 INFO] HTTP Request: POST https://x "HTTP/1.1 401 Unauthorized"
[2024-28-03 12:00:01 INFO] System: **[chatting]**

| Parameter | Value |
| --- | --- |
| **assistant_role_name** | Programmer |
| **user_role_name** | Chief Executive Officer |
| **phase_name** | Coding |
| **assistant_role_prompt** | You are Programmer. |

[2024-28-03 12:00:02 INFO] Chief Executive Officer: **[Start Chat]**

[You are Programmer.]

Write the code for: Build a lamp counter.
[2024-28-03 12:00:03 INFO] **[OpenAI_Usage_Info Receive]**
prompt_tokens: 43
completion_tokens: 5
cost: $0.001

[2024-28-03 12:00:04 INFO] Programmer: **Programmer<->Chief Executive Officer on : Coding, turn 0**

[You are Chief Executive Officer.
You decide.]

main.py
```python
print(12)
```
[2024-28-03 12:00:05 INFO] **[Seminar Conclusion]**:

main.py
[2024-28-03 12:00:05 INFO] **[Update Codes]**

other.py updated.
[2024-28-03 12:00:06 INFO] **[Test Reports]**:

Traceback (most recent call last):
ValueError: no lamps
[2024-28-03 12:00:07 ERROR] Something broke
"""
OLD = """[2023-25-06 20:10:30 INFO] AgentTech Starts (1)

[2023-25-06 20:10:32 INFO] \x1b[32m[0] AI Assistant (Chief Product Officer):

GUI Application.

[2023-25-06 20:10:33 INFO] \x1b[34m[0] AI User (Chief Executive Officer):

Fine.

[2023-25-06 20:10:34 INFO] \x1b[31m[0] AI User (Chief Executive Officer) terminated the chat.
"""


def test_blocks(load_one):
    trace = load_one(LOG)
    assert (trace.format, trace.task) == ("chatdev", "Build a lamp counter.")
    assert trace.attributes == {"project_name": "Lamps"}
    assert [(s.native_index, s.kind, s.agent, s.to, s.flags) for s in trace.steps] == [
        (0, "message", "user", (), ()),
        (2, "event", "ChatDev", (), ()),
        (4, "handoff", "Chief Executive Officer", ("Programmer",), ("synthetic",)),
        (6, "message", "Programmer", ("Chief Executive Officer",), ()),
        (7, "event", "ChatDev", (), ("duplicate",)),
        (8, "event", "ChatDev", (), ()),
        (9, "event", "ChatDev", (), ()),
        (10, "event", "ChatDev", (), ()),
    ]
    refused, order, said = trace.steps[1:4]
    assert refused.error.kind == "permission"
    assert order.text == "Write the code for: Build a lamp counter."
    assert said.text.startswith("main.py\n```python") and said.attributes["phase"] == "Coding"
    assert (said.usage.input, said.usage.output, said.usage.cost_usd) == (43, 5, 0.001)
    assert trace.steps[6].error.type == "ValueError" and not trace.steps[6].error.declared
    assert trace.agent("Programmer").instructions == "You are Programmer."


def test_the_day_stands_before_the_month(load_one):
    times = [step.timestamp for step in load_one(LOG).steps]
    assert times[0].isoformat() == "2024-03-28T12:00:00+00:00" and times == sorted(times)
    later = LOG.replace("2024-28-03", "2024-03-28")  # in case somebody mends it
    assert load_one(later).steps[0].timestamp == times[0]


def test_first_form(load_one):
    trace = load_one(OLD)
    assert [(s.agent, s.text, s.line) for s in trace.steps] == [
        ("Chief Product Officer", "GUI Application.", 3),
        ("Chief Executive Officer", "Fine.", 7),
    ]


@pytest.mark.parametrize("cut", range(100, len(LOG), 61))
def test_cut_logs(load_all, cut):
    text = LOG[:cut]
    assert load_all(text)[0].steps[0].text.startswith("Build")


@pytest.mark.parametrize(
    ("name", "turns", "usage"),
    [
        ("20230625201030.log", 20, 0),
        ("DigitalClock_THUNLP_20230825093556.log", 19, 19),
        ("Gomoku_DefaultOrganization_20231228122355.log", 6, 6),
        ("Website_DefaultOrganization_20240728122129.log", 12, 12),
    ],
)
def test_real_logs(shared, name, turns, usage):
    path = shared / "samples" / "chatdev" / name
    (trace,) = load(path, strict=True)
    assert trace.format == "chatdev"
    said = [s for s in trace.steps if s.role == "assistant" and s.kind == "message"]
    assert len(said) == turns and sum(bool(s.usage) for s in said) == usage
    times = [s.timestamp for s in trace.steps]
    # Read the other way round, the months of these logs would not exist.
    assert all(times) and times == sorted(times)
    assert len({s.agent for s in said}) >= 4
    lines = path.read_text(errors="replace").split("\n")
    for step in said:
        assert step.agent in lines[step.line - 1]

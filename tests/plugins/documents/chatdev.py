"""Small logs of ChatDev, new and old, of which the hostile tests make many damaged ones."""

from __future__ import annotations

from typing import Any

_NEW = """[2024-28-03 12:00:00 INFO] **[Preprocessing]**

**task_prompt**: Build a lamp counter.

**project_name**: Lamps

[2024-28-03 12:00:01 INFO] System: **[chatting]**

| Parameter | Value |
| --- | --- |
| **assistant_role_name** | Programmer |
| **user_role_name** | Counselor |
| **phase_name** | Coding |

[2024-28-03 12:00:02 INFO] Counselor: **[Start Chat]**

[You are Programmer.]

Write the code for: Build a lamp counter.
[2024-28-03 12:00:03 INFO] **[OpenAI_Usage_Info Receive]**
prompt_tokens: 43
completion_tokens: 5
cost: $0.001

[2024-28-03 12:00:04 INFO] Programmer: **Programmer<->Counselor on : Coding, turn 0**

[You are Counselor.
You advise.]

main.py
```python
print(12)
```
"""
_OLD = """[2023-25-06 20:10:30 INFO] AgentTech Starts (1)

[2023-25-06 20:10:32 INFO] \x1b[32m[0] AI Assistant (Counselor):

The lamps are counted by hand.

[2023-25-06 20:10:33 INFO] \x1b[34m[0] AI User (Programmer):

Then there are twelve.

[2023-25-06 20:10:34 INFO] \x1b[31m[0] AI User (Programmer) terminated the chat.
"""
DOCUMENTS: dict[str, Any] = {}
SAMPLES = {"chatdev": (_NEW.encode(), _OLD.encode())}

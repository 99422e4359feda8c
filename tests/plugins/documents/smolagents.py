"""The result of a smolagents run: parallel calls one of which fails, code, a final answer."""

from typing import Any


def call(id: str, name: str, **arguments: Any) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def action(number: int, **more: Any) -> dict[str, Any]:
    start = 1795242373.0 + number
    timing = {"start_time": start, "end_time": start + 0.5, "duration": 0.5}
    return {"step_number": number, "timing": timing, "tool_calls": [], "error": None, **more}


RUN: dict[str, Any] = {
    "output": "Twelve.",
    "state": "success",
    "steps": [
        {"task": "How many lamps are left?", "task_images": None},
        {"plan": "Count them.", "token_usage": {"input_tokens": 4, "output_tokens": 1}},
        action(
            1,
            error={
                "type": "AgentToolExecutionError",
                "message": "Error executing tool 'rate' with arguments {}: ValueError: closed",
            },
            model_output_message={
                "role": "assistant",
                "content": None,
                "tool_calls": [call("c1", "stock", sku=7), call("c2", "rate")],
                "raw": {"id": "r1", "model": "m-1"},
            },
            model_input_messages=[
                {"role": "system", "content": [{"type": "text", "text": "You count."}]},
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "New task:\nHow many lamps are left?"}],
                },
            ],
            token_usage={"input_tokens": 9, "output_tokens": 3},
        ),
        action(
            2,
            tool_calls=[call("c3", "python_interpreter")],
            model_output="Thought: count.",
            observations="Execution logs:\n12",
        ),
        action(
            3,
            tool_calls=[call("c4", "final_answer", answer="Twelve.")],
            model_output="Twelve.",
            observations="Twelve.",
            action_output="Twelve.",
            is_final_answer=True,
        ),
        {"output": "Twelve."},
    ],
    "token_usage": {"input_tokens": 9, "output_tokens": 3},
}
DOCUMENTS = {"smolagents": RUN}

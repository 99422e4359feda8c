"""Write the table of examples into `examples/README.md`, from labels, scenarios and pins."""

from __future__ import annotations

import json
from pathlib import Path

from scenario import load_scenario

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
_NAMES = {
    "ag2": ("AG2", "ag2"),
    "autogen": ("AutoGen AgentChat (Magentic-One)", "autogen-agentchat"),
    "langgraph": ("LangGraph", "langgraph"),
    "openai_agents": ("OpenAI Agents SDK", "openai-agents"),
    "openai_loop": ("openai client", "openai"),
    "pydantic_ai": ("Pydantic AI", "pydantic-ai-slim"),
    "smolagents": ("smolagents", "smolagents"),
    "strands": ("Strands Agents", "strands-agents"),
}
_FORMATS = {
    "ag2": "chat list (`chat_history`)",
    "autogen": "`TaskResult` messages",
    "langgraph": "chat list (`convert_to_openai_messages`)",
    "openai_loop": "chat list (`messages`, `tools`)",
    "pydantic_ai": "OTLP/JSON lines, GenAI",
    "strands": "OTLP/JSON lines, GenAI",
}


def read_version(framework: str) -> str:
    """The pinned version of a framework."""
    package = _NAMES[framework][1]
    pins = (HERE / "requirements" / f"{framework}.txt").read_text(encoding="utf-8").splitlines()
    return next(pin.partition("==")[2] for pin in pins if pin.startswith(f"{package}=="))


def write_row(label: dict[str, object]) -> str:
    """One row of the table."""
    scenario = load_scenario(str(label["group"]))
    framework = scenario.framework
    shape = _FORMATS.get(framework, "OTLP/JSON lines, OpenInference")
    if str(label["file"]).endswith(".otlp.jsonl") and framework not in ("pydantic_ai", "strands"):
        shape = "OTLP/JSON lines, OpenInference"
    step = "none, the run passed"
    if label["step"] is not None:
        step = f"{label['step']} ({label['agent']})"
    cells = (
        f"[{scenario.slug}]({label['file']})",
        f"{_NAMES[framework][0]} {read_version(framework)}",
        shape,
        scenario.title,
        str(label["category"] or "-"),
        step,
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Replace the table between the two markers."""
    labels = (HERE.parent / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [write_row(json.loads(line)) for line in labels]
    head = "| scenario | framework | format | what happens | category | expected step |"
    table = "\n".join([head, "| --- | --- | --- | --- | --- | --- |", *rows])
    readme = HERE.parent / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    readme.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()

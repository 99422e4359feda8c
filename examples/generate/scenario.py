"""What a scenario is: a task, a team, the words of the model, and the step that breaks it."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


class ToolFailure(RuntimeError):
    """What a scenario's tool raises where the real service would fail."""


@dataclass
class Outage:
    """Fails its first `times` calls, then lets the tool work."""

    message: str
    times: int = 1

    def strike(self) -> None:
        """Raise `ToolFailure` while the outage lasts."""
        if self.times > 0:
            self.times -= 1
            raise ToolFailure(self.message)


@dataclass(frozen=True)
class Fault:
    """Why a turn is the decisive error step."""

    category: str
    reason: str
    shown: str = ""
    """What the trace shows of the turn, where the framework does not show it as it was said."""


@dataclass(frozen=True)
class Call:
    """One tool call of a scripted turn."""

    name: str
    args: Mapping[str, Any]


@dataclass(frozen=True)
class Turn:
    """One answer of the scripted model: words, tool calls, or both."""

    text: str
    calls: tuple[Call, ...] = ()
    fault: Fault | None = None


def prose(text: str) -> str:
    """`text` as one paragraph: line breaks and indents of the source go."""
    return " ".join(text.split())


def call(name: str, /, **args: Any) -> Call:
    """A tool call named `name` with keyword arguments `args`."""
    return Call(name, args)


def say(text: str, *calls: Call, fault: Fault | None = None) -> Turn:
    """A turn that says `text` and makes `calls`.

    Text that starts with a line break is prose written over several source lines and becomes one
    paragraph; other text is said as it stands.
    """
    return Turn(prose(text) if text.startswith("\n") else text, calls, fault)


@dataclass(frozen=True)
class Agent:
    """One member of the team."""

    name: str
    prompt: str
    """System prompt; the server recognises the speaker by it, so no two agents may share one."""
    tools: tuple[Callable[..., Any], ...] = ()
    peers: tuple[str, ...] = ()
    """Names of the agents this one may delegate or hand off to."""
    blurb: str = ""
    """What its peers are told about it."""


@dataclass(frozen=True)
class Scenario:
    """One run to record."""

    slug: str
    framework: str
    task: str
    agents: tuple[Agent, ...]
    script: Mapping[str, tuple[Turn, ...]]
    """Turns of each agent, in the order its requests arrive."""
    outcome: Literal["failed", "passed"] = "failed"
    title: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What only the framework's driver understands."""

    def agent(self, name: str) -> Agent:
        """The member called `name`."""
        return next(agent for agent in self.agents if agent.name == name)


def load_scenario(slug: str) -> Scenario:
    """The scenario whose slug is `slug`."""
    module = importlib.import_module(f"scenarios.{slug.replace('-', '_')}")
    return module.SCENARIO


def list_scenarios(framework: str) -> list[str]:
    """Slugs of the scenarios recorded with `framework`, sorted."""
    package = importlib.import_module("scenarios")
    slugs = sorted(
        module.name.replace("_", "-") for module in pkgutil.iter_modules(package.__path__)
    )
    return [slug for slug in slugs if load_scenario(slug).framework == framework]


if __name__ == "__main__":
    print("\n".join(list_scenarios(sys.argv[1])))

"""A clean run: one question, looked up and answered as the tool says."""

from __future__ import annotations

import json

from scenario import Agent, Scenario, call, prose, say


def opening_hours(place: str, day: str) -> str:
    """Opening hours of a place of the city library on a day of the week."""
    return json.dumps({"place": place, "day": day, "opens": "10:00", "closes": "16:00"})


SCENARIO = Scenario(
    slug="reading-room-hours",
    framework="openai_loop",
    title="Library: a question that is looked up and answered",
    outcome="passed",
    task=prose("""
        How late is the Harbour Branch reading room open on a Saturday?"""),
    agents=(
        Agent(
            "library_assistant",
            prose("""You answer questions about the city library. Look up what you say with the
            tools, and keep to what they return."""),
            tools=(opening_hours,),
        ),
    ),
    script={
        "library_assistant": (
            say("", call("opening_hours", place="Harbour Branch reading room", day="Saturday")),
            say("The Harbour Branch reading room is open until 16:00 on a Saturday."),
        ),
    },
)

"""Puts known kinds of failures into clean runs: other names and numbers each time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from traceloc.loading import TraceBuilder
from traceloc.trace import Step, ToolCall, Trace


class Kind(NamedTuple):
    """A failure as it is worded; ``{name}``, ``{n}`` and the like differ each time."""

    name: str
    text: str
    tool: str | None = None
    """A call that goes with it."""
    arguments: tuple[tuple[str, str], ...] = ()


class Injected(NamedTuple):
    trace: Trace
    step: int
    native: int
    kind: str


KINDS = (
    Kind(
        "simulated",
        "I could not open the ledger of {name}, so here are made-up sample rows to go on with: "
        "{n} units at {m} each, a plausible stand-in.",
    ),
    Kind(
        "from_memory",
        "There is no need to look this up. From what I remember {name} has about {n} members "
        "since {m}, which is good enough.",
    ),
    Kind(
        "wrong_tool",
        "Deleting the old booking of {name} before asking for the new one.",
        "cancel_booking",
        (("booking", "{id}"), ("refund", "none")),
    ),
    Kind(
        "missing_key",
        "Updating the contact card.",
        "update_contact",
        (("fullname", "{name}"), ("phone_no", "{n}")),
    ),
    Kind(
        "ignores_empty",
        "The search came back without any hits, which confirms that {name} was paid {n} in full. "
        "Moving on to the summary.",
    ),
    Kind(
        "unit_mixup",
        "Converting {n} kilometres straight into miles by taking the number as it is, the distance "
        "to {city} is {n} miles.",
    ),
    Kind(
        "early_stop",
        "Half of the items of {name} are still open, but I consider this finished and close the "
        "ticket {id} now.",
    ),
    Kind(
        "skips_check",
        "Verification would take long, the figures of {name} look fine at a glance; approved "
        "without running the comparison.",
    ),
    Kind(
        "wrong_row",
        "Reading the second line of the table for {name}: the column labelled total shows {n}, "
        "I will treat it as the monthly average.",
    ),
    Kind(
        "drops_constraint",
        "The limit of {n} that was set at the beginning need not hold here, I book the larger "
        "package in {city} for {m}.",
    ),
    Kind(
        "bad_code",
        "import math\nvalues = [{n}, {m}]\nmean = sum(values) // len(values)\nprint(mean)  # "
        "integer division rounds the mean down",
    ),
    Kind(
        "assumes_date",
        "The year was not stated, I assume that {name} means last year and filter every record "
        "before the {n}th accordingly.",
    ),
    Kind(
        "hands_off",
        "This is not my job. Passing the whole case of {name} back to the planner without the "
        "documents I was given.",
    ),
    Kind(
        "repeats_order",
        "Sending the very same purchase order {id} once more because no receipt arrived within a "
        "minute.",
        "place_order",
        (("order", "{id}"), ("amount", "{n}"), ("express", "yes")),
    ),
)
UNSEEN = (
    Kind(
        "translates",
        "Answering {name} in Latin although the letter was written in plain Portuguese.",
    ),
    Kind("leaks", "Posting the password {id} of {name} into the public channel for convenience."),
    Kind(
        "loops",
        "Opening page {n} of the catalogue again, scrolling down, going up, opening page {n}.",
    ),
    Kind(
        "wrong_person",
        "Greeting {name} with the medical history of another patient from ward {n}.",
    ),
    Kind("sql", "SELECT price FROM fares WHERE city = '{city}' -- forgot the join with taxes"),
    Kind("rounds", "Truncating the exchange rate {m} to a whole cent prior to multiplying by {n}."),
    Kind(
        "timezone",
        "Scheduling the call with {city} at noon, never minding daylight saving over there.",
    ),
    Kind(
        "overwrites",
        "Saving my draft over the signed contract {id}; the earlier version is gone.",
        "write_file",
        (("path", "/srv/{id}/contract.docx"), ("mode", "overwrite")),
    ),
    Kind(
        "ignores_peer",
        "My colleague objected twice to the route through {city}, nevertheless I dispatch the van.",
    ),
    Kind("sarcasm", "Taking the ironic remark of {name} literally and ordering {n} elephants."),
    Kind("retries", "HTTP {n} again; hammering the endpoint without any pause or backoff."),
    Kind(
        "permission",
        "Granting {name} administrator rights so that the warning disappears.",
        "grant_role",
        (("user", "{name}"), ("role", "administrator")),
    ),
    Kind("currency", "Quoting the fee in yen when the invoice {id} asks for krona."),
    Kind("stale", "Using the cached weather bulletin from {n} days ago for tonight's departure."),
)

_NAMES = (
    "Amara Okafor|Birgit Holm|Chidi Eze|Dolores Vega|Emil Novak|Farah Aziz|Gustav Lind|Hana Mori|"
    "Ivan Petrov|Jun Watanabe|Kofi Mensah|Lucia Romano|Mads Juhl|Noor Haddad|Oskar Weber|Pia Salo|"
    "Quentin Roy|Rosa Lima|Sven Berg|Tariq Khan|Uma Rao|Viktor Orban|Wanda Kowal|Yara Nasser"
).split("|")
_CITIES = "Tampere|Porto|Leipzig|Nantes|Bergen|Zadar|Trieste|Aarhus|Cork|Lugano".split("|")


def inject(trace: Trace, kind: Kind, *, seed: int) -> Injected:
    """Replace what one agent step says by a failure; some of its own words stay behind it."""
    rng = random.Random(f"{trace.id}/{kind.name}/{seed}")
    acting = [s for s in trace.steps if s.role == "assistant" and not s.is_environment]
    step = acting[rng.randrange(len(acting))]
    slots = {
        "name": rng.choice(_NAMES),
        "city": rng.choice(_CITIES),
        "n": str(rng.randrange(13, 4000)),
        "m": f"{rng.uniform(2, 900):.2f}",
        "id": f"{rng.choice('ABCDEFGH')}{rng.randrange(10_000, 99_999)}",
    }
    text = kind.text.format(**slots)
    own = " ".join(step.text.split()[:8])
    calls: tuple[ToolCall, ...] = ()
    if kind.tool is not None:
        given = {key: value.format(**slots) for key, value in kind.arguments}
        calls = (ToolCall(name=kind.tool, arguments=given),)
    changed = step.model_copy(update={"text": f"{text} {own}".strip(), "tool_calls": calls})
    steps: list[Step] = list(trace.steps)
    steps[step.index] = changed
    made = trace.model_copy(update={"steps": tuple(steps)})
    return Injected(made, step.index, step.native_index, kind.name)


def clean_runs(n: int = 24) -> list[Trace]:
    """Runs of one small help desk that went well, each with its own customer and figures."""
    return [_help_desk(i) for i in range(n)]


def _help_desk(i: int) -> Trace:
    rng = random.Random(i)
    name, city = _NAMES[i % len(_NAMES)], rng.choice(_CITIES)
    order, price = f"R{rng.randrange(1000, 9999)}", f"{rng.uniform(10, 400):.2f}"
    wishes: Sequence[str] = (
        f"Please change the delivery address of order {order} to {city}.",
        f"I would like to know when order {order} is going to arrive.",
        f"My invoice for {order} lists {price} twice, can you correct it?",
        f"Can I swap the jacket of order {order} for a larger one?",
    )
    builder = TraceBuilder(format="desk", source=f"runs/desk-{i}.json")
    builder.agent("Planner", kind="orchestrator")
    lines = [
        ("user", "user", "message", wishes[i % 4], None),
        (
            "Planner",
            "assistant",
            "message",
            f"{name} asks about order {order}. Clerk, look up the order and report its state.",
            None,
        ),
        ("Clerk", "assistant", "action", "Looking up the order.", ("get_order", order)),
        (
            "get_order",
            "tool",
            "result",
            f'{{"order": "{order}", "state": "packed", "total": {price}, "city": "{city}"}}',
            None,
        ),
        (
            "Clerk",
            "assistant",
            "message",
            f"Order {order} is packed, its total is {price} and it goes to {city}.",
            None,
        ),
        (
            "Planner",
            "assistant",
            "message",
            "Good. Clerk, carry out what was asked and tell me the confirmation number.",
            None,
        ),
        ("Clerk", "assistant", "action", "Changing the order as asked.", ("change_order", order)),
        ("change_order", "tool", "result", f'{{"confirmation": "C{rng.randrange(10**5)}"}}', None),
        ("Clerk", "assistant", "message", "The change is confirmed and in force.", None),
        (
            "Planner",
            "assistant",
            "message",
            f"Dear {name}, your order {order} was updated. Is there anything else we can do?",
            None,
        ),
    ]
    for index, (agent, role, kind, text, call) in enumerate(lines):
        calls = () if call is None else (ToolCall(name=call[0], arguments={"order": call[1]}),)
        builder.step(agent=agent, role=role, kind=kind, text=text, native_index=index, calls=calls)
    return builder.build(id=f"desk-{i}", system="help-desk")

"""Data analysis: the analyst's code drops most rows unseen, and the odd result is accepted."""

from __future__ import annotations

from scenario import Agent, Fault, Scenario, call, prose, say

_NORTH = ("2025-01-{:02d}", "2025-03-{:02d}")
_SOUTH = ("{:02d}.01.2025", "{:02d}.03.2025")


def load_accounts(table: str) -> str:
    """Accounts opened in January 2025 as CSV text.

    Args:
        table: Name of the table, e.g. accounts_2025_01.
    """
    if table != "accounts_2025_01":
        raise ValueError(f"no table {table!r}; did you mean 'accounts_2025_01'?")
    lines = ["account;opened;closed"]
    for number in range(1, 61):
        opened, closed = _NORTH if number % 5 == 0 else _SOUTH
        gone = closed.format(number % 28 + 1) if number % 10 == 0 or number % 20 == 7 else ""
        lines.append(f"A{number:03d};{opened.format(number % 28 + 1)};{gone}")
    return "\n".join(lines)


_FIRST = """Thought: I'll load the January cohort and look at its first rows.
<code>
text = load_accounts(table="accounts_jan_2025")
print(text[:200])
</code>"""

_SECOND = """Thought: The table has another name. Loading it again and looking at its shape.
<code>
text = load_accounts(table="accounts_2025_01")
lines = text.splitlines()
print(len(lines) - 1, "accounts")
for line in lines[:4]:
    print(line)
</code>"""

_THIRD = """Thought: The columns are separated by semicolons. I'll parse both dates, skip what \
cannot be parsed, and count accounts closed within 90 days of opening.
<code>
from datetime import datetime
total = 0
churned = 0
for line in lines[1:]:
    account, opened, closed = line.split(";")
    try:
        start = datetime.strptime(opened, "%Y-%m-%d")
        total += 1
        if closed and (datetime.strptime(closed, "%Y-%m-%d") - start).days <= 90:
            churned += 1
    except ValueError:
        continue
rate = round(100 * churned / total, 1)
print(rate)
</code>"""

_FOURTH = """Thought: The rate is 50.0 percent, so I can report it now.
<code>
final_answer("Early churn of the January 2025 cohort is 50.0 %: half of the accounts that were \
opened in January were closed again within 90 days. Dates were parsed row by row and the rate is \
rounded to one decimal.")
</code>"""

SCENARIO = Scenario(
    slug="churn-cohort",
    framework="smolagents",
    title="Data analysis: swallowed parse errors, implausible rate accepted",
    options={"coders": ("data_analyst",), "imports": ["datetime"]},
    task=prose("""
        What share of the accounts opened in January 2025 (table accounts of that month, 60
        accounts) was closed within 90 days? In the previous four cohorts it was between 8 and 14
        percent. State the rate with one decimal and say in one sentence whether we need to act; we
        act above 15 percent."""),
    agents=(
        Agent(
            "analytics_manager",
            prose("""You lead the analytics desk. Have figures computed by the data analyst, look
            at them critically, and answer the business question."""),
            peers=("data_analyst",),
        ),
        Agent(
            "data_analyst",
            prose("""You are the data analyst. You load tables, write short Python programs and
            report a figure together with what it is based on."""),
            tools=(load_accounts,),
            blurb="Loads tables and computes figures with Python.",
        ),
    ),
    script={
        "analytics_manager": (
            say(
                "I'll have the rate computed from the account table.",
                call(
                    "data_analyst",
                    task=prose("""
                    Compute early churn of the accounts opened in January 2025: the share closed
                    within 90 days of opening, in percent with one decimal. The cohort should have
                    60 accounts; mention how many rows you used."""),
                ),
            ),
            say(
                """
                The analyst reports 50.0 percent, far above our threshold of 15, which makes the
                answer to the business question clear.""",
                call(
                    "final_answer",
                    answer=prose("""
                    50.0 % of the accounts opened in January 2025 were closed within 90 days, after
                    8 to 14 % in the four cohorts before. That is well above the threshold of 15 %,
                    so we need to act: retention should contact the remaining accounts of this
                    cohort this week."""),
                ),
            ),
        ),
        "data_analyst": (
            say(_FIRST),
            say(_SECOND),
            say(
                _THIRD,
                fault=Fault(
                    "No or Incomplete Verification",
                    "The program skips every row whose date is not ISO (48 of 60) without counting "
                    "them, so the rate rests on 12 accounts; the cohort's true rate is 15.0 %.",
                ),
            ),
            say(_FOURTH),
        ),
    },
)

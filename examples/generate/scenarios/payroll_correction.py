"""Clean run, payroll: a rejected entry is corrected, figures are looked up and checked."""

from __future__ import annotations

import json

from scenario import Agent, Scenario, ToolFailure, call, prose, say


def get_timesheet(employee_id: str, month: str) -> str:
    """Hours of an employee in a month."""
    return json.dumps(
        {
            "employee_id": employee_id,
            "month": month,
            "regular_h": 152.0,
            "night_h": 18.5,
            "sunday_h": 6.0,
            "approved_by": "M. Okafor",
        }
    )


def get_payslip(employee_id: str, month: str) -> str:
    """Pay items of a month as they were paid."""
    return json.dumps(
        {
            "employee_id": employee_id,
            "month": month,
            "hourly_eur": 21.4,
            "items": {"regular": 3252.8, "night_bonus": 0.0, "sunday_bonus": 64.2},
        }
    )


def get_bonus_rate(kind: str, month: str) -> str:
    """Share of the hourly rate that is paid as a bonus."""
    rates = {"night": 0.25, "sunday": 0.5}
    if kind not in rates:
        raise ToolFailure(f"unknown bonus {kind!r}; known: night, sunday")
    return json.dumps(
        {"kind": kind, "month": month, "rate": rates[kind], "agreement": "house agreement 2025-11"}
    )


def post_adjustment(employee_id: str, item: str, amount_eur: float, period: str) -> str:
    """Post a correction to the next payroll run."""
    return json.dumps(
        {
            "adjustment": "ADJ-1189",
            "employee_id": employee_id,
            "item": item,
            "amount_eur": amount_eur,
            "period": period,
            "status": "POSTED",
        }
    )


def get_adjustment(adjustment: str) -> str:
    """A correction as it is stored."""
    return json.dumps(
        {
            "adjustment": adjustment,
            "employee_id": "E-2041",
            "item": "night_bonus",
            "amount_eur": 98.98,
            "period": "2026-02",
            "pays_out": "2026-03-27",
        }
    )


SCENARIO = Scenario(
    slug="payroll-correction",
    framework="langgraph",
    outcome="passed",
    title="Payroll: clean run with one corrected call",
    options={"export": "messages"},
    task=prose("""
        Employee E-2041 writes that the February 2026 payslip contains no night bonus although she
        worked nights. Check it against the timesheet and the rates of the house agreement, post the
        difference to the next run if she is right, have the posting checked, and tell me amount
        and pay-out day."""),
    agents=(
        Agent(
            "payroll_lead",
            prose("""You lead payroll corrections. The payroll analyst works out what is owed, the
            auditor checks what was posted."""),
            tools=(post_adjustment,),
            peers=("payroll_analyst", "auditor"),
        ),
        Agent(
            "payroll_analyst",
            prose("""You work out pay items from timesheets, payslips and bonus rates."""),
            tools=(get_timesheet, get_payslip, get_bonus_rate),
            blurb="the payroll analyst",
        ),
        Agent(
            "auditor",
            prose("""You check posted corrections against what was worked out, by reading them
            back."""),
            tools=(get_adjustment,),
            blurb="the auditor",
        ),
    ),
    script={
        "payroll_lead": (
            say(
                "First I need to know what she is owed.",
                call(
                    "transfer_to_payroll_analyst",
                    request=prose("""
                    Employee E-2041, February 2026: does the payslip lack a night bonus, and if so,
                    how much is owed by the timesheet and the house agreement?"""),
                ),
            ),
            say(
                """
                She is right, 98.98 EUR are missing. I'm posting them to February's correction
                period.""",
                call(
                    "post_adjustment",
                    employee_id="E-2041",
                    item="night_bonus",
                    amount_eur=98.98,
                    period="2026-02",
                ),
            ),
            say(
                "Posted as ADJ-1189; the auditor should read it back.",
                call(
                    "transfer_to_auditor",
                    request=prose("""
                    Please check ADJ-1189: night bonus of 98.98 EUR for E-2041, period 2026-02."""),
                ),
            ),
            say("""
                The employee is right. She worked 18.5 night hours in February, and at 25 % of 21.40
                EUR the night bonus is 98.98 EUR, of which nothing had been paid. The amount is
                posted as ADJ-1189, the auditor has read it back, and it is paid out on 27 March
                2026. Her Sunday bonus of 64.20 EUR was correct."""),
        ),
        "payroll_analyst": (
            say("", call("get_timesheet", employee_id="E-2041", month="2026-02")),
            say(
                "18.5 approved night hours. What was paid?",
                call("get_payslip", employee_id="E-2041", month="2026-02"),
            ),
            say("", call("get_bonus_rate", kind="night_shift", month="2026-02")),
            say(
                "The kind is simply called night.",
                call("get_bonus_rate", kind="night", month="2026-02"),
            ),
            say(
                "The Sunday bonus was paid; I'll make sure it was right.",
                call("get_bonus_rate", kind="sunday", month="2026-02"),
            ),
            say("""
                Night: 18.5 hours times 21.40 EUR times 25 % is 98.98 EUR (98.975 rounded), paid so
                far 0.00 EUR. Sunday: 6 hours times 21.40 EUR times 50 % is 64.20 EUR, exactly what
                was paid. So 98.98 EUR are owed."""),
        ),
        "auditor": (
            say("", call("get_adjustment", adjustment="ADJ-1189")),
            say("""
                ADJ-1189 is stored as a night bonus of 98.98 EUR for E-2041 in period 2026-02 and
                pays out on 27 March 2026. It agrees with the request."""),
        ),
    },
)

"""Finance: the analyst takes the nine-month column of a filing for the quarter."""

from __future__ import annotations

import json

from scenario import Agent, Fault, Scenario, ToolFailure, call, prose, say

_ROWS = {
    "Halvorsen Marine": {"revenue": (412.6, 1187.9), "cost_of_sales": (301.2, 843.4)},
    "Tidewater Rigging": {"revenue": (298.4, 871.0), "cost_of_sales": (226.8, 653.3)},
    "Nordic Hull Services": {"revenue": (187.1, 540.2), "cost_of_sales": (125.4, 367.3)},
}


def list_filings(company: str, period: str) -> str:
    """Filings of a company for a period such as 2025-Q3."""
    return json.dumps(
        {
            "company": company,
            "period": period,
            "filings": [
                {"filing_id": f"{company.split()[0].upper()}-25Q3", "type": "interim report"}
            ],
        }
    )


def read_table(filing_id: str, table: str) -> str:
    """A table of a filing; tables are income_statement, balance_sheet, cash_flow."""
    if table not in ("income_statement", "balance_sheet", "cash_flow"):
        raise ToolFailure(
            f"table {table!r} not found; expected one of income_statement, balance_sheet, cash_flow"
        )
    name = next(n for n in _ROWS if n.split()[0].upper() == filing_id.split("-")[0])
    columns = ["Q3 2025", "9M 2025"]
    if name == "Nordic Hull Services":
        columns.reverse()
    rows = {
        line: dict(zip(columns, pair if columns[0] == "Q3 2025" else pair[::-1], strict=True))
        for line, pair in _ROWS[name].items()
    }
    return json.dumps({"filing_id": filing_id, "unit": "NOK million", "rows": rows})


def compute(expression: str) -> str:
    """Value of an arithmetic expression."""
    values = {
        "(412.6-301.2)/412.6": 0.27,
        "(298.4-226.8)/298.4": 0.2399,
        "(540.2-367.3)/540.2": 0.3201,
    }
    return json.dumps({"expression": expression, "value": values[expression.replace(" ", "")]})


def _read(company: str) -> str:
    return f"{company}-25Q3"


SCENARIO = Scenario(
    slug="quarterly-margin",
    framework="openai_agents",
    title="Finance: nine-month figures read as the quarter's",
    task=prose("""
        Compare the gross margins of Halvorsen Marine, Tidewater Rigging and Nordic Hull Services
        for the third quarter of 2025 (the quarter alone, not year to date), and tell me which of
        the three earned the highest margin and by how many percentage points it leads the second.
        It goes into the board memo, so give one decimal."""),
    agents=(
        Agent(
            "research_lead",
            prose("""You plan financial comparisons and pass them to the filings analyst, who
            reads the numbers."""),
            tools=(list_filings,),
            peers=("filings_analyst",),
        ),
        Agent(
            "filings_analyst",
            prose("""You read figures out of filings, compute ratios with the calculator and pass
            your findings to the memo writer."""),
            tools=(read_table, compute),
            peers=("memo_writer",),
            blurb="Reads figures out of filings and computes ratios.",
        ),
        Agent(
            "memo_writer",
            prose("""You write short passages for board memos from the findings in the
            conversation."""),
            blurb="Writes the passage for the memo.",
        ),
    ),
    script={
        "research_lead": (
            say("", call("list_filings", company="Halvorsen Marine", period="2025-Q3")),
            say("", call("list_filings", company="Tidewater Rigging", period="2025-Q3")),
            say("", call("list_filings", company="Nordic Hull Services", period="2025-Q3")),
            say(
                """
                Each of the three has published an interim report for the quarter. The analyst can
                now read revenue and cost of sales for Q3 alone out of HALVORSEN-25Q3,
                TIDEWATER-25Q3 and NORDIC-25Q3.""",
                call("transfer_to_filings_analyst"),
            ),
        ),
        "filings_analyst": (
            say("", call("read_table", filing_id=_read("HALVORSEN"), table="profit_and_loss")),
            say(
                "The table goes by another name here.",
                call("read_table", filing_id=_read("HALVORSEN"), table="income_statement"),
            ),
            say(
                """
                Halvorsen: revenue 412.6 and cost of sales 301.2 in the quarter.""",
                call("compute", expression="(412.6 - 301.2) / 412.6"),
            ),
            say("", call("read_table", filing_id=_read("TIDEWATER"), table="income_statement")),
            say(
                """
                Tidewater: revenue 298.4, cost of sales 226.8.""",
                call("compute", expression="(298.4 - 226.8) / 298.4"),
            ),
            say("", call("read_table", filing_id=_read("NORDIC"), table="income_statement")),
            say(
                """
                Nordic Hull Services reports revenue of 540.2 and cost of sales of 367.3 for the
                quarter.""",
                call("compute", expression="(540.2 - 367.3) / 540.2"),
                fault=Fault(
                    "Misinterpretation of Tool Output",
                    "540.2 and 367.3 are the 9M 2025 column, which this filing prints first; the "
                    "quarter is 187.1 and 125.4.",
                ),
            ),
            say(
                """
                Gross margins for the third quarter: Nordic Hull Services 32.0 %, Halvorsen Marine
                27.0 %, Tidewater Rigging 24.0 %. The gap between first and second is 5.0
                percentage points.""",
                call("transfer_to_memo_writer"),
            ),
        ),
        "memo_writer": (
            say("""
                In the third quarter of 2025 Nordic Hull Services earned the highest gross margin
                of the three companies, 32.0 %, ahead of Halvorsen Marine with 27.0 % and Tidewater
                Rigging with 24.0 %. Its lead over Halvorsen is 5.0 percentage points. All figures
                are for the quarter alone and taken from the interim reports."""),
        ),
    },
)

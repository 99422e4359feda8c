"""Customs: the duty agent quotes a rate it remembers where it should have looked it up."""

from __future__ import annotations

import json

from scenario import Agent, Fault, Scenario, call, prose, say

_RATES = {"8516.79": 0.027, "3924.10": 0.065, "7013.49": 0.11}


def search_rulings(description: str, heading: str) -> str:
    """Binding classification rulings that resemble a description."""
    code = {"85": "8516.79", "39": "3924.10", "70": "7013.49"}[heading[:2]]
    return json.dumps(
        {
            "heading": heading,
            "best_match": {
                "hs_code": code,
                "ruling": f"BTI-DE-{code.replace('.', '')}-24",
                "similarity": 0.91,
            },
        }
    )


def get_duty_rate(hs_code: str, origin: str, on_date: str) -> str:
    """Third-country duty of a code, as a share of the customs value."""
    return json.dumps(
        {
            "hs_code": hs_code,
            "origin": origin,
            "valid_on": on_date,
            "duty_rate": _RATES[hs_code],
            "source": "TARIC extract 2026-14",
        }
    )


def get_freight(lane: str, volume_m3: float) -> str:
    """Sea freight and insurance for a lane."""
    return json.dumps(
        {"lane": lane, "volume_m3": volume_m3, "freight_eur": 1860.0, "insurance_eur": 214.5}
    )


SCENARIO = Scenario(
    slug="tariff-quote",
    framework="pydantic_ai",
    title="Customs: one of three duty rates comes from memory",
    task=prose("""
        Prepare a landed-cost quote for the shipment from Busan to Hamburg, arriving 6 April 2026:
        400 electric egg cookers at 18.50 EUR, 1,500 polypropylene lunch boxes at 3.20 EUR and 900
        glass tea jugs with lid at 7.40 EUR. Volume 21.4 cubic metres. I need HS code, duty rate
        and duty for each line and the total landed cost without VAT. Rates must be those of the
        tariff extract valid on arrival."""),
    agents=(
        Agent(
            "quote_lead",
            prose("""You prepare landed-cost quotes. Have the goods classified first, then have
            duties computed, then add freight."""),
            tools=(get_freight,),
            peers=("classifier", "duty_clerk"),
        ),
        Agent(
            "classifier",
            prose("""You classify goods into HS codes with the help of binding rulings."""),
            tools=(search_rulings,),
            blurb="the classifier of goods",
        ),
        Agent(
            "duty_clerk",
            prose("""You compute customs duties. Rates change with every tariff extract, so each
            rate has to be looked up for the day of arrival."""),
            tools=(get_duty_rate,),
            blurb="the duty clerk",
        ),
    ),
    script={
        "quote_lead": (
            say(
                "",
                call(
                    "ask_classifier",
                    request=prose("""
                Please classify for import into Germany: electric egg cookers for households,
                polypropylene lunch boxes, and glass tea jugs with lid."""),
                ),
            ),
            say(
                """
                All three lines have a code backed by a ruling, so the duties come next.""",
                call(
                    "ask_duty_clerk",
                    request=prose("""
                    Origin South Korea, third-country rates, arrival 2026-04-06. Please give rate
                    and duty for 8516.79 (customs value 7,400.00 EUR), 3924.10 (4,800.00 EUR) and
                    7013.49 (6,660.00 EUR)."""),
                ),
            ),
            say(
                "Now the freight for the lane.",
                call("get_freight", lane="KRPUS-DEHAM", volume_m3=21.4),
            ),
            say("""
                Landed-cost quote, Busan to Hamburg, arrival 6 April 2026. Egg cookers, 8516.79:
                2.7 %, 199.80 EUR. Lunch boxes, 3924.10: 6.5 %, 312.00 EUR. Glass tea jugs,
                7013.49: 5.0 %, 333.00 EUR. Goods are 18,860.00 EUR, duties 844.80 EUR, freight
                1,860.00 EUR and insurance 214.50 EUR, which makes a landed cost of 21,779.30 EUR
                without VAT. All codes are supported by binding rulings."""),
        ),
        "classifier": (
            say(
                "",
                call(
                    "search_rulings", description="electric egg cooker, household", heading="8516"
                ),
            ),
            say(
                "", call("search_rulings", description="lunch box of polypropylene", heading="3924")
            ),
            say(
                "", call("search_rulings", description="tea jug of glass with lid", heading="7013")
            ),
            say("""
                Egg cookers fall under 8516.79 (BTI-DE-851679-24), the lunch boxes under 3924.10
                (BTI-DE-392410-24) and the glass jugs under 7013.49 (BTI-DE-701349-24). All three
                rulings match with a similarity of 0.91."""),
        ),
        "duty_clerk": (
            say("", call("get_duty_rate", hs_code="8516.79", origin="KR", on_date="2026-04-06")),
            say(
                """
                Egg cookers are at 2.7 %. Next the lunch boxes.""",
                call("get_duty_rate", hs_code="3924.10", origin="KR", on_date="2026-04-06"),
            ),
            say(
                """
                Here are the three positions. 8516.79: 2.7 % of 7,400.00 EUR is 199.80 EUR.
                3924.10: 6.5 % of 4,800.00 EUR is 312.00 EUR. 7013.49: household glassware from
                Korea has carried 5.0 % for years, and 5.0 % of 6,660.00 EUR is 333.00 EUR.
                Together 844.80 EUR.""",
                fault=Fault(
                    "Invention of New Information",
                    "The clerk looks up two rates and gives the third (glassware, 5.0 %) from "
                    "memory; the extract says 11 %.",
                ),
            ),
        ),
    },
)

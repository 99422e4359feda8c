"""Clean run, art transport: one failed look-up is repeated, every limit of the task is kept."""

from __future__ import annotations

import json

from scenario import Agent, Outage, Scenario, call, prose, say

_climate = Outage("climate archive: read timed out after 10 s")
_CARRIERS = {
    "Artemis Fine Art": {
        "price_eur": 6480.0,
        "climate_truck": True,
        "couriers": 2,
        "free_from": "2026-05-18",
    },
    "Rhenus Gallery Line": {
        "price_eur": 5150.0,
        "climate_truck": False,
        "couriers": 2,
        "free_from": "2026-05-11",
    },
    "Hallberg Kunsttransport": {
        "price_eur": 7020.0,
        "climate_truck": True,
        "couriers": 2,
        "free_from": "2026-05-11",
    },
}


def get_loan(loan_id: str) -> str:
    """Conditions of a loan agreement."""
    return json.dumps(
        {
            "loan_id": loan_id,
            "work": "Harbour at Dusk, oil on panel, 1887",
            "insured_eur": 410000,
            "climate": {"rh_pct": [48, 55], "celsius": [18, 21]},
            "conditions": [
                "climate-controlled vehicle",
                "two couriers",
                "delivery before 2026-05-15",
            ],
        }
    )


def read_climate(room: str, days: int) -> str:
    """Climate of a gallery room over the last days."""
    _climate.strike()
    return json.dumps(
        {
            "room": room,
            "days": days,
            "rh_pct": {"min": 49.2, "max": 53.8},
            "celsius": {"min": 19.1, "max": 20.6},
        }
    )


def list_carriers(route: str) -> str:
    """Carriers that serve a route, with offers."""
    rows = [{"carrier": name, **offer} for name, offer in _CARRIERS.items()]
    return json.dumps({"route": route, "carriers": rows})


def book_carrier(carrier: str, date: str) -> str:
    """Book a carrier for a day."""
    return json.dumps(
        {
            "booking": "TR-2096",
            "carrier": carrier,
            "date": date,
            "price_eur": _CARRIERS[carrier]["price_eur"],
            "status": "CONFIRMED",
        }
    )


SCENARIO = Scenario(
    slug="museum-loan-transport",
    framework="pydantic_ai",
    outcome="passed",
    title="Art transport: clean run with one repeated look-up",
    task=prose("""
        The loan L-338 goes from Basel to our room 12 in Utrecht. Check that the climate of the
        room over the last 14 days meets the lender's conditions, choose a carrier that meets all
        of them at no more than 7,500 EUR, book it and report room climate, carrier, date, price
        and booking number."""),
    agents=(
        Agent(
            "registrar",
            prose("""You are the museum's registrar. You read loan agreements, have the room
            checked by the conservator and the transport booked by the transport clerk."""),
            tools=(get_loan,),
            peers=("conservator", "transport_clerk"),
        ),
        Agent(
            "conservator",
            prose("""You are the conservator. You compare measured room climate with the ranges
            you are given."""),
            tools=(read_climate,),
            blurb="the conservator, who judges room climate",
        ),
        Agent(
            "transport_clerk",
            prose("""You are the transport clerk. You compare carriers with the conditions in the
            request and book one of them."""),
            tools=(list_carriers, book_carrier),
            blurb="the transport clerk, who books carriers",
        ),
    ),
    script={
        "registrar": (
            say(
                "I need the lender's conditions before anybody else can work.",
                call("get_loan", loan_id="L-338"),
            ),
            say(
                """
                The agreement asks for 48 to 55 % relative humidity and 18 to 21 degrees, a
                climate-controlled vehicle, two couriers and delivery before 15 May 2026.""",
                call(
                    "ask_conservator",
                    request=prose("""
                    Did room 12 stay within 48 to 55 % relative humidity and 18 to 21 degrees
                    Celsius over the last 14 days?"""),
                ),
            ),
            say(
                """
                The room is fine. Now the transport, with every condition of the lender.""",
                call(
                    "ask_transport_clerk",
                    request=prose("""
                    Basel to Utrecht for a panel painting insured at 410,000 EUR. The lender
                    requires a climate-controlled vehicle, two couriers and delivery before
                    2026-05-15; our limit is 7,500 EUR. Please book the carrier that meets all
                    of that."""),
                ),
            ),
            say("""
                Loan L-338 is ready to travel. Over the last 14 days room 12 stayed between 49.2
                and 53.8 % relative humidity and between 19.1 and 20.6 degrees, inside the lender's
                ranges. Hallberg Kunsttransport brings the painting on 12 May 2026 in a
                climate-controlled vehicle with two couriers for 7,020.00 EUR, booking TR-2096."""),
        ),
        "conservator": (
            say("", call("read_climate", room="12", days=14)),
            say(
                "The archive timed out, so I'm reading it again.",
                call("read_climate", room="12", days=14),
            ),
            say("""
                Yes. Relative humidity in room 12 moved between 49.2 and 53.8 %, temperature between
                19.1 and 20.6 degrees over the 14 days; both are inside the ranges you gave."""),
        ),
        "transport_clerk": (
            say("", call("list_carriers", route="Basel-Utrecht")),
            say(
                """
                Rhenus is cheapest but has no climate truck, and Artemis is only free from 18 May,
                after the deadline. Hallberg has the truck and two couriers, is free from 11 May and
                costs 7,020 EUR, below the limit. I'm booking it for 12 May, which leaves two days
                of margin.""",
                call("book_carrier", carrier="Hallberg Kunsttransport", date="2026-05-12"),
            ),
            say("""
                Hallberg Kunsttransport is confirmed for 12 May 2026 under TR-2096 at 7,020.00 EUR:
                climate-controlled vehicle, two couriers, delivery before the 15th."""),
        ),
    },
)

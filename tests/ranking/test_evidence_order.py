"""The order in which claims are told."""

from __future__ import annotations

from traceloc.attribution import Citation, Evidence
from traceloc.ranking.evidence import order_evidence


def claim(signal: str, contribution: float, *, fault: bool = False) -> Evidence:
    cites = (Citation(step=1),)
    return Evidence(signal=signal, claim="…", cites=cites, contribution=contribution, fault=fault)


def test_what_names_a_fault_is_told_before_what_weighs_a_little_more() -> None:
    write, place = claim("constraints.first_write", 0.76), claim("position.fraction", 0.20)
    failed, weak = claim("errors.failed", 0.23, fault=True), claim("claims.drops", 0.04, fault=True)
    assert order_evidence([place, write, weak, failed]) == (failed, write, place, weak)


def test_of_equals_the_first_stays_first() -> None:
    assert order_evidence([claim("a.x", 0.1), claim("b.y", 0.1)])[0].signal == "a.x"

"""Suspiciousness formulas against naive references, and the tie rule."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceloc.repeats.spectrum import (
    Counts,
    count_actions,
    dstar,
    ochiai,
    rank_actions,
    tarantula,
)

runs = st.lists(st.frozensets(st.sampled_from("abcdef")), max_size=6)


@given(failing=runs, passing=runs)
def test_formulas_agree_with_their_definitions(
    failing: list[frozenset[str]], passing: list[frozenset[str]]
) -> None:
    counts = count_actions("abcdef", failing=failing, passing=passing)
    for action, each in counts.items():
        ef = len([run for run in failing if action in run])
        nf = len(failing) - ef
        ep = len([run for run in passing if action in run])
        np = len(passing) - ep
        assert each == (ef, ep, ef + nf, ep + np)
        below = sqrt((ef + nf) * (ef + ep))
        assert ochiai(each) == pytest.approx(ef / below if below else 0)
        fail_rate = ef / (ef + nf) if ef else 0
        pass_rate = ep / (ep + np) if ep else 0
        assert tarantula(each) == pytest.approx(fail_rate and fail_rate / (fail_rate + pass_rate))
        if ep + nf:
            assert dstar(each) == pytest.approx(ef**2 / (ep + nf))


def test_dstar_of_the_perfect_action_is_finite_and_above_all_others() -> None:
    perfect = dstar(Counts(3, 0, 3, 5))
    assert perfect == 10
    assert all(dstar(Counts(3, ep, 3, 5)) < perfect for ep in range(1, 6))


def test_of_equally_suspicious_actions_the_earlier_one_comes_first() -> None:
    counts = count_actions(["z", "a", "m"], failing=[frozenset("zam")], passing=[frozenset("m")])
    assert rank_actions(counts) == ["z", "a", "m"]

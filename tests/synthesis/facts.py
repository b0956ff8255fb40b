"""Random checked facts, as pictures carry them."""

from __future__ import annotations

from hypothesis import strategies as st

from lingshu.facts.vocabulary import FACTS, NONE

SIDES = ("left", "right")


def _pair(first, values, second):
    drawn = st.tuples(values, st.sampled_from(SIDES))
    return drawn.map(lambda pair: {first: pair[0], second: NONE if pair[0] in (0, NONE) else pair[1]})


def _values(spec):
    if spec.kind == "flag":
        return st.booleans()
    return st.sampled_from(spec.values) if spec.kind == "choice" else st.integers(0, spec.maximum)


PAIRED = ("nodule_count", "nodule_side", "effusion_level", "effusion_side")
_single = st.fixed_dictionaries({}, optional={k: _values(s) for k, s in FACTS.items() if k not in PAIRED})
nodules = _pair("nodule_count", st.integers(0, 9), "nodule_side")
effusions = _pair("effusion_level", st.sampled_from((NONE, "small", "large")), "effusion_side")
opacities = st.sampled_from((NONE, *SIDES)).map(lambda side: {"opacity": side})
any_facts = st.tuples(_single, st.just({}) | nodules, st.just({}) | effusions).map(lambda p: p[0] | p[1] | p[2])
chest_facts = st.tuples(nodules, effusions, opacities).map(lambda p: p[0] | p[1] | p[2])

"""One call over segments equals a call for each segment."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention

from lingshu.modeling.attention import bounds_of, segment_attention


@settings(max_examples=30)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.booleans(), st.sampled_from([1, 2, 4]))
def test_segments_do_not_see_each_other(lengths, causal, kv_heads):
    generator = torch.Generator().manual_seed(sum(lengths))
    query = torch.randn(1, 4, sum(lengths), 8, generator=generator)
    key, value = (torch.randn(1, kv_heads, sum(lengths), 8, generator=generator) for _ in range(2))
    positions = torch.cat([torch.arange(length) for length in lengths]).unsqueeze(0)
    bounds = torch.tensor([0, *lengths]).cumsum(0)
    module = SimpleNamespace(is_causal=causal)
    expected = torch.cat(
        [
            scaled_dot_product_attention(
                query[:, :, a:b], key[:, :, a:b], value[:, :, a:b], is_causal=causal, enable_gqa=True
            ).transpose(1, 2)
            for a, b in pairwise(bounds)
        ],
        dim=1,
    )
    for told in ({"cu_seq_lens_q": bounds}, {"position_ids": positions}):
        found, _ = segment_attention(module, query, key, value, None, **told)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_bounds_of_restarting_positions():
    assert bounds_of(torch.tensor([0, 1, 2, 0, 0, 1])).tolist() == [0, 3, 4, 6]


def test_padded_batches_are_refused():
    two = torch.zeros(2, 1, 3, 4)
    with pytest.raises(ValueError, match="one row"):
        segment_attention(SimpleNamespace(is_causal=True), two, two, two, None, position_ids=torch.arange(3))
    one = torch.zeros(1, 1, 3, 4)
    with pytest.raises(ValueError, match="cu_seq_lens_q"):
        segment_attention(SimpleNamespace(is_causal=True), one, one, one, None)

"""A mixture holds what was asked for, of what may be used, and says which key is wrong when it can't."""

from __future__ import annotations

from collections import Counter

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lingshu.core.corpus import load_mixture
from lingshu.core.errors import UserError
from lingshu.core.ids import sha256_file
from lingshu.core.manifest import read_manifest
from lingshu.core.params import validate
from lingshu.mix.amounts import apportion
from lingshu.mix.mixture import make_mixture
from lingshu.mix.params import MixParams, StageMix
from lingshu.mix.plan import first_ranked, in_order, plan_mixture
from lingshu.mix.pool import read_pool

PRESENCE = {"samples": 10, "sources": ["film"], "tasks": ["vqa_closed"], "topics": ["presence"]}
SIDE = {"samples": 5, "sources": ["film"], "tasks": ["vqa_closed"], "topics": ["side"]}
WORDS = {"samples": 7, "sources": ["words"], "tasks": ["text_qa"]}
COT = {"samples": 6, "sources": ["synthetic_cot"], "tasks": ["reasoning"]}
BOTH = {"samples": 20, "sources": ["film", "words"], "tasks": ["vqa_closed", "text_qa"]}
SOURCES, RECIPES = ["film", "words"], ["cot"]


def part(group, **amount):
    return {key: value for key, value in group.items() if key != "samples"} | amount


def mix(root, groups, seed=3, sources=SOURCES, recipes=RECIPES):
    other = {"words": WORDS}
    data = {"seed": seed, "instruct": groups, "shallow": other, "deep": other, "reinforce": other}
    summary = make_mixture("instruct", validate(MixParams, data, "params.yaml: mix"), sources, recipes, root)
    return summary, pl.read_parquet(root / "data/mixtures/instruct/mixture.parquet")


def pairs(table):
    return sorted(zip(table["sample_id"], table["group"], strict=True))


def test_groups_get_their_counts_and_rows_come_back_as_samples(repository):
    summary, table = mix(repository, {"presence": PRESENCE, "side": SIDE, "words": WORDS, "cot": COT})
    assert {name: g["rows"] for name, g in summary["groups"].items()} == {
        "cot": 6,
        "presence": 10,
        "side": 5,
        "words": 7,
    }
    assert summary["tasks"] == {"reasoning": 6, "text_qa": 7, "vqa_closed": 15}
    assert summary["modalities"] == {"not stated": 13, "x-ray": 15}
    assert table["position"].to_list() == list(range(28))
    items = load_mixture("instruct", repository)
    assert [item.sample.sample_id for item in items] == table["sample_id"].to_list()
    assert {(item.group, item.sample.topic) for item in items if item.sample.source == "film"} == {
        ("presence", "presence"),
        ("side", "side"),
    }
    assert read_manifest(repository / "data/mixtures/instruct").counts == {
        "cot": 6,
        "presence": 10,
        "side": 5,
        "words": 7,
    }


def test_dropped_rejected_and_held_out_samples_are_never_drawn(repository):
    # 40 presence rows less 2 dropped by decontaminate and 1 by classify_modality; 20 proposals less 4 rejected.
    summary, _ = mix(repository, {"presence": {**PRESENCE, "samples": 37}, "cot": {**COT, "samples": 16}})
    assert summary["groups"]["presence"]["available"] == 37
    assert summary["groups"]["cot"]["available"] == 16
    assert all(item.sample.split == "train" for item in load_mixture("instruct", repository))


def test_no_samples_removes_a_group_and_leaves_the_order_of_the_others(repository):
    _, before = mix(repository, {"presence": PRESENCE, "side": SIDE})
    summary, after = mix(repository, {"presence": PRESENCE, "side": {**SIDE, "samples": 0}})
    assert list(summary["groups"]) == ["presence"]
    assert after["sample_id"].to_list() == before.filter(pl.col("group") == "presence")["sample_id"].to_list()


def test_raising_a_count_only_adds(repository):
    _, few = mix(repository, {"presence": PRESENCE, "side": SIDE})
    _, many = mix(repository, {"presence": {**PRESENCE, "samples": 25}, "side": SIDE})
    assert set(pairs(few)) < set(pairs(many))


def test_equal_parameters_give_equal_bytes_and_another_seed_another_draw(repository):
    def digest(seed):
        mix(repository, {"presence": PRESENCE}, seed)
        return sha256_file(repository / "data/mixtures/instruct/mixture.parquet")

    assert digest(3) == digest(3) != digest(4)


def test_repeats_come_only_after_every_sample_was_taken(repository):
    summary, table = mix(repository, {"side": {**SIDE, "samples": 50, "max_repeats": 3}})
    assert summary["groups"]["side"] | {"sources": 0, "tasks": 0} == {
        "rows": 50, "samples": 20, "available": 20, "sources": 0, "tasks": 0,
    }  # fmt: skip
    assert sorted(table["sample_id"].value_counts()["count"].unique()) == [2, 3]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"side": {**SIDE, "samples": 21}}, r"mix\.instruct\.side\.samples: 21 asked for, 20 available"),
        ({"side": {**SIDE, "samples": 41, "max_repeats": 2}}, r"41 asked for, 40 available \(20 .*at most 2 times\)"),
        ({"a": PRESENCE, "b": {**SIDE, "topics": None}}, r"mix\.instruct: groups 'a' and 'b' both select 37 samples"),
        ({"a": {**PRESENCE, "sources": ["flim"]}}, r"mix\.instruct\.a\.sources: 'flim' is not enabled"),
        ({"a": {**COT, "sources": ["synthetic_ocr"]}}, r"'synthetic_ocr' is not enabled"),
        ({"a": {**PRESENCE, "samples": 0}}, r"mix\.instruct: every group has 0 samples"),
        ({"a": {**PRESENCE, "sample": 1}}, r"mix\.instruct\.a\.sample: unknown key; did you mean 'samples'"),
        ({"a": {**PRESENCE, "samples": 10**30}}, r"mix\.instruct\.a\.samples: .*less than or equal to 1000000000"),
        ({"total": 10**30, "a": part(PRESENCE, weight=1)}, r"mix\.instruct\.total: .*less than or equal to 1000000000"),
        ({"total": 9, "a": part(PRESENCE, weight=1e308)}, r"mix\.instruct\.a\.weight: .*less than or equal to"),
        ({"total": 9, "a": part(PRESENCE, weight=1e-300)}, r"mix\.instruct\.a\.weight: .*is 0, or 1e-09 at least"),
        ({"a": {**PRESENCE, "topics": ["presense"]}}, r"a\.topics: no sample of film has 'presense'"),
        ({"a": {**PRESENCE, "samples": -1}}, r"mix\.instruct\.a\.samples: .*greater than or equal to 0"),
        ({"a": {**PRESENCE, "tasks": ["vqa"]}}, r"mix\.instruct\.a\.tasks\.0"),
        ({"a": {**PRESENCE, "weight": 1}}, r"mix\.instruct\.a: .*give one of samples, share and weight"),
        ({"a": part(PRESENCE, weight=float("inf"))}, r"mix\.instruct\.a\.weight: .*finite number"),
        ({"a": {**PRESENCE, "sources": ["film", "film"]}}, r"mix\.instruct\.a\.sources: .*film named twice"),
        ({}, r"mix\.instruct: .*at least one group"),
        (
            {"a": part(PRESENCE, weight=1)},
            r"mix\.instruct\.a has a share or weight, but there is no mix\.instruct\.total",
        ),
        ({"total": 9, "a": PRESENCE, "b": part(SIDE, weight=1)}, r"samples add up to 10, mix\.instruct\.total is 9"),
        ({"total": 11, "a": PRESENCE}, r"samples add up to 10, mix\.instruct\.total is 11"),
        ({"total": 9, "a": part(PRESENCE, share=0.6), "b": part(SIDE, share=0.5)}, r"shares add up to 1\.1"),
        ({"total": 9, "a": part(PRESENCE, share=0.6)}, r"shares add up to 0\.6"),
        ({"total": 9, "a": part(PRESENCE, weight=0), "b": {**SIDE, "samples": 1}}, r"every share and weight is 0"),
        (
            {"total": 60, "a": part(PRESENCE, weight=1), "b": part(WORDS, weight=2)},
            r"mix\.instruct\.b\.weight: 40 asked for, 30 available",
        ),
        ({"a": {**PRESENCE, "amounts": {"words": {"weight": 1}}}}, r"a: .*amounts must name exactly the sources"),
        ({"a": {**PRESENCE, "amounts": {"film": {}}}}, r"a\.amounts\.film: .*give one of samples, share and weight"),
        (
            {"a": {**BOTH, "samples": 60, "amounts": {"film": {"share": 0.4}, "words": {"share": 0.6}}}},
            r"mix\.instruct\.a\.amounts\.words\.share: 36 asked for, 30 available",
        ),
    ],
)
def test_impossible_mixes_name_the_key(repository, groups, message):
    with pytest.raises(UserError, match=message):
        mix(repository, groups)


def test_a_group_of_a_disabled_source_is_allowed_with_no_samples(repository):
    summary, _ = mix(repository, {"side": SIDE, "words": {**WORDS, "samples": 0}}, sources=["film"])
    assert list(summary["groups"]) == ["side"]


def test_without_recipes_the_verdicts_of_verify_are_not_needed(repository):
    (repository / "data/verdicts/verify/verdicts.parquet").unlink()
    summary, _ = mix(repository, {"side": SIDE}, recipes=[])
    assert summary["rows"] == 5


def test_an_unknown_stage_is_refused(repository):
    params = MixParams.model_validate(
        {"seed": 1, "instruct": {"a": SIDE}, "shallow": {"a": SIDE}, "deep": {"a": SIDE}, "reinforce": {"a": SIDE}}
    )
    with pytest.raises(UserError, match="stage 'deeper': no such mixture"):
        make_mixture("deeper", params, SOURCES, RECIPES, repository)


def counts(summary):
    return {name: group["rows"] for name, group in summary["groups"].items()}


def test_shares_are_of_what_samples_leave_and_weights_of_what_shares_leave(repository):
    groups = {"total": 40, "cot": COT, "presence": part(PRESENCE, share=0.5), "side": part(SIDE, weight=1)}
    summary, _ = mix(repository, groups | {"words": part(WORDS, weight=3)})
    assert counts(summary) == {"cot": 6, "presence": 17, "side": 4, "words": 13}


def test_sources_of_a_group_get_their_own_amounts(repository):
    summary, _ = mix(repository, {"a": {**BOTH, "amounts": {"film": {"weight": 3}, "words": {"samples": 5}}}})
    assert summary["sources"] == {"film": 15, "words": 5}
    amounts = {"film": {"samples": 2}, "words": {"samples": 9}}
    summary, _ = mix(repository, {"a": part(BOTH, amounts=amounts)})
    assert summary["sources"] == {"film": 2, "words": 9}


@pytest.mark.parametrize(
    ("temperature", "repeats", "expected"),
    [
        (1, 1, {"film": 12, "words": 6}),  # 57 eligible to 30
        (1000, 1, {"film": 9, "words": 9}),
        (2, 1, {"film": 10, "words": 8}),  # 57 ** 0.5 to 30 ** 0.5
    ],
)
def test_temperature_evens_out_strata(repository, temperature, repeats, expected):
    group = {**BOTH, "samples": 18, "balance": {"over": ["source"], "temperature": temperature}}
    summary, _ = mix(repository, {"a": {**group, "max_repeats": repeats}})
    assert summary["sources"] == expected


def test_a_stratum_gives_no_more_than_its_cap_and_the_others_the_rest(repository):
    balance = {"over": ["modality"], "temperature": 1000}
    summary, _ = mix(repository, {"a": {**BOTH, "samples": 80, "balance": balance}})
    assert summary["modalities"] == {"not stated": 30, "x-ray": 50}
    summary, table = mix(repository, {"a": {**BOTH, "samples": 110, "max_repeats": 2, "balance": balance}})
    assert summary["modalities"] == {"not stated": 55, "x-ray": 55}
    assert table["sample_id"].value_counts()["count"].max() == 2


def test_modality_is_what_was_found_where_none_is_stated(corpus_with_untagged_pictures):
    root = corpus_with_untagged_pictures
    pool = read_pool(["films"], [], root, kinds=True).sort("topic", "sample_id")
    kinds = dict(zip(pool["topic"], pool["kind"], strict=True))
    assert kinds == {"tagged": "ct", "found": "mri", "both": "mri and x-ray", "unsure": "not stated", "none": "text"}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_raising_any_total_only_adds_rows(pool, data):
    """The property that makes an ablation of amounts an ablation: what was there stays there."""
    way = data.draw(st.sampled_from(["weight", "share"]))
    rates = data.draw(st.lists(st.integers(1, 9), min_size=2, max_size=2))
    parts = [rate / sum(rates) if way == "share" else rate for rate in rates]
    balance = {"over": data.draw(st.sampled_from([["modality"], ["topic"], ["source", "task"]])), "temperature": 3}
    groups = {
        "a": part(BOTH, **{way: parts[0]}, max_repeats=4, balance=data.draw(st.sampled_from([None, balance]))),
        "b": part(COT, **{way: parts[1]}, max_repeats=9),
    }
    few = data.draw(st.integers(1, 120))
    many = few + data.draw(st.integers(1, 20))

    def rows(total):
        mixture = StageMix.model_validate({"total": total, **groups})
        return Counter(plan_mixture("deep", mixture, pool, 5)[0]["sample_id"].to_list())

    left, right = rows(few), rows(many)
    assert left <= right
    assert (left.total(), right.total()) == (few, many)


RANKED = st.lists(st.tuples(st.integers(0, 4), st.text("abc", max_size=4)), unique=True)


@given(ranked=RANKED, part=st.floats(0, 1))
def test_the_least_ranked_are_those_of_a_whole_sort_and_ids_decide_between_equal_ranks(ranked, part):
    rows = round(part * len(ranked))
    table = pl.DataFrame(ranked, schema={"rank": pl.UInt64, "sample_id": pl.String}, orient="row")
    assert sorted(first_ranked(table, rows).iter_rows()) == sorted(ranked)[:rows]


@given(keyed=st.lists(st.tuples(st.integers(0, 50), st.text("ab", max_size=2), st.integers(0, 3)), unique=True))
def test_rows_come_by_key_and_equal_keys_by_id_and_repeat(keyed):
    schema = {"key": pl.UInt64, "sample_id": pl.String, "repeat": pl.Int32}
    table = pl.DataFrame(keyed, schema=schema, orient="row")
    assert list(table[in_order(table)].iter_rows()) == sorted(keyed)


@given(
    total=st.integers(0, 200),
    parts=st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.floats(0, 10), st.integers(0, 40)), max_size=6),
)
def test_apportioning_is_monotone_exact_and_within_caps(total, parts):
    rates = {name: rate for name, (rate, _) in parts.items()}
    caps = {name: cap for name, (_, cap) in parts.items()}
    now, more = apportion(total, rates, caps), apportion(total + 1, rates, caps)
    room = sum(cap for name, cap in caps.items() if rates[name] > 0)
    assert sum(now.values()) == min(total, room)
    assert all(now[name] <= min(more[name], caps[name]) for name in rates)


def test_apportioning_is_webster_s_method():
    rates = {"a": 2.7, "b": 2.0, "c": 1.2, "d": 1.0, "e": 0.173}
    counts = dict.fromkeys(rates, 0)
    for total in range(1, 400):
        counts[max(rates, key=lambda name: (rates[name] / (counts[name] + 0.5), name))] += 1
        assert apportion(total, rates) == counts

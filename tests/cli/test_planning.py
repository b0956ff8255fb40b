"""`lingshu plan`: what it prints adds up, says that it is an estimate, and names what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from lingshu.commands.planning.assumptions import made_size, model_size, read_assumptions
from lingshu.commands.planning.command import cost_lines, mix_lines, read_recipe
from lingshu.commands.planning.costs import picture_tokens, stage_cost
from lingshu.commands.planning.mixtures import stage_plans
from lingshu.core.errors import UserError
from lingshu.core.params import load_section
from lingshu.modeling.params import ModelingParams
from lingshu.sources.catalog import SOURCES_FOLDER, read_source, source_names

ROOT = Path(__file__).resolve().parents[2]
FULL = ("lingshu-7b", "lingshu-32b")
VOLUMES = {"shallow": 927_000, "deep": 4_100_000, "instruct": 7_073_000, "reinforce": 100_000}


@pytest.mark.parametrize("name", FULL)
def test_a_full_recipe_is_the_paper_s(name: str) -> None:
    _, recipe = read_recipe(ROOT, name)
    assert {plan.stage: plan.rows for plan in stage_plans(recipe, ROOT)} == VOLUMES
    training = recipe.training
    assert [training.stage(stage).epochs for stage in ("shallow", "deep", "instruct")] == [1, 1, 2]
    assert [training.stage(stage).packing for stage in ("shallow", "deep", "instruct")] == [False, False, True]
    assert training.shallow.trainable == ["vision", "projector"]
    assert training.instruct.learning_rate.by_part() == {"vision": 2e-6, "projector": 1e-5, "llm": 1e-5}
    assert {training.stage(s).max_length for s in ("shallow", "deep", "instruct")} == {8192}
    grpo = recipe.reinforcement
    assert (grpo.generations, grpo.temperature, grpo.kl, grpo.learning_rate) == (16, 1.0, 1e-3, 1e-6)
    assert (grpo.prompts_per_step * grpo.rollout_steps, grpo.max_completion_length) == (512, 4096)
    assert recipe.modeling.backbone is not None
    assert recipe.modeling.backbone.hub == f"Qwen/Qwen2.5-VL-{name.removeprefix('lingshu-').upper()}-Instruct"


@pytest.mark.parametrize("name", FULL)
def test_a_full_recipe_names_sources_and_notes_that_are_there(name: str) -> None:
    _, recipe = read_recipe(ROOT, name)
    assert sorted(set(recipe.sources.enabled) - set(source_names(ROOT / SOURCES_FOLDER))) == []
    assert [s for s in recipe.sources.pulled if not (ROOT / f"catalog/notes/{s}.yaml").exists()] == []
    assert set(recipe.dedup.reliability) == set(recipe.sources.enabled)


def test_the_cost_of_a_stage_is_six_n_d() -> None:
    _, recipe = read_recipe(ROOT, "lingshu-7b")
    assumed = read_assumptions(ROOT)
    size = model_size(recipe.modeling, assumed)
    records = {name: read_source(name, ROOT / SOURCES_FOLDER) for name in recipe.sources.enabled}
    deep = stage_cost(stage_plans(recipe, ROOT)[1], recipe, size, assumed, records)
    of_pictures = size.vision * 4 + size.projector
    assert deep.flops == pytest.approx(6 * (size.llm * deep.tokens + of_pictures * deep.picture_tokens), rel=1e-6)
    assert deep.hours == pytest.approx(deep.flops / (989e12 * 0.35) / 3600)
    assert deep.steps == -(-4_100_000 // 64)
    assert picture_tokens(recipe, size, assumed) == round(400_000 / 28**2)


def test_a_higher_utilisation_takes_fewer_hours() -> None:
    def hours(mfu: float | None) -> float:
        line = next(line for line in cost_lines(ROOT, "lingshu-7b", mfu) if line.split()[:1] == ["deep"])
        return float(line.split()[-1].replace(",", ""))

    assert hours(0.7) == pytest.approx(hours(None) / 2, rel=0.02)


def test_the_size_of_our_own_backbone_is_that_of_the_model() -> None:
    import torch
    from transformers import PreTrainedTokenizerFast

    from lingshu.modeling.architecture import build_model
    from lingshu.modeling.freeze import part_sizes
    from lingshu.modeling.tokenizer import train_tokenizer

    params = load_section("modeling", ModelingParams, ROOT / "params.yaml")
    tokenizer = train_tokenizer(["a few words"], 400)
    assert isinstance(tokenizer, PreTrainedTokenizerFast)
    with torch.device("meta"):
        sizes = part_sizes(build_model(params, tokenizer))
    size = made_size(params.made.model_copy(update={"vocabulary": len(tokenizer)}))
    assert {part: found.total for part, found in sizes.items()} == {
        "vision": size.vision,
        "projector": size.projector,
        "llm": size.llm,
    }


def test_what_is_printed_says_that_it_is_estimated(checkout: Path) -> None:
    text = "\n".join(cost_lines(checkout, "", None))
    assert "ALL FIGURES ARE ESTIMATES" in text
    assert "assumptions:" in text
    assert "API: 0 dollars" in text
    table = "\n".join(mix_lines(checkout, "lingshu-7b"))
    assert "ESTIMATES, as the catalogue states them" in table
    assert "TOO FEW" not in table
    assert "synthetic_dialogue" in table


def test_too_few_rows_are_pointed_out_before_anything_runs(checkout: Path) -> None:
    path = checkout / "recipes/lingshu-7b.yaml"
    path.write_text(path.read_text().replace("{samples: 446000, ", "{samples: 2446000, "))
    lines = list(mix_lines(checkout, "lingshu-7b"))
    assert any("reports" in line and "TOO FEW" in line for line in lines)
    assert lines[-1].startswith("TOO FEW: more rows are asked for than max_repeats allows")


def test_held_out_rows_that_training_lets_in_are_told_before_anything_runs(checkout: Path) -> None:
    path = checkout / "recipes/lingshu-7b.yaml"
    path.write_text(path.read_text().replace("splits_in_training: []", "splits_in_training: [vqa_rad/test]"))
    told = "  HELD-OUT ROWS THAT ARE TRAINED ON (sources.benchmark_splits_in_training): vqa_rad/test ?"
    assert list(mix_lines(checkout, "lingshu-7b")).count(told) == 4
    path.write_text(path.read_text().replace("[vqa_rad/test]", "[nosuch/test]"))
    with pytest.raises(UserError, match="'nosuch/test' is of no enabled source"):
        list(mix_lines(checkout, "lingshu-7b"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    total: 927000\n", "", r"recipes/lingshu-7b\.yaml: mix\.shallow\.captions has a share or weight"),
        (
            "sources: [pmc_oa, roco]",
            "sources: [pmc_ao, roco]",
            r"recipes/lingshu-7b\.yaml: mix\.shallow\.captions\.sources",
        ),
        ("tasks: [report]}", "tasks: [ocr]}", r"mix\.instruct\.reports: 'chexpert_plus' has no ocr, but report"),
        ("tasks: [vqa_closed]", "tasks: [vqa_closed, mcq]", r"'closed' and 'open' both select mcq of 'synthetic_vqa'"),
        ("hub: Qwen/", "hub: Kwen/", r"catalog/planning\.yaml: backbones: no sizes of Kwen/"),
    ],
)
def test_a_plan_that_cannot_be_names_file_and_key(checkout: Path, old: str, new: str, message: str) -> None:
    path = checkout / "recipes/lingshu-7b.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UserError, match=message):
        list(cost_lines(checkout, "lingshu-7b", None))


def test_an_unknown_recipe_is_named(checkout: Path) -> None:
    with pytest.raises(UserError, match="--recipe lingshu-8b: no such file, and no such recipe"):
        list(cost_lines(checkout, "lingshu-8b", None))

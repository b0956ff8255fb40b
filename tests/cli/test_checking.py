from __future__ import annotations

from pathlib import Path

import pytest

from lingshu.commands.checking import problems, summary
from tests.small_run import write_data


def told(root: Path) -> str:
    return "\n".join(str(problem) for problem in problems(root))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path}: {old!r} is not there to be edited"
    path.write_text(text.replace(old, new, 1))


def test_this_repository_has_no_problem(checkout: Path) -> None:
    assert told(checkout) == ""
    assert "params.yaml: recipe mini, unchanged" in summary(checkout)


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("params.yaml", "thumbnail_px:", "thumbnail_pixels:", "params.yaml: report.thumbnail_pixels: unknown key"),
        ("params.yaml", "thumbnail_px:", "thumbnail_pixels:", "did you mean 'thumbnail_px'?"),
        ("params.yaml", "seed: 17 ", "seed: many ", "params.yaml: seed: Input should be a valid integer"),
        ("params.yaml", "pulled: [radiology", "pulled: [radiologie", "params.yaml: sources: "),
        (
            "params.yaml",
            "encoder: efficientnet_lite0",
            "encoder: efficientnet",
            "no record 'efficientnet'",
        ),
        (
            "params.yaml",
            "before: instruct",
            "before: instructed",
            "'instructed' is not in inference.suites",
        ),
        ("params.yaml", "reliability: [radiology, ", "reliability: [", "dedup.reliability does not rank ['radiology']"),
        (
            "params.yaml",
            "released: []",
            f"released: ['scans:{'0' * 20}']",
            f"released: scans:{'0' * 20}: no such source",
        ),
        ("params.yaml", "- phantom_vqa", "- phantom_vqs", "did you mean 'phantom_vqa'?"),
        ("recipes/mini.yaml", "recipe: mini", "recipe: maxi", "write `recipe: mini`"),
        (
            "catalog/benchmarks.yaml",
            "tasks: [vqa_closed]",
            "tasks: [vqa_shut]",
            "phantom_vqa.tasks: unknown task 'vqa_shut'",
        ),
        (
            "catalog/benchmarks.yaml",
            "sources: [phantom]",
            "sources: [fantom]",
            "phantom_vqa.sources: 'fantom' is not in",
        ),
        ("catalog/sources/radiology.yaml", "kind: registry_package", "kind: parcel", "sources/radiology.yaml: kind"),
        ("dvc.yaml", "stages/gate.py\n", "stages/gaet.py\n", "dvc.yaml: gate: cmd: stages/gaet.py does not exist"),
        ("dvc.yaml", "- src/lingshu/quality", "- src/lingshu/qualty", "dvc.yaml: gate: deps: src/lingshu/qualty"),
        ("dvc.yaml", "- dedup\n", "- dedupe\n", "dvc.yaml: deduplicate: params: params.yaml has no key 'dedupe'"),
        (
            "dvc.yaml",
            "- data/verdicts/deduplicate\n",
            "- data/verdicts/gate\n",
            "gate, deduplicate all write data/verdicts/gate",
        ),
        (
            "dvc.yaml",
            "${sources.pulled}",
            "${sources.pushed}",
            "dvc.yaml: pull: foreach: ${sources.pushed} has no value",
        ),
        ("params.yaml", "seed: 17 ", "seed: [17 ", "params.yaml: not valid YAML"),
    ],
)
def test_a_mistake_is_named_with_file_and_key(checkout: Path, file: str, old: str, new: str, expected: str) -> None:
    edit(checkout / file, old, new)
    assert expected in told(checkout)


def test_an_encoder_that_cannot_teach_the_backbone_is_named(checkout: Path) -> None:
    edit(checkout / "params.yaml", "encoder: efficientnet_lite0", "encoder: {hub: owner/clip}")
    assert "modality.encoder: owner/clip can't teach the backbone that `modeling` makes" in told(checkout)


def test_prompts_of_no_modality_are_named(checkout: Path) -> None:
    edit(checkout / "catalog/modality_prompts.yaml", "  dermoscopy:", "  dermatoscopy:")
    assert "catalog/modality_prompts.yaml: classes ['dermatoscopy'] are no modalities" in told(checkout)


def test_embeddings_of_sources_that_are_not_enabled_or_not_embedded_are_named(checkout: Path) -> None:
    params = checkout / "params.yaml"
    edit(params, "embeddings: {sources: []", "embeddings: {sources: [optical, quilt]")
    check = (
        "semantic: {threshold: 0.97, within_groups: false, scopes: [{tasks: [caption], sources: [radiology, optical]}]}"
    )
    edit(params, "  text:                         # near", f"  {check}\n  text:                         # near")
    found = told(checkout)
    assert "signals.embeddings.sources: ['quilt'] are not enabled" in found
    assert "dedup.semantic.scopes: ['radiology'], which signals.embeddings.sources does not list" in found


def test_a_source_in_the_wrong_list_is_told_where_to_go(checkout: Path) -> None:
    edit(checkout / "params.yaml", "pulled: [radiology", "pulled: [phantom, radiology")
    edit(checkout / "params.yaml", "generated: [phantom]", "generated: []")
    assert "sources.pulled: 'phantom' is of kind generated in catalog/sources/phantom.yaml\n  fix: move it to" in told(
        checkout
    )


def test_a_switched_off_source_names_every_user_of_it(checkout: Path) -> None:
    everything = "enabled: [radiology, optical, terminology, phantom]"
    edit(checkout / "params.yaml", everything, "enabled: [radiology, optical, phantom]")
    edit(checkout / "params.yaml", "pulled: [radiology, optical, terminology]", "pulled: [radiology, optical]")
    text = told(checkout)
    assert "benchmarks.enabled: 'terminology_qa' needs source 'terminology'" in text
    assert "mix.instruct.terminology_icd.sources: 'terminology' is not enabled" in text


def test_a_topic_that_no_sample_has_is_named_once_samples_exist(checkout: Path) -> None:
    edit(checkout / "params.yaml", "topics: [presence]}", "topics: [presents]}")
    assert "presents" not in told(checkout)
    write_data(checkout / "run")
    (checkout / "run/data").rename(checkout / "data")
    assert "mix.instruct.phantom_presence.topics: no sample has topic 'presents'\n  fix: use presence" in told(checkout)


def test_a_judge_is_checked_without_its_key(checkout: Path) -> None:
    options = "{api_key_env: NO_SUCH_VARIABLE, colour: 3}"
    judges = f"judges: [{{model: 'openai:a@https://host/v1', options: {options}}}]"
    edit(checkout / "params.yaml", "    judge: rules ", f"    judge: llm\n    {judges}\n    #")
    assert "evalkit.judge.judges.0: colour does nothing with model openai:a@https://host/v1" in told(checkout)
    edit(checkout / "params.yaml", ", colour: 3", "")
    assert told(checkout) == ""


def test_mistakes_of_all_files_come_at_once(checkout: Path) -> None:
    edit(checkout / "params.yaml", "thumbnail_px:", "thumbnail_pixels:")
    edit(checkout / "recipes/mini.yaml", "recipe: mini", "recipe: maxi")
    edit(checkout / "dvc.yaml", "stages/gate.py\n", "stages/gaet.py\n")
    text = told(checkout)
    assert all(word in text for word in ("thumbnail_pixels", "recipe: mini", "gaet.py"))


def test_changed_values_are_told(checkout: Path) -> None:
    edit(checkout / "params.yaml", "thumbnail_px: 192", "thumbnail_px: 64")
    assert "  report.thumbnail_px: 192 -> 64" in summary(checkout)

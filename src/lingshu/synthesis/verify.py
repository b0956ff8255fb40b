"""Verification: every proposal is accepted or rejected with a reason; in = accepted + rejected, per recipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from lingshu.core.files import fresh_dir
from lingshu.core.layout import PROPOSALS, SAMPLES, proposal_samples, verdict_file, verdict_folder
from lingshu.core.manifest import read_manifest, write_manifest
from lingshu.core.sample import Sample, read_samples
from lingshu.core.verdicts import KEPT, Verdict, account, write_verdicts
from lingshu.synthesis import caption, cot, dialogue, ocr, vqa
from lingshu.synthesis.checks import Case, Rejection, check_caption, check_cot, check_ocr, check_vqa
from lingshu.synthesis.dialogue_checks import check_dialogue, with_identities
from lingshu.synthesis.params import VerifyParams
from lingshu.synthesis.parents import TRAINING_SPLIT, picture_facts

STEP = "verify"
CHECKS: dict[str, Callable[[Case], Rejection | None]] = {
    caption.RECIPE: check_caption,
    vqa.RECIPE: check_vqa,
    ocr.RECIPE: check_ocr,
    cot.RECIPE: check_cot,
    dialogue.RECIPE: check_dialogue,
}


def verify(recipes: list[str], sources: list[str], params: VerifyParams, root: Path = Path()) -> dict[str, Any]:
    """Write a verdict on every proposal; return proposed, accepted and rejected by reason, per recipe.

    Raises:
        UserError: the proposals of a recipe are not complete.
    """
    for recipe in recipes:
        read_manifest(root / PROPOSALS / recipe)
    facts = picture_facts(sources, root)
    proposals = {recipe: list(read_samples([root / proposal_samples(recipe)])) for recipe in sorted(recipes)}
    parents = _parents(proposals.values(), sources, root)
    verdicts: list[Verdict] = []
    metrics: dict[str, Any] = {}
    for recipe, samples in proposals.items():
        decided = _decide(recipe, samples, parents, facts, params)
        account(STEP, (sample.sample_id for sample in samples), decided)
        reasons = Counter(verdict.reason for verdict in decided)
        accepted = reasons.pop(KEPT, 0)
        metrics[recipe] = {"proposed": len(samples), "accepted": accepted, "rejected": dict(sorted(reasons.items()))}
        verdicts += decided
    folder = fresh_dir(root / verdict_folder(STEP))
    write_verdicts(root / verdict_file(STEP), verdicts)
    totals = Counter(verdict.reason for verdict in verdicts)
    write_manifest(folder, STEP, len(verdicts), dict(totals))
    return metrics


def _parents(proposals: Iterable[list[Sample]], sources: list[str], root: Path) -> dict[str, Sample]:
    wanted = {parent for samples in proposals for s in samples if s.synthetic for parent in s.synthetic.parents}
    folders = [root / SAMPLES / source for source in sorted(sources)]
    return {sample.sample_id: sample for sample in read_samples(folders, wanted)}


def _decide(
    recipe: str,
    samples: Sequence[Sample],
    parents: dict[str, Sample],
    facts: dict[str, dict[str, Any]],
    params: VerifyParams,
) -> list[Verdict]:
    rejected = {sample.sample_id: _inheritance(sample, parents) for sample in samples}
    cases = [_case(sample, parents, facts, params) for sample in samples if rejected[sample.sample_id] is None]
    if recipe == dialogue.RECIPE:
        cases = with_identities(cases)
    rejected |= {case.sample.sample_id: CHECKS[recipe](case) for case in cases}
    return [_verdict(sample, rejected[sample.sample_id]) for sample in samples]


def _case(sample: Sample, parents: dict[str, Sample], facts: dict[str, dict[str, Any]], params: VerifyParams) -> Case:
    assert sample.synthetic is not None
    known = facts.get(sample.images[0].image_id, {}) if sample.images else {}
    return Case(sample, parents[sample.synthetic.parents[0]], known, params.max_trace_words, params.min_kept_words)


def _verdict(sample: Sample, rejection: Rejection | None) -> Verdict:
    if rejection is None:
        return Verdict(sample.sample_id, sample.source, STEP, True, KEPT)
    return Verdict(sample.sample_id, sample.source, STEP, False, rejection.reason, None, rejection.detail)


def _inheritance(sample: Sample, parents: dict[str, Sample]) -> Rejection | None:
    """Reject a sample without a known parent, or of another group or split than its parent, or not for training."""
    named = sample.synthetic.parents if sample.synthetic else ()
    parent = parents.get(named[0]) if named else None
    if parent is None:
        return Rejection("NO_PARENT", ", ".join(named))
    if (sample.group_id, sample.split) != (parent.group_id, parent.split) or sample.split != TRAINING_SPLIT:
        return Rejection("NOT_INHERITED", f"{sample.split} {sample.group_id}, parent {parent.split} {parent.group_id}")
    return None

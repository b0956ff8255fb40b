"""Recipe `dialogue`: talks between patients and doctors rewritten (paper, section 2.1.4: HealthCareMagic, iCliniq).

The teacher takes out what tells who somebody is, softens what is said as a diagnosis or prescribed, and adds which
doctor to see and that the answer replaces none. What it missed is found by `dialogue_checks`, and the talk is not used.

With `masked` no teacher is told what patterns can find: placeholders stand for it, so that talks which the gate put
aside for what they tell of a person can be written anew too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lingshu.core.errors import UserError
from lingshu.core.sample import Sample, turn
from lingshu.privacy.masking import kinds_in, mask
from lingshu.synthesis.dialogue_checks import names_said
from lingshu.synthesis.parents import draw, eligible_samples
from lingshu.synthesis.proposals import Proposals, Surroundings, child, instruction, made_by
from lingshu.synthesis.replies import RewrittenDialogue
from lingshu.synthesis.teacher import Request

RECIPE = "dialogue"
TASK = "dialogue"
INSTRUCTION = """\
You are given a patient's question and a doctor's answer from an online service. Write both anew.
1. Take out everything that could tell who anybody is: names of people, of hospitals and of the service, addresses,
telephone numbers, links, record numbers, dates. Keep age, sex, complaints, findings and what was done about them.
2. Where the answer states a diagnosis, say what it could be and why. Where it prescribes, name no dose and no brand:
say which kinds of treatment a doctor may consider.
3. Keep every other piece of advice and its reasons. Add no fact. No greeting and no signature.
4. In `referral` write one sentence that says which doctor the patient should see, and how soon if that matters.
5. In `disclaimer` write one sentence that says that this is general information and replaces no examination.
If the answer holds no medical advice, or you can't keep to these rules, refuse."""
OF_PLACEHOLDERS = """
Words in square brackets, as [name], [date], [phone] or [address], stand for what was taken out before. Write so that
none is needed: use no brackets, and put nothing in their place."""
IDENTIFIERS_LEFT = "IDENTIFIERS_LEFT"
Asked = tuple[Sample, Request[RewrittenDialogue]]


def propose(around: Surroundings) -> Proposals:
    """Propose the rewritten talks of the sources that `synthesis.dialogue` names, at most `max_samples`.

    Raises:
        UserError: the teacher only fills templates, or a named source is not enabled.
    """
    params = around.params.dialogue
    if params is None or around.params.teacher.kind == "template":
        raise UserError(
            "params.yaml: synthesis: recipe 'dialogue' needs a model as its teacher",
            "set synthesis.teacher to kind: server with its server section, and give synthesis.dialogue",
        )
    if absent := [source for source in params.sources if source not in around.sources]:
        raise UserError(
            f"params.yaml: synthesis.dialogue.sources: {absent[0]!r} is not in sources.enabled", "enable it"
        )
    found = Proposals(RECIPE)
    samples = eligible_samples(params.sources, (TASK,), root=around.root, aside=params.masked)
    talks = [sample for sample in samples if not sample.images]
    chosen = draw(talks, params.max_samples, around.params.seed, lambda sample: sample.sample_id)
    asked = _masked(chosen, found) if params.masked else [(talk, _request(talk, *_said(talk))) for talk in chosen]
    for parent, request, reply in found.ask(around.teacher, asked):
        found.samples.append(_sample(parent, request, reply, around))
    return found


def _said(talk: Sample) -> tuple[str, str]:
    return talk.prompt_text(), talk.target_text()


def _masked(talks: Sequence[Sample], found: Proposals) -> list[Asked]:
    """Return the requests without what may name a person; a talk in which something is found all the same is noted."""
    said = [_said(talk) for talk in talks]
    masked = mask(said, [names_said("\n".join(parts)) for parts in said])
    asked = [
        _request(talk, one.parts[0], one.parts[1], OF_PLACEHOLDERS) for talk, one in zip(talks, masked, strict=True)
    ]
    sent = kinds_in([request.messages[-1].content[0].text or "" for request in asked])
    left: list[Asked] = []
    for talk, request, one, again in zip(talks, asked, masked, sent, strict=True):
        if kinds := one.left or again:
            found.drop(talk, IDENTIFIERS_LEFT, f"{request.request_id}: {', '.join(kinds)}")
        else:
            left.append((talk, request))
    return left


def _request(talk: Sample, question: str, answer: str, more: str = "") -> Request[RewrittenDialogue]:
    material = f"Patient's question:\n{question}\n\nDoctor's answer:\n{answer}"
    return Request(
        request_id=f"{RECIPE}/{talk.sample_id}",
        messages=instruction(INSTRUCTION + more, material),
        images=(),
        schema=RewrittenDialogue,
    )


def _sample(parent: Sample, request: Request[Any], reply: RewrittenDialogue, around: Surroundings) -> Sample:
    target = "\n\n".join(text.strip() for text in (reply.answer, reply.referral, reply.disclaimer))
    return child(
        parent,
        made_by(RECIPE, request, around.teacher, parent),
        task="dialogue",
        topic="dialogue_rewritten",
        messages=turn(reply.question.strip(), target),
        images=(),
        modality=(),
    )

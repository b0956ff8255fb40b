"""Recipe `cot`: reasoning traces for questions whose answer is known (paper, section 2.2.4, at toy scale).

As in the paper the teacher knows the gold answer, reasons as if it did not, and copies the answer at the end. The
questions are those on drawn pictures, because only there every step of a trace can be checked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lingshu.core.sample import Sample, turn
from lingshu.facts.vocabulary import parsable
from lingshu.synthesis.parents import Parent, draw, eligible_samples, picture_facts, picture_parents
from lingshu.synthesis.proposals import Proposals, Surroundings, child, instruction, made_by
from lingshu.synthesis.replies import Trace
from lingshu.synthesis.teacher import Request

RECIPE = "cot"
TASKS = ("vqa_closed",)
INSTRUCTION = (
    "You see a medical image, a question about it and the right answer. Write briefly what each side shows and "
    "what follows from it, as if you did not know the answer; then copy the answer. Reply as JSON."
)


def propose(around: Surroundings) -> Proposals:
    """Propose one trace a question, at most `max_per_topic` of each topic, evenly over the answers."""
    found = Proposals(RECIPE)
    params = around.params.cot
    samples = eligible_samples(around.sources, TASKS, tuple(params.topics), around.root)
    parents = picture_parents(samples, picture_facts(around.sources, around.root))
    asked: list[tuple[Sample, Request[Trace]]] = []
    for topic in params.topics:
        of_topic = [p for p in parents if p.sample.topic == topic and p.facts.get("generated")]
        chosen = draw(of_topic, params.max_per_topic, around.params.seed, lambda p: p.sample.sample_id, _gold)
        asked += [(parent.sample, _request(parent)) for parent in chosen]
    for parent, request, reply in found.ask(around.teacher, asked):
        found.samples.append(_sample(parent, request, reply, around))
    return found


def _gold(parent: Parent) -> str:
    assert parent.sample.answer is not None
    return parent.sample.answer.text


def _request(parent: Parent) -> Request[Trace]:
    sample, question = parent.sample, parent.sample.prompt_text()
    return Request(
        request_id=f"{RECIPE}/{sample.sample_id}",
        messages=instruction(INSTRUCTION, f"Question: {question}\nAnswer: {_gold(parent)}"),
        images=(sample.images[0].image_id,),
        schema=Trace,
        facts=parsable(parent.facts),
        known={"topic": sample.topic, "question": question, "answer": _gold(parent)},
    )


def _sample(parent: Sample, request: Request[Any], reply: Trace, around: Surroundings) -> Sample:
    assert parent.answer is not None
    target = f"<think>{reply.reasoning}</think><answer>{reply.answer}</answer>"
    return child(
        parent,
        made_by(RECIPE, request, around.teacher, parent),
        task="reasoning",
        topic=parent.topic,
        messages=turn(request.known["question"], target, num_images=1),
        images=parent.images,
        modality=parent.modality,
        answer=replace(parent.answer, text=reply.answer),
        rationale=reply.reasoning,
    )

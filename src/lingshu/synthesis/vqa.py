"""Recipe `vqa`: questions on pictures, from templates and written by the teacher (paper, section 2.2.3).

Templates ask for a label, with options from the data set's own label space. The teacher writes questions in other
words than the base questions, from picture and caption, with up to three wrong answers.
"""

from __future__ import annotations

from typing import Any

from lingshu.core.ids import sha256_bytes
from lingshu.core.sample import Answer, Sample, Synthetic, turn
from lingshu.facts.asking import CHOICE_TOPICS, YES_NO, Question, multiple_choice
from lingshu.facts.vocabulary import parsable
from lingshu.synthesis.annotated import annotation_questions, exclusive_values
from lingshu.synthesis.labels import LabelSpace, label_questions, label_space
from lingshu.synthesis.parents import Parent, draw, eligible_samples, picture_facts, picture_parents
from lingshu.synthesis.phrasing import topics
from lingshu.synthesis.proposals import TASK_OF_KIND, Proposals, Surroundings, child, instruction, made_by
from lingshu.synthesis.replies import WrittenQuestion
from lingshu.synthesis.teacher import Request

RECIPE = "vqa"
RULES = "label-templates-1"
FACT_OF = {"count": "nodule_count", "side": "nodule_side"}  # topics whose fact has another name
INSTRUCTION = (
    "You see a medical image and a caption of it that is true. Write one question about the {topic} that can be "
    "answered from the image, its short answer, and one to three wrong answers if it suits multiple choice. Refuse if "
    "image and caption do not match. Reply as JSON."
)


def propose(around: Surroundings) -> Proposals:
    """Propose template questions and written ones, drawn by topic and evenly over their answers."""
    found = Proposals(RECIPE)
    samples = eligible_samples(around.sources, ("caption",), root=around.root)
    parents = picture_parents(samples, picture_facts(around.sources, around.root))
    space = label_space(parents)
    found.samples += _from_templates(parents, space, around)
    for parent, request, reply in found.ask(around.teacher, _requests(parents, space, around)):
        question = _question(request, reply)
        if question is None:
            found.drop(parent, "ANSWER_AMONG_WRONG", f"{request.request_id}: {reply.answer}")
        else:
            made = made_by(RECIPE, request, around.teacher, parent)
            found.samples.append(_sample(parent, made, question))
    return found


def _from_templates(parents: list[Parent], space: LabelSpace, around: Surroundings) -> list[Sample]:
    by_topic: dict[str, list[tuple[Parent, Question]]] = {}
    values = exclusive_values(parents)
    for parent in parents:
        for question in (*label_questions(parent, space), *annotation_questions(parent, values)):
            by_topic.setdefault(question.topic, []).append((parent, question))
    limit = around.params.vqa.max_templates_per_topic
    found: list[Sample] = []
    for _, asked in sorted(by_topic.items()):
        for parent, question in draw(asked, limit, around.params.seed, _parent_id, lambda item: item[1].answer):
            digest = sha256_bytes(question.question.encode())
            found.append(_sample(parent.sample, Synthetic(RECIPE, RULES, digest, (parent.sample.sample_id,)), question))
    return found


def _parent_id(item: tuple[Parent, Any]) -> str:
    return item[0].sample.sample_id


def _requests(
    parents: list[Parent], space: LabelSpace, around: Surroundings
) -> list[tuple[Sample, Request[WrittenQuestion]]]:
    """Return the requests drawn by topic; a label that is the same on all pictures of a source is not asked for."""
    by_topic: dict[str, list[tuple[Parent, str]]] = {}
    for parent in parents:
        for topic in topics(parent.facts):
            fact = FACT_OF.get(topic, topic)
            if len(space.get((parent.sample.source, fact), ())) != 1:
                by_topic.setdefault(topic, []).append((parent, str(parent.facts.get(fact, ""))))
    limit = around.params.vqa.max_written_per_topic
    return [
        (parent.sample, _request(parent, topic))
        for topic, found in sorted(by_topic.items())
        for parent, _ in draw(found, limit, around.params.seed, _parent_id, lambda item: item[1])
    ]


def _request(parent: Parent, topic: str) -> Request[WrittenQuestion]:
    sample = parent.sample
    return Request(
        request_id=f"{RECIPE}/{topic}/{sample.sample_id}",
        messages=instruction(INSTRUCTION.format(topic=topic.replace("_", " ")), sample.target_text()),
        images=(sample.images[0].image_id,),
        schema=WrittenQuestion,
        facts=parsable(parent.facts),
        known={"topic": topic},
    )


def _question(request: Request[Any], reply: WrittenQuestion) -> Question | None:
    """Return the reply as a question (multiple choice if it has wrong answers), or None if one of those is right."""
    topic = request.known["topic"]
    if reply.answer in reply.wrong_answers:
        return None
    if reply.wrong_answers:
        choice, wrong = CHOICE_TOPICS.get(topic, topic), tuple(reply.wrong_answers)
        return multiple_choice(choice, reply.question, reply.answer, wrong, request.request_id)
    return Question(topic, "yesno" if reply.answer in YES_NO.values() else "closed", reply.question, reply.answer)


def _sample(parent: Sample, made: Synthetic, question: Question) -> Sample:
    return child(
        parent,
        made,
        task=TASK_OF_KIND[question.kind],
        topic=question.topic,
        messages=turn(question.question, question.label or question.answer, num_images=1),
        images=parent.images,
        modality=parent.modality,
        answer=Answer(question.kind, question.answer, question.choices, question.label),
    )

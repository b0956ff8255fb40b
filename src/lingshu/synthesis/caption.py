"""Recipe `caption`: long-form captions of pictures whose facts are known (paper, section 2.2.1, at toy scale).

Kept of the five stages: metadata preparation (facts and short caption), regions of interest (where the source has boxes
or masks), factual annotation (the teacher's description) and summarising organ by organ. Left out, because nothing here
could do it: the description by clinicians' checklists.
"""

from __future__ import annotations

from typing import Any

from lingshu.core.sample import Sample, turn
from lingshu.facts.vocabulary import parsable
from lingshu.synthesis.annotated import regions
from lingshu.synthesis.longform import summarise
from lingshu.synthesis.parents import Parent, draw, eligible_samples, picture_facts, picture_parents
from lingshu.synthesis.proposals import Proposals, Surroundings, child, instruction, made_by, pick
from lingshu.synthesis.replies import Description
from lingshu.synthesis.teacher import Request

RECIPE = "caption"
PROMPTS = ("Describe this image in detail.", "Write a detailed description of this image.")
INSTRUCTION = (
    "You see a medical image and a short caption of it that is true. Describe the image: overall, then each organ or "
    "part with what is seen there and where, then how the findings relate. State nothing that is neither in the "
    "caption nor visible. Refuse if image and caption do not match. Reply as JSON."
)


def propose(around: Surroundings) -> Proposals:
    """Propose one long caption a picture, at most `max_per_modality` of each modality."""
    found = Proposals(RECIPE)
    samples = eligible_samples(around.sources, ("caption",), root=around.root)
    parents = picture_parents(samples, picture_facts(around.sources, around.root))
    chosen: list[Parent] = []
    limit = around.params.caption.max_per_modality
    for name in sorted({_kind(parent) for parent in parents}):
        same = [parent for parent in parents if _kind(parent) == name]
        chosen += draw(same, limit, around.params.seed, lambda parent: parent.sample.sample_id)
    asked = [(parent.sample, _request(parent)) for parent in chosen]
    for parent, request, reply in found.ask(around.teacher, asked):
        found.samples.append(_sample(parent, request, reply, around))
    return found


def _kind(parent: Parent) -> str:
    return f"{'drawn ' if parent.facts.get('generated') else ''}{parent.facts.get('modality', 'other')}"


def _request(parent: Parent) -> Request[Description]:
    sample, known = parent.sample, regions(parent.facts, parent.sample.images[0])
    material = [sample.target_text(), *(f"{region.name}: {region.text}" for region in known)]
    return Request(
        request_id=f"{RECIPE}/{sample.sample_id}",
        messages=instruction(INSTRUCTION, "\n".join(material)),
        images=(sample.images[0].image_id,),
        schema=Description,
        facts=parsable(parent.facts),
        known={region.name: region.text for region in known},
    )


def _sample(parent: Sample, request: Request[Any], reply: Description, around: Surroundings) -> Sample:
    return child(
        parent,
        made_by(RECIPE, request, around.teacher, parent),
        task="caption",
        topic="caption_long",
        messages=turn(pick(PROMPTS, parent.sample_id), summarise(reply), num_images=1),
        images=parent.images,
        modality=parent.modality,
    )

"""Running one recipe: proposals, pictures and what came to nothing, written beside a manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

from lingshu.core.errors import UserError
from lingshu.core.files import fresh_dir
from lingshu.core.images import ImageStore, write_images
from lingshu.core.layout import IMAGES, PROPOSALS, proposal_images, proposal_samples
from lingshu.core.manifest import write_manifest
from lingshu.core.sample import write_samples
from lingshu.core.scratch import clear_scratch, fingerprint, scratch_folder
from lingshu.core.verdicts import write_verdicts
from lingshu.synthesis import caption, cot, dialogue, ocr, vqa
from lingshu.synthesis.params import SynthesisParams
from lingshu.synthesis.proposals import Proposals, Surroundings
from lingshu.synthesis.server_teacher import ServerTeacher
from lingshu.synthesis.teacher import Teacher
from lingshu.synthesis.template import TemplateTeacher

PROPOSED = "PROPOSED"
RECIPES: dict[str, Callable[[Surroundings], Proposals]] = {
    caption.RECIPE: caption.propose,
    vqa.RECIPE: vqa.propose,
    ocr.RECIPE: ocr.propose,
    cot.RECIPE: cot.propose,
    dialogue.RECIPE: dialogue.propose,
}


TEACHERS: dict[str, Callable[[], Teacher]] = {"template": TemplateTeacher}


def propose(recipe: str, params: SynthesisParams, sources: list[str], root: Path = Path()) -> dict[str, int]:
    """Write `data/proposals/<recipe>/`: samples, pictures (if it draws any), verdicts on requests that led to none.

    Returns:
        How many samples were proposed, and how many requests led to none, by reason.

    Raises:
        UserError: there is no such recipe, or it found nothing to build on.
    """
    if recipe not in RECIPES:
        raise UserError(f"recipe {recipe!r}: no such recipe", f"use one of {', '.join(RECIPES)}")
    teacher = make_teacher(recipe, params, sources, root)
    found = RECIPES[recipe](Surroundings(params, tuple(sources), teacher, root))
    if not found.samples:
        fix = f"enable a source that has some, or remove {recipe!r} from synthesis.enabled"
        raise UserError(f"params.yaml: synthesis.{recipe}: no eligible sample to build on in {', '.join(sources)}", fix)
    counts = _write(found, root)
    clear_scratch(f"propose_{recipe}", root)
    return counts


def make_teacher(recipe: str, params: SynthesisParams, sources: list[str], root: Path = Path()) -> Teacher:
    """Return the teacher of a recipe.

    A server's replies are kept under `.work/propose_<recipe>/` until the recipe is done.

    Raises:
        UserError: its key is not there.
    """
    server = params.teacher.server
    if server is None:
        return TEACHERS[params.teacher.kind]()
    folder = scratch_folder(f"propose_{recipe}", fingerprint([server.url, server.model], []), root)
    folders = [root / IMAGES / source for source in sources]
    store = cache(lambda: ImageStore(folders))
    return ServerTeacher(server, folder / "replies.jsonl", lambda image: store().data(image), params.workers)


def _write(found: Proposals, root: Path) -> dict[str, int]:
    folder = fresh_dir(root / PROPOSALS / found.recipe)
    write_samples(root / proposal_samples(found.recipe), found.samples)
    if found.pictures:
        write_images(root / proposal_images(found.recipe), found.pictures)
    write_verdicts(folder / "verdicts.parquet", found.dropped)
    counts = {PROPOSED: len(found.samples), **Counter(verdict.reason for verdict in found.dropped)}
    write_manifest(folder, f"propose@{found.recipe}", len(found.samples), counts)
    return counts

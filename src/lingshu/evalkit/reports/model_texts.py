"""What the metrics that need a model share: where the models are, and what each makes of the texts.

A model is loaded when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from lingshu.core.errors import UserError
from lingshu.core.params import Strict
from lingshu.evalkit.reports.green import AskGreen, GreenScores, green_scores
from lingshu.evalkit.reports.meteor import meteor_wordnet
from lingshu.evalkit.reports.radgraph import (
    CANDIDATES,
    REFERENCES,
    Graphs,
    RadGraphF1,
    RadGraphType,
    annotation_warnings,
    graphs_made,
    graphs_of,
    radgraph_f1,
)
from lingshu.evalkit.reports.text_metrics import Texts
from lingshu.evalkit.reports.weights import weights_file, weights_folder
from lingshu.evalkit.reports.wordnet import load_wordnet

if TYPE_CHECKING:
    from lingshu.evalkit.reports.bertscore import BertScorer
    from lingshu.evalkit.reports.chexbert import Read

Matrix = Literal["long", "short"]
CHEXBERT_FILE = "chexbert.pth"
BASE_FILES = ("*.json", "*.txt")  # of a base model whose weights are elsewhere: configuration and vocabulary
CHEXBERT_BASE = "google-bert/bert-base-uncased"


class ModelSettings(Strict):
    """Where the models are, and how they are applied; every model is a folder (CheXbert's: or a file) or a hub id."""

    bertscore_model: str | None = None
    bertscore_layer: int = 5  # of distilroberta-base
    bertscore_idf: bool = False
    bertscore_baseline: float | None = None
    chexbert: str | None = None
    chexbert_base: str = CHEXBERT_BASE
    radgraph: str | None = None  # the archive, its unpacked folder, or a folder or hub id with TYPE.tar.gz
    radgraph_type: RadGraphType = "radgraph"  # the one that RadCliQ's constants were fitted on
    radgraph_base: str | None = None  # the base model; None: the one that the archive names
    radgraph_annotations: Path | None = None  # a folder with references.json and candidates.json
    ratescore_tagger: str | None = None
    ratescore_encoder: str | None = None
    ratescore_matrix: Matrix = "long"  # upstream's default; short is for single sentences
    wordnet: Path | None = None  # a folder with the files of WordNet


class ModelTexts:
    """References and candidates as models take them, by ids, and sub-scores that came from a file.

    `ask_green` asks GREEN's model; the models of other areas are not known here.
    """

    def __init__(
        self,
        ids: Sequence[str],
        texts: Texts,
        settings: ModelSettings,
        sub_scores: Mapping[str, Sequence[float]],
        ask_green: AskGreen | None = None,
    ) -> None:
        self.ids = ids
        self.texts = texts
        self.references = texts.references
        self.candidates = texts.candidates
        self.settings = settings
        self.sub_scores = sub_scores
        self._ask_green = ask_green

    @cached_property
    def scorer(self) -> BertScorer:
        """The model of BERTScore."""
        from lingshu.evalkit.reports.bertscore import load_scorer  # noqa: PLC0415 - imports torch

        if self.settings.bertscore_model is None:
            raise _not_given("BERTScore", "--bertscore-model", "distilroberta-base, the model of RadCliQ")
        folder = weights_folder(self.settings.bertscore_model, "--bertscore-model")
        return load_scorer(folder, self.settings.bertscore_layer)

    @cached_property
    def bertscore(self) -> NDArray[np.float64]:
        """F1 of each sample, not rescaled."""
        if self.settings.bertscore_idf and len(self.references) == 1:
            raise UserError("--bertscore-idf: with one sample every token weighs log 1 = 0", "leave it out")
        return self.scorer.f1(self.references, self.candidates, idf=self.settings.bertscore_idf)

    @cached_property
    def rescaled(self) -> NDArray[np.float64]:
        """F1 of each sample over the baseline; 0 for an empty text."""
        from lingshu.evalkit.reports.bertscore import baseline_of  # noqa: PLC0415 - imports torch

        baseline = baseline_of(self.scorer, self.settings.bertscore_baseline)
        filled = [bool(r.strip() and c.strip()) for r, c in zip(self.references, self.candidates, strict=True)]
        return np.where(filled, (self.bertscore - baseline) / (1 - baseline), 0.0)

    @cached_property
    def read(self) -> tuple[Read, Read]:
        """What CheXbert reads in the references and in the candidates."""
        from lingshu.evalkit.reports.chexbert import load_chexbert  # noqa: PLC0415 - imports torch

        if self.settings.chexbert is None:
            raise _not_given("CheXbert", "--chexbert", f"{CHEXBERT_FILE}, or StanfordAIMI/RRG_scorers on the hub")
        checkpoint = weights_file(self.settings.chexbert, CHEXBERT_FILE, "--chexbert")
        model = load_chexbert(checkpoint, weights_folder(self.settings.chexbert_base, "--chexbert-base"))
        return model.read(self.references), model.read(self.candidates)

    @cached_property
    def semb(self) -> NDArray[np.float64]:
        """SembScore of each sample."""
        from lingshu.evalkit.reports.chexbert import semb_scores  # noqa: PLC0415 - imports torch

        return semb_scores(*self.read)

    @cached_property
    def annotations(self) -> dict[str, dict[str, Any]]:
        """What RadGraph's model reads in the texts that aren't empty, by file name and id."""
        from lingshu.evalkit.reports.radgraph_archive import archive_path, read_archive  # noqa: PLC0415 - imports torch
        from lingshu.evalkit.reports.radgraph_model import load_radgraph  # noqa: PLC0415 - imports torch

        if self.settings.radgraph is None:
            raise UserError(
                "RadGraph-F1 needs a model or annotations: neither --radgraph nor --radgraph-annotations is given",
                "name the model's archive, folder or hub id (StanfordAIMI/RRG_scorers), or a folder of annotations",
            )
        kind = self.settings.radgraph_type
        archive = read_archive(archive_path(self.settings.radgraph, kind), kind)
        base = self.settings.radgraph_base or archive.config.encoder.model_name
        model = load_radgraph(archive, weights_folder(base, "--radgraph-base", BASE_FILES))
        made = {}
        for name, texts in ((REFERENCES, self.references), (CANDIDATES, self.candidates)):
            filled = {i: text for i, text in zip(self.ids, texts, strict=True) if text.strip()}
            made[name] = dict(zip(filled, model.annotate(list(filled.values())), strict=True))
        return made

    @cached_property
    def graphs(self) -> Graphs:
        """The RadGraph annotations of both sides, from files or made here."""
        if (folder := self.settings.radgraph_annotations) is not None:
            return graphs_of(folder, self.ids, self.references, self.candidates)
        return graphs_made(self.annotations, self.ids)

    @cached_property
    def radgraph(self) -> RadGraphF1:
        """The RadGraph-F1 scores of each sample."""
        return radgraph_f1(self.graphs)

    @cached_property
    def ratescore(self) -> NDArray[np.float64]:
        """RaTEScore of each sample."""
        from lingshu.evalkit.reports.rate_models import load_rate_models  # noqa: PLC0415 - imports torch
        from lingshu.evalkit.reports.ratescore import AFFINITY  # noqa: PLC0415 - imports torch

        wanted = self.settings
        if wanted.ratescore_tagger is None:
            raise _not_given("RaTEScore", "--ratescore-tagger", "Angelakeke/RaTE-NER-Deberta")
        if wanted.ratescore_encoder is None:
            raise _not_given("RaTEScore", "--ratescore-encoder", "FremyCompany/BioLORD-2023-C")
        tagger = weights_folder(wanted.ratescore_tagger, "--ratescore-tagger")
        models = load_rate_models(tagger, weights_folder(wanted.ratescore_encoder, "--ratescore-encoder"))
        return models.scores(self.references, self.candidates, AFFINITY[wanted.ratescore_matrix])

    @cached_property
    def meteor(self) -> NDArray[np.float64]:
        """METEOR of each sample, with the synonyms of a WordNet."""
        if self.settings.wordnet is None:
            raise UserError(
                "METEOR with synonyms needs WordNet, and --wordnet is not given",
                "name a folder with its files, as /usr/share/wordnet of the Debian package wordnet-base,"
                " or use meteor_exact_stem",
            )
        synonyms = load_wordnet(self.settings.wordnet).synonyms
        return meteor_wordnet(self.texts.wanted, self.texts.given, synonyms)

    @cached_property
    def green(self) -> GreenScores:
        """GREEN of each sample, and what it was made with."""
        if self._ask_green is None:
            raise _not_given("GREEN", "--green-judge", "openai:NAME@URL, or StanfordAIMI/GREEN-radllama2-7b")
        return green_scores(self.references, self.candidates, self._ask_green)

    def warnings(self) -> list[str]:
        """Return what to beware of in what was used so far."""
        used = self.__dict__
        return [
            *(annotation_warnings(self.graphs) if "graphs" in used else []),
            *(self.green.warnings() if "green" in used else []),
        ]

    def records(self) -> dict[str, Any]:
        """Return by name what made numbers beyond the settings."""
        return {"green": self.green.record} if "green" in self.__dict__ else {}

    def unscored(self) -> dict[str, dict[str, int]]:
        """Return by metric how many samples are unscored, by reason; a metric without any is left out."""
        found = self.green.unscored() if "green" in self.__dict__ else {}
        return {"green": found} if found else {}

    def problems(self, most: float) -> list[str]:
        """Return which model has failed on more than the share `most` of its calls."""
        return self.green.problems(most) if "green" in self.__dict__ else []


def _not_given(metric: str, option: str, what: str) -> UserError:
    return UserError(f"{metric} needs a model, and {option} is not given", f"name its folder or hub id: {what}")

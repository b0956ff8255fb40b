"""Give every training picture a modality: its tag, or the probe's prediction; drop samples of pictures not medical."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from lingshu.core.errors import UserError
from lingshu.core.files import atomic_path, fresh_dir
from lingshu.core.id_joins import rows_among
from lingshu.core.images import ImageStore
from lingshu.core.layout import IMAGES, MODALITY, SAMPLES, verdict_file
from lingshu.core.tables import sample_table
from lingshu.core.verdicts import FRAME_SCHEMA, KEPT, account, funnel, kept, report_only, write_verdicts
from lingshu.modality.calibration import calibrate
from lingshu.modality.features import encoder_of, features_of
from lingshu.modality.params import ModalityParams
from lingshu.modality.pictures import NOT_MEDICAL, chosen_for_probe, training_pictures
from lingshu.modality.probe import Classifier, Prediction, all_held_out, fit, held_out, judge, predict
from lingshu.modality.prompts import read_prompts
from lingshu.modality.zero_shot import ZeroShot, check_tags, zero_shot
from lingshu.modeling.open_clip_encoder import FOLDER, OpenClipEncoder
from lingshu.modeling.open_clip_files import ORIGIN

STEP = "classify_modality"
PREDICTION_SCHEMA = pa.schema(
    [
        ("image_id", pa.string()),
        ("source", pa.string()),
        ("modality", pa.string()),  # the tag, or the likeliest label
        ("probability", pa.float64()),  # null where tagged
        ("abstained", pa.bool_()),  # too uncertain to be used
        ("tagged", pa.bool_()),
    ]
)


@dataclass(frozen=True, slots=True)
class Classified:
    """The verdicts by sample_id (`core.verdicts.FRAME_SCHEMA`), and the metrics: funnel, cross-validation, guesses."""

    verdicts: pl.DataFrame
    metrics: dict[str, Any]


def classify_modality(sources: Sequence[str], params: ModalityParams, root: Path = Path()) -> Classified:
    """Write `predictions.parquet` and `verdicts.parquet` under data/modality.

    Raises:
        UserError: fewer than two modalities are tagged for a probe, the encoder's files are absent or of another
            network, a tag is no class of the prompts, or there is too little to calibrate with.
    """
    folder = fresh_dir(root / MODALITY)
    came = kept(root / verdict_file("decontaminate"))["sample_id"]
    samples = sample_table((root / SAMPLES / source for source in sources), ("sample_id", "source", "image_ids"))
    samples = rows_among(samples, came)
    shown = set(samples["image_ids"].explode(empty_as_null=False))
    pictures = training_pictures(sources, shown, root)
    learned = chosen_for_probe(pictures, params)
    untagged = pictures.filter(pl.col("tag").is_null())
    store = ImageStore(root / IMAGES / source for source in sources)
    found = _classified(learned, untagged, store, params, root)

    predictions = _predictions(pictures, untagged, found.guesses)
    with atomic_path(folder / "predictions.parquet") as temporary:
        pq.write_table(predictions.to_arrow().cast(PREDICTION_SCHEMA), temporary, compression="zstd")
    verdicts = _verdicts(samples, predictions)
    counts = funnel(verdicts)
    if params.report_only:
        verdicts = report_only(verdicts)
        counts = funnel(verdicts) | {"report_only": counts["dropped"]}
    account(STEP, samples["sample_id"], verdicts)
    write_verdicts(folder / "verdicts.parquet", verdicts)
    metrics = {**counts, "encoder": _origin(params, root), "cross_validation": found.judged}
    if found.calibration:
        metrics["calibration"] = found.calibration
    return Classified(
        verdicts, {**metrics, "tagged": _tag_counts(pictures, learned), "untagged": _guess_counts(predictions)}
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """Predictions of the untagged pictures, figures on held-out groups, and those of the calibration, if any."""

    guesses: list[Prediction]
    judged: dict[str, Any]
    calibration: dict[str, Any]


def _classified(
    learned: pl.DataFrame, untagged: pl.DataFrame, store: ImageStore, params: ModalityParams, root: Path
) -> _Found:
    labels, groups = learned["tag"].to_list(), learned["group"].to_list()
    if params.method == "probe" and len(set(labels)) < 2:
        raise UserError("no two modalities are tagged in data/images", "enable a source of real pictures")
    features = features_of([*learned["image_id"], *untagged["image_id"]], store, params, root)
    known, unknown = features[: len(learned)], features[len(learned) :]
    model: Classifier
    if params.method == "probe":
        held, model = held_out(known, labels, groups, params), fit(known, labels, params)
    else:
        model = _zero_shot(params, labels, root)
        held = all_held_out(model, known, labels, groups, params)
    temperature, figures = 1.0, dict[str, Any]()
    if params.calibrate:
        temperature, after, figures = calibrate(held.chances, held.truth, held.folds)
        held = replace(held, chances=after)
    return _Found(predict(model, unknown, params, temperature), judge(held, params), figures)


def _zero_shot(params: ModalityParams, labels: list[str], root: Path) -> ZeroShot:
    encoder = encoder_of(params, root)
    assert isinstance(encoder, OpenClipEncoder), "params refuse zero_shot with others"
    model = zero_shot(encoder, read_prompts(root))
    check_tags(labels, model.classes)
    return model


def _origin(params: ModalityParams, root: Path) -> Any:
    """Return the encoder for the metrics: its name, or where `pull_encoder` had it from, and the method."""
    if isinstance(params.encoder, str):
        return params.encoder
    origin = json.loads((root / FOLDER / ORIGIN).read_text(encoding="utf-8"))
    return {**origin, "method": params.method}


def _predictions(pictures: pl.DataFrame, untagged: pl.DataFrame, guesses: Sequence[Prediction]) -> pl.DataFrame:
    """Return the columns of `PREDICTION_SCHEMA` of all pictures, in their order."""
    found = pl.DataFrame(
        {
            "image_id": untagged["image_id"],
            "label": pl.Series([one.label for one in guesses], dtype=pl.String),
            "probability": pl.Series([one.probability for one in guesses], dtype=pl.Float64),
            "abstained": pl.Series([one.abstained for one in guesses], dtype=pl.Boolean),
        }
    )
    joined = pictures.join(found, on="image_id", how="left", maintain_order="left")
    return joined.select(
        "image_id",
        "source",
        modality=pl.coalesce("label", "tag"),
        probability="probability",
        abstained=pl.col("abstained").fill_null(False),
        tagged=pl.col("label").is_null(),
    )


def _verdicts(samples: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
    """Return `FRAME_SCHEMA`: a sample is dropped for the first of its pictures that is not medical."""
    refused = predictions.filter(pl.col("modality") == NOT_MEDICAL, ~pl.col("abstained"))
    shown = samples.select("sample_id", image_id="image_ids").explode("image_id", empty_as_null=False)
    bad = shown.join(refused.select("image_id", "probability"), on="image_id", maintain_order="left")
    bad = bad.unique("sample_id", keep="first", maintain_order=True)
    judged = samples.join(bad, on="sample_id", how="left", maintain_order="left")
    keep = pl.col("image_id").is_null()
    return judged.select(
        "sample_id",
        "source",
        step=pl.lit(STEP),
        keep=keep,
        reason=pl.when(keep).then(pl.lit(KEPT)).otherwise(pl.lit("NOT_MEDICAL")),
        score="probability",
        detail=pl.when(keep).then(pl.lit("")).otherwise(pl.format("picture {}", "image_id")),
    ).cast(FRAME_SCHEMA)


def _tag_counts(pictures: pl.DataFrame, learned: pl.DataFrame) -> dict[str, dict[str, dict[str, int]]]:
    """Return `{modality: {source: {pictures, groups, encoded}}}`: how many are tagged, how many the probe saw."""
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for (label, source), part in sorted(pictures.filter(pl.col("tag").is_not_null()).group_by("tag", "source")):
        encoded = learned.filter(pl.col("tag") == label, pl.col("source") == source)
        row = {"pictures": len(part), "groups": part["group"].n_unique(), "encoded": len(encoded)}
        counts.setdefault(str(label), {})[str(source)] = row
    return counts


def _guess_counts(predictions: pl.DataFrame) -> dict[str, dict[str, int]]:
    """Return `{source: {modality: n, "abstained": n}}` of the pictures without a tag."""
    label = pl.when("abstained").then(pl.lit("abstained")).otherwise("modality")
    untagged = (
        predictions.filter(~pl.col("tagged")).group_by("source", label.alias("label")).len().sort("source", "label")
    )
    counts: dict[str, dict[str, int]] = {}
    for source, name, number in untagged.iter_rows():
        counts.setdefault(source, {})[name] = number
    return counts

"""A tiny random RadGraph archive, and its base model, in the layout of the published ones; invented reports for it.

Values come from a generator whose stream NumPy has frozen, so that the archive is the same everywhere.
"""

import json
import random
import tarfile
from pathlib import Path
from zlib import crc32

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

SEED = 15
WIDTH, FEATURES, HIDDEN, LAYERS, WIDEST = 24, 4, 16, 2, 6
ENTITIES = (
    "",
    *(f"Observation::definitely {x}" for x in ("present", "absent")),
    "Observation::uncertain",
    "Anatomy::definitely present",
)
RELATIONS = ("modify", "located_at", "suggestive_of")
SCALE, FEWER_ENTITIES, FEWER_RELATIONS = 2.0, 2.5, 8.0
PREFIX = "_embedder.token_embedder_bert._matched_embedder.transformer_model."
# fmt: off
WORDS = (
    "the", "heart", "is", "normal", "in", "size", "no", "pleural", "effusion", "small", "left", "right", "lung",
    "lungs", "are", "clear", "with", "without", "and", "of", "at", "base", "pneumothorax", "consolidation",
    "edema", "mild", "moderate", "unchanged", "since", "prior", "line", "tube", "tip", "above", "there",
    "acute", "process",
)
# fmt: on
SHAPE = {"hidden_size": WIDTH, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 32}
BERT = {"model_type": "bert", "architectures": ["BertModel"], "max_position_embeddings": 512, **SHAPE}
MODERN = {
    "model_type": "modernbert",
    "architectures": ["ModernBertForMaskedLM"],
    "max_position_embeddings": 512,
    "local_attention": 16,
    "global_attn_every_n_layers": 2,
    **{f"{name}_token_id": number for number, name in enumerate(("pad", "unk", "cls", "sep", "mask"))},
    **{"bos_token_id": 2, "eos_token_id": 3},
    **SHAPE,
}
SPECIAL = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}


def vocabulary() -> list[str]:
    """Word pieces: special tokens, some words, every small letter and digit, alone and within a word, and marks."""
    signs = "abcdefghijklmnopqrstuvwxyz0123456789"
    return [*SPECIAL.values(), *WORDS, *signs, *(f"##{sign}" for sign in signs), *".,:;!?()/%-'\"`<>=*+&"]


def base_folder(folder: Path) -> Path:
    """Configuration and vocabulary of an uncased BERT, as BiomedBERT's repository has them."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = vocabulary()
    (folder / "config.json").write_text(json.dumps(BERT | {"vocab_size": len(pieces)}))
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true, "tokenizer_class": "BertTokenizer"}')
    return folder


def modern_folder(folder: Path) -> Path:
    """Configuration and vocabulary of a ModernBERT: byte-level BPE, whose tokenizer class adds no special tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = modern_vocabulary()
    merges = [(pair[0], pair[1]) for pair in pieces if len(pair) == 2]
    tokenizer = Tokenizer(models.BPE({piece: number for number, piece in enumerate(pieces)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIAL.values()))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {f"{name}_token": token for name, token in SPECIAL.items()}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 8192, **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "config.json").write_text(json.dumps(MODERN | {"vocab_size": len(pieces)}))
    return folder


def modern_vocabulary() -> list[str]:
    """Special tokens, all bytes, and some pairs of letters."""
    pairs = [first + second for first in "aeilnorst" for second in "aeilnorst"]
    return [*SPECIAL.values(), *sorted(pre_tokenizers.ByteLevel.alphabet()), *pairs]


def config(base: str, longest: int = 512) -> dict:
    """The configuration that AllenNLP writes beside the weights."""
    bert = {"type": "pretrained_transformer_mismatched", "model_name": base, "max_length": longest}
    return {
        "dataset_reader": {"type": "dygie", "max_span_width": WIDEST, "token_indexers": {"bert": bert}},
        "model": {
            "type": "dygie",
            "embedder": {"token_embedders": {"bert": bert}},
            "initializer": {"regexes": [["_span_width_embedding.weight", {"type": "xavier_normal"}]]},
            "module_initializer": {"regexes": [[".*weight", {"type": "xavier_normal"}]]},
            "loss_weights": {"coref": 0, "events": 0, "ner": 0.2, "relation": 1},
            "feature_size": FEATURES,
            "max_span_width": WIDEST,
            "target_task": "relation",
            "feedforward_params": {"num_layers": LAYERS, "hidden_dims": HIDDEN, "dropout": 0.4},
            "modules": {
                "coref": {"spans_per_word": 0.3, "max_antecedents": 100, "coref_prop": 0},
                "ner": {},
                "relation": {"spans_per_word": 0.5},
                "events": {
                    "trigger_spans_per_word": 0.3,
                    "argument_spans_per_word": 0.8,
                    "loss_weights": {"trigger": 0.2, "arguments": 1},
                },
            },
        },
        "trainer": {"num_epochs": 50},
    }


def scorer_shapes(kind: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all weights but the encoder's; those of coreference and events are there, not used."""
    span, entity, relation = 2 * WIDTH + FEATURES, f"{kind}__ner_labels", f"{kind}__relation_labels"
    shapes: dict[str, tuple[int, ...]] = {}

    def linear(name: str, given: int, made: int) -> None:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (made, given), (made,)

    def hidden(name: str, given: int) -> None:
        for layer in range(LAYERS):
            linear(f"{name}._linear_layers.{layer}", given if layer == 0 else HIDDEN, HIDDEN)

    shapes["_endpoint_span_extractor._span_width_embedding.weight"] = (WIDEST, FEATURES)
    hidden(f"_ner._ner_scorers.{entity}.0._module", span)
    linear(f"_ner._ner_scorers.{entity}.1._module", HIDDEN, len(ENTITIES) - 1)
    hidden(f"_relation._mention_pruners.{relation}._scorer.0._module", span)
    linear(f"_relation._mention_pruners.{relation}._scorer.1._module", HIDDEN, 1)
    hidden(f"_relation._relation_feedforwards.{relation}", 3 * span)
    linear(f"_relation._relation_scorers.{relation}", HIDDEN, len(RELATIONS))
    shapes["_coref._distance_embedding.weight"] = (10, FEATURES)
    hidden("_coref._antecedent_feedforward._module", 3 * span + FEATURES)
    hidden("_coref._mention_pruner._scorer.0._module", span)
    linear("_coref._mention_pruner._scorer.1._module", HIDDEN, 1)
    linear("_coref._antecedent_scorer._module", HIDDEN, 1)
    shapes["_events._distance_embedding.weight"] = (10, FEATURES)
    linear("_coref._f_network._linear_layers.0", 2 * span, span)
    return shapes


def bert_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of BERT's weights."""
    inner = BERT["intermediate_size"]
    shapes = {
        "embeddings.word_embeddings.weight": (len(vocabulary()), WIDTH),
        "embeddings.position_embeddings.weight": (BERT["max_position_embeddings"], WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "embeddings.LayerNorm.weight": (WIDTH,),
        "embeddings.LayerNorm.bias": (WIDTH,),
        "pooler.dense.weight": (WIDTH, WIDTH),
        "pooler.dense.bias": (WIDTH,),
    }
    for layer in range(BERT["num_hidden_layers"]):
        here = f"encoder.layer.{layer}"
        square = [f"attention.self.{name}" for name in ("query", "key", "value")] + ["attention.output.dense"]
        sizes = dict.fromkeys(square, (WIDTH, WIDTH))
        sizes |= {"intermediate.dense": (inner, WIDTH), "output.dense": (WIDTH, inner)}
        for name, (made, given) in sizes.items():
            shapes |= {f"{here}.{name}.weight": (made, given), f"{here}.{name}.bias": (made,)}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"{here}.{name}.weight": (WIDTH,), f"{here}.{name}.bias": (WIDTH,)}
    return shapes


def modern_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of ModernBERT's weights."""
    inner = MODERN["intermediate_size"]
    shapes = {"embeddings.tok_embeddings.weight": (len(modern_vocabulary()), WIDTH), "final_norm.weight": (WIDTH,)}
    shapes["embeddings.norm.weight"] = (WIDTH,)
    for layer in range(MODERN["num_hidden_layers"]):
        sizes = {"attn.Wqkv": (3 * WIDTH, WIDTH), "attn.Wo": (WIDTH, WIDTH)}
        sizes |= {"mlp.Wi": (2 * inner, WIDTH), "mlp.Wo": (WIDTH, inner), "mlp_norm": (WIDTH,)}
        sizes |= {"attn_norm": (WIDTH,)} if layer else {}
        shapes |= {f"layers.{layer}.{name}.weight": size for name, size in sizes.items()}
    return shapes


def weights(kind: str, seed: int = SEED) -> dict[str, torch.Tensor]:
    """Random weights, of which each depends on its name only, large enough that words matter.

    Rows of layers sum to 0, so that no label is everyone's; a bias keeps most spans and pairs from having one.
    """
    encoder = modern_shapes() if kind.startswith("modern") else bert_shapes()
    found = {}
    for name, shape in ({f"{PREFIX}{key}": value for key, value in encoder.items()} | scorer_shapes(kind)).items():
        values = np.random.RandomState(crc32(name.replace(kind, "").encode()) ^ seed).standard_normal(shape)
        if "norm" in name.lower():
            values = values * 0.1 + name.endswith("weight")
        elif name.endswith("bias"):
            values = values * 0.1
        elif "embedding" not in name:
            values = (values - values.mean(axis=1, keepdims=True)) * (SCALE / np.sqrt(shape[-1]))
        found[name] = torch.tensor(values, dtype=torch.float32)
    found[f"_ner._ner_scorers.{kind}__ner_labels.1._module.bias"] -= FEWER_ENTITIES
    found[f"_relation._relation_scorers.{kind}__relation_labels.bias"] -= FEWER_RELATIONS
    return found


def archive_folder(folder: Path, kind: str, base: str, longest: int = 512, seed: int = SEED) -> Path:
    """Write an unpacked archive, and return its folder; `base` is what its configuration calls its base model."""
    names = folder / "vocabulary"
    names.mkdir(parents=True, exist_ok=True)
    (names / "non_padded_namespaces.txt").write_text("*tags\n*labels\n")
    (names / f"{kind}__ner_labels.txt").write_text("\n".join(ENTITIES) + "\n")
    (names / f"{kind}__relation_labels.txt").write_text("\n".join(RELATIONS) + "\n")
    (folder / "config.json").write_text(json.dumps(config(base, longest), indent=2))
    torch.save(weights(kind, seed), folder / "weights.th")
    return folder


def pack(folder: Path, path: Path) -> Path:
    """Pack an unpacked archive, as `tar czf PATH -C FOLDER .` does."""
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, ".")
    return path


STATEMENTS = (
    "The heart is normal in size.",
    "No pleural effusion or pneumothorax.",
    "Small left pleural effusion, unchanged since prior.",
    "There is mild edema (interstitial) at the right base.",
    "ET tube tip is 3.5 cm above the carina.",
    "Lungs are clear without focal consolidation.",
    "Moderate-to-severe cardiomegaly; mediastinum normal",
    "Question of pneumonia vs atelectasis: follow-up advised?",
    "PICC line ends in the lower SVC (good position).",
    "LVEF is 45%, was 50%.",
    "Nodule 4x6 mm / stable!",
    "Kerley-B lines are seen bilaterally, more on the left/right.",
)


def reports(count: int, seed: int = SEED) -> list[str]:
    """Invented reports: statements in random order, some with words in capitals, gaps, breaks, or odd signs."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        parts = draw.choices(STATEMENTS, k=draw.randint(1, 4))
        if draw.random() < 0.2:
            parts = [part.upper() for part in parts]
        if draw.random() < 0.2:
            words = " ".join(parts).split()
            draw.shuffle(words)
            parts = [" ".join(words)]
        found.append(draw.choice((" ", " ", "\n", "  ", "")).join(parts))
    return found

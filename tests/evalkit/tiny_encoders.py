"""Tiny random models of the architectures that metrics load, with tokenizers trained on a few sentences."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertModel,
    DebertaV2Config,
    DebertaV2ForTokenClassification,
    MPNetConfig,
    MPNetModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
)

SENTENCES = [
    "The heart is normal in size. No pleural effusion.",
    "Small left pleural effusion. The heart is enlarged.",
    "The lungs are clear without consolidation or pneumothorax.",
]
VOCABULARY = 300
WIDTH = 16
SHAPE = {"hidden_size": WIDTH, "num_attention_heads": 2, "intermediate_size": 24, "vocab_size": VOCABULARY}


def roberta_folder(folder: Path, layers: int = 3) -> Path:
    """A RoBERTa as distilroberta-base is one: byte-level BPE, positions counted from the padding id."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        SENTENCES, trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=alphabet)
    )
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    names = {"bos": "<s>", "eos": "</s>", "cls": "<s>", "sep": "</s>", "pad": "<pad>", "unk": "<unk>", "mask": "<mask>"}
    tokens = {f"{key}_token": value for key, value in names.items()}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=62, **tokens).save_pretrained(folder)
    torch.manual_seed(5)
    config = RobertaConfig(**SHAPE, num_hidden_layers=layers, max_position_embeddings=64, pad_token_id=1)
    RobertaModel(config).save_pretrained(folder)
    return folder


def bert_folder(folder: Path, positions: int = 64) -> Path:
    """Configuration and vocabulary of a BERT, as the folder of bert-base-uncased has them."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(SENTENCES, trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=special))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"cls": "[CLS]", "sep": "[SEP]", "pad": "[PAD]", "unk": "[UNK]", "mask": "[MASK]"}
    tokens = {f"{key}_token": value for key, value in names.items()}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=positions, **tokens).save_pretrained(folder)
    BertConfig(**SHAPE, num_hidden_layers=2, max_position_embeddings=positions).save_pretrained(folder)
    return folder


RATE_LABELS = ("O", *(f"{m}-{t}" for t in ("ABNORMALITY", "ANATOMY", "DISEASE") for m in "BI"))
RATE_LABELS += tuple(f"{m}-NON-{t}" for t in ("ABNORMALITY", "DISEASE") for m in "BI")


def tagger_folder(folder: Path, labels: tuple[str, ...] = RATE_LABELS) -> Path:
    """A DeBERTa-v2 that tags tokens, with a unigram tokenizer, as RaTE-NER-Deberta."""
    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=80, special_tokens=special, unk_token="[UNK]")
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    names = {"cls": "[CLS]", "sep": "[SEP]", "pad": "[PAD]", "unk": "[UNK]", "mask": "[MASK]"}
    tokens = {f"{key}_token": value for key, value in names.items()}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **tokens).save_pretrained(folder)
    torch.manual_seed(64)  # a seed whose names of a report differ: equal cosines have no rule of their own
    named = {"id2label": dict(enumerate(labels)), "label2id": {label: n for n, label in enumerate(labels)}}
    config = DebertaV2Config(
        **SHAPE, **named, num_hidden_layers=2, relative_attention=True, pos_att_type=["p2c", "c2p"]
    )
    model = DebertaV2ForTokenClassification(config)
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(6)  # random weights as they are give all tokens one label
    model.save_pretrained(folder)
    return folder


def encoder_folder(folder: Path) -> Path:
    """An MPNet, as BioLORD-2023-C is one."""
    special = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(SENTENCES, trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=special))
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    names = {"bos": "<s>", "eos": "</s>", "cls": "<s>", "sep": "</s>", "pad": "<pad>", "unk": "[UNK]", "mask": "<mask>"}
    tokens = {f"{key}_token": value for key, value in names.items()}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=62, **tokens).save_pretrained(folder)
    torch.manual_seed(19)
    model = MPNetModel(MPNetConfig(**SHAPE, num_hidden_layers=2, max_position_embeddings=64))
    with torch.no_grad():
        for weights in model.parameters():
            # as they are, all names lie so close that rounding picks the closest, and processors round differently
            weights.mul_(10 if weights.dim() > 1 else 1)
    model.save_pretrained(folder)
    return folder


def chexbert_file(base: Path, path: Path) -> tuple[BertModel, torch.nn.ModuleList]:
    """Write a random checkpoint with the keys of the released one, and return its encoder and heads."""
    torch.manual_seed(7)
    encoder = BertModel(BertConfig.from_pretrained(base)).eval()
    with torch.no_grad():
        for weights in encoder.parameters():
            weights.mul_(8)  # random weights as they are give every text nearly the same vector
    heads = torch.nn.ModuleList([torch.nn.Linear(WIDTH, 4) for _ in range(13)] + [torch.nn.Linear(WIDTH, 2)])
    state = {f"module.bert.{key}": value for key, value in encoder.state_dict().items()}
    state |= {f"module.linear_heads.{key}": value for key, value in heads.state_dict().items()}
    torch.save({"epoch": 1, "model_state_dict": state}, path)
    return encoder, heads

"""Text overlap: equal question and answer, and shared runs of words (13-grams) by coverage of the benchmark's text.

An item's text is its question with the answer, and the question by itself: training texts answer in other words, at
length, or by a letter. A short question is looked for where it is asked, and counts if its answer is given too. A
question that one benchmark asks of several pictures, or with several answers, is a template and not looked for by
itself. Of an item with pictures only a question of many words is, or a report: else its picture is the item.
Importing this module imports numba.
"""

from __future__ import annotations

import polars as pl

from lingshu.core.folding import as_texts, folded
from lingshu.decontam.ngrams import NgramHits, ngram_hits, ngram_index
from lingshu.decontam.overlap import overlaps
from lingshu.decontam.params import DecontamParams

TEXT = pl.concat_str("prompt", "answer", separator="\n")
SAID = pl.when(pl.col("target") != pl.col("answer")).then("target").otherwise(pl.lit(""))
PICTURES = pl.col("image_ids").list.join("\n")
NO_PICTURES = pl.col("image_ids").list.len() == 0
LINE_SLACK = 2  # bytes of a line as it stands, for each of its normal form: marks and spaces
FOUND = ("train_id", "source", "benchmark", "item_id", "coverage")


class ItemTexts:
    """The texts of benchmark items, ready to be looked for in any number of training texts.

    Args:
        items: columns benchmark, item_id, image_ids, prompt, answer (raw).
        rule: section `decontam`: words in a run, coverage, and words of a question that counts by itself.
    """

    def __init__(self, items: pl.DataFrame, rule: DecontamParams) -> None:
        self._rule = rule
        texts = items.filter(NO_PICTURES)
        whole = folded(texts.select(text=TEXT)["text"]).series()
        self._whole = texts.select("benchmark", "item_id", text=whole, words=_words(whole))
        asked = _questions(items)
        least = pl.when("bare").then(rule.question_words).otherwise(rule.picture_question_words)
        alone, short = asked.filter(pl.col("weight") >= least), asked.filter("bare", pl.col("weight") < least)
        columns = self._whole.columns
        reports = _reports(items).filter(pl.col("weight") >= rule.picture_question_words).select(columns)
        long = pl.concat([self._whole, alone.select(columns)]).with_columns(report=pl.lit(value=False))
        long = pl.concat([long, reports.with_columns(report=pl.lit(value=True))])
        self._long = long.filter(pl.col("words") >= rule.ngram_words)
        self._long_index = ngram_index(as_texts(self._long["text"]), rule.ngram_words)
        self._middle = alone.filter(pl.col("words") < rule.ngram_words).select(*columns, "gold")
        heads = self._middle["text"].str.split(" ").list.head(rule.question_words).list.join(" ")
        self._middle_index = ngram_index(as_texts(heads), rule.question_words)
        self._short = short.filter(pl.col("gold") != "").select("benchmark", "item_id", "text", "gold")
        self._longest_line = max(self._short["text"].str.len_bytes(), default=0)

    def overlaps(self, train: pl.DataFrame) -> pl.DataFrame:
        """Return the training samples whose text is an item's, or holds enough of its distinct runs or its question.

        Args:
            train: columns sample_id, source, image_ids, prompt, answer, target (raw).
        """
        own = folded(train.select(text=TEXT)["text"]).series()
        said = folded(train.select(said=SAID)["said"]).series("said")
        names = train.select("source", "prompt", train_id="sample_id", text=own, bare=NO_PICTURES)
        equal = names.filter("bare").join(self._whole, on="text").with_columns(coverage=1.0).select(FOUND)
        more = pl.when(pl.col("said") == "").then("text").otherwise(pl.concat_str("text", "said", separator=" "))
        searched = names.with_columns(said).with_columns(text=more)
        same = pl.concat([equal, self._answered(train, searched)])
        return pl.concat([overlaps(same, "text", "exact"), overlaps(self._held(searched), "text", "ngram")])

    def _held(self, train: pl.DataFrame) -> pl.DataFrame:
        """Return which texts hold enough of an item's runs, ask a shorter question, or hold one with its answer."""
        hits = ngram_hits(as_texts(train["text"]), self._long_index, self._rule.coverage)
        bare = train.filter("bare")
        begun = ngram_hits(as_texts(bare["text"]), self._middle_index, 1.0)
        whole = _named(bare, self._middle, begun).filter(_holds("text", "item_text"))
        whole = whole.with_columns(folded(whole["prompt"]).series("prompt"))
        whole = whole.filter(_holds("prompt", "item_text") | (_holds("text", "gold") & (pl.col("gold") != "")))
        long = _named(train, self._long, hits).filter(pl.col("bare") | ~pl.col("report"))
        return pl.concat([long.select(FOUND), whole.select(FOUND)])

    def _answered(self, train: pl.DataFrame, searched: pl.DataFrame) -> pl.DataFrame:
        """Return which samples ask a short question, alone or in a first line, and hold its answer."""
        line = pl.col("prompt").str.extract(r"^\s*([^\n]*)")
        asking = train.select(searched["train_id"], searched["source"], searched["text"], searched["bare"], line=line)
        asking = asking.filter("bare", pl.col("line").str.len_bytes() <= LINE_SLACK * self._longest_line)
        asked = folded(asking["line"]).series("line")
        met = asking.with_columns(asked).join(self._short, left_on="line", right_on="text")
        return met.filter(_holds("text", "gold")).with_columns(coverage=1.0).select(FOUND)


def _questions(items: pl.DataFrame) -> pl.DataFrame:
    """Return the questions that are no templates: benchmark, item_id, bare, text and gold (normal form), words.

    `weight` is the words, where two Han characters count as one: so many are in a Chinese word, about.
    """
    asked, gold = folded(items["prompt"]).series(), folded(items["answer"]).series()
    shown = pl.concat_str(PICTURES, "answer", separator="\n")
    return _told_once(items.select("benchmark", "item_id", bare=NO_PICTURES, text=asked, gold=gold, shown=shown))


def _reports(items: pl.DataFrame) -> pl.DataFrame:
    """Return the texts of items that ask nothing of their pictures, as reports; columns as of `_questions`, no gold.

    They are looked for in texts without pictures only: films of other patients are reported in the same words.
    """
    told = items.filter(~NO_PICTURES, pl.col("prompt") == "")
    texts = folded(told["answer"]).series()
    return _told_once(told.select("benchmark", "item_id", bare=NO_PICTURES, text=texts, shown=PICTURES))


def _told_once(table: pl.DataFrame) -> pl.DataFrame:
    """Return the texts with which a benchmark has one thing `shown`, with their words, and `weight`."""
    once = table.filter(pl.col("shown").n_unique().over("benchmark", "text") == 1).drop("shown")
    words = once.with_columns(words=_words(once["text"]))
    return words.with_columns(weight=pl.col("words") - pl.col("text").str.count_matches(r"\p{Han}") // 2)


def _words(texts: pl.Series) -> pl.Series:
    return texts.str.count_matches(" ", literal=True) + (texts != "").cast(pl.UInt32)


def _holds(text: str, part: str) -> pl.Expr:
    """Return whether one column's text holds another's as whole words."""
    return pl.format(" {} ", text).str.contains(pl.format(" {} ", part), literal=True)


def _named(train: pl.DataFrame, items: pl.DataFrame, hits: NgramHits) -> pl.DataFrame:
    """Return the rows of `train` and of `items` (their text as item_text) that each hit names, and its coverage."""
    rows, held = train[hits.train], items[hits.item].rename({"text": "item_text"}).drop("words")
    return pl.concat([rows, held], how="horizontal").with_columns(coverage=pl.Series(hits.coverage))

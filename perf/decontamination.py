"""13-gram decontamination beside a Python set, lm-eval's Janitor and datatrove: equal hits first, then CPU seconds.

    python perf/decontamination.py                                    # beside a plain Python set
    PYTHONPATH=src PEERS/bin/python perf/decontamination.py --peers   # an environment with lm-eval and datatrove, too

Benchmark items of 60 words and training documents of 98, of a Zipf-like vocabulary; one document in twenty holds an
item. Both sides are counted, normalisation included; each tool takes its turn in each repeat.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections.abc import Callable, Sequence
from statistics import median

import polars as pl

from lingshu.core.folding import folded
from lingshu.decontam.ngrams import ngram_hits, ngram_index

WORDS = 13
ANY = 1e-9  # coverage: one shared n-gram is enough, as for the peers
Tool = Callable[[Sequence[str], Sequence[str]], set[int]]


def texts(seed: int, docs: int, items: int) -> tuple[list[str], list[str]]:
    """Return training documents and benchmark items."""
    rng = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = ["".join(rng.choices(letters, k=rng.randint(2, 10))) for _ in range(50_000)]
    weights = [1 / (rank + 10) for rank in range(len(vocabulary))]
    theirs = [" ".join(rng.choices(vocabulary, weights, k=60)) for _ in range(items)]
    ours = [" ".join(rng.choices(vocabulary, weights, k=98)).capitalize() + "." for _ in range(docs)]
    for place in range(0, docs, 20):
        ours[place] = f"{ours[place]} {rng.choice(theirs)}"
    return ours, theirs


def own(docs: Sequence[str], items: Sequence[str]) -> set[int]:
    """Return the documents that share an n-gram with an item, by the index of `lingshu.decontam.ngrams`."""
    index = ngram_index(folded(pl.Series("text", items)), WORDS)
    return set(ngram_hits(folded(pl.Series("text", docs)), index, ANY).train.tolist())


def plain(docs: Sequence[str], items: Sequence[str]) -> set[int]:
    """Return the same by a Python set of n-grams, words split at spaces and without full stops."""
    known = {gram for item in items for gram in grams(item)}
    return {place for place, doc in enumerate(docs) if not known.isdisjoint(grams(doc))}


def grams(text: str) -> list[str]:
    """Return the n-grams of a text."""
    words = text.lower().replace(".", "").split()
    return [" ".join(words[i : i + WORDS]) for i in range(len(words) - WORDS + 1)]


def janitor(docs: Sequence[str], items: Sequence[str]) -> set[int]:
    """Return the same by lm-eval's Janitor in Python, whose C++ helper no package has."""
    from lm_eval.decontamination.janitor import Janitor  # type: ignore[import-not-found]  # noqa: PLC0415

    cleaner = Janitor(ngram_n=WORDS, window_to_remove=0, too_dirty_cutoff=10**9, minimum_slice_length=0)
    for item in items:
        cleaner.register_contaminant_python(item)
    return {place for place, doc in enumerate(docs) if len(cleaner.clean_python(doc)) > 1}


def datatrove(docs: Sequence[str], items: Sequence[str]) -> set[int]:
    """Return the same by the functions that datatrove's n-gram index and filter call on each text."""
    from datatrove.utils.hashing import HashConfig, create_hash_func  # type: ignore[import-not-found]  # noqa: PLC0415
    from datatrove.utils.text import TextNormConfig, ngrams, simplify_text  # type: ignore[import-not-found]  # noqa: PLC0415
    from datatrove.utils.word_tokenizers import load_word_tokenizer  # type: ignore[import-not-found]  # noqa: PLC0415

    tokenizer, config = load_word_tokenizer("eng"), TextNormConfig()
    hashed = create_hash_func(HashConfig(hash_fc="sha1"))  # the newest xxhash takes no strings

    def hashes(text: str) -> set[int]:
        words = tokenizer.word_tokenize(simplify_text(text, config))
        return {hashed(" ".join(gram)) for gram in ngrams(words, WORDS)}

    known = {value for item in items for value in hashes(item)}
    return {place for place, doc in enumerate(docs) if not known.isdisjoint(hashes(doc))}


def seconds(tool: Tool, docs: Sequence[str], items: Sequence[str]) -> tuple[float, set[int]]:
    """Return CPU seconds and what was found."""
    start = time.process_time()
    found = tool(docs, items)
    return time.process_time() - start, found


def main() -> None:
    """Print documents a CPU second of each tool, and how many times faster the own one is, repeat by repeat."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--docs", type=int, default=20_000)
    parser.add_argument("--items", type=int, default=5_000)
    parser.add_argument("--peer-docs", type=int, default=20_000, help="for the slow peers; rates are compared")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--alone", action="store_true", help="only the own tool: for a million documents")
    given = parser.parse_args()
    docs, items = texts(0, given.docs, given.items)
    tools: dict[str, Tool] = {} if given.alone else {"plain set": plain}
    sizes = {"plain set": given.docs, "Janitor": given.peer_docs, "datatrove": given.peer_docs}
    if given.peers:
        tools |= {"Janitor": janitor, "datatrove": datatrove}
    own(docs[:10], items[:10])  # compiles
    rates: dict[str, list[float]] = {name: [] for name in ("own", *tools)}
    for repeat in range(given.repeats):
        spent, found = seconds(own, docs, items)
        rates["own"].append(len(docs) / spent)
        for name, tool in tools.items():
            if repeat and name != "plain set":
                continue  # the slow peers once
            some = docs[: sizes[name]]
            spent, theirs = seconds(tool, some, items)
            rates[name].append(len(some) / spent)
            mine = {place for place in found if place < len(some)}
            print(f"{name}: {len(theirs)} documents hit, {len(mine ^ theirs)} of them otherwise than own")
    for name, measured in rates.items():
        ratio = median(rates["own"]) / median(measured)
        spread = " ".join(f"{rate:,.0f}" for rate in sorted(measured))
        print(f"{name}: {spread} documents a CPU second; own is {ratio:.1f} times as fast")
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()

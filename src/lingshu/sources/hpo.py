"""Questions from the Human Phenotype Ontology: the organ system of a term, and which term is a kind of which.

The ontology is read out of package `hpo3` (`hpo_binary`), with names and parents as its consortium released them; its
licence asks to name the source and not to change the content. A group is the branch two levels below an organ system,
so that close relatives stay on one side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lingshu.core.ids import stable_hash
from lingshu.core.sample import Sample
from lingshu.facts.asking import YES_NO, Question, multiple_choice
from lingshu.sources.hpo_binary import damaged, read_layout
from lingshu.sources.terminology_params import TerminologyParams
from lingshu.sources.text_rows import Vocabulary

ROOT = "HP:0000118"  # Phenotypic abnormality
PREFIXES = ("Abnormality of the ", "Abnormality of ", "Abnormal ")
MIN_TERMS = 40


@dataclass(frozen=True, slots=True)
class Term:
    """One phenotype term and the ids it is a kind of."""

    id: str
    name: str
    parents: tuple[str, ...]


def read_terms(path: Path) -> tuple[str, dict[str, Term]]:
    """Return the release ("HPO 2025-11-24") and the terms in use, by id (obsolete ones left out).

    Raises:
        UserError: as `hpo_binary.read_layout`; the phenotype root is missing; a parent is unknown or obsolete.
    """
    release, stored = read_layout(path)
    terms = {
        _id(number): Term(_id(number), term.name, tuple(_id(parent) for parent in term.parents))
        for number, term in stored.items()
        if not term.obsolete
    }
    if ROOT not in terms:
        raise damaged(path, f"the root {ROOT} is missing")
    for term in terms.values():
        if unknown := [parent for parent in term.parents if parent not in terms]:
            raise damaged(path, f"{term.id} has the parent {unknown[0]}, which is unknown or obsolete")
    return f"HPO {release}", terms


def systems(terms: dict[str, Term]) -> dict[str, str]:
    """Return the organ systems (the root's children) as `{id: short name}`."""
    return {term.id: _short(term.name) for term in terms.values() if ROOT in term.parents}


def ancestors(terms: dict[str, Term], start: str) -> set[str]:
    """Return the ids above `start`, itself not included."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for parent in terms[waiting.pop()].parents:
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


class Ontology:
    """The terms of exactly one organ system each: only they have one right answer."""

    def __init__(self, terms: dict[str, Term]) -> None:
        """Place every term of `terms` under its organ system, and leave out those of none or several."""
        self.terms = terms
        self.names = systems(terms)
        self.above = {term: ancestors(terms, term) for term in terms}
        homes = {term: sorted(self.above[term] & self.names.keys()) for term in terms if term not in self.names}
        self.system = {term: home[0] for term, home in homes.items() if len(home) == 1}

    def group(self, term: str) -> str:
        """Return the branch two levels below the organ system (one level, where there is no second)."""
        line = self.above[term] | {term}
        first = sorted(t for t in line if self.system.get(term) in self.terms[t].parents)
        second = sorted(t for t in line if set(first) & set(self.terms[t].parents))
        return f"hpo/{(second or first)[0]}"

    def members(self) -> dict[str, list[str]]:
        """Return the terms of each organ system that has at least `MIN_TERMS`, by system id."""
        found: dict[str, list[str]] = {}
        for term, system in self.system.items():
            found.setdefault(system, []).append(term)
        return {system: terms for system, terms in sorted(found.items()) if len(terms) >= MIN_TERMS}

    def unrelated(self, term: str, ids: list[str], seed: int) -> str:
        """Return a term of `ids` that stands neither above nor below `term`, chosen by `seed`."""
        start = stable_hash(seed, "unrelated", term) % len(ids)
        related = self.above[term] | {term}
        return next(o for o in (*ids[start:], *ids[:start]) if o not in related and term not in self.above[o])


def rows(path: Path, params: TerminologyParams, licence: str) -> Iterator[Sample]:
    """Yield organ-system questions (closed and multiple choice), kind-of questions and statements.

    Args:
        path: the extension module of `hpo3`, which holds the ontology.
        params: sizes, seed and held-out share.
        licence: recorded with every sample.
    """
    release, terms = read_terms(path)
    vocabulary = Vocabulary("terminology", licence, release, params.seed, params.held_out_share)
    ontology = Ontology(terms)
    yield from _system_questions(vocabulary, ontology, params)
    yield from _kinship(vocabulary, ontology, params)


def _system_questions(vocabulary: Vocabulary, ontology: Ontology, params: TerminologyParams) -> Iterator[Sample]:
    members = ontology.members()
    for system, found in members.items():
        name = ontology.names[system]
        others = tuple(ontology.names[other] for other in members if other != system)
        ordered = sorted(found, key=lambda t: stable_hash(params.seed, "system", t))
        for term in ordered[: params.hpo_terms_per_system]:
            group, origin, title = ontology.group(term), f"hpo/{term}", ontology.terms[term].name
            text = f"Which organ system does the finding '{title}' concern?"
            yield vocabulary.ask(group, origin, Question("hpo_system", "closed", text, name))
            if stable_hash(params.seed, "choice", term) % 2 == 0:
                yield vocabulary.ask(group, origin, multiple_choice("hpo_choice", text, name, others, term))
            sentence = f"{title} is a finding that concerns this organ system: {name}."
            yield vocabulary.state(group, origin, f"Explain the finding '{title}'.", sentence)


def _kinship(vocabulary: Vocabulary, ontology: Ontology, params: TerminologyParams) -> Iterator[Sample]:
    ids, terms = sorted(ontology.system), ontology.terms
    ordered = sorted(ids, key=lambda t: stable_hash(params.seed, "kinship", t))[: params.hpo_kinship_pairs]
    for term in ordered:
        truly = stable_hash(params.seed, "truth", term) % 2 == 0
        shown = terms[term].parents[0] if truly else ontology.unrelated(term, ids, params.seed)
        text = f"Is '{terms[term].name}' a kind of '{terms[shown].name}'?"
        question = Question("hpo_kind", "yesno", text, YES_NO[truly])
        yield vocabulary.ask(ontology.group(term), f"hpo/{term}", question)


def _id(number: int) -> str:
    return f"HP:{number:07d}"


def _short(name: str) -> str:
    for prefix in PREFIXES:
        if name.startswith(prefix):
            return name.removeprefix(prefix).removesuffix(" system").lower()
    return name.lower()

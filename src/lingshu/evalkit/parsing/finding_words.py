"""The words of questions and statements about findings: what says nothing, states, denies or hedges (lower case)."""

from __future__ import annotations

import re

from lingshu.evalkit.parsing.options import word_set

WORD = re.compile(r"[a-z0-9]+(?:['’]t)?")
DENIAL = frozenset(
    {
        "no",
        "not",
        "none",
        "outside",
        "without",
        "absent",
        "absence",
        "neither",
        "nor",
        "never",
        "negative",
        "lacks",
        "cannot",
    }
    | {"lack", "lacking", "fails", "unlikely", "improbable", "doubt", "doubtful", "excluded", "resolved", "disappeared"}
    | {"non", "nothing"}
)
ASKING = frozenset({"whether", "asks", "asked", "asking", "question"})
HEDGING = frozenset(
    {"may", "might", "possible", "possibly", "perhaps", "questionable", "equivocal", "suspected", "suspicion"}
    | {
        "risk",
        "investigation",
        "screening",
        "thought",
        "initially",
        "usually",
        "typically",
        "commonly",
        "often",
        "generally",
        "would",
        "if",
    }
)
NOT_SHORT = frozenset({"n't", "n’t"})
EMPTY = word_set(
    "a an the is are was were be been being there this that these those it its in on of at to for with from "
    "by and or any some do does did has have had can could may might would should will shall i we you see "
    "seen show shows showing shown visible visualized visualised present presence evidence evident appear appears "
    "appearing demonstrate demonstrates reveal reveals contain contains noted note identified identify detected detect "
    "depicted image images picture photo scan film here given patient sign signs finding findings found "
    "observed observe as which suggest suggests suggestive suggesting indicate indicates what how many if "
    "whether your answer longer earlier previously before now currently clearly obvious obviously "
    "used use given performed obtained taken administered one "
    "included imaged displayed captured appreciated recognised recognized discernible "
    "leads more pictured look looks looking size likely probably most tissue parenchyma "
    "acute significant definite convincing discrete appreciable overt frank cell cells feature features like"
    " intravenous iv"
)
STATING = word_set(
    "is are was were there has have show shows demonstrates reveals contains see seen visible present evident "
    "noted appears suggest indicate show demonstrate reveal "
    "suggests indicates depicts observed identified detected positive consistent compatible keeping"
    " sits lies located remains suspicious typical grade graded diagnose diagnosed"
)
# Forms of one word, of which the first stands for all.
_LINES = tuple(
    tuple(line.split())
    for line in (
        "enlarged enlargement",
        "dilated dilatation dilation dilatations",
        "fracture fractured",
        "aneurysm aneurysmal",
        "calcified calcification calcific",
        "abnormal abnormality abnormalities",
        "inflamed inflammation inflammatory",
        "ulcer ulcerated ulceration",
        "cavity cavitation cavitary cavitating",
        "thickened thickening",
        "deviated deviation",
        "normal normally",
        "heart cardiac",
        "aorta aortic",
        "liver hepatic",
        "kidney renal",
        "lung pulmonary",
        "spleen splenic",
        "stomach gastric",
        "malignant malignancy",
        "consolidation consolidated",
        "edema oedema edematous oedematous",
        "ischemia ischaemia ischemic ischaemic",
        "hemorrhage haemorrhage hemorrhagic haemorrhagic",
        "tumor tumour",
        "necrosis necrotic",
        "x radiograph",
        "asymmetric asymmetry asymmetrical",
        "symmetric symmetry symmetrical",
        "swollen swelling",
        "enhancing enhancement enhances enhanced enhance",
        "side sided",
        "both bilateral bilaterally",
        "diaphragm hemidiaphragm hemidiaphragms",
        "pancreas pancreatic",
        "brain cerebral intracranial",
        "bone bony osseous",
        "pleura pleural",
        "retina retinal",
        "radius radial",
        "ulna ulnar",
        "femur femoral",
        "tibia tibial",
        "humerus humeral",
        "vertebra vertebral vertebrae",
        "colon colonic",
        "prostate prostatic",
        "uterus uterine",
        "ovary ovarian",
        "esophagus esophageal oesophagus oesophageal",
        "trachea tracheal",
        "bronchus bronchial",
        "intestine intestinal",
        "weighted weighting",
        "elevated elevation",
        "midline central centred centered",
        "displaced displacement shifted shift pushed",
    )
)
_FORMS = {form: line[0] for line in _LINES for form in line}
_ALL_FORMS = {line[0]: line for line in _LINES}
NORMAL = frozenset({"normal", "clear", "unremarkable", "healthy", "intact", "clean"})
CHANGED = frozenset(
    [
        "enlarged",
        "dilated",
        "thickened",
        "displaced",
        "deviated",
        "swollen",
        "aneurysm",
        "fracture",
        "widened",
        "narrowed",
        "collapsed",
        "atrophic",
        "deformed",
        "elevated",
        "abnormal",
        "cardiomegaly",
        "inflamed",
        "hyperinflated",
    ]
)
"""What an organ is not that is said to be normal."""
OPPOSITES = (
    (frozenset({"midline"}), frozenset({"displaced", "deviated"})),
    (frozenset({"symmetric"}), frozenset({"asymmetric"})),
    (frozenset({"benign"}), frozenset({"malignant"})),
    (frozenset({"hyperechoic", "echogenic"}), frozenset({"hypoechoic", "anechoic"})),
    (frozenset({"hyperdense", "hyperattenuating"}), frozenset({"hypodense", "hypoattenuating"})),
    (frozenset({"hyperintense"}), frozenset({"hypointense"})),
    (frozenset({"radiopaque"}), frozenset({"radiolucent"})),
    (frozenset({"increased"}), frozenset({"decreased", "reduced"})),
    (frozenset({"improved"}), frozenset({"worse", "worsened", "worsening", "progressed"})),
    (frozenset({"needed", "necessary", "required"}), frozenset({"unnecessary"})),
    (frozenset({"safe"}), frozenset({"contraindicated", "unsafe", "dangerous", "harmful"})),
)
PLACES = ((frozenset({"left"}), frozenset({"right"})), (frozenset({"upper"}), frozenset({"lower"})))
"""Words of which one is not so where the other is; places only if the question is where a thing is."""
KINDS = (
    {"axial": "axial", "transverse": "axial", "transaxial": "axial", "coronal": "coronal", "sagittal": "sagittal"},
    {"ct": "ct", "tomography": "ct", "mri": "mri", "mr": "mri", "magnetic": "mri", "ultrasound": "us", "sonogram": "us"}
    | {
        "ultrasonography": "us",
        "radiograph": "xray",
        "xray": "xray",
        "x": "xray",
        "pet": "pet",
        "mammogram": "mammogram",
    },
    {"pa": "pa", "ap": "ap", "lateral": "lateral"},
    {"t1": "t1", "t2": "t2", "flair": "flair", "dwi": "dwi"},
)
"""Kinds of pictures that exclude one another, by the words that name them."""


# Terms that are two of these words by definition.
_TERMS = (
    *(("cardiomegaly", "enlarged heart"), ("splenomegaly", "enlarged spleen"), ("hepatomegaly", "enlarged liver")),
    *(("cholelithiasis", "gallstones"), ("nephrolithiasis", "kidney stones"), ("appendicitis", "inflamed appendix")),
)


def without_terms(text: str) -> str:
    """Return `text` (lower case) with terms such as "cardiomegaly" in the plain words that define them."""
    for term, plain in _TERMS:
        if term in text:
            text = text.replace(term, plain)
    return text


def words_of(text: str) -> list[str]:
    """Return the words of `text` in lower case, each in its first form."""
    return [_FORMS.get(found[0], found[0]) for found in WORD.finditer(text.lower())]


def forms_of(words: set[str]) -> set[str]:
    """Return the words (of `content`) in all their forms: a text that holds none of them as a piece names none."""
    return {form for word in words for form in _ALL_FORMS.get(word, (word,))}


def content(words: list[str]) -> set[str]:
    """Return the words that say something, without the plural's s, each in its first form."""
    bare = set(words) - EMPTY
    single = {w[:-1] if w[-1] == "s" and len(w) > 3 and w[-2] not in "su" else w for w in bare} - EMPTY
    return {_FORMS.get(word, word) for word in single}

"""The official prompts, as literals: any change of a byte is a change of the benchmark."""

import pytest

from lingshu.benchmarks.public.prompts import PROMPTS, Asked, official_prompt

Q = Asked("Q?", ("A. x", "B. y"), "C")
REPORT = (
    "You are a helpful assistant. Please generate a report for the given images, including both findings and "
    "impressions. Return the report in the following format: Findings: {} Impression: {}."
)
LITERALS = [
    (
        "mcq",
        "en",
        False,
        "\nQuestion: Q?\nOptions: \nA. x\nB. y\nAnswer with the option's letter from the given choices directly.",
    ),
    (
        "mcq",
        "en",
        True,
        "\nQuestion: Q?\nOptions: \nA. x\nB. y\nAnswer with the option's letter from the given choices and put the "
        'letter in one "\\boxed{}".',
    ),
    ("mcq", "zh", False, "\n问题： Q?\n选项： \nA. x\nB. y\n请直接使用给定选项中的选项字母来回答该问题。"),
    (
        "mcq",
        "zh",
        True,
        '\n问题： Q?\n选项： \nA. x\nB. y\n请直接使用给定选项中的选项字母来回答该问题,并将答案包裹在"\\boxed{}"里',
    ),
    (
        "mcq_context",
        "en",
        False,
        "Context: C\n\nQuestion: Q?\nOptions: \nA. x\nB. y\n"
        "Answer with the option's letter from the given choices directly.",
    ),
    ("yesno", "en", False, "Q?\nPlease output 'yes' or 'no'(no extra output)."),
    ("yesno", "en", True, 'Q?\nPlease output "yes" or "no" and put the answer in one "\\boxed{}".'),
    ("yesno", "zh", False, "Q?\n请输出'是'或'否'(不要有任何其它输出)。"),
    ("yesno", "zh", True, "Q?\n请输出'是'或'否'，并将答案放在一个'\\boxed{}'中。"),
    ("closed", "en", False, "Q?\nAnswer the question using a single word or phrase."),
    (
        "closed",
        "en",
        True,
        'Q?\nAnswer the question using a single word or phrase and put the answer in one "\\boxed{}".',
    ),
    ("closed", "zh", False, "Q?\n请用一个单词或者短语回答该问题。"),
    ("closed", "zh", True, "Q?\n请用一个单词或者短语回答该问题，并将答案放在一个'\\boxed{}'中。"),
    ("open", "en", False, "Q?\nPlease answer the question concisely."),
    ("open", "en", True, 'Q?\nPlease answer the question concisely and put the answer in one "\\boxed{}".'),
    ("open", "zh", False, "Q?\n请简要回答该问题。"),
    ("open", "zh", True, "Q?\n请简要回答该问题，并将答案放在一个'\\boxed{}'中。"),
    (
        "mmmu",
        "en",
        False,
        "\nQ?\n\nA. x\nB. y\n\n\n        Answer with the option's letter from the given choices directly.",
    ),
    (
        "mmmu",
        "en",
        True,
        "\nQ?\n\nA. x\nB. y\n\n\n        Answer with the option's letter from the given choices and put the letter "
        'in one "\\boxed{}".',
    ),
    ("report", "en", False, REPORT),
    ("report", "en", True, REPORT),
    ("report_mimic", "en", False, "\n        " + REPORT + "\n        "),
]


@pytest.mark.parametrize(("prompt", "language", "reasoning", "literal"), LITERALS)
def test_literal(prompt, language, reasoning, literal):
    assert official_prompt(prompt, Q, language, reasoning=reasoning) == literal


@pytest.mark.parametrize(
    ("reasoning", "instruction"),
    [
        (False, "Answer the question using a single word or phrase."),
        (True, 'Answer the question using a single word or phrase and put the answer in one "\\boxed{}".'),
    ],
)
def test_open_mmmu_question_has_no_options(reasoning, instruction):
    text = official_prompt("mmmu", Asked("Q <image 1>?"), reasoning=reasoning)
    assert text == "\nQ <image 1>?\n\n        " + instruction


def test_each_prompt_with_words_stands_here():
    assert {prompt for prompt, *_ in LITERALS} == set(PROMPTS) - {"conversation"}


@pytest.mark.parametrize(("prompt", "language"), [("conversation", "en"), ("mcqs", "en"), ("mcq", "de")])
def test_what_has_no_text_is_refused(prompt, language):
    with pytest.raises(ValueError, match=r"conversation|mcqs|de"):
        official_prompt(prompt, Q, language)

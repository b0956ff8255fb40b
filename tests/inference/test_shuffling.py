"""Options in other orders: what moves, what stays, and that gold answers move along."""

from collections import Counter

import pytest

from lingshu.core.question import Question, Turn
from lingshu.inference.option_references import movable
from lingshu.inference.shuffling import shuffled

FOUR = ("A. left lung", "B. right lung", "C. liver", "D. spleen")


def question(choices=FOUR, answer="B", identity="1", prompt=None, kind="mcq", **other):
    text = prompt or "Question: Where?\nOptions: \n{}\nAnswer with the letter.".format("\n".join(choices))
    turns = (Turn("system", "A. left lung"), Turn("user", text))
    return Question(identity, "own", kind, turns, (), "Where?", choices, answer, **other)


def test_options_move_and_letters_and_other_words_stay():
    found = shuffled([question()], 5, 0)
    assert not found.left_out
    for number, (one,) in enumerate(found.questions, start=1):
        order = one.meta["order"]
        assert (one.meta["shuffle"], sorted(order)) == (number, list("ABCD"))
        texts = [FOUR["ABCD".index(letter)][3:] for letter in order]
        assert one.choices == tuple(f"{letter}. {text}" for letter, text in zip("ABCD", texts, strict=True))
        assert one.turns[1].text == "Question: Where?\nOptions: \n{}\nAnswer with the letter.".format(
            "\n".join(one.choices)
        )
        assert one.turns[0].text == "A. left lung"
        assert one.choices["ABCD".index(one.answer)].endswith("right lung")
        assert (one.id, one.benchmark, one.question) == ("1", "own", "Where?")
    orders = {one.meta["order"] for (one,) in found.questions}
    assert len(orders | {"ABCD"}) == 6


def test_orders_depend_on_seed_and_id_alone():
    several = [question(identity=str(n)) for n in range(40)]

    def orders(questions, count=1, seed=0):
        return {one.id: one.meta["order"] for one in shuffled(questions, count, seed).questions[0]}

    whole = orders(several)
    assert orders(several[::-1][:7], 3) == {name: whole[name] for name in orders(several[::-1][:7])}
    assert orders(several, seed=1) != whole
    # 40 draws over 23 orders: every place of the first option comes up
    assert set(Counter(order.index("A") for order in whole.values())) == {0, 1, 2, 3}


def test_two_options_have_one_other_order_which_comes_again():
    found = shuffled([question(("A. yes, a mass", "B. no"), "A")], 3, 0)
    assert [(one.meta["order"], one.answer) for (one,) in found.questions] == [("BA", "B")] * 3


def test_options_without_letters_of_their_own_move_in_the_prompt():
    choices = ("mri", "ct", "x-ray")
    asked = question(choices, "x-ray", prompt="Which? A) mri; B) ct; C) x-ray. One letter.")
    for (one,) in shuffled([asked], 5, 0).questions:
        a, b, c = one.choices
        assert one.turns[-1].text == f"Which? A) {a}; B) {b}; C) {c}. One letter."
        assert one.choices["ABC".index(one.answer)] == "x-ray"


def test_several_golds_and_short_answers():
    (one,) = shuffled([question(answer=("A", "C"))], 1, 3).questions[0]
    golds = {one.choices["ABCD".index(letter)][3:] for letter in one.answer}
    assert golds == {"left lung", "liver"}
    assert list(one.answer) == sorted(one.answer)
    assert shuffled([question(None, "5", prompt="How many?", kind="mmmu")], 1, 0).questions == [[]]


def test_what_speaks_of_all_options_stays_last():
    asked = question((*FOUR[:3], "D. None of the above"), "D")
    for (one,) in shuffled([asked], 5, 0).questions:
        assert (one.choices[3], one.answer, one.meta["order"][3]) == ("D. None of the above", "D", "D")


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (question((*FOUR[:3], "D. Both A and B"), "D"), "names_options"),
        (question(("A. All of the above", *FOUR[1:]), "A"), "names_options"),
        (question(("A. A", "B. B", "C. C"), "A"), "names_options"),
        (question(("A. lung", "B. None of the above"), "A"), "too_few_options"),
        (question(("A. lung", "B. lung", "C. liver"), "C"), "equal_options"),
        (question(answer="E"), "gold_not_among_options"),
        (question(prompt="Where is it?"), "options_not_found"),
        (question(prompt="{0} or\n{0}".format("\n".join(FOUR))), "options_not_found"),
    ],
)
def test_what_can_not_move_is_left_out_and_counted(asked, reason):
    found = shuffled([asked, question(identity="2")], 2, 0)
    assert found.left_out == {reason: 1}
    assert [[one.id for one in questions] for questions in found.questions] == [["2"], ["2"]]


@pytest.mark.parametrize(
    ("last", "moving"),
    [
        ("None of the above", 3), ("All of these", 3), ("Neither of the above.", 3), ("none", 3), ("以上都不是", 3),
        ("以上均正确", 3), ("都不对", 3), ("Both A and B", None), ("A and C", None), ("A, B and C are correct", None),
        ("A、B", None), ("A和B", None), ("ABC", None), ("Only B", None),
        ("option A", None), ("Both ovaries", 4), ("All-trans retinoic acid", 4), ("Vitamin A and D", 4),
        ("Hepatitis B", 4), ("face", 4), ("Either C5 or C6", 4), ("B cells and T cells", 4), ("above the diaphragm", 4),
        ("Both lungs", 4), ("胸骨角以上", 4), ("C-reactive protein", 4), ("E. coli", 4),
    ],
)  # fmt: skip
def test_which_options_speak_of_others(last, moving):
    assert movable("Which?", ["lung", "liver", "spleen", last]) == moving


def test_a_question_that_names_options_keeps_them():
    assert movable("Why is option B wrong?", ["lung", "liver"]) is None
    assert movable("Which option a surgeon would choose?", ["lung", "liver"]) == 2

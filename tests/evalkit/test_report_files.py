"""Files of reports and sub-scores: what they may be, and how a wrong one is named."""

import pytest

from lingshu.core.errors import UserError
from lingshu.evalkit.reports.files import SHOWN, pair, read_reports, read_sub_scores


@pytest.fixture
def write(tmp_path):
    def make(name, text, encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return make


def test_json_lines_and_csv_say_the_same(write):
    lines = write("a.jsonl", '{"id": 1, "report": "a, b"}\n\n{"study_id": "x", "report": null, "age": 3}\n')
    table = write("b.csv", '\ufeffstudy_id,age,report\n1,,"a, b"\nx,3,\n')
    for path in (lines, table):
        reports = read_reports(path)
        assert reports.texts == {"1": "a, b", "x": ""}
        assert reports.ignored == ("age",)


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("a.jsonl", '{"id": 1, "report": "a"}\n{"id": 2,', "a.jsonl, line 2: not JSON"),
        ("a.jsonl", '{"id": 1, "age": ' + "1" * 5000 + "}", "a.jsonl, line 1: not JSON: Exceeds the limit"),
        ("a.jsonl", "[" * 100_000, "a.jsonl, line 1: not JSON: maximum recursion depth"),
        ("a.jsonl", "[1]", "a.jsonl, line 1: not a JSON object"),
        ("a.jsonl", '{"report": "a"}', "a.jsonl, line 1: no 'id' or 'study_id'"),
        ("a.jsonl", '{"id": 1, "study_id": 1, "report": "a"}', "a.jsonl, line 1: both 'id' and 'study_id'"),
        ("a.jsonl", '{"id": true, "report": "a"}', "a.jsonl, line 1: id is True"),
        ("a.jsonl", '{"id": " ", "report": "a"}', "a.jsonl, line 1: id is ' '"),
        ("a.jsonl", '{"id": 1}', "a.jsonl, line 1: no 'report'"),
        ("a.jsonl", '{"id": 1, "report": ["a"]}', "a.jsonl, line 1: 'report' is list, not text"),
        ("a.jsonl", '{"id": 1, "report": "a"}\n{"id": "1", "report": "b"}', "line 2: id '1' is there twice"),
        ("a.jsonl", "", "a.jsonl: no report in it"),
        ("a.csv", "id,report\n", "a.csv: no report in it"),
        ("a.csv", "id,report\n1,a,b\n", "a.csv, line 2: the row and the header differ in length"),
        ("a.csv", "id,report\n1\n", "a.csv, line 2: the row and the header differ in length"),
        ("a.csv", "id,text\n1,a\n", "a.csv, line 2: no 'report'"),
        ("a.csv", 'id,report\n1,"a', "a.csv, the row after line 1: not valid CSV"),
    ],
)
def test_a_broken_file_is_named_with_its_line(write, name, text, what):
    with pytest.raises(UserError) as error:
        read_reports(write(name, text))
    assert what in error.value.what
    assert error.value.fix


def test_two_columns_of_one_name(write):
    with pytest.raises(UserError, match="two columns have one name"):
        read_reports(write("a.csv", "id,report,report\n1,a,b\n"))


def test_half_a_surrogate_pair_is_text_that_can_be_written(write):
    reports = read_reports(write("a.jsonl", r'{"id": 1, "report": "no effusion \ud83d", "note \udc00": 2}'))
    assert reports.texts == {"1": "no effusion \ufffd"}
    assert reports.ignored == ("note \ufffd",)


def test_a_report_may_be_very_long(write):
    assert len(read_reports(write("a.csv", "id,report\n1," + "a" * 200_000)).texts["1"]) == 200_000


def test_a_file_that_cannot_be_read(write, tmp_path):
    with pytest.raises(UserError, match=r"none\.csv: No such file"):
        read_reports(tmp_path / "none.csv")
    with pytest.raises(UserError, match="not UTF-8"):
        read_reports(write("a.csv", "id,report\n1,é\n", "latin-1"))


def test_ids_pair_in_the_order_of_the_references(write):
    references = read_reports(write("a.csv", "id,report\n1,a\n2,b\n"))
    candidates = read_reports(write("b.csv", "id,report\n2,c\n1,d\n"))
    pairs = pair(references, candidates)
    assert (pairs.ids, pairs.references, pairs.candidates) == (["1", "2"], ["a", "b"], ["d", "c"])


def test_an_id_on_one_side_only_is_an_error_that_names_the_file_that_lacks_it(write):
    few = read_reports(write("few.csv", "id,report\n1,a\n"))
    many = read_reports(write("many.csv", "id,report\n" + "".join(f"{i},a\n" for i in range(1, SHOWN + 4))))
    for sides in ((few, many), (many, few)):
        with pytest.raises(
            UserError, match=r"few\.csv: no report for 7 ids \(2, 3, 4, 5, 6 and 2 more\) of .*many\.csv"
        ):
            pair(*sides)


def test_sub_scores(write):
    path = write("s.csv", "id,radgraph,note\nb,0.5,x\na,1e-1,y\n")
    assert read_sub_scores(path, ("radgraph", "semb"), ["a", "b"]) == {"radgraph": [0.1, 0.5]}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"id": "a", "semb": 1}', "lacks 1 id (b)"),
        ('{"id": "a", "semb": 1}\n{"id": "b", "semb": 1}\n{"id": "c", "semb": 1}', "the references lacks 1 id (c)"),
        ('{"id": "a", "semb": 1}\n{"id": "b"}', "line 2: 'semb' is None, not a number"),
        ('{"id": "a", "semb": 1}\n{"id": "b", "semb": "x"}', "line 2: 'semb' is 'x', not a number"),
        ('{"id": "a", "semb": 1}\n{"id": "b", "semb": NaN}', "line 2: 'semb' is nan, not a number"),
    ],
)
def test_wrong_sub_scores(write, text, what):
    with pytest.raises(UserError) as error:
        read_sub_scores(write("s.jsonl", text), ("semb",), ["a", "b"])
    assert what in error.value.what

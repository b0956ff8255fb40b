"""English, Chinese, something else, or no words at all."""

import polars as pl
import pytest

from lingshu.signals.language import LANGUAGES, language


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The liver is normal in size.", "en"),
        ("CT", "en"),
        ("Left", "en"),
        ("β-blocker, γ-GT and TNF-α", "en"),
        ("左肺有结节。", "zh"),
        ("MRI 显示 T2 高信号，FLAIR 未见异常", "zh"),
        ("Le patient a une fracture dans le bras avec une plaie", "other"),
        ("El paciente no tiene dolor en los riñones del lado derecho", "other"),
        ("Der Befund ist unauffällig und das Herz ist nicht vergrößert", "other"),
        ("肺に結節があります。心臓は正常です", "other"),
        ("المريض يعاني من ألم", "other"),
        ("Пациент жалуется на боль", "other"),
        ("El paciente presenta dolor en el pecho", "other"),
        ("Il paziente è stato visitato, esame obiettivo nel complesso normale", "other"),
        ("Levels of IL-6, IL-1, IL-8 and IL-10 were measured.", "en"),
        ("von Willebrand disease, prolonged bleeding time", "en"),
        ("Isolated del(5q), low risk MDS; MET exon 14 skipping", "en"),
        ("Los Angeles grade B oesophagitis; LES pressure reduced", "en"),
        ("Gravida 3 para 2; Duke criteria met; c.35delG het; Le Fort II fracture", "en"),
        ("42.5 / 7 %", "none"),
        ("", "none"),
    ],
)
def test_language(text: str, expected: str) -> None:
    found = pl.DataFrame({"text": [text]}).select(language(pl.col("text"))).item()
    assert found == expected
    assert found in LANGUAGES

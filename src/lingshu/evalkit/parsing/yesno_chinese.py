"""Yes or no in a Chinese response: by its leading word or verb, or by what its clauses say of what is asked."""

from __future__ import annotations

import re

YES, NO = "yes", "no"
NORMALITY = re.compile(r"\b(?:normal|clear|healthy|unremarkable|intact|clean)\b|正常|健康")
"""What a question about normality holds, for lower-case text: a finding that is denied says nothing of it."""
_ASKING = re.compile(r"是否(?!定)|是不是|有没有|有无|吗")
_CLAUSE = re.compile(r"[^。！？?，,：:；;\n]+|[。！？?，,：:；;\n]+")
_UNSURE = re.compile(
    r"[\W_]*(?:无法|不能(?:确定|判断|明确|完全|排除|除外)|难以|不确定|不知道|不清楚|对不起|抱歉|对于|有可能|没有足够|是否|有没有|可能)"
)
_NO = re.compile(r"[\W_]*(?:不是|没有|不存在|未见|未发现|看不到|看不见|未看到|不对|错误|否|无|不)")
_YES = re.compile(r"[\W_]*(?:是的|是|有|对|正确|存在|可见)")
_NORMAL = re.compile(r"[\W_]*(?:正常|健康)")
_ABNORMAL = re.compile(r"[\W_]*(?:不正常|不健康|有?异常)")
_NEGATED = {
    "正常": ("不正常", "异常"),
    "有": ("没有", "无", "未见"),
    "是": ("不是", "并非"),
    "存在": ("不存在",),
    "可见": ("未见", "不可见"),
}
_LEAD = (
    r"[\W_]*(?:(?:一般|通常|正常|多数|大多数)(?:来说|情况下|而言)?|目前|当然|肯定|确实|我认为|答案是?)?[\s,，:：]*"
    r"(?:都|是|并|通常|一般)*"
)
_VERBS = "可以|需要|应该|能够|属于|适合|适用|适宜|建议|推荐|可(?![见能])|会|能|需"
_ASKED_VERB = re.compile(rf"(?P<verb>{_VERBS})[^，,。]*(?:吗|么)?\Z")
_ASKED_OF = re.compile(r"(?:存在|可见|看到|看见|见到|观察到|发现|显示|提示|有)(?P<finding>[\u4e00-\u9fffa-z0-9]{2,})\Z")
_ASKED_IS = re.compile(r"是(?P<what>[^是]{1,12})\Z")
_ASKED_WHETHER = re.compile(r"是否(?:为|是)?(?P<what>[\u4e00-\u9fff]{2,8})\Z")
_SEEN = re.compile(r"存在|可见|见到|发现|显示|提示|考虑|符合|诊断为|伴|有|见")
_UNSEEN = re.compile(r"[没无未不]|否认|排除")
_MAYBE = re.compile(
    r"不除外|不[能可]?(?:完全)?排除|可能|疑|无法|不确定|如果|[若当]|可认为|定义|标准|需[要与]?.?(?:鉴别|排)|排查"
)
_ALLOWING = frozenset({"可以", "应该", "能够", "适合", "适用", "适宜", "建议", "推荐", "能"})
_FORBIDDING = re.compile(r"禁用|禁止|禁忌|不宜|不建议|不推荐|避免使用")
_ASKED_ABLE = re.compile(
    r"(?:能否|可否|是否能够?|是否可以?|是否应该?|是否需要?|能不能|会不会|是否会)(?P<verb>[\u4e00-\u9fff]{2})"
)
_CHANGED = re.compile(r"增大|肿大|扩大|扩张|增宽|增厚|移位|偏移|异常|狭窄|萎缩")
_ORGANS = frozenset("心肺肝脾肾脑胃肠骨脊椎胆胰气管主动脉膈纵隔")
_UNREMARKABLE = re.compile(r"(?:未见|无|没有|未发现)(?:明显|确切|明确|任何)*异常")
_NO_NAME = re.compile(r"评估|检查|既往|病?史|寻找|观察|鉴别|如|预防|治疗|诊断|导致|引起|是|的|和|或|与|以|[没无未不]")
_LONGEST_NAME = 10  # characters before a finding in its name
_KINDS = (
    {
        "ct": "ct",
        "计算机断层": "ct",
        "mri": "mri",
        "磁共振": "mri",
        "mr图": "mri",
        "超声": "us",
        "x线": "x",
        "x光": "x",
    },
    {"矢状": "sagittal", "冠状": "coronal", "横断": "axial", "轴位": "axial", "轴状": "axial", "横轴": "axial"},
)
_ASKED_KIND = re.compile(r"^(?:这|该|此|本|图|所示|上述|以上)?[\u4e00-\u9fff]{0,6}(?:是|为|属于)")
_NOT_OF = re.compile(r"不是|并非|不属于|非")
_LARGER = re.compile(
    r"(?P<one>[左右])\S{0,4}?(?:比|较)\S{0,3}?(?P<other>[左右])\S{0,4}?(?P<how>大|小|长|短|宽|厚|高|低)"
)
_SAME_SIZE = re.compile(r"(?:大小|长度|体积|两侧|双侧|左右)\S{0,6}?(?:相等|相同|一致|相近|相仿|对称|差不多)")
_SWAPPED = (("左", "右"), ("右", "左"), ("上", "下"), ("下", "上"))
_DENYING = "(?:未见|未发现|没有|不存在|无|未出现)(?:看到|发现|见到|见|明显|确切|明确|异常|任何|的|有)*"
_QUESTION = {"是否有": "有", "有没有": "有", "有无": "有", "是不是": "是", "是否": ""}


def without_questions(text: str) -> str:
    """Return `text` without the clauses that repeat the question."""
    if not _ASKING.search(text):
        return text
    return "".join(clause for clause in _CLAUSE.findall(text) if not _ASKING.search(clause))


def chinese_leading(text: str, question: str) -> str:
    """Return the verdict of the word, or of the verb asked after, that leads `text`; "" if none does."""
    if _UNSURE.match(text):
        return ""
    if value := _by_verb(text, question):
        return value
    normality = NORMALITY.search(question.lower()) is not None
    if normality and _ABNORMAL.match(text):
        return NO
    if normality and _NORMAL.match(text):
        return YES
    if found := _NO.match(text):
        alone = text[found.end() :].strip("。. ")[:1] in ("", ",", "，", "!", "！", ":", "：")
        return "" if normality and not alone else NO
    return YES if _YES.match(text) else ""


def _by_verb(text: str, question: str) -> str:
    """Return what "会", "不可以" … say at the head of `text` where `question` asks by that verb ("会传播吗？")."""
    asked = _ASKED_VERB.search(question.lower().strip(" ?？。吗么呢\n"))
    found = re.match(rf"{_LEAD}(?P<no>不(?:太)?)?(?:{asked['verb']}|可以?|会|能)(?!诊)", text) if asked else None
    if not found:
        return ""
    return NO if found["no"] else YES


def chinese_finding(text: str, question: str) -> str:
    """Return whether `text` states what is asked, word for word, or states it with its verb negated."""
    bare = question.lower().rpartition("问题：")[2].partition("请回答")[0].strip(" ?？。吗呢\n")
    asked = bare
    for asking, plain in _QUESTION.items():
        asked = asked.replace(asking, plain)
    if asked.isascii() or len(asked) < 3:
        return ""
    sure = "可能" in bare  # "是否为恶性可能大"
    clauses = [clause for clause in _CLAUSE.findall(text) if sure or not _MAYBE.search(clause)]
    values = {YES} if any(asked in clause for clause in clauses) else set[str]()
    if found := _ASKED_OF.search(asked):
        values |= _finding_values(clauses, found["finding"])
    if found := _ASKED_IS.search(asked):
        values |= _identity_values(text, found["what"])
    values |= _verb_values(clauses, bare) | _kind_values(text, bare) | _size_values(clauses, bare)
    if NORMALITY.search(bare) and not (_ORGANS & set(bare)).isdisjoint(text) and (said := _unremarkable(clauses)):
        values.add(said)
    if found := _ASKED_WHETHER.search(bare):
        values |= _predicate_values(clauses, found["what"])
    if found := _ASKED_ABLE.search(bare):
        values |= _ability_values(text, found["verb"])
    if _CHANGED.search(bare):
        values |= _normality_values(clauses, bare)
    if any(one in asked and asked.replace(one, other) in text for one, other in _SWAPPED):
        values.add(NO)
    for verb, negations in _NEGATED.items():
        if verb in asked and any(asked.replace(verb, negation, 1) in text for negation in negations):
            values.add(NO)
    return values.pop() if len(values) == 1 else ""


def _finding_values(clauses: list[str], finding: str) -> set[str]:
    """Return what the clauses that hold `finding` say of it, in the words before it."""
    values: set[str] = set()
    finding = finding.removesuffix("脏") or finding
    parts = "|".join(re.escape(finding[at:]) for at in range(1, len(finding) - 1))
    denied = re.compile(f"{_DENYING}(?:{parts})") if parts else None
    for clause in clauses:
        before, held, after = clause.partition(finding)
        if held and _UNSEEN.search(before):
            values.add(NO)
        elif held and (_SEEN.search(before) or (not after.strip() and _names(before))):
            values.add(YES)
        elif denied and finding[-2:] in clause and denied.search(clause):
            values.add(NO)  # "未见骨折" denies "肋骨骨折"
    return values


def _names(before: str) -> bool:
    """Return whether a clause that ends in a finding is no more than its name ("右侧外踝骨折")."""
    return len(before.strip()) <= _LONGEST_NAME and not _NO_NAME.search(before)


def _unremarkable(clauses: list[str]) -> str:
    """Return YES where "未见明显异常" is all that clauses say of changes."""
    changed = [clause for clause in clauses if _CHANGED.search(clause)]
    return YES if changed and all(_UNREMARKABLE.search(clause) for clause in changed) else ""


def _kind_values(text: str, asked: str) -> set[str]:
    """Return what a text that names a kind of picture says where another, or the same, is asked after."""
    values: set[str] = set()
    for kinds in _KINDS:
        wanted = {kind for name, kind in kinds.items() if name in asked}
        said = {kind for name, kind in kinds.items() if name in text}
        if wanted and said and _ASKED_KIND.search(asked) and not _NOT_OF.search(text):
            values.add(YES if wanted == said else NO if wanted.isdisjoint(said) else "")
    return values - {""}


def _size_values(clauses: list[str], asked: str) -> set[str]:
    """Return what clauses say where one side is asked to be larger than the other ("左肾比右肾大吗")."""
    found = _LARGER.search(asked)
    if not found:
        return set()
    values = {NO for clause in clauses if _SAME_SIZE.search(clause)}
    for clause in clauses:
        if said := _LARGER.search(clause):
            same = (said["one"] == found["one"]) == (said["how"] == found["how"])
            values.add(YES if same else NO)
    return values


def _ability_values(text: str, verb: str) -> set[str]:
    """Return what "可以减少" or "不能减少" say where a question asks "能否减少"."""
    said = re.findall(rf"(不|未)?(?:能够?|可以?|会|应该?|需要?|宜)(?:显著|明显|有效)?{re.escape(verb)}", text)
    return {NO if no else YES for no in said}


def _normality_values(clauses: list[str], asked: str) -> set[str]:
    """Return NO where the organ that a question asks about a change of is said to be normal."""
    organs = _ORGANS & set(asked)
    normal = [clause for clause in clauses if "正常" in clause and "不正常" not in clause]
    return {NO} if any(organs & set(clause) for clause in normal) else set()


def _identity_values(text: str, what: str) -> set[str]:
    if any(f"{negation}{what}" in text for negation in ("不是", "并非")):
        return {NO}
    return {YES} if f"是{what}" in text else set()


def _verb_values(clauses: list[str], asked: str) -> set[str]:
    """Return NO where a clause denies the verb asked by of what is asked after ("不会传播" for "会…传播吗")."""
    verb = _ASKED_VERB.search(asked)
    if not verb:
        return set()
    if verb["verb"] in _ALLOWING and any(_FORBIDDING.search(clause) for clause in clauses):
        return {NO}
    denied = re.compile(rf"不{verb['verb']}(?P<what>[\u4e00-\u9fff]{{2}})")
    return {NO for clause in clauses for found in denied.finditer(clause) if found["what"] in asked}


def _predicate_values(clauses: list[str], what: str) -> set[str]:
    """Return what the clauses that hold a predicate asked after ("是否居中") say: "不居中", "居中"."""
    values: set[str] = set()
    for clause in clauses:
        before, held, _ = clause.partition(what)
        if held:
            values.add(NO if _UNSEEN.search(before[-4:]) else YES)
    return values

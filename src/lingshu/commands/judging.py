"""`--judge` of `lingshu score` and `lingshu eval`: what was typed, as judges."""

from __future__ import annotations

from lingshu.commands.evaluate import parse_json
from lingshu.commands.judge_request import JudgeRequest
from lingshu.core.errors import UserError
from lingshu.inference.judges import Judge, judge_setup, named_judges

KEYS = ("api_key_env", "api_key_file")


def parse_judges(request: JudgeRequest) -> list[Judge]:
    """Return the judges that are asked.

    Raises:
        UserError: a model or option is wrong, a judge is named twice, or a key would go to several servers.
    """
    given = [parse_json(text, "--judge-options") or {} for text in request.options]
    models = request.models
    if len(given) not in (0, 1, len(models)):
        raise UserError(
            f"--judge-options: {len(given)} for {len(models)} judges", "give it once for all, or once for each --judge"
        )
    shared = given * len(models) if len(given) == 1 else given or [{}] * len(models)
    setups = [judge_setup(model, options) for model, options in zip(models, shared, strict=True)]
    judges = named_judges(models, setups)
    served = {setup.spec.url for setup in setups if setup.spec.url}
    if len(given) == 1 and len(served) > 1 and any(name in given[0] for name in KEYS):
        raise UserError(
            "--judge-options: one key would go to several servers", "give --judge-options once for each --judge"
        )
    return judges

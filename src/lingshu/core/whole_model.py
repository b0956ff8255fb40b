"""Whether a model's files hold all of it: transformers puts random numbers where they don't, and goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lingshu.core.errors import UserError


def check_whole(model: Any, told: Mapping[str, Any], where: str) -> None:
    """Find out that weights of a model were not in its files.

    Args:
        model: as `from_pretrained` returned it.
        told: what it told beside the model (`output_loading_info=True`).
        where: names the model in the message: its folder, or an option and the folder.

    Raises:
        UserError: parameters are missing. Tables that are computed (of positions, say) need not be in the files, nor
            the pooler that encoders are given and that nothing here uses.
    """
    parameters = {name for name, _ in model.named_parameters() if "pooler." not in name}
    absent = sorted(parameters & set(told["missing_keys"]))
    if absent:
        raise UserError(
            f"{where}: {len(absent)} of its weights are not in its files, such as {absent[0]}",
            "name the whole model, of the kind that is meant; random numbers would stand in their place",
        )

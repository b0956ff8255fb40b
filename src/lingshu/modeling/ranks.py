"""Joining and leaving the job of a rank: gradients of all ranks are averaged by torch's own data parallelism."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import distributed

from lingshu.core.errors import UserError
from lingshu.core.ranks import Rank
from lingshu.modeling.freeze import part_of
from lingshu.modeling.load import Model

A = TypeVar("A")


@contextmanager
def joined(rank: Rank, device: str) -> Iterator[None]:
    """Be the rank within this context: by gloo on the CPU, by NCCL on the GPU of its number. Alone it does nothing.

    Raises:
        UserError: there are fewer GPUs than ranks.
    """
    if rank.of == 1:
        yield
        return
    # accelerate would choose a number of threads by itself where this is not set.
    os.environ.setdefault("OMP_NUM_THREADS", str(torch.get_num_threads()))
    if device == "cpu":
        # It would say cpu:0, a place from which torch.load can't restore an optimiser.
        os.environ["ACCELERATE_TORCH_DEVICE"] = device
    elif rank.of > torch.cuda.device_count():
        raise UserError(
            f"params.yaml: processes: {rank.of} processes need a GPU each, and there are {torch.cuda.device_count()}",
            "set processes lower, or device to cpu",
        )
    else:
        torch.cuda.set_device(rank.number)
    distributed.init_process_group(
        "gloo" if device == "cpu" else "nccl",
        init_method=f"file://{rank.meeting}",
        rank=rank.number,
        world_size=rank.of,
    )
    yield
    distributed.destroy_process_group()


def take_llm(model: Model, said: dict[str, Any], source: int) -> dict[str, Any]:
    """Give every rank the language model of rank `source`, and return what that rank has to say."""
    for name, weight in model.named_parameters():
        if part_of(name) == "llm":
            distributed.broadcast(weight.data, src=source)
    box = [said]
    distributed.broadcast_object_list(box, src=source)
    return box[0]


def gathered(rank: Rank, said: A) -> list[A]:
    """Return what each rank has to say, in their order, in all of them."""
    if rank.of == 1:
        return [said]
    box: list[Any] = [None] * rank.of
    distributed.all_gather_object(box, said)
    return box

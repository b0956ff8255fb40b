"""`make repro`: say what will run and how long that took last time, run `dvc repro`, say where the results lie.

Run it as `python -m lingshu.commands.repro` with the virtual environment first on PATH (the Makefile does), because
the stages in dvc.yaml call `python`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lingshu.commands.graph import Graph, feeds, read_graph
from lingshu.commands.lockfile import mend_lock
from lingshu.core.errors import UserError
from lingshu.core.files import write_json
from lingshu.core.layout import METRICS, REPORTS
from lingshu.core.params import PARAMS_FILE, read_yaml
from lingshu.core.stage import EXIT_INTERRUPTED, EXIT_USER_ERROR, TIMINGS

LAST_RUN = TIMINGS / "repro.json"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """Run the pipeline of the current folder; exit 0 when it is complete, 130 when interrupted, else as DVC does."""
    try:
        sys.exit(reproduce())
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(EXIT_USER_ERROR)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def reproduce() -> int:
    """Bring every output up to date and return the exit code.

    Raises:
        UserError: DVC is not on PATH, or it can't read the pipeline.
    """
    if mend_lock():
        print("dvc.lock was cut off by a kill; its whole entries are kept, lost ones come from DVC's run cache")
    graph = read_graph(Path())
    recipe = read_yaml(PARAMS_FILE).get("recipe", PARAMS_FILE)
    names = affected(graph, changed_stages())
    if not names:
        print(f"recipe {recipe}: all {len(graph.stages)} stages are up to date")
        _print_results()
        return 0
    print(f"recipe {recipe}: {len(names)} of {len(graph.stages)} stages may run: {' '.join(families(names))}")
    print(_last_time(names), flush=True)
    start = time.time()
    code = _run(["dvc", "repro"])
    seconds = time.time() - start
    _note_run(graph, start, seconds)
    if code == 0:
        print(f"done in {clock(seconds)}")
        _print_results()
    else:
        print(f"stopped after {clock(seconds)}; `make repro` goes on from here", file=sys.stderr)
    return code


def changed_stages() -> list[str]:
    """Return the stages whose inputs, outputs, parameters or command differ from dvc.lock, as `dvc status` sees it.

    Raises:
        UserError: DVC is missing or refuses the pipeline (its own message is on stderr).
    """
    if shutil.which("dvc") is None:
        raise UserError("dvc is not on PATH", "use `make repro`, or first `. .venv/bin/activate`")
    result = subprocess.run(["dvc", "status", "--json"], stdout=subprocess.PIPE, check=False)
    if result.returncode != 0:
        raise UserError(
            "DVC can't read the pipeline (its message is above)", "mend what it names, then `lingshu check`"
        )
    return sorted(json.loads(result.stdout))


def affected(graph: Graph, changed: Iterable[str]) -> list[str]:
    """Return the changed stages and all that read from them, directly or not, in the order of dvc.yaml.

    DVC stops early where a stage that runs again writes the same bytes, so fewer may run.
    """
    reached = set(changed)
    reached_outs = [out for stage in graph.stages if stage.name in reached for out in stage.outs]
    while reached_outs:
        new = [
            stage
            for stage in graph.stages
            if stage.name not in reached and any(feeds(out, dep) for out in reached_outs for dep in stage.deps)
        ]
        reached |= {stage.name for stage in new}
        reached_outs = [out for stage in new for out in stage.outs]
    return [stage.name for stage in graph.stages if stage.name in reached]


def families(names: Iterable[str]) -> list[str]:
    """Return `mix@{shallow,deep}` for `mix@shallow mix@deep`, in order of first appearance."""
    items: dict[str, list[str]] = {}
    for name in names:
        family, _, item = name.partition("@")
        items.setdefault(family, []).append(item)
    return [
        family if found == [""] else f"{family}@{found[0] if len(found) == 1 else '{' + ','.join(found) + '}'}"
        for family, found in items.items()
    ]


def clock(seconds: float) -> str:
    """Return `2 min 05 s` or `41 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _last_time(names: list[str]) -> str:
    timings = {name: TIMINGS / f"{name}.json" for name in names}
    known = {name: _read_json(path)["seconds"] for name, path in timings.items() if path.exists()}
    if not known:
        return "no earlier run here to tell the time from"
    last = f"; the last run as a whole took {clock(_read_json(LAST_RUN)['seconds'])}" if LAST_RUN.exists() else ""
    return f"{len(known)} of them took {clock(sum(known.values()))} when they last ran{last}"


def _run(command: list[str]) -> int:
    """Run `command` in its own process group, so that Ctrl-C, a closed terminal and `kill` stop its stages too."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)
    received: list[int] = []

    def stop(number: int, _frame: Any) -> None:
        received.append(number)
        with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
            os.killpg(child.pid, signal.SIGINT)

    previous = {number: signal.signal(number, stop) for number in _SIGNALS}
    code = child.wait()
    for number, handler in previous.items():
        signal.signal(number, handler)
    return EXIT_INTERRUPTED if received else code


def _note_run(graph: Graph, start: float, seconds: float) -> None:
    """Note the wall time, and of each stage that ran its own seconds: the difference is what DVC took."""
    files = {stage.name: TIMINGS / f"{stage.name}.json" for stage in graph.stages}
    ran = {name: path for name, path in files.items() if path.exists() and path.stat().st_mtime >= start}
    stages = {name: _read_json(path)["seconds"] for name, path in ran.items()}
    if stages:
        write_json(LAST_RUN, {"seconds": round(seconds, 2), "stages": stages})


def _print_results() -> None:
    print(f"report:  {REPORTS / 'index.html'}")
    print(f"metrics: {METRICS / 'evalkit' / 'score.json'}  (all of them: dvc metrics show)")


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()

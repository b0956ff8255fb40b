"""Drop the training samples that overlap with a benchmark, of the project or public."""

from __future__ import annotations

from lingshu.benchmarks.public.several import load_several
from lingshu.core.files import write_json
from lingshu.core.layout import CATALOG, DECONTAM, METRICS, verdict_folder
from lingshu.core.manifest import write_manifest
from lingshu.core.params import load_section, load_sources
from lingshu.core.stage import run_stage
from lingshu.decontam.decontaminate import decontaminate
from lingshu.decontam.params import DecontamParams


def main() -> None:
    params = load_section("decontam", DecontamParams)
    named = params.public
    public = load_several(
        named.names, CATALOG, named.files, may_be_absent=named.may_be_absent, accept_rows=named.accept_rows
    )
    sources = load_sources()
    done = decontaminate(sources, params, questions=(q for one in public.loaded for q in one.questions))
    write_manifest(verdict_folder("decontaminate"), "decontaminate", len(done.verdicts))
    write_manifest(DECONTAM, "decontaminate", len(done.verdicts))
    absent = {"not_checked": public.absent} if public.absent else {}
    write_json(METRICS / "decontam" / "decontaminate.json", done.metrics | absent)


if __name__ == "__main__":
    run_stage("decontaminate", main)

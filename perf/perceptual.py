"""Perceptual hashing beside imagededup, imagehash and a bare decoder: `python perf/perceptual.py PEERS_PYTHON`.

PEERS_PYTHON is the interpreter of an environment with imagededup, imagehash, simplejpeg and pillow; peers run in it,
ours in this one, all as children of this process and by turns. Pictures are drawn by a seed: smooth fields, ellipses
and noise, half of them in colour, JPEG of quality 75 to 95, 512 to 1,024 pixels a side; then re-encoded copies (quality
20 lower) and copies at 0.7 of the size. Recall: share of copies whose hash equals the original's. CPU seconds are those
of the hashing process and its children, without imports; pinned to one thread. Nothing is written but temporary files.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

OURS = ("lingshu full", "lingshu scaled", "lingshu fast", "lingshu unchanged", "pillow 1/8 decode")
PEERS = BASES = ("imagededup", "imagehash", "simplejpeg 1/8 decode")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1")


def draw(rng: np.random.Generator) -> Image.Image:
    """Return one invented picture, mode L or RGB."""
    width, height = (int(side) for side in rng.integers(512, 1025, 2))
    channels = 3 if rng.random() < 0.5 else 1
    total = np.zeros((height, width, channels), dtype=np.float32)
    for cells in (4, 8, 16, 32):
        for channel in range(channels):
            grid = Image.fromarray(rng.normal(size=(cells, cells)).astype(np.float32))
            total[:, :, channel] += np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC)) / cells**0.5
    total = 40 + 175 * (total - total.min()) / np.ptp(total)
    layer = Image.new("L", (width, height))
    pen = ImageDraw.Draw(layer)
    for _ in range(6):
        x, y, w, h = rng.random(4) * (width, height, width / 3, height / 3)
        pen.ellipse((x, y, x + w, y + h), fill=int(rng.integers(0, 90)))
    noisy = total + np.asarray(layer)[:, :, None] + rng.normal(0, 6, total.shape)
    pixels = np.clip(noisy, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels if channels == 3 else pixels[:, :, 0])


def jpeg(picture: Image.Image, quality: int) -> bytes:
    """Return the picture as a JPEG file."""
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=quality)
    return buffer.getvalue()


def make_files(folder: Path, count: int) -> None:
    """Write `original`, `reencoded` (every 2nd) and `resized` (every 4th) files named by their number."""
    rng = np.random.default_rng(0)
    for number in range(count):
        picture, quality = draw(rng), int(rng.integers(75, 96))
        original = jpeg(picture, quality)
        (folder / f"original-{number:05d}.jpg").write_bytes(original)
        decoded = Image.open(io.BytesIO(original))
        if number % 2 == 0:
            (folder / f"reencoded-{number:05d}.jpg").write_bytes(jpeg(decoded, quality - 20))
        if number % 4 == 0:
            size = (round(decoded.width * 0.7), round(decoded.height * 0.7))
            smaller = decoded.resize(size, Image.Resampling.LANCZOS)
            (folder / f"resized-{number:05d}.jpg").write_bytes(jpeg(smaller, quality))


def worker(tool: str, folder: Path) -> tuple[Callable[[], object], Callable[[], dict[str, str]]]:
    """Return what to time, and what gives the hashes by file name afterwards; imports happen here, outside the time."""
    paths = sorted(folder.glob("*.jpg"))
    hashes: dict[str, str] = {}
    if tool.startswith("lingshu"):
        return _lingshu(tool, paths, hashes), lambda: hashes
    if tool == "imagededup":
        from imagededup.methods import PHash  # noqa: PLC0415 (only peers' interpreters have it)

        method = PHash(verbose=False)
        return lambda: hashes.update(method.encode_images(folder, num_enc_workers=0)), lambda: hashes
    if tool == "imagehash":
        import imagehash  # noqa: PLC0415

        return lambda: hashes.update({p.name: str(imagehash.phash(Image.open(p))) for p in paths}), lambda: hashes
    if tool == "simplejpeg 1/8 decode":
        import simplejpeg  # noqa: PLC0415

        return lambda: [
            simplejpeg.decode_jpeg(p.read_bytes(), "GRAY", min_height=1, min_width=1) for p in paths
        ], lambda: hashes
    return lambda: [_eighth(path) for path in paths], lambda: hashes


def _eighth(path: Path) -> tuple[int, int]:
    with Image.open(io.BytesIO(path.read_bytes())) as picture:
        picture.draft("L", (1, 1))
        picture.load()
        return picture.size


def _lingshu(tool: str, paths: list[Path], hashes: dict[str, str]) -> Callable[[], object]:
    from lingshu.core.ids import sha256_bytes  # noqa: PLC0415 (peers' interpreters lack it)
    from lingshu.signals.hashing import HASH_SCHEMA, HashMode, hash_pictures  # noqa: PLC0415
    from lingshu.signals.remembered import Remembered  # noqa: PLC0415

    modes: dict[str, HashMode] = {"lingshu full": "full", "lingshu scaled": "scaled", "lingshu fast": "fast"}
    if tool in modes:

        def run() -> None:
            pictures = ((path.name, path.read_bytes()) for path in paths)
            for table in hash_pictures(pictures, modes[tool]):
                names, values = table.column("image_id").to_pylist(), table.column("phash").to_pylist()
                hashes.update({name: f"{value:016x}" for name, value in zip(names, values, strict=True)})

        return run
    files = {sha256_bytes(path.read_bytes()): path for path in paths}
    remembered = Remembered(Path(tempfile.mkdtemp(dir=paths[0].parent)), HASH_SCHEMA)

    def again() -> None:
        remembered.complete(files, lambda ids: hash_pictures(((i, files[i].read_bytes()) for i in ids), "scaled"))
        remembered.rows(files)

    again()
    return again


def work(tool: str, folder: Path) -> None:
    """Time one tool in this process and print `{"seconds": …, "hashes": {…}}`."""
    with tempfile.TemporaryDirectory() as first:  # what a first call loads is not of interest
        warm = Path(first) / "original-00000.jpg"
        warm.write_bytes((folder / warm.name).read_bytes())
        worker(tool, Path(first))[0]()
    run, found = worker(tool, folder)
    before = cpu_seconds()
    run()
    print(json.dumps({"seconds": cpu_seconds() - before, "hashes": found()}))


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of its ended children (imagededup's workers)."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def recall(hashes: dict[str, str], kind: str) -> float:
    """Return the share of copies of a kind whose hash is the original's."""
    copies = [name for name in hashes if name.startswith(kind)]
    return sum(hashes[name] == hashes[name.replace(kind, "original")] for name in copies) / len(copies)


def by_turns(base: list[float], tool: list[float]) -> str:
    """Return the least and the median of how many times as fast the tool was in a turn."""
    ratios = [slow / quick for slow, quick in zip(base, tool, strict=True)]
    return f"{min(ratios):.2f}, {statistics.median(ratios):.2f}"


def main() -> None:
    """Draw pictures, run every tool by turns, print recall, CPU seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peers", help="interpreter with imagededup, imagehash, simplejpeg, pillow")
    parser.add_argument("--pictures", type=int, default=600)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker[0], Path(options.worker[1]))
        return
    with tempfile.TemporaryDirectory() as temporary:
        measure(Path(temporary), options.peers, options.pictures, options.repeats)


def measure(folder: Path, peers: str, pictures: int, repeats: int) -> None:
    """See `main`."""
    make_files(folder, pictures)
    files = sorted(folder.glob("*.jpg"))
    size = sum(path.stat().st_size for path in files) / len(files) / 1000
    print(f"{len(files)} files, mean {size:.0f} kB, {repeats} runs by turns, CPU seconds (median)")
    seconds: dict[str, list[float]] = {tool: [] for tool in (*OURS, *PEERS)}
    hashes: dict[str, dict[str, str]] = {}
    for _ in range(repeats):
        for tool, measured in seconds.items():
            python = peers if tool in PEERS else sys.executable
            command = [python, __file__, peers, "--worker", tool, str(folder)]
            reply = subprocess.run(
                command, capture_output=True, text=True, check=True, env={**os.environ, **ONE_THREAD}
            )
            result = json.loads(reply.stdout.splitlines()[-1])
            measured.append(result["seconds"])
            hashes[tool] = result["hashes"]
    middle = {tool: statistics.median(measured) for tool, measured in seconds.items()}
    columns = ("re-encoded at 0", "resized at 0", "x imagededup", "x imagehash", "of 1/8 decode")  # least, median
    print(f"{'tool':24}{'CPU-s':>8}{'files/CPU-s':>13}" + "".join(f"{column:>17}" for column in columns))
    for tool, value in middle.items():
        shares = [f"{recall(hashes[tool], kind):.3f}" if hashes[tool] else "" for kind in ("reencoded", "resized")]
        cells = [*shares, *(by_turns(seconds[base], seconds[tool]) for base in BASES)]
        print(f"{tool:24}{value:8.3f}{len(files) / value:13,.0f}" + "".join(f"{cell:>17}" for cell in cells))
    print(
        f"unchanged rerun: {middle['lingshu scaled'] / middle['lingshu unchanged']:,.0f} times as fast as the first run"
    )


if __name__ == "__main__":
    main()

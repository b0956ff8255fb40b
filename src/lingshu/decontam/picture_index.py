"""The benchmarks' pictures as an index, and which training pictures are equal, near, or a crop of one of them.

A pair that the hashes propose is taken only if details agree (`alignment.agreement`): all chest films are near each
other under a 64-bit hash, and none agrees with another in its edges.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lingshu.core.hamming import cross_pairs
from lingshu.core.question import PictureFile
from lingshu.decontam.alignment import agreement, details
from lingshu.decontam.crew import Crew
from lingshu.decontam.crop_check import Case, CropRule, Other, crops_among
from lingshu.decontam.looks import LOOKS
from lingshu.decontam.prints import PicturePrint, Unreadable, decoded, working_size
from lingshu.decontam.turned import other_looks
from lingshu.decontam.votes import KeypointIndex, candidates, keypoint_index

KEPT_PICTURES = 1024  # of the index, decoded: 64 KiB each
CASES_A_PART = 16


@dataclass(frozen=True, slots=True)
class PictureRule:
    """When two pictures overlap.

    Attributes:
        radius: largest Hamming distance of 64 bits between the pHashes or the dHashes; two hashes, because the pHash of
            a mirror-symmetric picture is noise in half of its bits.
        agreement: least correlation of details, in [0, 1].
        weakest: least lower quartile of the correlations of the parts that show something.
        turned: look also for a picture that is turned by quarters, mirrored or in negative, by pHash.
        crops: look for crops too.
        crop_agreement: as `agreement`, of the part that both show once it is laid exactly: a true crop has more.
        crop_weakest: as `weakest`, likewise.
        keypoint_radius: largest Hamming distance between keypoint hashes that match.
        votes: least keypoints that agree on one place and scale.
        looked_at: candidates for a crop that are compared, the most votes first.
        common: least share of one of the pictures that both show, for a crop.
    """

    radius: int = 10
    agreement: float = 0.85
    weakest: float = 0.5
    turned: bool = True
    crops: bool = True
    crop_agreement: float = 0.95
    crop_weakest: float = 0.8
    keypoint_radius: int = 8
    votes: int = 3
    looked_at: int = 8
    common: float = 0.5

    @property
    def crop_rule(self) -> CropRule:
        """The part of it that a worker needs."""
        return CropRule(self.crop_agreement, self.crop_weakest, self.common, self.radius)


@dataclass(frozen=True, slots=True)
class PictureHit:
    """A picture of the index that a picture overlaps: its number, how, and the distance in bits."""

    picture: int
    method: str
    distance: int


class PictureIndex:
    """Pictures to look for.

    Args:
        prints: of the pictures.
        files: the same pictures, read again where a crop is to be laid.
        rule: when two overlap.
    """

    def __init__(self, prints: Sequence[PicturePrint], files: Sequence[PictureFile], rule: PictureRule) -> None:
        self._rule = rule
        self._files = files
        self._thumbnails = [one.thumbnail for one in prints]
        self._digests: dict[str, list[int]] = {}
        for number, one in enumerate(prints):
            self._digests.setdefault(one.digest, []).append(number)
        self._hashes = [_grouped([one.phash for one in prints]), _grouped([one.dhash for one in prints])]
        places = [one.keypoints for one in prints]
        self._keypoints: KeypointIndex | None = keypoint_index(places) if rule.crops else None
        self._decoded: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()

    def hits(self, prints: Sequence[PicturePrint], crew: Crew | None = None) -> list[list[PictureHit]]:
        """Return what each picture overlaps, by the surest method, in the order of the index.

        Args:
            prints: of the pictures.
            crew: who lays crops; without one this process. Hits do not depend on it.
        """
        near = self._near(prints)
        found = [self._hits(one, near[place]) for place, one in enumerate(prints)]
        if self._rule.turned:
            self._add_turned(prints, found)
        if self._keypoints is not None:
            self._add_crops(prints, found, crew or Crew())
        return [[hits[number] for number in sorted(hits)] for hits in found]

    def _hits(self, one: PicturePrint, near: dict[int, int]) -> dict[int, PictureHit]:
        found = {number: PictureHit(number, "exact", 0) for number in self._digests.get(one.digest, [])}
        mine = details(one.thumbnail.astype(np.float32))
        for number, distance in near.items():
            if number not in found and self._agrees(mine, number):
                found[number] = PictureHit(number, "perceptual", distance)
        return found

    def _agrees(self, mine: NDArray[np.float32], number: int) -> bool:
        whole, weakest = agreement(mine, details(self._thumbnails[number].astype(np.float32)))
        return whole >= self._rule.agreement and weakest >= self._rule.weakest

    def _add_turned(self, prints: Sequence[PicturePrint], found: list[dict[int, PictureHit]]) -> None:
        values, holders = self._hashes[0]
        for looks, hashes in other_looks([one.thumbnail for one in prints]):
            mine, places = _grouped(hashes.tolist())
            pairs = cross_pairs(mine, values, self._rule.radius)
            for left, right, distance in zip(
                pairs.left.tolist(), pairs.right.tolist(), pairs.distance.tolist(), strict=True
            ):
                for place in places[left]:
                    seen = details(looks[place].astype(np.float32))
                    for number in holders[right]:
                        if number not in found[place] and self._agrees(seen, number):
                            found[place][number] = PictureHit(number, "turned", distance)

    def _near(self, prints: Sequence[PicturePrint]) -> list[dict[int, int]]:
        """Return for each picture those of the index within the radius, and the smaller distance of the two hashes."""
        near: list[dict[int, int]] = [{} for _ in prints]
        for (values, holders), hashes in zip(
            self._hashes, ([p.phash for p in prints], [p.dhash for p in prints]), strict=True
        ):
            mine, places = _grouped(hashes)
            pairs = cross_pairs(mine, values, self._rule.radius)
            for left, right, distance in zip(
                pairs.left.tolist(), pairs.right.tolist(), pairs.distance.tolist(), strict=True
            ):
                for place in places[left]:
                    for number in holders[right]:
                        near[place][number] = min(distance, near[place].get(number, distance))
        return near

    def _add_crops(self, prints: Sequence[PicturePrint], found: list[dict[int, PictureHit]], crew: Crew) -> None:
        """Add what a crop finds; the pictures that it needs are decoded as their turn comes."""
        rule, places = self._rule, [place for place, one in enumerate(prints) if len(one.keypoints)]
        cases = (self._case(prints[place], found[place]) for place in places)
        looked = crew.in_order(partial(crops_among, rule=rule.crop_rule), cases, CASES_A_PART)
        for place, crops in zip(places, looked, strict=True):
            for number, distance in crops.items():
                found[place][number] = PictureHit(number, "crop", distance)

    def _case(self, one: PicturePrint, known: dict[int, PictureHit]) -> Case:
        assert self._keypoints is not None and one.pixels is not None
        rule = self._rule
        looks = LOOKS if rule.turned else LOOKS[:1]
        proposed = candidates(one.keypoints, self._keypoints, rule.keypoint_radius, rule.votes, rule.looked_at, looks)
        others = [
            Other(candidate.picture, pixels, candidate.look, candidate.guesses)
            for candidate in proposed
            if candidate.picture not in known and (pixels := self._picture(candidate.picture)) is not None
        ]
        return Case(one.pixels, tuple(others))

    def _picture(self, number: int) -> NDArray[np.uint8] | None:
        if number in self._decoded:
            self._decoded.move_to_end(number)
            return self._decoded[number]
        grey = decoded(self._files[number].read())
        if isinstance(grey, Unreadable):
            return None
        self._decoded[number] = working_size(grey)
        if len(self._decoded) > KEPT_PICTURES:
            self._decoded.popitem(last=False)
        return self._decoded[number]


def _grouped(hashes: Sequence[int]) -> tuple[NDArray[np.uint64], list[list[int]]]:
    """Return the distinct hashes, and for each the places that have it."""
    places: dict[int, list[int]] = {}
    for place, value in enumerate(hashes):
        places.setdefault(value, []).append(place)
    return np.array(list(places), dtype=np.uint64), list(places.values())

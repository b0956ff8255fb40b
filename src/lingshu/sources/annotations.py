"""What the rows of a raw imaging source say of their pictures, as its record writes it: labels, boxes, masks, display.

Such sources have no conversations. Their labels and boxes become facts, from which synthesis writes (paper, section
2.2.1: metadata preparation, and boxes around regions of interest). Whether facts are of the vocabulary is checked where
they are stated: a change of the vocabulary must not pull a source again.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from lingshu.core.params import Strict


class Label(Strict):
    """One thing that rows say: a value, several values in one text, or a word for each column that is set.

    Attributes:
        field: path of the value; null and "" say nothing.
        separator: between several values in one text.
        names: of a value, to our word, or to "" where it says nothing; with names, a value without one is an error.
        flags: path of a column to the word that it stands for; a column is set where it has one of `set`.
        set: values of a column that say yes.
    """

    field: str = ""
    separator: str = ""
    names: dict[str, str] = Field(default_factory=dict)
    flags: dict[str, str] = Field(default_factory=dict)
    set: list[str] = Field(default_factory=lambda: ["1", "1.0", "True", "yes"])

    @model_validator(mode="after")
    def _one(self) -> Label:
        if bool(self.field) == bool(self.flags):
            raise ValueError("a label has field or flags")
        return self


class Boxes(Strict):
    """Boxes that rows give in pixels of the file.

    Attributes:
        field: path of four numbers, or of several times four: a list, or a text with commas or blanks.
        each: path of a list of objects instead, as a join of several rows gives; each is a box, and without a list
            there is none.
        fields: of such an object, the four numbers.
        order: the numbers are two corners (`xyxy`), or a corner, width and height (`xywh`).
        label: what all of them show.
        label_field: path of what they show, in the row or in the object.
    """

    field: str = ""
    each: str = ""
    fields: list[str] = Field(default_factory=list)
    order: Literal["xyxy", "xywh"] = "xyxy"
    label: str = ""
    label_field: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Boxes:
        if bool(self.field) == bool(self.each):
            raise ValueError("boxes have field or each")
        if bool(self.each) != (len(self.fields) == 4):
            raise ValueError("each goes with four fields")
        if bool(self.label) == bool(self.label_field):
            raise ValueError("boxes have label or label_field")
        return self


class Masks(Strict):
    """Masks, each region of which gets the smallest box around it.

    Attributes:
        file: name of the mask's file, with `{field}` filled in from the row; `*` finds several files.
        field: path of an array in the row instead (format npy), whose last axis, if it has three, is one map a name.
        array: name of the array, where the file is one of MATLAB (`.mat`).
        kind: `values` (a grey mask whose values are regions), `colours` (a region has a colour), `outline` (a text file
            of points, a line `x y` each), `polygon` (JSON, a list of points), or `instances` (each value is an
            object of its own).
        names: value, colour (`255,0,0`) or number of the map, to what it shows; of `values` those left out are
            background. Empty: everything above zero is `label`.
        label: what every region shows, where `names` is empty.
        least_px: smaller regions, by their longer side, are specks and get no box.
        whole: one box around all parts of a region instead of a box for each connected part.
        count: fact that gets the number of boxes.
        optional: a picture may have no mask.
        scaled: masks have another size than their pictures.
    """

    file: str = ""
    field: str = ""
    array: str = ""
    kind: Literal["values", "colours", "outline", "polygon", "instances"] = "values"
    names: dict[str, str] = Field(default_factory=dict)
    label: str = ""
    least_px: int = Field(default=4, ge=1)
    whole: bool = False
    count: str = ""
    optional: bool = False
    scaled: bool = False

    @model_validator(mode="after")
    def _complete(self) -> Masks:
        if bool(self.file) == bool(self.field):
            raise ValueError("masks have file or field")
        if self.array and not (self.file and self.kind in ("values", "instances")):
            raise ValueError("array goes with file, and kind values or instances")
        if not (self.names or self.label):
            raise ValueError("masks need names or label")
        return self


class Annotations(Strict):
    """What is known of each picture of a form.

    Attributes:
        facts: facts of the vocabulary that hold for every row.
        labels: name to where it is; a name of the vocabulary becomes that fact, others stand in fact `labels`.
        boxes: boxes in the rows.
        masks: masks beside the pictures or in the rows.
        window: values shown as black and white, for pictures of more than 8 bits and for volumes.
        window_field: path of the window, where rows have their own: two numbers in a text or a list.
        offset: added to the values first (DeepLesion stores Hounsfield units plus 32,768).
        planes: of a volume, cut into slices along these.
        slices: of a volume, at most, along each plane: evenly spread over those that a mask marks, or show tissue.
        least_tissue: share of a slice that shows something, where no mask marks slices.
    """

    facts: dict[str, str | bool | int] = Field(default_factory=dict)
    labels: dict[str, Label] = Field(default_factory=dict)
    boxes: Boxes | None = None
    masks: list[Masks] = Field(default_factory=list)
    window: tuple[float, float] | None = None
    window_field: str = ""
    offset: float = 0.0
    planes: list[Literal["axial", "coronal", "sagittal"]] = Field(default_factory=lambda: ["axial"])  # type: ignore[arg-type]
    slices: int = Field(default=8, ge=1)
    least_tissue: float = Field(default=0.05, gt=0, lt=1)

    @model_validator(mode="after")
    def _one_window(self) -> Annotations:
        if self.window and self.window_field:
            raise ValueError("give window or window_field")
        return self

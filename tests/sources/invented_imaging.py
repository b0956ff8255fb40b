"""Invented files in the shape of raw imaging sources: for each form a folder, and what must be known of a picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.sources.drawn_imaging import HIGH, SQUARE, WIDE, body, encoded, film, marks, mask, volume
from tests.sources.invented_files import put
from tests.sources.invented_photographs import (
    cpd,
    mhsma,
    pannuke,
    retinopathy_2015,
    retinopathy_2019,
    retinopathy_resized,
    snow,
)

SPOT = (slice(20, 30), slice(40, 60), slice(8, 12))
# Of an upright axial slice: the first column is the patient's right end, the first row its front.
SPOT_BOX = [70 - 30, 80 - 60, 70 - 20, 80 - 40]


@dataclass(frozen=True)
class Made:
    """A form as it was made: rows, pictures, and for one of its pictures the facts that must be known."""

    source: str
    form: str
    make: Callable[[Path], None]
    rows: int
    facts: dict[str, Any]
    pictures: int = 0
    splits: set[str] = field(default_factory=lambda: {"train"})
    groups: int = 0


def covid(folder: Path) -> None:
    for place, name in enumerate(("COVID", "Lung_Opacity", "Normal", "Viral Pneumonia")):
        put(folder / f"COVID-19_Radiography_Dataset/{name}/images/{name}-1.png", film(shade=60 + place))
        half = mask(size=(HIGH // 2, WIDE // 2), box=(4, 5, 20, 25))
        put(folder / f"COVID-19_Radiography_Dataset/{name}/masks/{name}-1.png", half)


def covid_first(folder: Path) -> None:
    put(folder / "COVID-19 Radiography Database/COVID/COVID (1).png", film())


NIH_HEAD = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]\n"
)


def nih(folder: Path, *, boxes: bool = True) -> None:
    rows = "1_000.png,Mass|Nodule,0,1,50,F,PA,96,80,0.1,0.1\n1_001.png,No Finding,1,1,51,F,AP,96,80,0.1,0.1\n"
    put(folder / "Data_Entry_2017_v2020.csv", NIH_HEAD + rows)
    if boxes:
        head = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
        put(folder / "BBox_List_2017.csv", head + "1_000.png,Mass,30,20,30,20,,,\n1_000.png,Nodule,5,6.5,10,10,,,\n")
    put(folder / "images_001/images/1_000.png", film())
    put(folder / "images_002/images/1_001.png", film(shade=61))


CHEXPERT = (
    "No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,"
    "Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices"
)


def chexpert(folder: Path) -> None:
    path = "CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg"
    values = ",,1.0,,,-1.0,0.0,,,,1.0,,,"
    put(
        folder / "CheXpert-v1.0-small/train.csv",
        f"Path,Sex,Age,Frontal/Lateral,AP/PA,{CHEXPERT}\n{path},F,1,Frontal,AP,{values}\n",
    )
    put(folder / path, film("JPEG"))


def knee(folder: Path) -> None:
    for grade in ("0Normal", "4Severe"):
        put(folder / f"MedicalExpert-I/{grade}/{grade[1:]}G{grade[0]} (1).png", film(shade=70 + int(grade[0])))
        put(folder / f"MedicalExpert-II/{grade}/{grade[1:]}G{grade[0]} (1).png", film(shade=70 + int(grade[0])))


def kipa(folder: Path) -> None:
    volume(folder / "train/image/0.nii.gz", body())
    kidney = (slice(20, 60), slice(20, 60), slice(4, 12))
    volume(folder / "train/label/0.nii.gz", marks((2, kidney), (4, SPOT)))


def deeplesion(folder: Path) -> None:
    head = (
        "File_name,Patient_index,Study_index,Series_ID,Key_slice_index,Measurement_coordinates,Bounding_boxes,"
        "Lesion_diameters_Pixel_,Normalized_lesion_location,Coarse_lesion_type,Possibly_noisy,Slice_range,"
        "Spacing_mm_px_,Image_size,DICOM_windows,Patient_gender,Patient_age,Train_Val_Test\n"
    )
    row = '000001_01_01_{slice}.png,1,1,1,{slice},"1, 2","30.4, 20, 59.2, 39.9","1, 2","0.5, 0.5",{kind},0,"1, 2",' \
          '"1, 1, 5","80, 96","-175, 275",F,62,{split}\n'  # fmt: skip
    rows = row.format(slice=109, kind=5, split=1) + row.format(slice=110, kind=-1, split=3)
    put(folder / "DL_info.csv", head + rows)
    hounsfield = np.full((HIGH, WIDE), 32768 - 1000, dtype=np.uint16)
    hounsfield[20:40, 30:60] = 32768 + 100
    for number in (109, 110):
        hounsfield[0, 0] += 200
        put(folder / f"Images_png/000001_01_01/{number}.png", encoded(hounsfield))


def by_class(paths: list[str], kind: str = "PNG") -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        for place, path in enumerate(paths):
            put(folder / path, film(kind, shade=50 + place))

    return make


def brats(folder: Path) -> None:
    case = folder / "training_data1_v2/BraTS-GLI-00005-100/BraTS-GLI-00005-100"
    for place, name in enumerate(("t1c", "t1n", "t2f", "t2w")):
        volume(case.with_name(f"{case.name}-{name}.nii.gz"), body(place))
    volume(case.with_name(f"{case.name}-seg.nii.gz"), marks((3, SPOT)))


def lld(folder: Path) -> None:
    root = folder / "classification_dataset"
    for place, phase in enumerate(("T2WI", "C+A")):
        volume(root / f"images/MR-1/{phase}.nii.gz", body(place))
    volume(root / "images/MR-2/T2WI.nii.gz", body(9))
    put(root / "labels/labels.txt", "MR-1 6\n")


def mama(folder: Path) -> None:
    for phase in ("0000", "0001"):
        volume(folder / f"images/DUKE_001/duke_001_{phase}.nii.gz", body(int(phase)))
    volume(folder / "segmentations/expert/duke_001.nii.gz", marks((1, SPOT)))


def abdomen(folder: Path) -> None:
    colours = np.zeros((HIGH, WIDE, 3), dtype=np.uint8)
    colours[20:40, 30:60] = (100, 0, 100)
    colours[50:70, 10:20] = (255, 255, 0)
    for part, name in (("AUS", "ct14-1"), ("RUS", "us2-1")):
        put(folder / f"abdominal_US/abdominal_US/{part}/images/train/{name}.png", film(shade=len(part) + ord(part[0])))
    put(folder / "abdominal_US/abdominal_US/AUS/annotations/train/ct14-1.png", encoded(colours))


def busi(folder: Path) -> None:
    for place, name in enumerate(("benign", "malignant", "normal")):
        put(folder / f"Dataset_BUSI_with_GT/{name}/{name} (1).png", film(shade=60 + place))
        put(
            folder / f"Dataset_BUSI_with_GT/{name}/{name} (1)_mask.png",
            mask(box=(0, 0, 0, 0) if place == 2 else (30, 20, 60, 40)),
        )
    put(folder / "Dataset_BUSI_with_GT/benign/benign (1)_mask_1.png", mask(box=(5, 6, 20, 21)))


def liver(folder: Path) -> None:
    put(folder / "7272660/Benign/Benign/image/1.jpg", film("JPEG"))
    put(folder / "7272660/Benign/Benign/segmentation/liver/1.json", json.dumps([[5, 6], [90, 6], [90, 70.5]]))
    put(folder / "7272660/Benign/Benign/segmentation/mass/1.json", json.dumps([[30, 20], [59, 20], [59, 39]]))
    put(folder / "7272660/Normal/Normal/image/1.jpg", film("JPEG", 61))


def ham(folder: Path) -> None:
    head = "lesion_id,image_id,dx,dx_type,age,sex,localization\n"
    put(
        folder / "HAM10000_metadata.csv",
        head + "HAM_1,ISIC_1,mel,histo,80,male,back\nHAM_1,ISIC_2,mel,histo,80,male,back\n",
    )
    put(folder / "HAM10000_images_part_1/ISIC_1.jpg", film("JPEG"))
    put(folder / "HAM10000_images_part_2/ISIC_2.jpg", film("JPEG", 61))
    put(folder / "HAM10000_segmentations_lesion_tschandl/ISIC_1_segmentation.png", mask())


ISIC = (
    "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,benign_malignant,target\n"
    "ISIC_1,IP_1,male,45,head/neck,unknown,benign,0\nISIC_2,IP_1,male,45,,melanoma,malignant,1\n"
)


def isic(name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        put(folder / name, ISIC)
        put(folder / "train/ISIC_1.jpg", film("JPEG"))
        put(folder / "train/ISIC_2.jpg", film("JPEG", 61))

    return make


def fitzpatrick(folder: Path) -> None:
    head = (
        "md5hash,fitzpatrick_scale,fitzpatrick_centaur,label,nine_partition_label,three_partition_label,qc,url,"
        "url_alphanum\n"
    )
    rows = (
        "aa,3,3,drug induced pigmentary changes,inflammatory,non-neoplastic,,http://x/1,x\n"
        "bb,-1,1,melanoma,m,malignant,,y,y\n"
    )
    put(folder / "fitzpatrick17k.csv", head + rows)
    put(folder / "images/aa.jpg", film("JPEG"))
    put(folder / "images/bb.jpg", film("JPEG", 61))


def pad(folder: Path) -> None:
    head = "patient_id,lesion_id,smoke,age,region,diagnostic,img_id,biopsed\n"
    put(folder / "metadata.csv", head + "PAT_1,2,False,50,ARM,NEV,PAT_1_2_3.png,False\n")
    put(folder / "imgs_part_1/PAT_1_2_3.png", film())


BRSET = (
    "diabetic_retinopathy,macular_edema,scar,nevus,amd,vascular_occlusion,hypertensive_retinopathy,drusens,hemorrhage,"
    "retinal_detachment,myopic_fundus,increased_cup_disc,other,quality"
)


def brset(folder: Path) -> None:
    head = f"image_id,patient_id,camera,DR_ICDR,{BRSET}\n"
    put(folder / "labels_brset.csv", head + "img00001,1,Canon CR,2,1,0,0,0,0,0,0,1,0,0,0,0,0,Adequate\n")
    put(folder / "fundus_photos/img00001.jpg", film("JPEG"))


def papila(folder: Path) -> None:
    root = folder / "PapilaDB-PAPILA-17f8fa77"
    put(root / "FundusImages/RET002OD.jpg", film("JPEG"))
    put(root / "ExpertsSegmentations/Contours/RET002OD_disc_exp1.txt", "30.0 20.0\n60.0 20.0\n60.0 40.0\n")
    put(root / "ExpertsSegmentations/Contours/RET002OD_cup_exp1.txt", "40 25\n50 25\n50 35\n")


def ebhi(folder: Path) -> None:
    for name in ("GT2001837-1-400-001", "GT2001837-1-400-002"):
        put(folder / f"EBHI-SEG/Low-grade IN/image/{name}.png", film(shade=50 + int(name[-1])))
        put(folder / f"EBHI-SEG/Low-grade IN/label/{name}.png", mask())


def labelled(**labels: str | list[str]) -> dict[str, list[str]]:
    return {name.replace("_", " "): [value] if isinstance(value, str) else value for name, value in labels.items()}


def boxed(label: str, *box: int) -> dict[str, Any]:
    return {"label": label, "box": list(box)}


FILM = {"modality": "x-ray", "body_part": "chest", "view": "frontal"}
SNOW = {
    "modality": "histopathology", "body_part": "breast", "stain": "hematoxylin and eosin", "generated": True,
    "nuclei_count": 2, "boxes": [boxed("nucleus", 30, 10, 45, 20), boxed("nucleus", 45, 20, 60, 30)],
}  # fmt: skip
FUNDUS = {"modality": "fundus photograph", "body_part": "eye"}
SKIN = {"body_part": "skin"}
MADE: tuple[Made, ...] = (
    Made("covid19_radiography", "class folders with images/ and masks/", covid, 4, FILM | {
        "labels": labelled(finding="lung opacity"), "boxes": [boxed("lung", 8, 10, 40, 50)]}, 4),
    Made("covid19_radiography", "class folders (first release)", covid_first, 1,
         FILM | {"labels": labelled(finding="COVID-19")}),
    Made("nih_chest_xray", "label file with boxes", nih, 2, FILM | {
        "labels": labelled(findings=["Mass", "Nodule"], projection="PA"),
        "boxes": [boxed("Mass", *SQUARE), boxed("Nodule", 5, 6, 15, 17)]}, groups=1),
    Made("nih_chest_xray", "label file alone", lambda f: nih(f, boxes=False), 2,
         FILM | {"labels": labelled(findings="No Finding", projection="AP")}, groups=1),
    Made("chexpert", "label file of the training split", chexpert, 1,
         FILM | {"labels": labelled(projection="AP", findings=["cardiomegaly", "pleural effusion"])}),
    Made("knee_xray", "a folder for each grade of the first expert", knee, 2,
         {"modality": "x-ray", "body_part": "knee", "labels": labelled(osteoarthritis_grade="4, severe")}),
    Made("kipa22", "training volumes with masks", kipa, 1, {
        "modality": "ct", "body_part": "kidney", "contrast": True, "plane": "axial",
        "boxes": [boxed("kidney", 10, 20, 50, 60), boxed("kidney tumour", *SPOT_BOX)]}, 8),
    Made("deeplesion", "key slices of DL_info.csv", deeplesion, 2, {
        "modality": "ct", "plane": "axial", "labels": labelled(lesion_region="lung"),
        "boxes": [boxed("lesion", 30, 20, 60, 40)]}, splits={"train", "test"}, groups=1),
    Made("chest_ctscan", "a folder for each split and class", by_class([
        "Data/train/squamous.cell.carcinoma_left.hilum_T1_N2_M0_IIIa/000002 (4).png", "Data/valid/normal/7.jpg",
        "Data/test/adenocarcinoma/000108 (3).png"]), 3, {
        "modality": "ct", "body_part": "chest", "plane": "axial",
        "labels": labelled(diagnosis="squamous cell carcinoma")}, splits={"train", "validation", "test"}),
    Made("brain_tumor_mri", "a folder for each split and class", by_class(
        ["Training/notumor/Tr-no_0010.jpg", "Testing/glioma/Te-gl_0010.jpg"], "JPEG"), 2,
        {"modality": "mri", "body_part": "brain", "labels": labelled(diagnosis="no tumour")}, splits={"train", "test"}),
    Made("brats2024", "a folder for each case", brats, 4, {
        "modality": "mri", "body_part": "brain", "sequence": "T1-weighted", "contrast": True, "plane": "axial",
        "boxes": [boxed("enhancing tumour", *SPOT_BOX)]}, 16, groups=1),
    Made("lld_mmri", "lesion volumes of classification_dataset", lld, 2, {
        "modality": "mri", "body_part": "liver", "contrast": True, "plane": "axial",
        "labels": labelled(phase="arterial phase", diagnosis="hepatocellular carcinoma")}, 16, groups=1),
    Made("mama_mia", "first volume after contrast agent, with the experts' masks", mama, 1, {
        "modality": "mri", "body_part": "breast", "sequence": "T1-weighted", "contrast": True, "plane": "axial",
        "boxes": [boxed("breast tumour", *SPOT_BOX)]}, 4),
    Made("abdomen_us", "images and annotations of both parts", abdomen, 2, {
        "modality": "ultrasound", "body_part": "abdomen", "labels": labelled(origin="simulated from CT"),
        "boxes": [boxed("liver", *SQUARE), boxed("kidney", 10, 50, 20, 70)]}, groups=2),
    Made("breast_ultrasound", "a folder for each class, masks beside the pictures", busi, 3, {
        "modality": "ultrasound", "body_part": "breast", "labels": labelled(finding="benign"),
        "boxes": [boxed("breast lesion", *SQUARE), boxed("breast lesion", 5, 6, 20, 21)]}),
    Made("ultrasound_liver", "a folder for each class, outlines beside the pictures", liver, 2, {
        "modality": "ultrasound", "body_part": "liver", "labels": labelled(finding="benign mass"),
        "boxes": [boxed("liver", 5, 6, 90, 71), boxed("liver mass", 30, 20, 59, 39)]}),
    Made("radimagenet_us", "a folder for each anatomy and finding", by_class(["radiology_ai/US/abd/gb/usn1.png"]), 1,
         {"modality": "ultrasound", "labels": labelled(anatomy="abd", finding="gb")}),
    Made("ham10000", "metadata with two folders of pictures", ham, 2, SKIN | {
        "modality": "dermoscopy", "labels": labelled(diagnosis="melanoma", site="back"),
        "boxes": [boxed("skin lesion", *SQUARE)]}, groups=1),
    Made("isic2020", "ground truth with the training pictures", isic("ISIC_2020_Training_GroundTruth.csv"), 2, SKIN | {
        "modality": "dermoscopy", "labels": labelled(malignancy="benign", site="head/neck")}, groups=1),
    Made("isic2020", "train.csv of Kaggle with the training pictures", isic("train.csv"), 2, SKIN | {
        "modality": "dermoscopy", "labels": labelled(malignancy="malignant", diagnosis="melanoma")}, groups=1),
    Made("fitzpatrick17k", "label file with a folder of pictures", fitzpatrick, 2, SKIN | {
        "modality": "photograph", "labels": labelled(condition="drug induced pigmentary changes",
        malignancy="non-neoplastic", skin_type="III")}),
    Made("pad_ufes_20", "metadata with folders of pictures", pad, 1,
         SKIN | {"modality": "photograph", "labels": labelled(diagnosis="nevus", site="ARM")}),
    Made("brset", "label file with fundus_photos/", brset, 1, FUNDUS | {"labels": labelled(
        diabetic_retinopathy_grade="2", quality="Adequate", findings=["diabetic retinopathy", "drusen"])}),
    Made("papila", "pictures with the first expert's outlines", papila, 1, FUNDUS | {
        "labels": labelled(eye="right"),
        "boxes": [boxed("optic disc", *SQUARE), boxed("optic cup", 40, 25, 50, 35)]}),
    Made("retinopathy_2015", "trainLabels.csv with train/", retinopathy_2015, 2,
         FUNDUS | {"labels": labelled(diabetic_retinopathy_grade="2, moderate")}, groups=1),
    Made("retinopathy_2015", "a folder for each grade", by_class(["Diabetic/3/99_left.jpeg"], "JPEG"), 1,
         FUNDUS | {"labels": labelled(diabetic_retinopathy_grade="3, severe")}),
    Made("retinopathy_2019", "train.csv with train_images/", retinopathy_2019, 1,
         FUNDUS | {"labels": labelled(diabetic_retinopathy_grade="4, proliferative")}),
    Made("retinopathy_2015", "resized 2015 and 2019, its pictures of 2015", retinopathy_resized, 3,
         FUNDUS | {"labels": labelled(diabetic_retinopathy_grade="4, proliferative")}, groups=2),
    Made("retinopathy_2019", "resized 2015 and 2019, its pictures of 2019", retinopathy_resized, 1,
         FUNDUS | {"labels": labelled(diabetic_retinopathy_grade="1, mild")}),
    Made("cpd", "cpd.csv with images/", cpd, 2, {"modality": "histopathology", "body_part": "skin",
         "labels": labelled(staining="CPD", share_of_damaged_nuclei="0.25")}),
    Made("breast_cancer", "Image/ and Mask/", snow("Image", "Mask"), 2, SNOW),
    Made("breast_cancer", "SNOW_Image/ and mat/", snow("SNOW_Image", "mat"), 2, SNOW),
    Made("pannuke", "arrays of three folds", pannuke, 2, {
        "modality": "histopathology", "stain": "hematoxylin and eosin", "labels": labelled(tissue="Breast"),
        "nuclei_count": 3, "boxes": [
            boxed("neoplastic nucleus", 30, 10, 45, 20), boxed("neoplastic nucleus", 45, 20, 60, 30),
            boxed("inflammatory nucleus", 5, 60, 15, 70)]}),
    Made("ebhi_seg", "a folder for each class, with image/ and label/", ebhi, 2, {
        "modality": "histopathology", "body_part": "colon", "stain": "hematoxylin and eosin",
        "labels": labelled(diagnosis="low-grade intraepithelial neoplasia"), "boxes": [boxed("gland", *SQUARE)]},
        groups=1),
    Made("blood_cell", "a folder for each split and kind of cell", by_class([
        "dataset2-master/dataset2-master/images/TRAIN/EOSINOPHIL/_0_1169.jpeg",
        "dataset2-master/dataset2-master/images/TEST/MONOCYTE/_1_2.jpeg",
        "dataset2-master/dataset2-master/images/TEST_SIMPLE/MONOCYTE/_1_2.jpeg"], "JPEG"), 2,
        {"modality": "microscopy", "body_part": "blood", "labels": labelled(**{"kind of cell": "eosinophil"})},
        splits={"train", "test"}),
    Made("biomeditech_rpe", "Subwindows/", by_class(["RPE_dataset/Subwindows/1_00001_001_1_1.tif"], "TIFF"), 1,
         {"modality": "microscopy", "body_part": "eye", "structure": "cell"}),
    Made("mhsma", "pictures of 128 px and labels as arrays", mhsma, 4, {
        "modality": "microscopy", "structure": "cell",
        "labels": {f"{part} finding": ["abnormal"] for part in ("acrosome", "head", "vacuole", "tail")}},
        splits={"train", "validation", "test"}),
)  # fmt: skip

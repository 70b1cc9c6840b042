"""Sets whose own terms leave weights that are trained on them free. Layouts are their makers'."""

from __future__ import annotations

from mien.data.adapters import labels
from mien.data.adapters.base import FILM, DataSet
from mien.data.sequences import TemporalProfile

_TERMS = "training and measuring; name the source"

CREMA_D = DataSet(
    name="crema-d",
    title="CREMA-D",
    contents="7,442 spoken clips of 91 actors, six emotions at up to three levels, 480 x 360 px",
    licence="ODbL-1.0 and DbCL-1.0",
    terms=_TERMS,
    weights="any use",
    source="https://github.com/CheyneyComputerScience/CREMA-D",
    obtain="clone it with Git LFS, folder VideoFlash",
    example="VideoFlash/1001_DFA_ANG_XX.flv",
    files=(
        r"(?:Video\w+/)?(?P<person>1\d{3})_(?P<take>[A-Z]{3}_(?P<emotion>[A-Z]{3})_[A-Z]{2})"
        + FILM,
    ),
    emotions={
        "ang": "anger", "dis": "disgust", "fea": "fear", "hap": "happy", "neu": "neutral",
        "sad": "sad",
    },
    profile=TemporalProfile.SPOKEN,
    frames=3,
)  # fmt: skip

GRID = DataSet(
    name="grid",
    title="GRID audiovisual sentence corpus",
    contents="33 speakers with 1,000 sentences each, no emotion, 360 x 288 or 720 x 576 px",
    licence="CC-BY-4.0",
    terms=_TERMS + "; mien shows no edited picture of its speakers",
    weights="any use",
    source="https://doi.org/10.5281/zenodo.3625687",
    obtain="unpack s1.zip to s34.zip side by side",
    example="s1/bbaf2n.mpg",
    files=(r"(?P<person>s\d+)/(?:[^/]+/)*(?P<take>[blps][bgrw][abiw][a-vx-z][z1-9][anps])" + FILM,),
    profile=TemporalProfile.SPOKEN,
    frames=1,
)

SFHQ_T2I = DataSet(
    name="sfhq-t2i",
    title="SFHQ-T2I, the part by FLUX.1 schnell",
    contents="58,034 faces of nobody, 1024 px; the emotion that the prompt asked for",
    licence="MIT",
    terms="training and measuring; what FLUX itself was trained on is not published, so weights "
    "that ship with mien use none of it",
    weights="any use",
    source="https://github.com/SelfishGene/SFHQ-T2I-dataset",
    obtain="unpack the Kaggle download: SFHQ_T2I_dataset.csv beside the folder images",
    example="images/FLUX1_schnell_image_0011062.jpg",
    files=(r"(?:images/)*(?P<picture>FLUX1_schnell_image_\d+)\.jpg",),
    beside=labels.sfhq_t2i,
)

FAIRFACE = DataSet(
    name="fairface",
    title="FairFace",
    contents="108,501 faces balanced by race, 224 px; no expression; people below 20 are left out",
    licence="CC-BY-4.0",
    terms=_TERMS,
    weights="any use",
    source="https://github.com/dchen236/FairFace",
    obtain="unpack the pictures, train and val, beside fairface_label_train.csv and ..._val.csv",
    example="train/1.jpg",
    files=(r"(?P<part>train|val)/(?P<picture>\d+)\.jpg",),
    marker="fairface_label_train.csv",
    beside=labels.fairface,
    held_out=("val",),
)

SETS = (CREMA_D, GRID, SFHQ_T2I, FAIRFACE)

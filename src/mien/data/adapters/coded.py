"""Sets whose every frame has action units coded by people, and sets of photographs from the web,
for research.
"""

from __future__ import annotations

from mien.data.adapters import labels
from mien.data.adapters.base import FILM, PICTURE, DataSet
from mien.data.sequences import TemporalProfile

_TERMS = "your own research under the agreement that you signed"

DISFA = DataSet(
    name="disfa",
    title="DISFA",
    contents="spontaneous expressions of 27 people, 130,815 frames, twelve units at 0 to 5; here "
    "the left camera, 1024 x 768 px",
    licence="research, by application",
    terms=_TERMS,
    weights="non-commercial research",
    source="http://mohammadmahoor.com/disfa",
    obtain="unpack Videos_LeftCamera and ActionUnit_Labels side by side",
    example="Videos_LeftCamera/LeftVideoSN001_comp.avi",
    files=(r"Videos?_LeftCamera/LeftVideo(?P<person>SN\d{3})_comp" + FILM,),
    beside=labels.disfa,
    profile=TemporalProfile.CODED,
    frames=200,
)

DISFA_PLUS = DataSet(
    name="disfa-plus",
    title="DISFA+",
    contents="posed expressions of nine people, twelve units at 0 to 5",
    licence="research, by application",
    terms=_TERMS,
    weights="non-commercial research",
    source="http://mohammadmahoor.com/disfa-plus-request-form",
    obtain="unpack Images and Labels side by side",
    example="Images/SN001/A1_AU1_TrialNo_1/000.jpg",
    files=(r"Images/(?P<person>SN\d{3})/(?P<take>[^/]+)/(?P<frame>\d+)\.jpg",),
    beside=labels.disfa_plus,
    profile=TemporalProfile.CODED,
    frames=12,
)

BP4D = DataSet(
    name="bp4d",
    title="BP4D-Spontaneous",
    contents="328 series of 41 people, 27 units there or not, five of them at 0 to 5; "
    "1392 x 1040 px",
    licence="research, by application (a commercial licence is sold)",
    terms=_TERMS,
    weights="non-commercial research",
    source="https://www.cs.binghamton.edu/~lijun/Research/3DFE/3DFE_Analysis.html",
    obtain="unpack the subjects' pictures, F001 to M018, beside AUCoding",
    example="F001/T1/2440.jpg",
    files=(
        r"(?:(?:Sequences\(2D\+3D\)|2D\+3D|BP4D-training)/)?(?P<person>[FM]\d{3})/(?P<take>T\d)/"
        r"(?P<frame>\d+)\.jpg",
    ),
    beside=labels.bp4d,
    profile=TemporalProfile.CODED,
    frames=50,
)

RAF_DB = DataSet(
    name="raf-db",
    title="RAF-DB, basic emotions",
    contents="15,339 faces from the web, seven emotions, aligned to 100 px",
    licence="non-commercial research, by application",
    terms=_TERMS,
    weights="non-commercial research",
    source="http://www.whdeng.cn/raf/model1.html",
    obtain="unpack basic/Image/aligned and basic/EmoLabel",
    example="basic/Image/aligned/train_00001_aligned.jpg",
    files=(r"basic/Image/aligned/(?P<picture>(?P<part>train|test)_\d+)_aligned\.jpg",),
    beside=labels.raf_db,
    held_out=("test",),
)

AFFECTNET = DataSet(
    name="affectnet",
    title="AffectNet",
    contents="291,650 faces from the web, eight emotions (release of 2020); the older release too",
    licence="academic research, by application",
    terms=_TERMS,
    weights="non-commercial research",
    source="http://mohammadmahoor.com/affectnet",
    obtain="unpack train_set and val_set, or Manually_Annotated_Images beside training.csv and "
    "validation.csv",
    example="train_set/images/0.jpg",
    files=(
        r"(?P<part>train|val)_set/images/(?P<picture>\d+)\.jpg",
        r"Manually_Annotated_Images/(?P<listed>[^/]+/[^/]+" + PICTURE + ")",
    ),
    beside=labels.affectnet,
    held_out=("val",),
)

SETS = (DISFA, DISFA_PLUS, BP4D, RAF_DB, AFFECTNET)

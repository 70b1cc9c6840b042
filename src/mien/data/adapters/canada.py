"""Young Adult White Faces: DeBruine & Jones (2017), doi 10.6084/m9.figshare.4220517.

Original layout: `NNNf.jpg` or `NNNm.jpg`, neutral and frontal, each with a `.tem` of 189
hand-checked points beside it; the stem is the person.
"""

from __future__ import annotations

from mien.data.adapters.base import DataSet

DATASET = DataSet(
    name="canada",
    title="Young Adult White Faces",
    contents="young adults, neutral, frontal, 1350 x 1800 px",
    licence="CC-BY-4.0",
    terms="training, evaluation, pictures in documentation (name the source)",
    weights="any use",
    source="https://doi.org/10.6084/m9.figshare.4220517",
    obtain="unpack the original photographs and .tem files of the figshare download",
    example="008f.jpg",
    files=(r"(?P<person>\d{3}[fm])\.jpg",),
    anywhere=False,
    shows="neutral",
    shipped=True,
    points=True,
    alterable=True,
)

"""What a face can be asked to show. One guide is one class in one file, which says how it becomes
an expression code of any method; nothing else in mien asks which guide it has."""

from mien.guides.base import Guide, Speaker
from mien.guides.between import Between
from mien.guides.blendshapes import Blendshapes
from mien.guides.composed import Composed
from mien.guides.gaze import Gaze
from mien.guides.held import Held
from mien.guides.label import Label
from mien.guides.reference import Reference
from mien.guides.scaled import Scaled
from mien.guides.spec import ExpressionSpec
from mien.guides.staging import Staging
from mien.guides.units import ActionUnits

__all__ = [
    "ActionUnits",
    "Between",
    "Blendshapes",
    "Composed",
    "ExpressionSpec",
    "Gaze",
    "Guide",
    "Held",
    "Label",
    "Reference",
    "Scaled",
    "Speaker",
    "Staging",
]

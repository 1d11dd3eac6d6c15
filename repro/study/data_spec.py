"""Specification of data in a study file: each source with the settings to find and read it.

This module opens no files; `data.sources` does.
"""

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from repro.study.section import PositiveInt, Section, Seed, Share

ROLES = ("train", "test", "nonfaces", "crops")  # the last one is optional
Size = Annotated[int, Field(ge=64, le=1024)]  # pixels, square


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Columns = Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(_tuples)]
Years = Annotated[int, Field(ge=1, le=150)]
Bands = Annotated[tuple[Years, ...], Field(min_length=1), BeforeValidator(_tuples)]
Tone = Annotated[int, Field(ge=2, le=10)]  # of the Monk scale: 1 is the lightest, 10 the darkest
Tones = Annotated[tuple[Tone, ...], Field(min_length=1), BeforeValidator(_tuples)]


class SyntheticTraining(Section):
    """Synthetic faces and non-faces."""

    source: Literal["synthetic"] = "synthetic"
    faces: PositiveInt = 1000
    nonfaces: PositiveInt = 1000
    darker_share: Share = 0.13  # of the faces; 0.13 is CelebA's skew, 0.5 is no skew
    seed: Seed = 0  # of the pictures; a run's own seed never changes its data


class MitH5(Section):
    """MIT's ``train_face.h5``: images uint8 (N, 64, 64, 3), labels (N, 1), 1 = face."""

    source: Literal["mit_h5"] = "mit_h5"
    path: str
    channels: Literal["bgr", "rgb"] = "bgr"  # as stored; MIT's file holds BGR


class SyntheticPortraits(Section):
    """Synthetic head-and-shoulders pictures, balanced over skin and gender."""

    source: Literal["synthetic"] = "synthetic"
    per_group: PositiveInt = 150
    size: Size = 128
    seed: Seed = 0


class Ppb(Section):
    """A folder in the layout of the Pilot Parliaments Benchmark."""

    source: Literal["ppb"] = "ppb"
    path: str
    groups: Columns = ("bi.fitz", "gender")


class FairFace(Section):
    """A folder in the layout of FairFace; its race labels are not skin types."""

    source: Literal["fairface"] = "fairface"
    path: str
    part: Literal["val", "train"] = "val"
    groups: Columns = ("race", "gender")


class UtkFace(Section):
    """A folder in the layout of UTKFace, labels in the names; race labels are not skin types."""

    source: Literal["utkface"] = "utkface"
    path: str
    groups: Annotated[
        tuple[Literal["race", "gender", "age"], ...],
        Field(min_length=1),
        BeforeValidator(_tuples),
    ] = ("race", "gender")
    age_bands: Bands = (20, 40, 60)  # first years of all bands but the youngest


class Table(Section):
    """A CSV with one picture per row: path, label (1 = positive) and any group columns."""

    source: Literal["csv"] = "csv"
    path: str  # of the CSV; picture paths are relative to its folder
    groups: Columns = ("group",)


class Groups(Section):
    """A folder with one folder per group, and pictures at any depth in these."""

    source: Literal["groups"] = "groups"
    path: str


class Fhibe(Section):
    """The unpacked folder of FHIBE: aligned faces, or the persons in its whole pictures."""

    source: Literal["fhibe"] = "fhibe"
    path: str
    pictures: Literal["faces", "people"] = "faces"
    groups: Columns = ("skin", "pronoun")
    several: Literal["first", "set", "drop"] = "first"  # of several answers in a cell
    age_bands: Bands = (30, 40, 50, 60)  # first years of all bands but the youngest

    @property
    def whole(self) -> bool:
        """Whether a picture is one window: aligned faces have nothing to scan."""
        return self.pictures == "faces"


class MstE(Section):
    """The unpacked folder of MST-E: photographs of a few persons, each of one Monk skin tone."""

    source: Literal["mst_e"] = "mst_e"
    path: str
    groups: Columns = ("skin",)
    tone_bands: Tones = (6,)  # first tones of all bands but the lightest


class Facet(Section):
    """The unpacked folder of FACET: persons with a visible face, by their boxes."""

    source: Literal["facet"] = "facet"
    path: str
    groups: Columns = ("skin", "gender")
    tone: Literal["mean", "mode"] = "mean"  # of the annotators' votes for the ten Monk skin tones
    tone_bands: Tones = (6,)  # first tones of all bands but the lightest
    part: Literal["upper", "box"] = "upper"  # of a person's box, in which the face is searched
    narrowest: PositiveInt = 64  # pixels; persons whose part has a shorter side are left out


class Bfw(Section):
    """Balanced Faces in the Wild: aligned face crops in a folder for each group and person."""

    source: Literal["bfw"] = "bfw"
    path: str
    groups: Annotated[
        tuple[Literal["race", "gender"], ...], Field(min_length=1), BeforeValidator(_tuples)
    ] = ("race", "gender")

    @property
    def whole(self) -> bool:
        """A picture is one window: aligned faces have nothing to scan."""
        return True


class Rfw(Section):
    """Racial Faces in the Wild: aligned face crops in a folder for each group and person."""

    source: Literal["rfw"] = "rfw"
    path: str

    @property
    def whole(self) -> bool:
        """A picture is one window: aligned faces have nothing to scan."""
        return True


class SyntheticScenes(Section):
    """Synthetic pictures without a face."""

    source: Literal["synthetic"] = "synthetic"
    photographs: PositiveInt = 200
    size: Size = 128
    seed: Seed = 0


class Folder(Section):
    """A folder of photographs."""

    source: Literal["folder"] = "folder"
    path: str


class TableNegatives(Section):
    """The rows of a CSV whose label is 0."""

    source: Literal["csv"] = "csv"
    path: str


class SyntheticCrops(Section):
    """Synthetic face crops as in training, balanced over skin and gender."""

    source: Literal["synthetic"] = "synthetic"
    per_group: PositiveInt = 5  # the lab has five
    seed: Seed = 0


class GroupFolders(Section):
    """A folder with a folder of face crops for each group, as the MIT lab bundles them."""

    source: Literal["folder"] = "folder"
    path: str


def _spec(path_source: str, *, table: bool = False, optional: bool = False) -> BeforeValidator:
    """Let ``synthetic``, a path, or that of a CSV where one is read, stand for a specification.

    `optional` makes ``none`` say that there is none.
    """

    def expand(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if optional and value == NONE:
            return None
        if value == "synthetic":
            return {"source": "synthetic"}
        is_table = table and value.lower().endswith(".csv")
        return {"source": "csv" if is_table else path_source, "path": value}

    return BeforeValidator(expand)


class OwnSource(Section):
    """A source of a plug-in, as `source_settings` makes it; no study file has these keys."""

    source: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
    parameters: dict[str, Any]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]  # of the plug-in's files

    def __hash__(self) -> int:
        return hash((self.source, self.digest, json.dumps(self.parameters, sort_keys=True)))


NONE = "none"  # for photographs without a face: recall alone is measured
BUILT_IN, OWN = "built in", "of a plug-in"  # tags of specifications


def _tag(value: Any) -> str:
    """Whether a specification is of a plug-in: the study's resolution has put its digest there."""
    own = isinstance(value, OwnSource) or (isinstance(value, dict) and "digest" in value)
    return OWN if own else BUILT_IN


_Own = Annotated[OwnSource, Tag(OWN)]
_EITHER = Discriminator(_tag)
Training = SyntheticTraining | MitH5
Published = Fhibe | MstE | Facet | Bfw | Rfw
Portraits = SyntheticPortraits | Ppb | FairFace | UtkFace | Table | Groups | Published
Nonfaces = SyntheticScenes | Folder | TableNegatives
Crops = SyntheticCrops | GroupFolders
Source = Training | Portraits | Nonfaces | Crops | OwnSource
_Train = Annotated[Training, Field(discriminator="source"), Tag(BUILT_IN)]
_Test = Annotated[Portraits, Field(discriminator="source"), Tag(BUILT_IN)]
_Nonfaces = Annotated[Nonfaces, Field(discriminator="source"), Tag(BUILT_IN)]
_Crops = Annotated[Crops, Field(discriminator="source"), Tag(BUILT_IN)]
NAMES_OF: dict[str, tuple[str, ...]] = {  # of built-in sources, by role
    role: tuple(spec.model_fields["source"].default for spec in get_args(specs))
    for role, specs in zip(ROLES, (Training, Portraits, Nonfaces, Crops), strict=True)
}
NAMES = tuple(dict.fromkeys(name for names in NAMES_OF.values() for name in names))


class Data(Section):
    """Training images, test portraits, face-free photographs, and crops for the lab's metric."""

    train: Annotated[_Train | _Own, _EITHER, _spec("mit_h5")]
    test: Annotated[_Test | _Own, _EITHER, _spec("ppb", table=True)]
    nonfaces: Annotated[
        Annotated[_Nonfaces | _Own, _EITHER] | None, _spec("folder", table=True, optional=True)
    ]  # None: recall alone
    crops: Annotated[Annotated[_Crops | _Own, _EITHER] | None, _spec("folder")] = None
    doubles: Literal["refuse", "allow"] = "refuse"  # duplicate pictures; see data.preflight

    @model_validator(mode="before")
    @classmethod
    def _one_word(cls, value: Any) -> Any:
        if value == "synthetic":
            return dict.fromkeys(("train", "test", "nonfaces"), "synthetic")
        return value

    @property
    def reads_whole(self) -> bool:
        """Whether each test picture, with or without a face, is one window, and not scanned."""
        return getattr(self.test, "whole", False)

    @property
    def parts(self) -> dict[str, Source]:
        """The sources by role; photographs without a face and crops if given."""
        found = {role: getattr(self, role) for role in ROLES}
        return {role: spec for role, spec in found.items() if spec is not None}

    def with_paths(self, changed: Callable[[str], str]) -> Self:
        """The same sources, each path changed by a function."""
        found = {
            role: spec.model_copy(update={"path": changed(spec.path)})
            for role, spec in self.parts.items()
            if hasattr(spec, "path")
        }
        return self.model_copy(update=found)

    @property
    def is_synthetic(self) -> bool:
        """Whether any part is synthetic, so that published values do not apply."""
        return any(spec.source == "synthetic" for spec in self.parts.values())

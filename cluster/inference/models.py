"""The networks of a machine: one that finds things in every picture, and one that finds weapons where that is asked for.

Weapons are looked for by a network of their own, from a pack whose task says so, and only in pictures of cameras that watch for
them under an act in force. Vigie ships no such pack: none is known that was validated on pictures of this kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from cluster.config import CameraConfig
from cluster.detections import Detections, Detector
from cluster.errors import ConfigurationError, ModelError
from cluster.inference.canvas import CanvasDetector
from cluster.inference.hardware import ANY_HARDWARE, Hardware
from cluster.inference.pack import Manifest, ModelPack, Task, default_pack_path, load_pack
from cluster.inference.preprocessing import Picture
from cluster.inference.session import ModelSession
from cluster.video.frame import Fit
from vigie.vocabulary import Kind

NO_WEAPON_PACK = (
    "no validated weapon pack exists, so none ships; install one whose task is weapon_detection and set VIGIE_WEAPON_PACK, "
    "or take the rule out"
)


@dataclass(frozen=True, slots=True)
class Fits:
    """The sizes into which pictures are scaled for the networks.

    Attributes:
        plain: where only things are looked for.
        armed: where weapons are too, large enough for both networks; None where there is none for weapons.
    """

    plain: Fit
    armed: Fit | None = None

    def of(self, config: CameraConfig) -> Fit:
        """For one camera. Raises ConfigurationError when it is set to watch for weapons, and no network can."""
        kinds = [rule.kind for rule in config.rules]
        if Kind.WEAPON not in kinds:
            return self.plain
        if self.armed is None:
            raise ConfigurationError(f"{config.name}: rules[{kinds.index(Kind.WEAPON)}].weapon", NO_WEAPON_PACK)
        return self.armed


@dataclass(frozen=True, slots=True)
class Models:
    """The packs that a machine has.

    Attributes:
        things: finds everything but weapons.
        weapons: finds nothing else; None where none is installed.
    """

    things: ModelPack
    weapons: ModelPack | None = None

    @classmethod
    def load(cls, things: Path | None, weapons: Path | None) -> Self:
        """From folders, verified; without one for things, the small pack that Vigie ships. Raises ModelError."""
        return cls(
            load_pack(things or default_pack_path(), task=Task.OBJECT_DETECTION),
            load_pack(weapons, task=Task.WEAPON_DETECTION) if weapons else None,
        )

    @property
    def name(self) -> str:
        """Names and versions of the packs."""
        manifests = [pack.manifest for pack in (self.things, self.weapons) if pack]
        return " and ".join(f"{manifest.name} {manifest.version}" for manifest in manifests)

    @property
    def fits(self) -> Fits:
        """The sizes that they want."""
        plain = _fit(self.things.manifest)
        if self.weapons is None:
            return Fits(plain)
        weapons = _fit(self.weapons.manifest)
        return Fits(plain, Fit(max(plain.width, weapons.width), max(plain.height, weapons.height)))

    def detector(self, hardware: Hardware = ANY_HARDWARE) -> "ArmableDetector":
        """The networks, loaded, which share the hardware evenly. Raises ModelError where one is not what its pack says."""
        share = replace(hardware, gpu_share=hardware.gpu_share / 2) if self.weapons else hardware
        things = ModelSession(self.things, hardware=share)
        weapons = ModelSession(self.weapons, hardware=share) if self.weapons else None
        canvas = CanvasDetector(things, things.fit)
        return ArmableDetector(canvas, weapons, provider=things.provider, batch=things.batch)


def _fit(manifest: Manifest) -> Fit:
    return Fit(manifest.input.width, manifest.input.height)


class ArmableDetector:
    """Finds things in every picture, and weapons in those for which it is armed. Belongs to one thread.

    Args:
        things: finds everything but weapons.
        weapons: finds nothing else; None where there is none.
        provider: what really runs the networks.
        batch: pictures that the network for things runs at once.
    """

    def __init__(self, things: Detector, weapons: Detector | None, *, provider: str, batch: int = 1) -> None:
        self._things = things
        self._weapons = weapons
        self.provider = provider
        self.batch = batch

    def detect(self, pictures: list[Picture], armed: Sequence[bool] | None = None) -> list[Detections]:
        """Detections of each picture ((h, w, 3) uint8, BGR), in pixels of that picture.

        Raises ModelError when a network fails, or there is none for weapons and a picture asks for it.

        Args:
            pictures: of any size.
            armed: in which of them weapons are looked for; None: in all, where there is a network for it.
        """
        found = self._things.detect(pictures)
        if armed is None:
            armed = [self._weapons is not None] * len(pictures)
        places = [place for place, is_armed in enumerate(armed) if is_armed]
        if not places:
            return found
        if self._weapons is None:
            raise ModelError("for weapons", NO_WEAPON_PACK)
        for place, weapons in zip(places, self._weapons.detect([pictures[place] for place in places]), strict=True):
            found[place] = found[place].joined(weapons)
        return found

"""Whether crops show flames: the classifier that Vigie ships, and where rules may use it.

It tells one probability a crop. A pack whose network has any other output is refused, so that no embedding can come out of it.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from threading import Lock

from cluster.analysis.scene import RuleContext, RuleParameters
from cluster.errors import ModelError
from cluster.inference.hardware import CPU_ONLY
from cluster.inference.pack import ModelPack, Task, flames_pack_path, load_pack
from cluster.inference.preprocessing import InputTensor, Picture
from cluster.inference.session import UNUSABLE, check_input, open_network
from vigie.vocabulary import Kind

_MAX_BATCH = 8


class FlameClassifier:
    """Says how likely crops show flames, on one core. May be called from any thread.

    Args:
        pack: a verified pack whose task is flame_verification.
    """

    def __init__(self, pack: ModelPack) -> None:
        """Loads the network. Raises ModelError where it is not what the pack says, or gives more than a probability a crop."""
        self._name = pack.manifest.name
        self._session = open_network(pack, CPU_ONLY)
        self._input_name, self._batch = check_input(self._session, pack.manifest, _MAX_BATCH)
        self._tensor = InputTensor(pack.manifest.input, self._batch)
        self._lock = Lock()
        self._check_outputs(pack)

    @property
    def provider(self) -> str:
        """What runs the network."""
        return str(self._session.get_providers()[0])

    def __call__(self, crops: Sequence[Picture]) -> list[float]:
        """How likely each crop, (h, w, 3) uint8 BGR, shows flames, 0 to 1. Raises ModelError."""
        starts = range(0, len(crops), self._batch)
        with self._lock:
            return [likeness for start in starts for likeness in self._classified(crops[start : start + self._batch])]

    def _classified(self, crops: Sequence[Picture]) -> list[float]:
        for slot, crop in enumerate(crops):
            self._tensor.write(crop, slot)
        try:
            (found,) = self._session.run(None, {self._input_name: self._tensor.values[: len(crops)]})
        except UNUSABLE as error:
            raise ModelError(self._name, f"the network fails on a crop: {error}") from error
        likenesses: list[float] = found[:, 0].tolist()
        return likenesses

    def _check_outputs(self, pack: ModelPack) -> None:
        shapes = [list(output.shape) for output in self._session.get_outputs()]
        if len(shapes) != 1 or len(shapes[0]) != 2 or shapes[0][1] != 1:
            problem = f"{pack.manifest.file} gives {shapes}, where one probability a crop, (n, 1), is all that may come out"
            raise ModelError(self._name, f"{problem}; export it with that output only")


@cache
def flame_classifier() -> FlameClassifier:
    """The classifier that Vigie ships, loaded once a process. Raises ModelError."""
    return FlameClassifier(load_pack(flames_pack_path(), task=Task.FLAME_VERIFICATION))


def rule_context(rules: Iterable[RuleParameters], without: frozenset[str] = frozenset()) -> RuleContext:
    """What some rules may use: the classifier only where one of them watches for fire. Raises ModelError.

    Args:
        rules: of one camera.
        without: parts of rules that are switched off.
    """
    watches_for_fire = any(rule.kind is Kind.FIRE for rule in rules)
    return RuleContext(flames=flame_classifier() if watches_for_fire else None, without=without)

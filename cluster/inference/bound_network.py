"""A network and the memory that it works on, allocated once."""

import numpy as np
import onnxruntime

from cluster.inference.decoding import Values
from cluster.inference.hardware import CPU
from cluster.inference.pack import Input
from cluster.inference.preprocessing import InputTensor

_HOST, _GPU = "cpu", "cuda"


class BoundNetwork:
    """A network bound to the tensors of one size of batch, so that none is allocated for a run.

    The input is written in the host's memory; where the network runs on a GPU, memory of the GPU is kept for it and each run
    copies it there. Outputs come into the host's memory. All runs have the same shape: engines are built for it once.

    Attributes:
        tensor: the input, to be written before each run. What a run leaves unwritten gives outputs that mean nothing.
    """

    def __init__(self, session: onnxruntime.InferenceSession, spec: Input, batch: int) -> None:
        """Runs the network once, so that the first picture waits for nothing."""
        self.tensor = InputTensor(spec, batch)
        self._session = session
        self._device = _HOST if session.get_providers()[0] == CPU else _GPU
        self._input = onnxruntime.OrtValue.ortvalue_from_numpy(self.tensor.values, self._device, 0)
        self._binding = session.io_binding()
        self._binding.bind_ortvalue_input(session.get_inputs()[0].name, self._input)
        self._outputs = {output.name: output.shape for output in session.get_outputs()}
        self._kept: list[Values] = []
        first = self.run()
        if all(isinstance(length, int) for shape in self._outputs.values() for length in shape[1:]):
            self._keep(first)

    def run(self) -> list[Values]:
        """The outputs for what stands in the tensor, the batch first; they hold until the next run."""
        if self._device == _GPU:
            self._input.update_inplace(self.tensor.values)
        if not self._kept:
            for name in self._outputs:  # what ONNX Runtime allocated for the last run has the sizes of that run
                self._binding.bind_output(name, _HOST)
        self._session.run_with_iobinding(self._binding)
        return self._kept or self._binding.copy_outputs_to_cpu()

    def _keep(self, outputs: list[Values]) -> None:
        """Has all further outputs written where these are, since they have the same sizes whatever the picture shows."""
        self._kept = [np.ascontiguousarray(values) for values in outputs]
        for name, values in zip(self._outputs, self._kept, strict=True):
            self._binding.bind_ortvalue_output(name, onnxruntime.OrtValue.ortvalue_from_numpy(values))

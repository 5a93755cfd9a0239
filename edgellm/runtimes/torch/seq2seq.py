"""Encoder-decoder models on PyTorch: greedy and beam search are those of the ONNX models, the numbers transformers'."""

from __future__ import annotations

from edgellm.runtimes.base import Cancelled, ModelInfo
from edgellm.runtimes.onnx.rules import rules_of
from edgellm.runtimes.onnx.tokens import Vocabulary
from edgellm.runtimes.text_to_text import TextToText, languages_of, positions_of
from edgellm.runtimes.torch.folder import TorchFolder
from edgellm.runtimes.torch.loading import Loaded
from edgellm.runtimes.torch.steps import EncodedText, Stepper


class Seq2Seq(TextToText):
    """A loaded encoder-decoder model."""

    def __init__(self, folder: TorchFolder, loaded: Loaded, device: str) -> None:
        self._stepper = Stepper(loaded, folder.path.name)
        vocabulary = Vocabulary(folder.tokenizer)
        words = folder.number("decoder_vocab_size", "vocab_size")
        rules = rules_of({}, folder.generation, words)
        positions = positions_of(folder.config)
        info = ModelInfo(
            name=folder.path.name,
            architecture=folder.architecture,
            parameters=folder.parameters,
            quantization=loaded.precision,
            context=positions,
            trained_context=positions,
            vocabulary=vocabulary.size,
            kind="seq2seq",
            languages=languages_of(folder.path),
            metadata={"device": device},
        )
        super().__init__(vocabulary, rules, info, device)

    def begin(self, ids: tuple[int, ...], cancelled: Cancelled) -> EncodedText:
        """Encode the text."""
        return EncodedText(self._stepper, ids, cancelled)

    def close(self) -> None:
        """PyTorch frees the memory with the model."""
        del self._stepper

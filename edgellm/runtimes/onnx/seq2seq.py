"""Encoder-decoder models on ONNX Runtime: the two halves, and what they say of themselves."""

from __future__ import annotations

from edgellm.runtimes.base import Cancelled, ModelInfo, Placement
from edgellm.runtimes.onnx.decoder import CachedDecoder, encode
from edgellm.runtimes.onnx.folder import OnnxFolder
from edgellm.runtimes.onnx.rules import rules_of
from edgellm.runtimes.onnx.session import Session, device_text
from edgellm.runtimes.onnx.tokens import Vocabulary
from edgellm.runtimes.text_to_text import TextToText, languages_of, positions_of


class Seq2Seq(TextToText):
    """A loaded encoder-decoder model."""

    def __init__(self, folder: OnnxFolder, placement: Placement) -> None:
        self._encoder = Session(folder.files["encoder_model"].path, placement)
        self._decoder = Session(folder.files["decoder_model_merged"].path, placement)
        vocabulary = Vocabulary(folder.tokenizer)
        words = self._decoder.shapes["logits"][-1] or vocabulary.size
        rules = rules_of(folder.config, folder.generation, words)
        super().__init__(vocabulary, rules, _info(folder, vocabulary), device_text(placement))

    def begin(self, ids: tuple[int, ...], cancelled: Cancelled) -> CachedDecoder:
        """Encode the text; ONNX Runtime cannot be stopped within a step."""
        return CachedDecoder(self._decoder, encode(self._encoder, ids))

    def close(self) -> None:
        """ONNX Runtime frees its memory with the sessions."""
        del self._encoder, self._decoder


def _info(folder: OnnxFolder, vocabulary: Vocabulary) -> ModelInfo:
    positions = positions_of(folder.config)
    return ModelInfo(
        name=folder.path.name,
        architecture=folder.architecture,
        parameters=0,
        quantization=folder.precision,
        context=positions,
        trained_context=positions,
        vocabulary=vocabulary.size,
        kind="seq2seq",
        languages=languages_of(folder.path),
    )

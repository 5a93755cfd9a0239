"""Whether a model fits this computer, with the sum behind it, and how fast it is likely to write here.

For a file the sum comes from its header, for a card of the catalog from `card_shape.py`, which bounds it from above.
Advice never forbids: what will swap can be loaded anyway. Choosing among models is left to `recommend.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from edgellm.errors import EdgeError, EngineError, ModelUnsupported
from edgellm.hardware.probe import Hardware
from edgellm.models.catalog import ModelCard
from edgellm.models.gguf import GgufHeader, read_header
from edgellm.paths import starter_model
from edgellm.runtimes import architectures, budget, card_shape, device, fitting, folder_facts
from edgellm.runtimes.base import Placement
from edgellm.runtimes.budget import Budget
from edgellm.runtimes.build import Build
from edgellm.runtimes.plans import kind_of
from edgellm.runtimes.prediction import Prediction, predict
from edgellm.runtimes.select import Selection, choose
from edgellm.runtimes.speed import Speeds, file_key, way_of
from edgellm.runtimes.workload import work
from edgellm.settings import Settings

Fit = Literal["fits", "tight", "swap", "unsupported"]
VERDICTS: Mapping[Fit, str] = MappingProxyType(
    {"fits": "Fits", "tight": "Tight", "swap": "Will swap", "unsupported": "Not usable yet"}
)
_OTHER_COMPUTE = 300 << 20  # working memory of a model that is not GGUF


@dataclass(frozen=True, slots=True)
class Here:
    """What advice is given for: this computer, the settings, the model library, and what was measured."""

    hardware: Hardware
    settings: Settings
    build: Build
    speeds: Speeds


@dataclass(frozen=True, slots=True)
class Advice:
    """What to expect of one model here. `sentence` holds the sum, or why it cannot run; `reason` why it runs where it
    would.

    `unknown` says what would make an unknown speed known: the self-test, or a first run.

    `budget` and `placement` are None where nothing is known; `estimated` says that the sum is an upper bound made from
    the catalog alone. `speed` is None where nothing is known about it, and `speed_line` says so.
    """

    fit: Fit
    sentence: str
    budget: Budget | None = None
    placement: Placement | None = None
    estimated: bool = False
    speed: Prediction | None = None
    reason: str = ""
    unknown: Literal["cpu", "first"] = "cpu"

    @property
    def verdict(self) -> str:
        """The fit in a word or two, as a badge."""
        return VERDICTS[self.fit]

    @property
    def words_per_second(self) -> float | None:
        """The expected speed."""
        return self.speed.words_per_second if self.speed else None

    @property
    def basis(self) -> str:
        """Where the speed comes from, in words; empty where there is none."""
        return self.speed.because if self.speed else ""

    @property
    def error(self) -> float | None:
        """The median error of such figures here, as a share; None without a run."""
        return self.speed.accuracy.error if self.speed and self.speed.accuracy else None

    @property
    def speed_line(self) -> str:
        """The expected speed as a sentence."""
        if self.fit == "unsupported":
            return ""
        if self.speed is None:
            return _NO_SPEED["swap" if self.fit == "swap" else "gpu" if self._on_gpu else self.unknown]
        error = f"; {self.speed.accuracy}" if self.speed.accuracy else ""
        words = rate(self.speed.words_per_second)
        return f"{'reads ' if self.speed.reads else ''}{words}, {self.speed.because}{error}."

    @property
    def all_on_gpu(self) -> bool:
        """Whether a GPU holds the whole model."""
        total = self.budget
        return self._on_gpu and total is not None and total.on_gpu >= total.need - budget.ENGINE

    @property
    def _on_gpu(self) -> bool:
        return self.placement is not None and self.placement.gpu_layers != 0

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for `--json`."""
        return {
            "fit": self.fit,
            "sentence": self.sentence,
            "estimated": self.estimated,
            "budget": {**asdict(self.budget), "need": self.budget.need} if self.budget else None,
            "context": self.placement.context if self.placement else None,
            "device": self.placement.device if self.placement else None,
            "words_per_second": round(self.speed.words_per_second, 2) if self.speed else None,
            "tokens_per_second": round(self.speed.tokens_per_second, 2) if self.speed else None,
            "unknown": self.unknown if self.speed is None else "",
            "basis": self.basis,
            "error": round(self.error, 3) if self.error is not None else None,
        }


_NO_SPEED = MappingProxyType(
    {
        "swap": "Its speed cannot be foretold: the disk decides it.",
        "gpu": "Its speed is not known: no model has run on this GPU yet.",
        "first": "Its speed is not known yet: it has not run here.",
        "cpu": "Its speed is not known yet. Run: edgellm doctor --measure",
    }
)


def rate(words: float) -> str:
    """A speed for reading."""
    return f"about {words:.1f} words/s" if words < 10 else f"about {words:,.0f} words/s"


def advise_file(path: Path, here: Here, language: str = "en") -> Advice:
    """Advice about a model that is here, from its own files. What cannot be read raises `ModelDamaged` or the like."""
    if (kind := kind_of(path)) in ("onnx", "safetensors"):
        return _advise_folder(kind, path, here, language)
    try:
        header = read_header(path)
    except ModelUnsupported as error:
        return Advice("unsupported", error.message)
    if why := architectures.unsupported(header.architecture):
        return Advice("unsupported", why)
    return _advise(header, file_key(path.name, header.file_size), here, language)


def advise(card: ModelCard, here: Here, language: str = "en") -> Advice:
    """Advice about a model of the catalog, before it is here. Raises nothing."""
    if why := architectures.unsupported_card(card):
        return Advice("unsupported", why)
    if card.builtin:
        try:
            return advise_file(starter_model(), here, language)
        except EdgeError as error:
            return Advice("unsupported", error.message)
    shape = card_shape.of(card)
    if shape is None:
        return Advice("tight", "Its size is not known, so nothing can be said about its memory.", estimated=True)
    if card.format != "gguf":
        return _other(card, shape.header, here, language)
    key = file_key(card.files[0].path, card.files[0].size or 0) if len(card.files) == 1 else ""
    return _advise(shape.header, key, here, language, active=shape.active, estimated=True)


def _advise(
    header: GgufHeader, key: str, here: Here, language: str, *, active: int | None = None, estimated: bool = False
) -> Advice:
    try:
        tuned = here.speeds.tuning(key)
        selection = choose(header, here.hardware, here.settings, here.build, anyway=True, tuned=tuned)
    except EngineError as error:
        return Advice("unsupported", error.message)
    placement = selection.choice.value
    speed = None
    if selection.fit != "swap":
        token = work(header, placement.context, active)
        speed = predict(key, token, way_of(placement, header.block_count), here.speeds, language)
    sentence = _sentence(selection, here.hardware, estimated)
    return Advice(
        selection.fit, sentence, selection.budget, placement, estimated, speed, selection.parts["device"].reason
    )


def _advise_folder(kind: str, path: Path, here: Here, language: str) -> Advice:
    """A model of another format that is here."""
    try:
        plan = folder_facts.plan(kind, path, here.hardware, here.settings)
    except ModelUnsupported as error:
        return Advice("unsupported", error.message)
    placement, total = plan.choice.value, plan.budget
    fit = fitting.grade(total.in_main, here.hardware.memory.free)
    known = folder_facts.facts(path, placement)
    speed = predict(known.key, known.work, known.way(placement), here.speeds, language) if fit != "swap" else None
    text = _sum(total, False)
    return Advice(fit, f"{text}.", total, None, False, speed, plan.choice.reason, "first")


def _other(card: ModelCard, header: GgufHeader, here: Here, language: str) -> Advice:
    """A model of another format that may not be here yet, and keeps no KV cache worth the name."""
    memory = here.hardware.memory
    total = Budget(header.tensor_bytes, 0, _OTHER_COMPUTE + budget.ENGINE, memory.free, memory.total)
    fit = fitting.grade(total.need, memory.free)
    speed = _speed_of_card(card, here, language) if fit != "swap" else None
    return Advice(fit, f"{_sum(total, True)}.", total, estimated=True, speed=speed, unknown="first")


def _speed_of_card(card: ModelCard, here: Here, language: str) -> Prediction | None:
    """What it did when it was here, else what its files make likely."""
    key = folder_facts.card_key(card)
    own = next((one for one in reversed(here.speeds.models) if key and one.key == key), None)
    if own is not None:
        return predict(key, own.work, own.way, here.speeds, language)
    likely = folder_facts.card_facts(card, device.threads(here.hardware, here.settings).value)
    return predict(key, likely[0].work, likely[1], here.speeds, language) if likely is not None else None


def _sentence(selection: Selection, hardware: Hardware, estimated: bool) -> str:
    """The sum and what follows from it, such as `Weights 2.33 GB + KV cache 0.56 GB + ...; close other programs`."""
    total, placement = selection.budget, selection.choice.value
    text = f"{_sum(total, estimated)}, with a window of {placement.context:,} tokens"
    if placement.gpu_layers and total.on_gpu >= total.need - budget.ENGINE:
        text += ", all on the GPU"
    if selection.fit == "tight":
        return f"{text}. Close other programs if it slows down."
    if selection.fit == "swap" and total.in_main > hardware.memory.total:
        return f"{text}. That is more than all the memory of this computer; a smaller model runs better."
    if selection.fit == "swap":
        return f"{text}. It would swap and be slow; close other programs, or take a smaller model."
    return f"{text}."


def _sum(total: Budget, estimated: bool) -> str:
    text = str(total)
    return f"{'At most about w' if estimated else 'W'}{text[1:]}"

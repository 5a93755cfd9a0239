"""How fast a model will write here, before it has: from its own runs, a similar model's, the self-test, or a guess.

Writing a token reads every weight it uses once and multiplies it once. So its time is bounded from below by memory
bandwidth and by arithmetic (the roofline of Williams, Waterman and Patterson, 2009); the two overlap in part, so they
are joined as the sides of a right triangle, and each layer adds a moment in which the threads wait for each other. Real
runs replace the bound: a model's own by their median, another one's by the factor that it was off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

from edgellm.runtimes import words
from edgellm.runtimes.speed import Accuracy, Basis, Measured, Miss, Sample, SelfTest, Speeds, Way
from edgellm.runtimes.workload import Work

# Shares of what the self-test measures that decoding reaches: of a stream through memory, and of float32 matrix
# products. Found with Q4_K_M models on two processors (benchmarks/prediction.py).
STREAM, PRODUCTS = 0.8, 0.32
_LONGEST_PAUSE = 1e-4  # on a quiet computer; other programs would make it look longer
_CACHED = 48 << 20  # a model that may live in the processor's cache says little about one that does not
_FURTHEST = math.log(60.0)
# Runtimes whose speed follows from the work of a token. PyTorch's was foretold 3.4 to 3.9 times too high on a quiet
# computer, where a factor of 2 is the bound.
_ESTIMATED = ("llama", "onnx")
_SAME_SHARE = 0.06
_ORDINARY = SelfTest(bandwidth=40e9, compute=400e9)  # a laptop of our days, where nothing was measured
# What is assumed before anything was measured, so that it disappoints nobody: one channel of memory, and cores
# that multiply as those of an inexpensive laptop
_CAUTIOUS_BANDWIDTH, _CAUTIOUS_CORE = 20e9, 50e9
ASSUMED = "assumed as for an ordinary laptop, until edgellm doctor --measure has run"


@dataclass(frozen=True, slots=True)
class Prediction:
    """An expected speed. `because` says in words where it comes from, `accuracy` how far such figures were off here.

    Of a model that `reads` and writes nothing it is the words that it reads.
    """

    tokens_per_second: float
    words_per_second: float
    basis: Basis
    because: str
    accuracy: Accuracy | None = None
    reads: bool = False


def predict(key: str, work: Work, way: Way, speeds: Speeds, language: str = "en") -> Prediction | None:
    """The expected speed of a model with this `key`, run this way; None for a GPU that nothing ran on yet, and for
    what reads or runs on a runtime whose speed does not follow from the work, until it ran itself."""
    here = [one for one in speeds.models if _comparable(one.way, way)]
    own = [one for one in here if one.key == key]
    if own:
        best = min(own, key=lambda one: (one.threads != way.threads, -one.time))
        runs = len(best.decode)
        because = f"measured here, over {runs} run{'s' if runs != 1 else ''}"
        rate = median(best.words) if best.words and max(best.words) > 0 else words.per_token(language)
        speed = best.tokens_per_second
        accuracy = speeds.accuracy("measured", way.runtime)
        return Prediction(speed, speed * rate, "measured", because, accuracy, way.does == "reads")
    if way.does == "reads" or way.runtime not in _ESTIMATED:
        return None
    if (near := _nearest(here, work, way)) is not None:
        bound = roofline(work, way, speeds.test)
        speed = near.tokens_per_second * roofline(near.work, near.way, speeds.test) / bound
        return _estimate(speed, language, ("scaled", f"scaled from {near.title}, measured here"), speeds, way)
    if speeds.test is not None and speeds.test.bandwidth and way.device == "cpu":
        speed = 1 / roofline(work, way, speeds.test)
        return _estimate(speed, language, ("test", "estimated from the self-test of this computer"), speeds, way)
    if way.device == "cpu":
        speed = 1 / roofline(work, way, cautious(way.threads))
        return _estimate(speed, language, ("assumed", ASSUMED), speeds, way)
    return None


def cautious(threads: int) -> SelfTest:
    """What to reckon with on a processor that was never measured."""
    return SelfTest(threads=threads, bandwidth=_CAUTIOUS_BANDWIDTH, compute=_CAUTIOUS_CORE * threads)


def foresee(sample: Sample, speeds: Speeds) -> Miss | None:
    """What would have been predicted for a run, beside what it was. An assumption is no prediction."""
    found = predict(sample.key, sample.work, sample.way, speeds)
    if found is None or found.basis == "assumed":
        return None
    predicted, measured = round(found.tokens_per_second, 3), round(sample.finish.tokens_per_second, 3)
    return Miss(found.basis, predicted, measured, sample.way.runtime)


def roofline(work: Work, way: Way, test: SelfTest | None) -> float:
    """Seconds of one token by the bound alone. Without a self-test an ordinary laptop stands in."""
    test = test if test is not None and test.bandwidth and test.compute else _ORDINARY
    threads = min(way.threads / test.threads, 1.0) if test is not _ORDINARY and way.device == "cpu" else 1.0
    reading = work.read / (test.bandwidth * STREAM)
    products = 2 * work.weights / (test.compute * PRODUCTS * threads)
    return math.hypot(reading, products) + work.layers * _pause(test)


def ordinary_speed(work: Work) -> float:
    """Tokens a second on an ordinary laptop: what to reckon with before anything was measured."""
    return 1 / roofline(work, Way(), None)


def _pause(test: SelfTest) -> float:
    """Seconds that each layer adds, from the small model of the self-test, which does little else than wait."""
    if not test.decode or not test.layers:
        return 0.0
    products = 2 * test.weights / (test.compute * PRODUCTS)
    return min(max(1 / test.decode - products, 0.0) / test.layers, _LONGEST_PAUSE)


def _comparable(one: Way, other: Way) -> bool:
    same = (one.runtime, one.precision, one.does) == (other.runtime, other.precision, other.does)
    return same and one.device == other.device and abs(one.share - other.share) <= _SAME_SHARE


def _nearest(models: list[Measured], work: Work, way: Way) -> Measured | None:
    """The measured model that is most like this one in size and in bits of a weight."""
    if not models:
        return None

    def distance(one: Measured) -> float:
        size = abs(math.log(one.weights / work.weights))
        kind = abs(math.log((one.read / one.weights) / (work.read / work.weights)))
        cached = (one.read < _CACHED) != (work.read < _CACHED)
        return size + kind + (one.threads != way.threads) + 2 * cached

    best = min(models, key=distance)
    return best if distance(best) <= _FURTHEST else None


def _estimate(speed: float, language: str, why: tuple[Basis, str], speeds: Speeds, way: Way) -> Prediction:
    basis, because = why
    return Prediction(speed, speed * words.per_token(language), basis, because, speeds.accuracy(basis, way.runtime))

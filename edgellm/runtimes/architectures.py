"""Which models the bundled runtimes can run, known before a download and without loading native code.

The names are those that the llama.cpp of `llama-cpp-python` 0.3.36 compares a header's `general.architecture` with; a
test reads them from the installed library, so that an update of it cannot leave this table behind. Whether a model
fits the memory is left to `advice`.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from edgellm.runtimes.torch import extra
from edgellm.runtimes.torch.table import ARCHITECTURES

if TYPE_CHECKING:
    from edgellm.models.catalog import ModelCard

KNOWN = frozenset(
    """
    afmoe apertus arcee arctic arwkv7 baichuan bailingmoe bailingmoe2 bailingmoe3 bert bitnet bloom chameleon
    chatglm clip codeshell cogvlm cohere2 cohere2moe command-r dbrx deci deepseek deepseek2 deepseek2-ocr deepseek32
    deepseek4 dflash dots1 dots3note dream eagle3 ernie4_5 ernie4_5-moe eurobert exaone exaone-moe exaone4 falcon
    falcon-h1 gemma gemma-embedding gemma2 gemma3 gemma3n gemma4 gemma4-assistant glm-dsa glm4 glm4moe glm5-next
    gpt-oss gpt2 gptj gptneox granite granite_swa granitehybrid granitemoe graniteswitch grok grovemoe hrm_text
    hunyuan-dense hunyuan-moe hunyuan_vl hy_v3 hy_v4 internlm2 jais jais2 jamba jina-bert-v2 jina-bert-v3 kimi-k3
    kimi-linear laguna lfm2 lfm2moe llada llada-moe llama llama-embed llama4 maincoder mamba mamba2 maple mellum
    mimo2 minicpm minicpm3 minimax-01 minimax-m2 minimax-m3 mistral3 mistral4 modern-bert mpt muse-glimmer nanbeige
    nemotron nemotron_h nemotron_h_moe neo-bert nomic-bert nomic-bert-moe olmo olmo2 olmoe openelm orion paddleocr
    pangu-embedded phi2 phi3 phimoe plamo plamo2 plamo3 plm pockettts qwen qwen2 qwen2moe qwen2vl qwen3 qwen35
    qwen35moe qwen3moe qwen3next qwen3tts qwen3vl qwen3vlmoe qwen4exp refact rnd1 rwkv6 rwkv6qwen2 rwkv7 seed_oss
    smallthinker smollm3 spark2_5 stablelm starcoder starcoder2 step35 t5 t5encoder talkie wavtokenizer-dec xverse
    """.split()
)
"""Every architecture that this llama.cpp loads."""

NO_TEXT = frozenset(
    """
    bert clip eurobert gemma-embedding jina-bert-v2 jina-bert-v3 llama-embed modern-bert neo-bert nomic-bert
    nomic-bert-moe pockettts qwen3tts t5 t5encoder wavtokenizer-dec
    """.split()
)
"""Known to llama.cpp, but not made to write text; the runtime here refuses them."""

READS = ("embed", "rerank")
"""Tasks of models that only read; they run as ONNX files."""

NO_READING = "Models that compare texts run as ONNX files here, so there is no use for this one yet."
NO_HEAD = "Its scoring head lies outside the ONNX file, so there is no use for this model yet."


def unsupported(architecture: str) -> str:
    """Why a GGUF model of this architecture cannot run here, as a sentence; empty when it can or is not named."""
    name = architecture.strip()
    if not name or name in KNOWN - NO_TEXT:
        return ""
    if name in NO_TEXT:
        return f"The architecture {name} does not write text, so there is no use for this model yet."
    near = difflib.get_close_matches(name, KNOWN, n=1, cutoff=0.8)
    known = f" (it knows {near[0]})" if near else ""
    return f"The bundled llama.cpp does not know the architecture {name}{known}; a later version of EdgeLLM may."


def unsupported_card(card: ModelCard) -> str:
    """Why this model cannot be used by this version, as a sentence; empty when nothing speaks against it."""
    if card.tasks and all(task in READS for task in card.tasks):
        if card.format != "onnx":
            return NO_READING
        return NO_HEAD if "head lies outside the ONNX graph" in card.notes else ""
    names = " ".join(file.path for file in card.files)
    if card.format == "onnx" and "encoder_model" in names and "decoder_model_merged" not in names:
        return "Its list of files is not complete: the name of its decoder is not known."
    if card.format == "safetensors":
        return _unsupported_safetensors(card.architecture.strip())
    return unsupported(card.architecture) if card.format == "gguf" else ""


def _unsupported_safetensors(name: str) -> str:
    """What a safetensors model lacks: the extra, or an architecture. A hub says it in either of two forms."""
    if absent := extra.missing():
        return absent
    if not name or name in ARCHITECTURES or name in {row.model for row in ARCHITECTURES.values()}:
        return ""
    return f"The architecture {name[:40]} does not run on PyTorch here; a later version of EdgeLLM may."

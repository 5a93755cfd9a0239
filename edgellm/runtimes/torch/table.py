"""Which architectures run on PyTorch, and the transformers classes that run them: one written-out table.

A file's `model_type` only finds a row; no class is ever named by a file. A row is here when a test has shown that our
steps over its KV cache give the numbers of transformers' own generation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["decoder", "seq2seq"]


@dataclass(frozen=True, slots=True)
class Architecture:
    """The names of the classes in transformers, and what must be known before they are made.

    `attention` is transformers' name of the computation. `positions` bounds the window where a table of positions is
    made from it (learned, or a causal mask of its square), which costs memory for what a file merely claims.
    """

    config: str
    model: str
    kind: Kind = "decoder"
    attention: Literal["sdpa", "eager"] = "sdpa"
    positions: int = 1 << 21


_LEARNED = 16_384
ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        "arcee": Architecture("ArceeConfig", "ArceeForCausalLM"),
        "cohere": Architecture("CohereConfig", "CohereForCausalLM"),
        "cohere2": Architecture("Cohere2Config", "Cohere2ForCausalLM"),
        "ernie4_5": Architecture("Ernie4_5Config", "Ernie4_5ForCausalLM"),
        "exaone4": Architecture("Exaone4Config", "Exaone4ForCausalLM"),
        "gemma": Architecture("GemmaConfig", "GemmaForCausalLM"),
        # caps the attention's logits, which "sdpa" leaves out
        "gemma2": Architecture("Gemma2Config", "Gemma2ForCausalLM", attention="eager"),
        "gemma3_text": Architecture("Gemma3TextConfig", "Gemma3ForCausalLM"),
        "glm": Architecture("GlmConfig", "GlmForCausalLM"),
        "glm4": Architecture("Glm4Config", "Glm4ForCausalLM"),
        "gpt2": Architecture("GPT2Config", "GPT2LMHeadModel", positions=_LEARNED),
        "gpt_bigcode": Architecture("GPTBigCodeConfig", "GPTBigCodeForCausalLM", positions=_LEARNED),
        "gpt_neo": Architecture("GPTNeoConfig", "GPTNeoForCausalLM", attention="eager", positions=_LEARNED),
        "gpt_neox": Architecture("GPTNeoXConfig", "GPTNeoXForCausalLM"),
        "granite": Architecture("GraniteConfig", "GraniteForCausalLM"),
        "granitemoe": Architecture("GraniteMoeConfig", "GraniteMoeForCausalLM"),
        "helium": Architecture("HeliumConfig", "HeliumForCausalLM"),
        "hunyuan_v1_dense": Architecture("HunYuanDenseV1Config", "HunYuanDenseV1ForCausalLM"),
        "llama": Architecture("LlamaConfig", "LlamaForCausalLM"),
        "mistral": Architecture("MistralConfig", "MistralForCausalLM"),
        "mixtral": Architecture("MixtralConfig", "MixtralForCausalLM"),
        "nemotron": Architecture("NemotronConfig", "NemotronForCausalLM"),
        "olmo": Architecture("OlmoConfig", "OlmoForCausalLM"),
        "olmo2": Architecture("Olmo2Config", "Olmo2ForCausalLM"),
        "olmo3": Architecture("Olmo3Config", "Olmo3ForCausalLM"),
        "olmoe": Architecture("OlmoeConfig", "OlmoeForCausalLM"),
        "opt": Architecture("OPTConfig", "OPTForCausalLM", positions=_LEARNED),
        "phi": Architecture("PhiConfig", "PhiForCausalLM"),
        "phi3": Architecture("Phi3Config", "Phi3ForCausalLM"),
        "qwen2": Architecture("Qwen2Config", "Qwen2ForCausalLM"),
        "qwen2_moe": Architecture("Qwen2MoeConfig", "Qwen2MoeForCausalLM"),
        "qwen3": Architecture("Qwen3Config", "Qwen3ForCausalLM"),
        "qwen3_moe": Architecture("Qwen3MoeConfig", "Qwen3MoeForCausalLM"),
        "seed_oss": Architecture("SeedOssConfig", "SeedOssForCausalLM"),
        "smollm3": Architecture("SmolLM3Config", "SmolLM3ForCausalLM"),
        "stablelm": Architecture("StableLmConfig", "StableLmForCausalLM"),
        "starcoder2": Architecture("Starcoder2Config", "Starcoder2ForCausalLM"),
        "bart": Architecture("BartConfig", "BartForConditionalGeneration", "seq2seq", positions=_LEARNED),
        "blenderbot": Architecture(
            "BlenderbotConfig", "BlenderbotForConditionalGeneration", "seq2seq", positions=_LEARNED
        ),
        "blenderbot-small": Architecture(
            "BlenderbotSmallConfig", "BlenderbotSmallForConditionalGeneration", "seq2seq", positions=_LEARNED
        ),
        "m2m_100": Architecture("M2M100Config", "M2M100ForConditionalGeneration", "seq2seq", positions=_LEARNED),
        "marian": Architecture("MarianConfig", "MarianMTModel", "seq2seq", positions=_LEARNED),
        "mbart": Architecture("MBartConfig", "MBartForConditionalGeneration", "seq2seq", positions=_LEARNED),
        "mt5": Architecture("MT5Config", "MT5ForConditionalGeneration", "seq2seq", "eager"),
        "pegasus": Architecture("PegasusConfig", "PegasusForConditionalGeneration", "seq2seq", positions=_LEARNED),
        "t5": Architecture("T5Config", "T5ForConditionalGeneration", "seq2seq", "eager"),
        "umt5": Architecture("UMT5Config", "UMT5ForConditionalGeneration", "seq2seq", "eager"),
    }
)

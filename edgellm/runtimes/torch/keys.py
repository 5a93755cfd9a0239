"""What may stand in a `config.json`: known keys with plain, bounded values; everything else is left behind.

transformers acts on what a config says, down to code that it fetches and runs (`auto_map`), weights and kernels of
other places (`transformers_weights`, `_name_or_path`, `attn_implementation`) and quantizers that import packages. So it
never sees a config of a stranger, only a fresh one made from these keys. A test holds the table to the parameters of
every config class in use: a key that changes what is computed cannot be forgotten.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from edgellm.errors import ModelDamaged, ModelUnsupported
from edgellm.runtimes.torch.table import Architecture

Rule = Callable[[Any], bool]
_MOST_LAYERS = 512
_ACTIVATIONS = frozenset(
    "gelu gelu_new gelu_fast gelu_python gelu_pytorch_tanh quick_gelu relu relu2 silu swish tanh sigmoid linear".split()
)
_GATED = frozenset(f"gated-{name}" for name in _ACTIVATIONS)
_LAYERS = frozenset(("full_attention", "sliding_attention"))
_ROPE = frozenset(("default", "linear", "dynamic", "yarn", "longrope", "llama3"))
_ROPE_NAMES = frozenset("rope_type type".split())
_ROPE_NUMBERS = frozenset(
    """
    factor attention_factor beta_fast beta_slow low_freq_factor high_freq_factor original_max_position_embeddings
    mscale mscale_all_dim alpha beta
    """.split()
)
_ROPE_LISTS = frozenset(("short_factor", "long_factor"))


def _whole(low: int, high: int) -> Rule:
    return lambda value: type(value) is int and low <= value <= high


def _real(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and abs(value) <= 1e12


def _flag(value: Any) -> bool:
    return type(value) is bool


def _word(words: frozenset[str]) -> Rule:
    return lambda value: isinstance(value, str) and value in words


def _list(rule: Rule, most: int = _MOST_LAYERS) -> Rule:
    return lambda value: isinstance(value, list) and len(value) <= most and all(map(rule, value))


def _ids(value: Any) -> bool:
    one = _whole(-1, 1 << 21)
    return one(value) or _list(one, 64)(value)


def _rope(value: Any) -> bool:
    if not isinstance(value, dict) or not value.keys() <= _ROPE_NAMES | _ROPE_NUMBERS | _ROPE_LISTS | {"rope_theta"}:
        return False
    words = all(_word(_ROPE | {"su"})(value[name]) for name in _ROPE_NAMES & value.keys())
    lists = all(_list(_real, 1024)(value[name]) for name in _ROPE_LISTS & value.keys())
    return words and lists and all(_real(value[name]) for name in value.keys() & (_ROPE_NUMBERS | {"rope_theta"}))


def _alternation(value: Any) -> bool:
    """GPT-Neo: [[["global", "local"], 12]]."""
    names = _list(_word(frozenset(("global", "local"))), 8)
    return _list(lambda item: _list(lambda _: True, 2)(item) and len(item) == 2, 8)(value) and all(
        names(kinds) and _whole(1, _MOST_LAYERS)(times) for kinds, times in value
    )


_SIZE, _COUNT, _HEADS, _WORDS = _whole(1, 1 << 18), _whole(1, _MOST_LAYERS), _whole(1, 512), _whole(2, 1 << 21)
_POSITIONS = _whole(2, 1 << 24)
KEYS: Mapping[str, Rule] = MappingProxyType(
    {
        **dict.fromkeys(
            """
            d_ff d_kv d_model decoder_ffn_dim encoder_ffn_dim ffn_dim head_dim hidden_size intermediate_size
            moe_intermediate_size n_embd n_inner shared_expert_intermediate_size word_embed_proj_dim
            """.split(),
            _SIZE,
        ),
        **dict.fromkeys("decoder_layers encoder_layers n_layer num_decoder_layers num_hidden_layers".split(), _COUNT),
        "num_layers": _COUNT,
        **dict.fromkeys(
            """
            decoder_attention_heads encoder_attention_heads n_head num_attention_heads num_heads num_key_value_heads
            num_experts num_experts_per_tok num_local_experts decoder_sparse_step no_rope_layer_interval
            sliding_window_pattern
            """.split(),
            _HEADS,
        ),
        **dict.fromkeys("vocab_size decoder_vocab_size".split(), _WORDS),
        **dict.fromkeys("max_position_embeddings n_positions original_max_position_embeddings".split(), _POSITIONS),
        **dict.fromkeys("sliding_window window_size".split(), _whole(1, 1 << 24)),
        "max_window_layers": _whole(0, 4096),
        **dict.fromkeys("relative_attention_max_distance relative_attention_num_buckets".split(), _whole(2, 4096)),
        **dict.fromkeys(
            """
            attn_logit_softcapping attention_multiplier clip_qkv embedding_multiplier final_logit_softcapping
            layer_norm_eps layer_norm_epsilon logit_scale logits_scaling norm_eps norm_epsilon partial_rotary_factor
            query_pre_attn_scalar residual_multiplier rms_norm_eps rope_local_base_freq rope_theta rotary_emb_base
            rotary_pct
            """.split(),
            _real,
        ),
        **dict.fromkeys(
            """
            _remove_final_layer_norm attention_bias attention_out_bias attention_softmax_in_fp32 do_layer_norm_before
            enable_bias layer_norm_elementwise_affine mlp_bias multi_query norm_topk_prob qk_layernorm qkv_bias
            reorder_and_upcast_attn scale_attention_softmax_in_fp32 scale_attn_by_inverse_layer_idx scale_attn_weights
            scale_embedding share_encoder_decoder_embeddings tie_word_embeddings use_bias use_bidirectional_attention
            use_parallel_residual use_qk_norm use_qkv_bias use_sliding_window
            """.split(),
            _flag,
        ),
        **dict.fromkeys("activation_function hidden_act hidden_activation".split(), _word(_ACTIVATIONS)),
        "feed_forward_proj": _word(_ACTIVATIONS | _GATED),
        **dict.fromkeys(
            """
            bos_token_id decoder_start_token_id eod_token_id eos_token_id forced_eos_token_id pad_token_id
            """.split(),
            _ids,
        ),
        "layer_types": _list(_word(_LAYERS)),
        "attention_types": _alternation,
        **dict.fromkeys("mlp_only_layers no_rope_layers".split(), _list(_whole(0, _MOST_LAYERS))),
        "rope_scaling": _rope,
    }
)
"""Key -> whether a value is one. `null` is always allowed: it says that there is none."""

UNUSED = frozenset(
    """
    activation_dropout attention_dropout attn_pdrop classifier_dropout decoder_layerdrop dropout dropout_rate embd_pdrop
    embed_dropout embedding_dropout encoder_layerdrop encoder_no_repeat_ngram_size hidden_dropout init_std
    initializer_factor initializer_range is_encoder_decoder layerdrop num_labels output_router_logits pretraining_tp
    resid_dropout resid_pdrop residual_dropout router_aux_loss_coef router_jitter_noise summary_activation
    summary_first_dropout summary_proj_to_labels summary_type summary_use_proj tokenizer_class use_cache
    """.split()
)
"""Parameters of config classes that change nothing in what a finished model computes; they are not taken over."""

ALSO = frozenset(("head_dim", "tie_word_embeddings", "bos_token_id", "eos_token_id", "pad_token_id"))
"""Keys that a class reads without naming them among its parameters."""


def plain(config: Mapping[str, Any], architecture: Architecture, name: str) -> dict[str, Any]:
    """The known keys of `config`, each checked. Raises `ModelUnsupported` or `ModelDamaged`; `name` is the model's."""
    if config.get("quantization_config"):
        raise ModelUnsupported(
            f"{name} is quantized in a way that this version does not run on PyTorch.",
            "Choose the unquantized model, or its GGUF or ONNX form.",
        )
    named = config.get("architectures")
    if named and (not isinstance(named, list) or architecture.model not in named):
        shown = str(named[0] if isinstance(named, list) else named)[:60]
        raise ModelUnsupported(
            f"{name} was made for another use ({shown!r} is not {architecture.model}).", "Choose another model."
        )
    values = {**config, **_newer_rope(config, name)}
    found = {}
    for key, rule in KEYS.items():
        if key not in values:
            continue
        value = values[key]
        if value is not None and not rule(value):
            raise ModelDamaged(f"{name} has a config.json with an impossible {key}.", "Do not use this model.")
        found[key] = value
    return _ids_inside(found, architecture, name)


def _newer_rope(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """transformers 5 writes `rope_parameters` for what 4 reads as `rope_theta` and `rope_scaling`."""
    given = config.get("rope_parameters")
    if given is None:
        return {}
    if not _rope(given):
        raise ModelUnsupported(f"{name} turns its positions in a way that is not known here.", "Update EdgeLLM.")
    scaling = {key: value for key, value in given.items() if key != "rope_theta"}
    found: dict[str, Any] = {"rope_scaling": None if scaling.get("rope_type", "default") == "default" else scaling}
    return found | ({"rope_theta": given["rope_theta"]} if "rope_theta" in given else {})


def _ids_inside(found: dict[str, Any], architecture: Architecture, name: str) -> dict[str, Any]:
    """The padding token becomes an index at once; a window may not be larger than a table that is made for it."""
    words = found.get("vocab_size")
    pad = found.get("pad_token_id")
    if isinstance(pad, list) or (type(pad) is int and words is not None and not 0 <= pad < words):
        found["pad_token_id"] = None
    for key in ("max_position_embeddings", "n_positions"):
        if (found.get(key) or 0) > architecture.positions:
            raise ModelDamaged(f"{name} has a config.json with an impossible {key}.", "Do not use this model.")
    return found

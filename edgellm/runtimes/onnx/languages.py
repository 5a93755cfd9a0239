"""How multilingual translation models are told their languages: by tokens whose names differ from family to family."""

from __future__ import annotations

from dataclasses import dataclass

from edgellm.errors import UsageError
from edgellm.runtimes.onnx.tokens import Vocabulary

# Code -> (ISO 639-3 with script, as FLORES-200 and NLLB write it; region, as mBART-50 writes it).
_NAMES = {
    "en": ("eng_Latn", "en_XX"), "fr": ("fra_Latn", "fr_XX"), "de": ("deu_Latn", "de_DE"), "es": ("spa_Latn", "es_XX"),
    "zh": ("zho_Hans", "zh_CN"), "ar": ("arb_Arab", "ar_AR"), "bg": ("bul_Cyrl", ""), "cs": ("ces_Latn", "cs_CZ"),
    "da": ("dan_Latn", ""), "el": ("ell_Grek", ""), "et": ("est_Latn", "et_EE"), "fa": ("pes_Arab", "fa_IR"),
    "fi": ("fin_Latn", "fi_FI"), "he": ("heb_Hebr", "he_IL"), "hi": ("hin_Deva", "hi_IN"), "hr": ("hrv_Latn", "hr_HR"),
    "hu": ("hun_Latn", ""), "id": ("ind_Latn", "id_ID"), "it": ("ita_Latn", "it_IT"), "ja": ("jpn_Jpan", "ja_XX"),
    "ko": ("kor_Hang", "ko_KR"), "lt": ("lit_Latn", "lt_LT"), "lv": ("lvs_Latn", "lv_LV"), "nl": ("nld_Latn", "nl_XX"),
    "no": ("nob_Latn", ""), "pl": ("pol_Latn", "pl_PL"), "pt": ("por_Latn", "pt_XX"), "ro": ("ron_Latn", "ro_RO"),
    "ru": ("rus_Cyrl", "ru_RU"), "sk": ("slk_Latn", ""), "sl": ("slv_Latn", "sl_SI"), "sv": ("swe_Latn", "sv_SE"),
    "th": ("tha_Thai", "th_TH"), "tr": ("tur_Latn", "tr_TR"), "uk": ("ukr_Cyrl", "uk_UA"), "vi": ("vie_Latn", "vi_VN"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """Tokens before the source text, and the token that the answer must begin with (None: nothing)."""

    before: tuple[int, ...] = ()
    first: int | None = None


def tell(vocabulary: Vocabulary, source: str, target: str) -> Told:
    """How this vocabulary is told to translate from `source` to `target` (codes; empty: nothing is said).

    A model for one pair has no such tokens. Raises `UsageError` for a language that a multilingual one does not know.
    """
    if not source and not target:
        return Told()
    for forms in (_m2m, _nllb, _mbart):
        if vocabulary.id(forms("en")) is not None:
            return Told((_known(vocabulary, forms, source),), _known(vocabulary, forms, target))
    if (token := vocabulary.id(_marian(target))) is not None:
        return Told((token,))
    return Told()


def _known(vocabulary: Vocabulary, form: object, code: str) -> int:
    token = vocabulary.id(form(code)) if callable(form) else None
    if token is None:
        raise UsageError(f"This model does not know the language {code!r}.", "Choose another language or model.")
    return token


def _m2m(code: str) -> str:
    return f"__{code}__"


def _nllb(code: str) -> str:
    return _NAMES.get(code, ("", ""))[0]


def _mbart(code: str) -> str:
    return _NAMES.get(code, ("", ""))[1]


def _marian(code: str) -> str:
    return f">>{_NAMES.get(code, ('', ''))[0][:3]}<<"

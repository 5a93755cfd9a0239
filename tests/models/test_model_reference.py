"""What a person may type or paste for a model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgellm.errors import EdgeError, UntrustedName, UsageError
from edgellm.models.catalog_schema import is_repo
from edgellm.models.names import check_relative
from edgellm.models.reference import Reference, parse

HOSTS = frozenset({"mirror.example.org", "127.0.0.1:8000"})


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("owner/name", Reference("owner/name")),
        (" owner/name/ ", Reference("owner/name")),
        ("owner/name:Q4_K_M", Reference("owner/name", quantization="Q4_K_M")),
        ("owner/name@v1.0", Reference("owner/name", revision="v1.0")),
        ("owner/name@v1.0:Q8_0", Reference("owner/name", revision="v1.0", quantization="Q8_0")),
        ("owner/name/a/b.gguf", Reference("owner/name", path="a/b.gguf")),
        ("hf.co/owner/name:Q8_0", Reference("owner/name", quantization="Q8_0")),
        ("huggingface.co/owner/name", Reference("owner/name")),
        ("https://huggingface.co/owner/name", Reference("owner/name")),
        ("https://huggingface.co/owner/name/tree/main", Reference("owner/name")),
        ("https://huggingface.co/owner/name/tree/v2/onnx", Reference("owner/name", "v2")),
        ("https://hf.co/owner/name/blob/main/a%20b.gguf", Reference("owner/name", path="a b.gguf")),
        (
            "https://mirror.example.org/owner/name/resolve/v2/x.gguf?download=true",
            Reference("owner/name", "v2", "x.gguf"),
        ),
        ("http://127.0.0.1:8000/owner/name", Reference("owner/name")),
        ("https://example.org/x.gguf", Reference(path="x.gguf", url="https://example.org/x.gguf")),
        ("https://example.org/a/X.GGUF?sig=1#z", Reference(path="X.GGUF", url="https://example.org/a/X.GGUF?sig=1#z")),
        ("http://localhost:9/x.gguf", Reference(path="x.gguf", url="http://localhost:9/x.gguf")),
    ],
)
def test_forms_that_are_understood(text: str, meant: Reference) -> None:
    assert parse(text, HOSTS) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "owner/",
        "/name",
        "owner//name",
        "../x",
        "owner/..",
        "owner/na me",
        "owner/name:Q4 K",
        "owner/name:Q4/x.gguf",
        "owner/name@../..",
        "owner/name/../x.gguf",
        "owner/name/con.gguf",
        "https://huggingface.co/",
        "https://huggingface.co/owner/name/discussions/1",
        "https://huggingface.co/owner/name/resolve/main/../../x.gguf",
        "https://huggingface.co/owner/name/resolve/main/%2e%2e/x.gguf",
        "https://example.org/x.zip",
        "https://example.org/%2e%2e",
        "https://example.org/..%2f.gguf%00",
        "https://example.org/con.gguf",
        "https://example.org:99999/x.gguf",
        "https://[::1/x.gguf",
        "http://example.org/x.gguf",
        "http://192.168.1.5/x.gguf",
        "ftp://example.org/x.gguf",
        "file:///etc/x.gguf",
        "javascript://x/x.gguf",
        "x" * 3_000,
        "owner/na\u202eme",
        "https://example.org/x\n.gguf",
    ],
)
def test_forms_that_are_none(text: str) -> None:
    with pytest.raises((UsageError, UntrustedName)) as caught:
        parse(text, HOSTS)
    assert caught.value.message.isprintable() and len(str(caught.value)) < 400


def test_a_password_in_a_link_is_refused_and_not_repeated() -> None:
    with pytest.raises(UntrustedName) as caught:
        parse("https://me:canary@example.org/x.gguf")
    assert "canary" not in str(caught.value)


@given(st.text(alphabet=st.characters() | st.sampled_from("/:@.%?#\\"), max_size=60))
def test_any_text_is_a_safe_reference_or_an_error(text: str) -> None:
    for given_text in (text, f"owner/{text}", f"https://huggingface.co/{text}", f"https://example.org/{text}.gguf"):
        try:
            found = parse(given_text, HOSTS)
        except EdgeError:
            continue
        assert bool(found.repo) != bool(found.url)
        assert not found.repo or is_repo(found.repo)
        assert not found.path or check_relative(found.path)

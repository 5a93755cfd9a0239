"""The form of a bundle, `.edgellm`: a plain tar file whose every byte follows from a signed list of contents.

In it are, in this order: `manifest.json` (the list), `manifest.sig` (who signed it), and the files of the models as
`models/<model>/<file>`. Sizes and names in the list fix each header, all padding and the end, so a reader compares and
need not parse; ordinary tools open it. Writing is left to `bundle_write`, reading to `bundle_read`.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from edgellm.errors import ModelDamaged, ModelUnsupported, UntrustedName
from edgellm.models import catalog, manifest, names, signing
from edgellm.models.catalog import ModelCard
from edgellm.models.manifest import Manifest, ManifestFile

SUFFIX = ".edgellm"
LISTING = "manifest.json"
SIGNATURE = "manifest.sig"
SIGNATURE_SIZE = len("ed25519\n") + 2 * (signing.PUBLIC_SIZE + signing.SIGNATURE_SIZE) + 2
BLOCK = tarfile.BLOCKSIZE
LARGEST_LISTING = 16 << 20
_KIND = "edgellm-bundle"
_VERSION = 1
_MODEL_VERSION = 1  # of each model's own manifest
MOST_MODELS = 100
_MOST_CARDS = 1_000
_MOST_BYTES = 1 << 50
_SIGNED_AS = b"EdgeLLM bundle\n"  # so that a signature made for something else cannot serve here
_SIGNATURE = re.compile(rb"ed25519\n([0-9a-f]{64})\n([0-9a-f]{128})\n")
_AGAIN = "Copy the bundle again from where it was made."


@dataclass(frozen=True, slots=True)
class Contents:
    """What a bundle says of itself: its models, cards for the catalog, the program's version and when it was made."""

    models: tuple[Manifest, ...]
    cards: tuple[ModelCard, ...] = ()
    program: str = ""
    created: str = ""

    @property
    def size(self) -> int:
        """Bytes of all files of the models."""
        return sum(model.size for model in self.models)

    def members(self) -> Iterator[tuple[Manifest, ManifestFile, str]]:
        """Every file in the order of the archive, with its model and its name in the archive."""
        for model in self.models:
            for file in model.files:
                yield model, file, f"models/{model.name}/{file.path}"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature with the public key that it was made with."""

    public: bytes
    signature: bytes

    def covers(self, listing: bytes) -> bool:
        """Whether exactly this list of contents was signed."""
        return signing.verify(self.public, self.signature, _SIGNED_AS + listing)

    def encode(self) -> bytes:
        """The text of the archive's second member."""
        return f"ed25519\n{self.public.hex()}\n{self.signature.hex()}\n".encode("ascii")


def sign(listing: bytes, key: signing.OwnKey) -> Signature:
    """Sign a list of contents."""
    return Signature(key.public, key.sign(_SIGNED_AS + listing))


def read_signature(data: bytes) -> Signature:
    """The signature out of the archive's second member. Raises `ModelDamaged`."""
    found = _SIGNATURE.fullmatch(data)
    if not found:
        raise damaged("it carries no signature that can be read")
    return Signature(bytes.fromhex(found[1].decode()), bytes.fromhex(found[2].decode()))


def damaged(why: str) -> ModelDamaged:
    """The error of a bundle that cannot be trusted."""
    return ModelDamaged(f"The bundle is damaged: {why}.", _AGAIN)


def header(name: str, size: int) -> bytes:
    """The tar header of a member; with it come the extra blocks that a long name or a size above 8 GiB asks for."""
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o644, 0
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def padding(size: int) -> int:
    """How many zero bytes follow a member of `size` bytes."""
    return -size % BLOCK


def member_size(name: str, size: int) -> int:
    """Bytes of a member with its header and padding."""
    return len(header(name, size)) + size + padding(size)


def end(position: int) -> bytes:
    """What ends an archive whose last member ends at `position`."""
    return bytes(2 * BLOCK + -(position + 2 * BLOCK) % tarfile.RECORDSIZE)


def first_size(block: bytes) -> int:
    """The size of the list of contents, from the archive's first 512 bytes.

    Raises `ModelDamaged` for what is no bundle, or claims a list that no bundle has.
    """
    if len(block) == BLOCK and block.startswith(LISTING.encode() + b"\0"):
        digits = re.fullmatch(rb"([0-7]{11})\0", block[124:136])
        size = int(digits[1], 8) if digits else 0
        if size > LARGEST_LISTING:
            raise damaged("its list of contents is impossibly long")
        if size and block == header(LISTING, size):
            return size
    raise ModelDamaged("This is no bundle of models, or its beginning is damaged.", _AGAIN)


def encode(contents: Contents) -> bytes:
    """The list of contents as the bytes that are signed."""
    document = {
        "kind": _KIND,
        "version": _VERSION,
        "program": contents.program,
        "created": contents.created,
        "models": [{"version": _MODEL_VERSION, **asdict(model)} for model in contents.models],
        "cards": {"schema": 1, "model": [catalog.entry_of(card) for card in contents.cards]},
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8") + b"\n"


def decode(listing: bytes) -> Contents:
    """The list of contents, checked as if a stranger had written it, whoever signed it.

    Raises `ModelDamaged`, `ModelUnsupported` for a newer version's, `UntrustedName`.
    """
    try:
        document = json.loads(listing.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise damaged("its list of contents is not JSON") from error
    if not isinstance(document, dict) or document.get("kind") != _KIND:
        raise damaged("its list of contents is of another kind")
    version = document.get("version")
    if type(version) is int and version > _VERSION:
        raise ModelUnsupported("The bundle was made by a newer EdgeLLM.", "Update EdgeLLM on this computer.")
    if type(version) is not int or version != _VERSION:
        raise damaged("it names no version that is known")
    listed = document.get("models")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_MODELS:
        raise damaged("it lists no models")
    models = tuple(map(_model, listed))
    _check_models(models)
    return Contents(models, _cards(document.get("cards")), _text(document, "program"), _text(document, "created"))


def _model(entry: Any) -> Manifest:
    try:
        return manifest.parse(entry, "a model in it")
    except ModelDamaged as error:
        raise ModelDamaged(f"The bundle is damaged: {error.message[:1].lower()}{error.message[1:]}", _AGAIN) from error
    except ModelUnsupported as error:
        raise ModelUnsupported("The bundle was made by a newer EdgeLLM.", "Update EdgeLLM on this computer.") from error


def _check_models(models: tuple[Manifest, ...]) -> None:
    for model in models:
        names.check_name(model.name)
        for file in model.files:
            if names.is_code(file.path):
                raise ModelUnsupported(
                    f"The bundle holds {names.shown(file.path)}, which is code or may hold some, so it was refused.",
                    "Ask whoever made it for the model in safetensors, ONNX or GGUF form.",
                )
    try:
        names.check_distinct(model.name for model in models)
    except UntrustedName as error:
        raise damaged("two of its models have the same name") from error
    if sum(model.size for model in models) > _MOST_BYTES:
        raise damaged("its models are impossibly large")


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key, "")
    if not isinstance(value, str) or len(value) > 100 or not value.isprintable():
        raise damaged(f"its {key} is no short text")
    return value


def _cards(document: Any) -> tuple[ModelCard, ...]:
    """The cards that pass the catalog's own checks; one that this version does not understand is left out."""
    entries = document.get("model") if isinstance(document, dict) else None
    if not isinstance(entries, list) or len(entries) > _MOST_CARDS:
        return ()
    return tuple(
        catalog.card_of(entry)
        for entry in entries
        if isinstance(entry, dict) and not catalog.problems({"schema": 1, "model": [entry]})
    )

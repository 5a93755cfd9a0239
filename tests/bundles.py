"""Small models, bundles of them, and forged ones, for the tests of carrying models to another computer."""

from __future__ import annotations

import hashlib
import json
import random
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edgellm.models import bundle, bundle_read, bundle_write, signing
from edgellm.models.catalog import CardFile, ModelCard
from edgellm.models.manifest import Manifest, ManifestFile
from edgellm.models.rate import Control
from edgellm.models.store import ModelStore
from edgellm.paths import Paths

PART = 4096
ALPHA = {"alpha-q4.gguf": 9_000}
BETA = {"config.json": 300, "onnx/model.onnx": 5_000, "空/tokenizer.json": 700, "empty.txt": 0}


def home(folder: Path) -> Paths:
    """The paths of a computer of its own."""
    return Paths.under(folder, folder, folder / "logs")


def content(name: str, size: int) -> bytes:
    """The bytes of a file, always the same for its name."""
    return random.Random(name).randbytes(size)


def described(path: str, data: bytes) -> ManifestFile:
    """A file as a manifest lists it, with the hashes of its parts."""
    parts = [data[at : at + PART] for at in range(0, len(data), PART)]
    hashes = tuple(hashlib.sha256(part).hexdigest() for part in parts)
    return ManifestFile(path, len(data), hashlib.sha256(data).hexdigest(), hashes)


def place(store: ModelStore, name: str, sizes: Mapping[str, int], form: str = "gguf") -> Manifest:
    """Install a model of random bytes."""
    top = store.folder.parent / "made" / name
    files = {path: content(f"{name}/{path}", size) for path, size in sizes.items()}
    for path, data in files.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(data)
    listed = tuple(described(path, data) for path, data in files.items())
    draft = Manifest(
        name=name,
        files=listed,
        title=name.title(),
        format=form,
        license="MIT",
        source="/private/place/x",
        chunk_size=PART,
    )
    store.place(draft, {path: top / path for path in files})
    return draft


def sender(folder: Path) -> ModelStore:
    """A computer with the models alpha and beta."""
    store = ModelStore(home(folder))
    place(store, "alpha", ALPHA)
    place(store, "beta", BETA, "onnx")
    return store


def card(name: str) -> ModelCard:
    """A card for the catalog."""
    files = (CardFile("alpha-q4.gguf", 9_000),)
    return ModelCard(name, "Alpha", "A small one.", files, repo="who/alpha", tasks=("chat",), own=True)


def made(folder: Path, names: Iterable[str] = ("alpha", "beta")) -> Path:
    """A bundle of those models, signed by the sender's own key."""
    store, out = sender(folder), folder / "models.edgellm"
    key = signing.own_key(folder / "signing")
    bundle_write.write([store.get(name) for name in names], [card("alpha")], out, key, Control())
    return out


def forged(
    out: Path,
    key: signing.OwnKey,
    document: Mapping[str, Any] | bytes,
    members: Iterable[tuple[tarfile.TarInfo | str, bytes]],
) -> Path:
    """A bundle with any list of contents, rightly signed, and any members behind it."""
    listing = document if isinstance(document, bytes) else json.dumps(document).encode()
    with out.open("wb") as file:
        signature = bundle.sign(listing, key).encode()
        for name, data in ((bundle.LISTING, listing), (bundle.SIGNATURE, signature), *members):
            head = bundle.header(name, len(data)) if isinstance(name, str) else name.tobuf(tarfile.PAX_FORMAT)
            file.write(head + data + bytes(bundle.padding(len(data))))
        file.write(bundle.end(file.tell()))
    return out


def document(*models: Manifest, **changes: Any) -> dict[str, Any]:
    """A list of contents as JSON, to be spoiled."""
    found = json.loads(bundle.encode(bundle.Contents(models)))
    assert isinstance(found, dict)
    return {**found, **changes}


def manifest(name: str, files: Mapping[str, bytes]) -> Manifest:
    """A model's manifest for these contents."""
    return Manifest(name=name, files=tuple(described(path, data) for path, data in files.items()), chunk_size=PART)


def entry(model: Manifest) -> dict[str, Any]:
    """A model as JSON in a list of contents."""
    return {"version": 1, **json.loads(json.dumps(asdict(model)))}


def add(path: Path | str, folder: Path, **terms: Any) -> bundle_read.Added:
    """Add a bundle to the computer in `folder`, which has no network."""
    control = terms.pop("control", Control())
    accept = bundle_read.Terms(folder / "signing", **terms)
    return bundle_read.add(str(path), ModelStore(home(folder)), no_network, accept, control)


def no_network(purpose: str) -> Any:
    """Stands where a client would be made."""
    raise AssertionError(f"a client was asked for: {purpose}")


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, but for the locks that a store leaves."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    return {name: _start(path) for name, path in found.items() if not name.endswith(".lock")}


def _start(path: Path) -> bytes:
    """What a file begins with; some are as long as a disk, and hold nothing."""
    with path.open("rb") as file:
        return file.read(1 << 20)


class Bytes:
    """A source that lies in memory."""

    def __init__(self, data: bytes) -> None:
        self.position = 0
        self.size: int | None = len(data)
        self._data = data

    def read(self, most: int) -> bytes:
        """The next bytes."""
        data = self._data[self.position : self.position + most]
        self.position += len(data)
        return data

    def skip(self, count: int) -> None:
        """Pass over some."""
        self.position += count


def damages(data: bytes, seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Copies of `data` that are damaged at random, each with a name for what was done; none is equal to it."""
    draw = random.Random(seed)
    for number in range(count):
        kind = draw.choice(sorted(_DAMAGES))
        at = draw.randrange(len(data))
        spoiled = _DAMAGES[kind](data, at, draw)
        if spoiled != data:
            yield f"{number}: {kind} at {at}", spoiled


def _flip(data: bytes, at: int, draw: random.Random) -> bytes:
    return data[:at] + bytes([data[at] ^ (1 << draw.randrange(8))]) + data[at + 1 :]


def _swap(data: bytes, at: int, draw: random.Random) -> bytes:
    one, other = sorted((at // 512, draw.randrange(len(data) // 512)))
    blocks = [data[place : place + 512] for place in range(0, len(data), 512)]
    blocks[one], blocks[other] = blocks[other], blocks[one]
    return b"".join(blocks)


_DAMAGES: dict[str, Callable[[bytes, int, random.Random], bytes]] = {
    "flip": _flip,
    "replace": lambda data, at, draw: data[:at] + draw.randbytes(1) + data[at + 1 :],
    "cut": lambda data, at, draw: data[:at],
    "remove": lambda data, at, draw: data[:at] + data[at + draw.randrange(1, 600) :],
    "insert": lambda data, at, draw: data[:at] + draw.randbytes(draw.randrange(1, 600)) + data[at:],
    "zeros": lambda data, at, draw: data[:at] + bytes(len(data[at : at + 600])) + data[at + 600 :],
    "append": lambda data, at, draw: data + draw.randbytes(draw.choice((1, 512, 10_240))),
    "append zeros": lambda data, at, draw: data + bytes(draw.choice((1, 512, 10_240))),
    "swap": _swap,
    "twice": lambda data, at, draw: data + data,
}

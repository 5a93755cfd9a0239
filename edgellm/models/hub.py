"""The model hub: what a repository holds, a search by name, and a card for a model that is in no catalog.

Two documented endpoints of the hub are asked, through the one door (`network`): the listing of a revision with its
blobs, and the search. `hub_reply` reads the answers, `hub_choice` chooses files; fetching is left to `downloads`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from edgellm.errors import ModelDamaged, ModelError, ModelNotFound, UsageError
from edgellm.models import hub_choice, hub_reply
from edgellm.models.catalog import CardFile, ModelCard
from edgellm.models.catalog_schema import is_repo
from edgellm.models.hub_ask import Asker, Limits, Question
from edgellm.models.hub_reply import Found, Listing, RemoteFile
from edgellm.models.names import plain_name, shown
from edgellm.models.rate import Control
from edgellm.models.reference import Reference, parse

if TYPE_CHECKING:
    import httpx

__all__ = ["Found", "Hub", "Limits", "Listing", "RemoteFile", "address"]

_MOST_RESULTS = 100
# The hub's names of tasks, and what such a model is used for here.
_TASKS: Mapping[str, tuple[str, ...]] = {
    "text-generation": ("chat", "generate", "summarize", "answer"),
    "image-text-to-text": ("chat", "generate", "summarize", "answer"),
    "any-to-any": ("chat", "generate", "summarize", "answer"),
    "translation": ("translate",),
    "summarization": ("summarize",),
    "question-answering": ("answer",),
    "zero-shot-classification": ("classify",),
    "text-classification": ("classify",),
    "feature-extraction": ("embed",),
    "sentence-similarity": ("embed",),
    "text-ranking": ("rerank",),
}


def address(endpoint: str, repo: str, revision: str, path: str) -> str:
    """Where a file of a repository is."""
    return f"{endpoint.rstrip('/')}/{repo}/resolve/{quote(revision or 'main', safe='')}/{quote(path)}"


class Hub:
    """Asks the hub that `connect(purpose)` leads to, then the endpoints `further` when that one fails.

    The client of `connect` knows the token, where there is one. `further` are addresses.
    """

    def __init__(
        self,
        connect: Callable[[str], httpx.Client],
        further: tuple[str, ...] = (),
        limits: Limits | None = None,
        control: Control | None = None,
    ) -> None:
        self._asker = Asker(connect, further, limits or Limits(), control or Control())

    def listing(self, repo: str, revision: str = "") -> Listing:
        """What `repo` holds at `revision` (a commit, branch or tag; empty for main).

        Raises `ModelNotFound`, `ModelError` for a gated repository, `UntrustedName`, `NetworkError`, `OfflineError`.
        """
        if not is_repo(repo):
            raise UsageError(f"{shown(repo)} is no repository.", "A repository is written owner/name.")
        path = f"/api/models/{repo}/revision/{quote(revision or 'main', safe='')}"
        asked = Question("listing", path, {"blobs": "true"}, repo)
        return self._asker.get(asked, lambda data, host: hub_reply.listing(data, repo, revision, host))

    def search(self, text: str, limit: int = 20, format: str = "") -> tuple[Found, ...]:
        """The repositories whose name holds `text`, the most downloaded first; of one format when it is given."""
        words = " ".join(text.split())
        if not words or len(words) > 200 or not words.isprintable():
            raise UsageError("There is nothing to search for.", "Give a part of a model's name.")
        most = max(1, min(limit, _MOST_RESULTS))
        query = {"search": words, "limit": str(most), "sort": "downloads", "direction": "-1"}
        if format:
            query["filter"] = format
        asked = Question("search", "/api/models", query, words)
        return self._asker.get(asked, lambda data, host: hub_reply.found(data, host, most))

    def card(self, reference: str) -> ModelCard:
        """A card for `owner/name`, `owner/name:Q4_K_M`, `owner/name/file.gguf`, or a link. See `reference.parse`.

        Raises what `listing` and `hub_choice.pick` raise, and `UsageError` for what is no reference.
        """
        asked = parse(reference, self._asker.hosts())
        if asked.url:
            return _linked(asked)
        listing = self.listing(asked.repo, asked.revision)
        try:
            picked = hub_choice.pick(listing, asked.quantization, asked.path)
        except ModelError as error:
            if not listing.refused:
                raise
            raise type(error)(error.message, f"{listing.refused[0]} {error.hint}") from error
        owner, _, name = listing.repo.partition("/")
        stem = name.removesuffix("-GGUF").removesuffix("-gguf")
        own = _stem(picked.files[0].path) if asked.path else f"{stem}-{picked.quantization}"
        return ModelCard(
            name=plain_name(f"{owner}-{own}"),  # never that of a catalog's model, or of another owner's
            title=stem.replace("-", " "),
            summary=f"From {listing.repo} at the hub.",
            files=tuple(map(_card_file, picked.files)),
            repo=listing.repo,
            revision=listing.commit,
            format=picked.format,
            quantization=picked.quantization,
            license=listing.license,
            license_note=_gated_note(listing),
            tasks=_TASKS.get(listing.task, ()),
            languages=listing.languages,
            context=listing.context,
            architecture=listing.architecture,
            notes=picked.note,
            confirmed="medium",
        )

    def complete(self, card: ModelCard) -> ModelCard:
        """`card` with what is needed to fetch it whole: sizes and hashes, and the small files of an ONNX model.

        Needs no connection for a card that already says everything. Raises what `listing` raises, `ModelNotFound`
        for a file that is not there, and `ModelDamaged` when the hub's file is not the one that the card pins.
        """
        if is_complete(card):
            return card
        listing = self.listing(card.repo, card.revision)
        there = {file.path: file for file in listing.files}
        for file in card.files:
            if file.path not in there:
                raise ModelNotFound(
                    f"{card.repo} has no file {shown(file.path)}.", f"Try: edgellm models pull {card.repo}"
                )
            _require_same(card, file, there[file.path])
        if card.format == "gguf":
            files: list[RemoteFile] = []
            for file in card.files:
                files += [one for one in hub_choice.pick(listing, path=file.path).files if one not in files]
        else:
            files = [there[file.path] for file in card.files]
            files += _missing_graphs(card, listing)
            files += hub_choice.beside(listing, files)
        return replace(
            card,
            files=tuple(_pinned(card, _card_file(file)) for file in files),
            revision=listing.commit,
            architecture=card.architecture or listing.architecture,
            license=card.license or listing.license,
            license_note=card.license_note or _gated_note(listing),
        )


def is_complete(card: ModelCard) -> bool:
    """Whether a card says all that a download needs."""
    if card.builtin or not card.repo:
        return True
    known = all(file.size is not None and (file.sha256 or file.git_oid) for file in card.files)
    return known and (card.format == "gguf" or any(file.path == "config.json" for file in card.files))


def _require_same(card: ModelCard, pinned: CardFile, there: RemoteFile) -> None:
    differs = (
        (pinned.sha256 and there.sha256 and pinned.sha256 != there.sha256)
        or (pinned.git_oid and there.git_oid and pinned.git_oid != there.git_oid)
        or (pinned.size is not None and there.size is not None and pinned.size != there.size)
    )
    if differs:
        raise ModelDamaged(
            f"{card.repo} holds another {shown(pinned.path)} than the catalog pins.",
            "Use another mirror, or update EdgeLLM.",
        )


def _missing_graphs(card: ModelCard, listing: Listing) -> list[RemoteFile]:
    """The other half of an encoder and decoder, where a card could name only one."""
    named = [file.path for file in card.files if file.path.endswith(".onnx")]
    encoders = [path for path in named if "encoder_model" in path]
    if card.format != "onnx" or not encoders or len(encoders) < len(named):
        return []
    return [graph for graph in hub_choice.onnx_graphs(listing) if graph.path not in named and "decoder" in graph.path]


def _card_file(file: RemoteFile) -> CardFile:
    return CardFile(file.path, file.size, file.sha256, file.git_oid)


def _pinned(card: ModelCard, file: CardFile) -> CardFile:
    """`file` of the listing, but what the card says of it goes first: a mirror cannot loosen it."""
    known = next((one for one in card.files if one.path == file.path), file)
    size = file.size if known.size is None else known.size
    return CardFile(file.path, size, known.sha256 or file.sha256, known.git_oid or file.git_oid, known.url)


def _gated_note(listing: Listing) -> str:
    return f"Its license must be accepted on the page of {listing.repo} first." if listing.gated else ""


def _linked(asked: Reference) -> ModelCard:
    stem, host = _stem(asked.path), urlsplit(asked.url).hostname
    return ModelCard(
        name=plain_name(f"{host}-{stem}"),
        title=stem,
        summary=f"From a link to {host}.",
        files=(CardFile(asked.path, None, url=asked.url),),
        quantization=hub_choice.quantization_of(asked.path),
        notes="Nothing is known to check it against: only the sender vouches for this file.",
        confirmed="medium",
    )


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]

"""What a person may type or paste for a model that is in no catalog: a repository, a file in it, or a link.

Only the text is read here; whether it exists is left to `hub`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from edgellm.errors import UntrustedName, UsageError
from edgellm.isolation import is_loopback
from edgellm.models.catalog_schema import is_address, is_repo
from edgellm.models.names import check_relative, shown

_FORMS = "Give owner/name, owner/name:Q4_K_M, owner/name/file.gguf, or an https link to a .gguf file."
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
_QUANTIZATION = re.compile(r"[A-Za-z0-9_-]{1,40}")
_HUBS = frozenset({"huggingface.co", "hf.co", "www.huggingface.co"})
_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Reference:
    """A model at the hub (`repo` is set), or a file elsewhere (`url` is set). Empty texts were not given."""

    repo: str = ""
    revision: str = ""
    path: str = ""
    quantization: str = ""
    url: str = ""


def is_link(text: str) -> bool:
    """Whether a file may be pulled from this: https, or http of this machine, without a name or password in it."""
    if is_address(text):
        return True
    return (
        text.lower().startswith("http://")
        and is_address(f"https{text[4:]}")
        and is_loopback(urlsplit(text).hostname or "")
    )


def parse(text: str, hosts: frozenset[str] = frozenset()) -> Reference:
    """Read a reference. A link to one of `hosts`, or to the hub itself, is one to a repository.

    Raises `UsageError` for what is none, `UntrustedName` for a file name that must not be used.
    """
    given = text.strip()
    if not given or len(given) > _LONGEST or not given.isprintable():
        raise UsageError(f"{shown(given)} names no model.", _FORMS)
    if "://" in given:
        return _link(given, hosts)
    host, _, rest = given.partition("/")
    return _parts(rest if host.lower() in _HUBS else given, given)


def _parts(text: str, given: str) -> Reference:
    owner, _, rest = text.strip("/").partition("/")
    name, _, path = rest.partition("/")
    name, _, quantization = name.partition(":")
    name, _, revision = name.partition("@")
    repo = f"{owner}/{name}"
    if not is_repo(repo) or (path and quantization):
        raise UsageError(f"{shown(given)} names no model.", _FORMS)
    if quantization and not _QUANTIZATION.fullmatch(quantization):
        raise UsageError(f"{shown(quantization)} is no quantization.", "Such as: Q4_K_M or Q8_0.")
    return Reference(repo, _revision(revision), str(check_relative(path)) if path else "", quantization)


def _link(given: str, hosts: frozenset[str]) -> Reference:
    try:
        parts = urlsplit(given)
        host = (parts.hostname or "").lower()
    except ValueError as error:
        raise UsageError(f"{shown(given)} is no link.", _FORMS) from error
    if host in _HUBS or (host and parts.netloc.lower() in hosts):
        return _hub_link(unquote(parts.path), given)
    if not is_link(given):
        # The link is not shown: a name and password may be in it.
        raise UntrustedName("Only https links without a name or password in them are used.", _FORMS)
    name = unquote(parts.path).rpartition("/")[2]
    if not name.lower().endswith(".gguf"):
        raise UsageError(f"The link leads to {shown(name)}, which is no .gguf file.", _FORMS)
    return Reference(path=str(check_relative(name)), url=given)


def _hub_link(path: str, given: str) -> Reference:
    owner, name, *rest = [*path.strip("/").split("/"), ""]
    rest = [part for part in rest if part]
    repo = f"{owner}/{name}"
    if not is_repo(repo) or (rest and rest[0] not in ("tree", "blob", "resolve", "raw")):
        raise UsageError(f"{shown(given.partition('?')[0])} names no model.", _FORMS)
    revision = rest[1] if len(rest) > 1 else ""
    file = "/".join(rest[2:]) if rest and rest[0] != "tree" else ""
    return Reference(repo, _revision("" if revision == "main" else revision), str(check_relative(file)) if file else "")


def _revision(text: str) -> str:
    if text and (not _REVISION.fullmatch(text) or ".." in text):
        raise UsageError(f"{shown(text)} is no revision.", "Leave it out, or give a commit or branch.")
    return text

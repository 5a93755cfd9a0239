"""Who made a bundle: this person's own key, signatures, fingerprints, and the signers that a person trusts.

The keys are Ed25519 (RFC 8032) from the cryptography library. What is signed is left to the callers.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgellm import files
from edgellm.errors import StorageError, UsageError
from edgellm.paths import Paths

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PUBLIC_SIZE = 32
SIGNATURE_SIZE = 64
_DIGITS = 32  # of the fingerprint: 128 bits
_GROUP = 4
_KEY = "key.pem"
_TRUSTED = "trusted.json"
_LOCK = ".lock"
_NOT_SAVED = "The list of trusted signers could not be saved"
_VERSION = 1
_LARGEST = 1 << 20
_LONGEST_NOTE = 200
_LONGEST_WAIT = 20.0
# The y coordinates, little-endian, of the points whose order divides 8, with those that are not reduced (RFC 8032,
# section 5.1.3): under such a "key" a signature needs no private key. OpenSSL accepts them.
_WEAK = frozenset(
    bytes.fromhex(text)
    for text in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)


@dataclass(frozen=True, slots=True)
class Signer:
    """A signer that a person trusts: the fingerprint of the key, a note such as the file's name, and since when."""

    fingerprint: str
    note: str = ""
    added: str = ""


@dataclass(frozen=True, slots=True)
class OwnKey:
    """The key that signs what this person bundles. `public` is its 32-byte public half."""

    public: bytes
    _private: Ed25519PrivateKey = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """What others compare with: groups of four hex digits."""
        return fingerprint(self.public)

    def sign(self, data: bytes) -> bytes:
        """The 64-byte signature of `data`."""
        return self._private.sign(data)


def folder_of(paths: Paths) -> Path:
    """Where the key and the trusted signers are kept."""
    return paths.machine.parent / "signing"


def fingerprint(public: bytes) -> str:
    """The first half of a public key's SHA-256, in eight groups of four hex digits."""
    digits = hashlib.sha256(public).hexdigest()[:_DIGITS]
    return " ".join(digits[at : at + _GROUP] for at in range(0, _DIGITS, _GROUP))


def read_fingerprint(text: str) -> str:
    """A fingerprint as a person typed or pasted it, in its usual form. Raises `UsageError` for anything else."""
    digits = re.sub(r"[\s:.-]", "", text).lower()
    if len(digits) != _DIGITS or not set(digits) <= set("0123456789abcdef"):
        raise UsageError(
            "That is no fingerprint of a signer.",
            f"Give all {_DIGITS // _GROUP} groups of {_GROUP} digits, in quotes, as edgellm models bundle shows them.",
        )
    return " ".join(digits[at : at + _GROUP] for at in range(0, _DIGITS, _GROUP))


def verify(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether `signature` over `data` was made with the key whose public half is `public`, and with no other."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if len(public) != PUBLIC_SIZE or public[:-1] + bytes([public[-1] & 0x7F]) in _WEAK:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def own_key(folder: Path) -> OwnKey:
    """The key in `folder`, made at its first use; only this person can read the file. Raises `StorageError`."""
    path = folder / _KEY
    with _alone(folder, "The signing key could not be read or made"):
        if not path.exists():
            _make(path)
        return _read_key(path)


@contextmanager
def _alone(folder: Path, failure: str) -> Iterator[None]:
    """Only one program at a time changes what is in `folder`. Raises `StorageError`, also for an `OSError` inside."""
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / _LOCK, timeout=_LONGEST_WAIT):
            yield
    except Timeout as error:
        raise StorageError(f"{failure}: another EdgeLLM is working on it.", "Try again.") from error
    except OSError as error:
        raise StorageError(
            f"{failure}: {error.strerror}.", f"Check the free space and the permissions of {folder}."
        ) from error


def _make(path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    files.write(path, pem.decode("ascii"))


def _read_key(path: Path) -> OwnKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    text = _bounded(path)
    try:
        private = serialization.load_pem_private_key(text, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _bad_key(path) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise _bad_key(path)
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)
    public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return OwnKey(public, private)


def _bad_key(path: Path) -> StorageError:
    return StorageError(
        "The signing key cannot be read: its file is damaged, or of another kind.",
        f"Put it back from a backup, or remove {path} to get a new key with a new fingerprint.",
    )


def _bounded(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LARGEST)


def trusted(folder: Path) -> tuple[Signer, ...]:
    """The signers that this person trusts; none where nothing was said yet. Raises `StorageError`."""
    path = folder / _TRUSTED
    try:
        text = _bounded(path)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise StorageError(
            f"The list of trusted signers cannot be read: {error.strerror}.", f"Check {path}."
        ) from error
    try:
        document = json.loads(text)
        if document["version"] != _VERSION:
            raise ValueError("another version")
        return tuple(_signer(entry) for entry in document["signers"])
    except (ValueError, TypeError, KeyError, RecursionError, UsageError) as error:
        raise StorageError(
            "The list of trusted signers is damaged.", f"Correct {path}, or remove it to trust nobody."
        ) from error


def _signer(entry: Any) -> Signer:
    values = [entry["fingerprint"], entry.get("note", ""), entry.get("added", "")]
    if not all(isinstance(value, str) for value in values):
        raise ValueError("a signer is made of texts")
    return Signer(read_fingerprint(values[0]), _shown(values[1]), _shown(values[2]))


def _shown(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:_LONGEST_NOTE]


def trust(folder: Path, public: bytes, note: str = "") -> Signer:
    """Remember a signer, because the person said so. Raises `StorageError`."""
    signer = Signer(fingerprint(public), _shown(note), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    with _alone(folder, _NOT_SAVED):
        known = trusted(folder)
        for one in known:
            if one.fingerprint == signer.fingerprint:
                return one
        _save(folder, (*known, signer))
    return signer


def distrust(folder: Path, text: str) -> bool:
    """Forget a signer by the fingerprint; whether it was known. Raises `UsageError` or `StorageError`."""
    wanted = read_fingerprint(text)
    if not trusted(folder):
        return False
    with _alone(folder, _NOT_SAVED):
        known = trusted(folder)
        left = tuple(one for one in known if one.fingerprint != wanted)
        if len(left) < len(known):
            _save(folder, left)
    return len(left) < len(known)


def _save(folder: Path, signers: tuple[Signer, ...]) -> None:
    document = {"version": _VERSION, "signers": [asdict(one) for one in signers]}
    files.write(folder / _TRUSTED, json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def is_own(folder: Path, text: str) -> bool:
    """Whether a fingerprint is that of the key in `folder`, which is not made for this. Raises `StorageError`."""
    return (folder / _KEY).exists() and own_key(folder).fingerprint == text

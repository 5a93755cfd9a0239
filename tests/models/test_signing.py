"""The signing key, fingerprints, signatures and the signers that a person trusts."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edgellm.errors import StorageError, UsageError
from edgellm.models import signing
from tests import bundles


def test_a_key_is_made_once_and_only_this_person_can_read_it(tmp_path: Path) -> None:
    folder = signing.folder_of(bundles.home(tmp_path))
    assert not signing.is_own(folder, "") and not folder.exists()
    first, second = signing.own_key(folder), signing.own_key(folder)
    assert first.public == second.public and first.fingerprint == second.fingerprint
    assert signing.is_own(folder, first.fingerprint)
    file = folder / "key.pem"
    assert file.read_text().startswith("-----BEGIN PRIVATE KEY-----")
    assert "PRIVATE" not in repr(first) and "object" not in repr(first)
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        file.chmod(0o644)
        signing.own_key(folder)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_two_programs_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from edgellm.models import signing;"
        "sys.stdout.write(signing.own_key(Path(sys.argv[1])).fingerprint)"
    )
    line = [sys.executable, "-c", code, str(tmp_path / "signing")]
    running = [subprocess.Popen(line, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    found = {process.communicate(timeout=60)[0] for process in running}
    assert len(found) == 1 and len(found.pop()) == 39


def test_a_signature_holds_for_these_bytes_and_this_key_alone(tmp_path: Path) -> None:
    one, other = signing.own_key(tmp_path / "one"), signing.own_key(tmp_path / "other")
    signature = one.sign(b"text")
    assert signing.verify(one.public, signature, b"text")
    assert not signing.verify(one.public, signature, b"texts")
    assert not signing.verify(other.public, signature, b"text")
    assert not signing.verify(one.public, other.sign(b"text"), b"text")
    for public, cut in ((one.public, signature[:-1]), (one.public[:-1], signature), (b"", b""), (b"\xff" * 32, b"")):
        assert not signing.verify(public, cut, b"text")
    for at in range(64):
        spoiled = signature[:at] + bytes([signature[at] ^ 4]) + signature[at + 1 :]
        assert not signing.verify(one.public, spoiled, b"text")


def test_the_published_vectors_hold() -> None:
    """RFC 8032, section 7.1, tests 1 and 2."""
    first = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    signature = (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe2465"
        "5141438e7a100b"
    )
    assert signing.verify(bytes.fromhex(first), bytes.fromhex(signature), b"")
    second = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert not signing.verify(bytes.fromhex(second), bytes.fromhex(signature), b"")


PRIME = 2**255 - 19
D = -121665 * pow(121666, -1, PRIME) % PRIME


def _order(y: int) -> int:
    """The order of a point with this y on edwards25519, by adding it to itself; 0 when above 8."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if (x * x - square) % PRIME:
        x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    assert (x * x - square) % PRIME == 0, "not on the curve"
    point, order = (x, y % PRIME), 1
    while point != (0, 1) and order <= 8:
        (a, b), order = point, order + 1
        mixed = D * a * b * x * y
        point = (
            (a * y + b * x) * pow(1 + mixed, -1, PRIME) % PRIME,
            (b * y + a * x) * pow(1 - mixed, -1, PRIME) % PRIME,
        )
    return order if point == (0, 1) else 0


def test_points_that_anybody_can_sign_with_are_no_keys() -> None:
    assert sorted(_order(int.from_bytes(point, "little")) for point in signing._WEAK) == [1, 1, 2, 4, 4, 8, 8]
    assert _order(4 * pow(5, -1, PRIME)) == 0  # the base point of every real key
    identity = b"\1" + bytes(31)
    for point in signing._WEAK:
        for sign in (0, 0x80):
            public = point[:-1] + bytes([point[-1] | sign])
            assert not any(signing.verify(public, identity + bytes(32), b"%d" % text) for text in range(32))


@pytest.mark.parametrize("separator", ["", " ", ":", "-", "."])
def test_a_fingerprint_is_read_as_people_write_it(separator: str) -> None:
    shown = signing.fingerprint(bytes(32))
    assert shown == "6668 7aad f862 bd77 6c8f c18b 8e9f 8e20"
    assert signing.read_fingerprint(f" {shown.upper().replace(' ', separator)} ") == shown


@pytest.mark.parametrize("text", ["", "6668", "z" * 32, "0" * 31, "0" * 33, "６" * 32, "0x" + "0" * 30])
def test_half_a_fingerprint_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="no fingerprint") as error:
        signing.read_fingerprint(text)
    assert "8 groups of 4 digits" in error.value.hint


def test_trust_is_remembered_and_forgotten(tmp_path: Path) -> None:
    assert signing.trusted(tmp_path) == ()
    one, two = os.urandom(32), os.urandom(32)
    signing.trust(tmp_path, one, "from\x1b[31m Ann")
    signing.trust(tmp_path, two)
    signing.trust(tmp_path, one, "again")
    assert [(signer.fingerprint, signer.note) for signer in signing.trusted(tmp_path)] == [
        (signing.fingerprint(one), "from[31m Ann"),
        (signing.fingerprint(two), ""),
    ]
    assert signing.distrust(tmp_path, signing.fingerprint(one)) and not signing.distrust(
        tmp_path, signing.fingerprint(one)
    )
    assert [signer.fingerprint for signer in signing.trusted(tmp_path)] == [signing.fingerprint(two)]


def test_programs_that_trust_at_once_lose_no_signer(tmp_path: Path) -> None:
    """Each waits with the others for a mark, so that all of them read and write the list at the same time."""
    code = (
        "import sys, filelock; from pathlib import Path; from edgellm.models import signing\n"
        "folder, number = Path(sys.argv[1]), int(sys.argv[2]); print(flush=True); sys.stdin.readline()\n"
        "for at in range(15): signing.trust(folder, bytes([number, at]) * 16)"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for number in range(3)
    ]
    for process in running:
        assert process.stdout is not None
        process.stdout.readline()
    for process in running:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in running:
        process.communicate(timeout=120)
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(signing.trusted(tmp_path)) == 45


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "[" * 100_000]
    + [json.dumps(value) for value in ({"version": 2, "signers": []}, {"version": 1}, {"version": 1, "signers": [5]})]
    + [json.dumps({"version": 1, "signers": [entry]}) for entry in ({"fingerprint": "x"}, {"fingerprint": 5}, {})],
)
def test_a_damaged_list_trusts_nobody_and_stays(tmp_path: Path, text: str) -> None:
    file = tmp_path / "trusted.json"
    file.write_text(text)
    for action in (lambda: signing.trusted(tmp_path), lambda: signing.trust(tmp_path, bytes(32))):
        with pytest.raises(StorageError, match="trusted signers is damaged") as error:
            action()
        assert str(file) in error.value.hint
    assert file.read_text() == text


def _pem(private: Ed25519PrivateKey | rsa.RSAPrivateKey, password: bytes = b"") -> bytes:
    secret = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)


def test_a_key_file_that_is_none_is_kept_and_told(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    good = _pem(Ed25519PrivateKey.generate())
    spoiled = [b"", b"x", good[:60], good.replace(b"M", b"N", 3), _pem(Ed25519PrivateKey.generate(), b"secret")]
    for text in (*spoiled, _pem(rsa.generate_private_key(65537, 1024))):
        file.write_bytes(text)
        with pytest.raises(StorageError, match="signing key cannot be read") as error:
            signing.own_key(tmp_path)
        assert str(file) in error.value.hint and file.read_bytes() == text
    file.write_bytes(good)
    assert signing.own_key(tmp_path).sign(b"x")


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="signing key could not be read or made"):
        signing.own_key(tmp_path / "file" / "signing")
    with pytest.raises(StorageError, match="could not be saved"):
        signing.trust(tmp_path / "file", bytes(32))

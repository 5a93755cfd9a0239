"""The sockets behind the door: TLS, large bodies read past the parser, and waits that can be given up at any point."""

from __future__ import annotations

import datetime
import ipaddress
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edgellm import network
from edgellm.errors import NetworkError, Stopped
from edgellm.settings import Settings

BODY = os.urandom(3 << 20)
Talk = Callable[[socket.socket], None]


@contextmanager
def listening(talk: Talk) -> Iterator[int]:
    """A server that talks as told to each connection; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                held.append(connection)
                threading.Thread(target=_quietly, args=(talk, connection), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join()
            for connection in held:
                connection.close()


def _quietly(talk: Talk, connection: socket.socket) -> None:
    with suppress(OSError, ssl.SSLError):
        talk(connection)


def _ask(connection: socket.socket) -> None:
    asked = b""
    while b"\r\n\r\n" not in asked:
        got = connection.recv(4096)
        if not got:
            raise OSError("nobody asks")
        asked += got


def _head(length: int) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode()


def _client(folder: Path) -> network.Client:
    return network.client(Settings(), folder / "ledger.jsonl")


def _read(client: network.Client, address: str) -> bytes:
    with client.stream("GET", address) as response:
        return b"".join(response.iter_raw())


@pytest.mark.parametrize("pieces", [[10], [1], [3, 5, 40], [63, 64], [10_000_000]])
def test_the_end_of_the_head_is_found_wherever_the_packets_end(tmp_path: Path, pieces: list[int]) -> None:
    def talk(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(2):
            _ask(connection)
            data, at = _head(len(BODY)) + BODY, 0
            for size in (pieces * 100)[:100]:
                connection.sendall(data[at : at + size])
                at += size
                time.sleep(0.0005)
            connection.sendall(data[at:])

    with listening(talk) as port, _client(tmp_path) as client:
        for _ in range(2):
            assert _read(client, f"http://127.0.0.1:{port}/") == BODY


def test_an_early_hint_before_the_answer(tmp_path: Path) -> None:
    def talk(connection: socket.socket) -> None:
        _ask(connection)
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + _head(len(BODY)) + BODY)

    with listening(talk) as port, _client(tmp_path) as client:
        assert _read(client, f"http://127.0.0.1:{port}/") == BODY


def test_a_large_body_without_a_length_and_one_in_chunks(tmp_path: Path) -> None:
    def talk(connection: socket.socket) -> None:
        _ask(connection)
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
        connection.sendall(chunked)
        _ask(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BODY)
        connection.shutdown(socket.SHUT_RDWR)

    with listening(talk) as port, _client(tmp_path) as client:
        assert _read(client, f"http://127.0.0.1:{port}/") == BODY
        assert _read(client, f"http://127.0.0.1:{port}/") == BODY


@pytest.mark.parametrize("reset", [False, True])
def test_a_large_body_that_ends_early_breaks_off(tmp_path: Path, reset: bool) -> None:
    def talk(connection: socket.socket) -> None:
        _ask(connection)
        connection.sendall(_head(len(BODY)) + BODY[:-1])
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        else:
            connection.shutdown(socket.SHUT_RDWR)

    with listening(talk) as port, _client(tmp_path) as client, pytest.raises(NetworkError, match="broke off"):
        _read(client, f"http://127.0.0.1:{port}/")


def _silent(connection: socket.socket) -> None:
    connection.recv(1)
    time.sleep(30)


def _half_a_head(connection: socket.socket) -> None:
    _ask(connection)
    connection.sendall(_head(len(BODY))[:20])
    time.sleep(30)


def _half_a_body(connection: socket.socket) -> None:
    _ask(connection)
    connection.sendall(_head(len(BODY)) + BODY[: 1 << 20])
    time.sleep(30)


@pytest.mark.parametrize(
    ("scheme", "talk"),
    [("https", _silent), ("http", _silent), ("http", _half_a_head), ("http", _half_a_body)],
    ids=["handshake", "answer", "head", "body"],
)
def test_every_wait_is_given_up_within_a_second(tmp_path: Path, scheme: str, talk: Talk) -> None:
    stop = threading.Event()
    with listening(talk) as port, _client(tmp_path) as client:
        client.stop_when(stop.is_set)
        timer = threading.Timer(0.3, stop.set)
        timer.start()
        started = time.monotonic()
        with pytest.raises(Stopped):
            _read(client, f"{scheme}://127.0.0.1:{port}/")
        assert time.monotonic() - started < 0.3 + 1.0 * 3  # the goal is 1 s, the rest is for a busy machine
        timer.join()


def test_a_connection_that_is_never_answered_is_given_up_in_time(tmp_path: Path) -> None:
    """A listener whose queue is full lets a connection hang."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        time.sleep(0.1)
        with _client(tmp_path) as client:
            started = time.monotonic()
            with pytest.raises(NetworkError, match="in time"):
                client.get(f"http://127.0.0.1:{port}/", timeout=httpx.Timeout(0.5))
            stop = threading.Event()
            stop.set()
            client.stop_when(stop.is_set)
            with pytest.raises(Stopped):
                client.get(f"http://127.0.0.1:{port}/")
            assert time.monotonic() - started < 0.5 + 1.0 * 3
        for one in waiting:
            one.close()


def _certificate(folder: Path, name: str) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address(name))
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


def _secure(certificate: Path, body: bytes, whole: bool) -> Talk:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            _ask(secure)
            secure.sendall(_head(len(body)) + body[: None if whole else -1])

    return talk


def test_tls_is_verified_and_the_system_may_add_a_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, other = _certificate(tmp_path, "127.0.0.1"), _certificate(tmp_path, "127.0.0.2")
    with listening(_secure(good, BODY, whole=True)) as port:
        address = f"https://127.0.0.1:{port}/"
        with _client(tmp_path) as client, pytest.raises(NetworkError, match="could not be verified"):
            _read(client, address)
        monkeypatch.setenv("SSL_CERT_FILE", str(good))
        with _client(tmp_path) as client:
            assert _read(client, address) == BODY
    with (
        listening(_secure(good, BODY, whole=False)) as port,
        _client(tmp_path) as client,
        pytest.raises(NetworkError, match="broke off"),
    ):
        _read(client, f"https://127.0.0.1:{port}/")
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    with (
        listening(_secure(other, BODY, whole=True)) as port,
        _client(tmp_path) as client,
        pytest.raises(NetworkError, match="could not be verified"),
    ):
        _read(client, f"https://127.0.0.1:{port}/")


def test_plain_http_on_a_secure_address_is_not_trusted(tmp_path: Path) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(_head(2) + b"no")
        time.sleep(1)

    with (
        listening(talk) as port,
        _client(tmp_path) as client,
        pytest.raises(NetworkError, match="could not be verified"),
    ):
        client.get(f"https://127.0.0.1:{port}/")

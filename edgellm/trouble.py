"""What can go wrong between this machine and another, each as one sentence with what to do next.

Six have a sentence of their own because each asks something else of the person: the address is unknown, nobody listens,
the other side cannot be trusted, it is busy or broken, a sign-in page stands in between, it redirects without an end.
Who retries, and for how long, is left to the callers.
"""

from __future__ import annotations

import email.utils
import errno
import math
import socket
import ssl
import time
from collections.abc import Mapping

from edgellm.errors import NetworkError

_LONGEST_WAIT = 86_400.0
_AWAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})


def unknown(host: str) -> NetworkError:
    """The name has no address."""
    return NetworkError(f"The address {host} was not found.", "Check that this computer is on the internet.")


def refused(host: str) -> NetworkError:
    """Nobody listens there."""
    return NetworkError(f"{host} refused the connection.", "Check the address and the firewall, then try again.")


def unverified(host: str) -> NetworkError:
    """TLS failed: no certificate, a wrong one, or no TLS at all."""
    return NetworkError(
        f"The secure connection to {host} could not be verified.",
        "Check the computer's date, or ask whoever runs your network about its certificate.",
        lasting=True,
    )


def busy(host: str, status: int, retry_after: float | None) -> NetworkError:
    """It answers, but not now."""
    soon = retry_after is None or retry_after < 60
    when = "in a few minutes" if soon else f"in {math.ceil((retry_after or 0) / 60)} minutes"
    return NetworkError(
        f"{host} is overloaded or out of order (status {status}).",
        f"What has arrived is kept; try again {when}, or set another mirror.",
        retry_after=retry_after,
    )


def sign_in(host: str) -> NetworkError:
    """A web page came instead of what was asked for."""
    return NetworkError(
        f"A web page came instead of the answer of {host}.",
        "The network may want you to sign in: open any page in a browser, then try again.",
    )


def endless(host: str) -> NetworkError:
    """Redirects that lead nowhere."""
    return NetworkError(f"{host} redirects without an end.", "Check the mirror in the settings.", lasting=True)


def silent(host: str) -> NetworkError:
    """Nothing came for too long."""
    return NetworkError(f"{host} did not answer in time.", "Check the connection and try again.")


def broken(host: str) -> NetworkError:
    """The connection ended too early."""
    return NetworkError(f"The connection to {host} broke off.", "Try again.")


def away(host: str) -> NetworkError:
    """There is no route."""
    return NetworkError(f"There is no way to {host} from here.", "Check that this computer is on the internet.")


def odd(host: str) -> NetworkError:
    """What came is not what the protocol allows."""
    return NetworkError(f"The answer of {host} makes no sense.", "Try again, or use another mirror.")


def proxy(host: str = "") -> NetworkError:
    """The proxy said no."""
    return NetworkError("The proxy refused the connection.", "Check the proxy in the settings.", lasting=True)


def denied(host: str, status: int) -> NetworkError:
    """It wants to know who asks."""
    return NetworkError(
        f"{host} does not hand this out to everyone (status {status}).",
        "Accept the model's conditions on its page, then store your token: edgellm models token",
        lasting=True,
    )


def absent(host: str, status: int) -> NetworkError:
    """There is no such thing there."""
    return NetworkError(f"{host} does not have this (status {status}).", "Check the name.", lasting=True)


def of_connecting(host: str, error: BaseException) -> NetworkError:
    """The sentence for a connection that could not be made, by what lies beneath `error`."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return unknown(host)
        if isinstance(cause, ssl.SSLError | ssl.CertificateError):
            return unverified(host)
        if isinstance(cause, OSError) and cause.errno in _AWAY:
            return away(host)
        cause = cause.__cause__ or cause.__context__
    return refused(host)


def of_answer(host: str, status: int, headers: Mapping[str, str]) -> NetworkError | None:
    """The sentence for an answer that is none, by its status; None for one that can be used."""
    if status < 400:
        return None
    if status == 511:
        return sign_in(host)
    if status in (408, 425, 429) or status >= 500:
        return busy(host, status, retry_after(headers.get("retry-after", "")))
    table = {401: denied, 403: denied, 404: absent, 410: absent, 451: absent}
    if status in table:
        return table[status](host, status)
    return proxy() if status == 407 else odd(host)


def retry_after(text: str) -> float | None:
    """Seconds of a Retry-After header, a number or a date; None when it says nothing that can be used."""
    text = text.strip()[:64]
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST_WAIT)
    try:
        at = email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(at - time.time(), 0.0), _LONGEST_WAIT)

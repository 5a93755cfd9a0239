"""The exception tree. Only these reach a person: one sentence, and one hint that names the fix.

EdgeError
├── UsageError            what was asked cannot be done as asked (exit status 2)
├── SettingsError         a setting has a value that cannot be used
├── Stopped               a person stopped it
├── StorageError          a file or database cannot be read or written
├── NetworkError          the network was refused or failed
│   └── OfflineError      the offline lock is on
├── ModelError            something about a model file
│   ├── ModelNotFound     no such model here
│   ├── ModelDamaged      the file is cut short or not what it says
│   ├── ModelUnsupported  the file is fine, but no runtime here knows it
│   ├── UntrustedName     a file name, hash or address from elsewhere that is not used
│   └── ModelTooLarge     the sum of its memory is more than there is
├── DocumentError         a file that a person wants read, and why it cannot be
│   ├── DocumentMissing      nothing there, a folder, or no permission
│   ├── DocumentEmpty        a file without a single character
│   ├── DocumentEncrypted    it asks for a password
│   ├── DocumentDamaged      it is not what its format demands
│   ├── DocumentUnsupported  no reader here knows it
│   ├── DocumentTooLarge     it unpacks to more than is allowed, or needs too much memory
│   ├── DocumentTimeout      reading took longer than is allowed
│   └── DocumentCrashed      reading ended the process it ran in
├── ContextOverflow       the prompt does not fit the context window
├── ResponseFormatError   a JSON schema that cannot be used
└── EngineError           the engine process ended or did not answer
    ├── OutOfMemory       it is alive, but memory did not suffice
    └── ProtocolError     what came over its pipe is no message (in engine/wire.py, where it is raised and caught)
"""

from __future__ import annotations


class EdgeError(Exception):
    """Base of everything a person may see.

    `message` is one sentence that says what happened, `hint` one that says what to do next (may be empty).
    `exit_code` is the command line's exit status.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(EdgeError):
    """What was asked cannot be done as asked."""

    exit_code = 2


class NoModel(UsageError):
    """It needs a model, and none is loaded."""

    def __init__(self, message: str = "No model is loaded.", hint: str = "Load a model first.") -> None:
        super().__init__(message, hint)


class SettingsError(EdgeError):
    """A setting has a value that cannot be used."""


class Stopped(EdgeError):
    """A person stopped it, and nothing is wrong."""

    def __init__(self, message: str = "Stopped.", hint: str = "") -> None:
        super().__init__(message, hint)


class StorageError(EdgeError):
    """A file or a database cannot be read or written."""


class NetworkError(EdgeError):
    """The network was refused or failed.

    `retry_after` are the seconds the other side asked to be left alone; `lasting` says that trying again is no use.
    """

    def __init__(
        self, message: str, hint: str = "", *, retry_after: float | None = None, lasting: bool = False
    ) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after
        self.lasting = lasting


class OfflineError(NetworkError):
    """The offline lock is on."""


class ModelError(EdgeError):
    """Something about a model file."""


class ModelNotFound(ModelError):
    """No such model on this machine."""


class ModelDamaged(ModelError):
    """The file is cut short, or not what its header says."""


class ModelUnsupported(ModelError):
    """The file is whole, but no runtime here knows its architecture or format."""


class UntrustedName(ModelError):
    """A file name, hash or address that came from elsewhere and must not be used."""


class ModelTooLarge(ModelError):
    """The memory the model needs is more than there is."""


class DocumentError(EdgeError):
    """A file that cannot be read: its `name`, and the `reason` as half a sentence."""

    def __init__(self, name: str, reason: str, hint: str = "") -> None:
        shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in name)
        super().__init__(f"{shown} cannot be read: {reason}.", hint)
        self.name = shown
        self.reason = reason


class DocumentMissing(DocumentError):
    """Nothing is there, or it is no plain file, or it may not be opened."""


class DocumentEmpty(DocumentError):
    """The file holds nothing."""


class DocumentEncrypted(DocumentError):
    """The file asks for a password."""


class DocumentDamaged(DocumentError):
    """The file is not what its format demands."""


class DocumentUnsupported(DocumentError):
    """No reader here knows the format."""


class DocumentTooLarge(DocumentError):
    """The file unpacks to more than is allowed, or needs more memory than is allowed."""


class DocumentTimeout(DocumentError):
    """Reading took longer than is allowed."""


class DocumentCrashed(DocumentError):
    """Reading ended the process it ran in."""


class ContextOverflow(EdgeError):
    """The prompt has more tokens than the context window.

    `prompt_tokens` and `context` are token counts.
    """

    def __init__(self, prompt_tokens: int, context: int) -> None:
        super().__init__(
            f"The text is {prompt_tokens} tokens long; the model's context holds {context}.",
            "Shorten the text, start a new chat, or set a larger context.",
        )
        self.prompt_tokens = prompt_tokens
        self.context = context


class ResponseFormatError(EdgeError):
    """A JSON schema that cannot constrain the output."""

    exit_code = 2


class EngineError(EdgeError):
    """The engine process ended, or did not answer."""


class OutOfMemory(EngineError):
    """The engine is alive, but there was not enough memory for what it was asked."""

    def __init__(self, message: str = "", hint: str = "") -> None:
        super().__init__(
            message or "There is not enough memory for this model.",
            hint or "Close other programs, set a smaller context, or choose a smaller model.",
        )

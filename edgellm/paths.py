"""Where everything lives: the person's folders, and the files that ship with the program.

`EDGELLM_HOME` puts every file under one folder; without it the platform's own folders are used. Creating folders
is left to whoever writes into them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

_APP = "EdgeLLM"
_PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Paths:
    """Every file and folder that holds state. `models`, `logs` and `crash` are folders, the others are files.

    `catalog` is the person's own list of models, in the form of the `models.toml` that ships with the program.
    """

    settings: Path
    machine: Path
    chats_db: Path
    library_db: Path
    models: Path
    catalog: Path
    logs: Path
    ledger: Path
    crash: Path

    @property
    def prompts(self) -> Path:
        """The folder for what long prompts left in the KV cache, where a person wants that kept."""
        return self.machine.parent / "prompts"

    @property
    def work(self) -> Path:
        """The folder for what is open on the window's pages, so that it survives a restart."""
        return self.machine.parent / "work"

    @property
    def summaries(self) -> Path:
        """The folder for what long summaries that are not finished have so far."""
        return self.machine.parent / "summaries"

    @property
    def memory_db(self) -> Path:
        """The translation memory: paragraphs of the person's documents with their translations."""
        return self.machine.parent / "translations.db"

    @property
    def translations(self) -> Path:
        """The folder for what file translations that are not finished have so far, where there is no memory."""
        return self.machine.parent / "translations"

    @property
    def labels(self) -> Path:
        """The person's own sets of labels."""
        return self.settings.with_name("labels.toml")

    @classmethod
    def under(cls, config: Path, data: Path, logs: Path) -> Paths:
        """The usual names inside three folders."""
        return cls(
            settings=config / "settings.toml",
            machine=data / "machine.toml",
            chats_db=data / "chats.db",
            library_db=data / "library.db",
            models=data / "models",
            catalog=config / "models.toml",
            logs=logs,
            ledger=data / "ledger.jsonl",
            crash=data / "crash",
        )


def _override() -> Path | None:
    value = os.environ.get("EDGELLM_HOME", "").strip()
    return Path(os.path.abspath(os.path.expanduser(value))) if value else None


def home() -> Path:
    """The folder for data: `EDGELLM_HOME`, or the platform's own."""
    return _override() or platformdirs.user_data_path(_APP, appauthor=False)


def from_environment() -> Paths:
    """The paths that this environment asks for."""
    override = _override()
    if override:
        return Paths.under(override, override, override / "logs")
    config = platformdirs.user_config_path(_APP, appauthor=False)
    return Paths.under(config, home(), platformdirs.user_log_path(_APP, appauthor=False))


def _shipped(name: str) -> Path:
    """A file or folder that ships with the program: inside an installed wheel, or beside the package in a checkout."""
    installed = _PACKAGE / "_data" / name
    return installed if installed.exists() else _PACKAGE.parent / name


def assets_dir() -> Path:
    """Icons, themes and the built-in starter model."""
    return _shipped("assets")


def catalog_file() -> Path:
    """The catalog of models."""
    return _shipped("models.toml")


def starter_model() -> Path:
    """The model that ships with the program."""
    return assets_dir() / "starter" / "starter.gguf"

"""`edgellm completion bash|zsh|fish`: a completion script, generated from the parsers of all commands."""

from __future__ import annotations

import argparse
import shlex
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from edgellm.cli.parser import Parser
from edgellm.cli.session import Session
from edgellm.tasks.languages import NAMES

if TYPE_CHECKING:
    from edgellm.cli.commands import Command

_LANGUAGE_OPTIONS = ("--to", "--from", "--language")


@dataclass(frozen=True, slots=True)
class Option:
    """An option as a shell sees it: its values are listed, files, or free ("" when it takes none)."""

    name: str
    help: str
    takes: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Completed:
    """A command with its options, and the values of its argument (none: files). A group has parts."""

    name: str
    help: str
    options: tuple[Option, ...]
    values: tuple[str, ...]
    parts: tuple[Completed, ...] = ()

    @property
    def word(self) -> str:
        """The last word of the name."""
        return self.name.rpartition(" ")[2]


class Writer(Protocol):
    """Writes the script of one shell."""

    def __call__(self, commands: tuple[Completed, ...]) -> str:
        """The script."""
        ...


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("shell", choices=tuple(SHELLS), help="Your shell.")


def run(arguments: Namespace, session: Session) -> int:
    """Print the script."""
    session.output.raw(SHELLS[arguments.shell](read_commands()))
    return 0


def read_commands() -> tuple[Completed, ...]:
    """Every command as its parser describes it."""
    from edgellm.cli.commands import COMMANDS

    return tuple(map(_completed, COMMANDS))


def _completed(command: Command) -> Completed:
    options: list[Option] = []
    values: tuple[str, ...] = ()
    for action in command.parser()._actions:
        if action.option_strings:
            options.append(_option(action))
        elif action.choices:
            values = tuple(map(str, action.choices))
    parts = tuple(map(_completed, command.parts))
    if parts:
        options = list(parts[0].options)  # without a word it is the first part
    return Completed(command.name, command.help, tuple(options), values, parts)


def _flat(commands: tuple[Completed, ...]) -> Iterator[Completed]:
    """Every command, and after a group its parts."""
    for command in commands:
        yield command
        yield from command.parts


def _option(action: argparse.Action) -> Option:
    name, text = action.option_strings[-1], (action.help or "").partition(". ")[0].rstrip(".")
    if action.nargs == 0:
        return Option(name, text, "")
    if name in _LANGUAGE_OPTIONS:
        return Option(name, text, "value", tuple(NAMES))
    if action.choices:
        return Option(name, text, "value", tuple(map(str, action.choices)))
    return Option(name, text, "file" if action.metavar == "FILE" or name == "--model" else "free")


def bash(commands: tuple[Completed, ...]) -> str:
    """The script for bash: `source <(edgellm completion bash)`."""
    names = " ".join(command.name for command in commands)
    return f"""# bash completion for edgellm. Use: source <(edgellm completion bash)
_edgellm() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" command="${{COMP_WORDS[1]}}"
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{names} --help --version" -- "$current"))
        return
    fi
    case "$command ${{COMP_WORDS[2]}}" in
        "${{command}} -"*) ;;
{_indented(_bash_groups(commands))}
    esac
    case "$command $previous" in
{_indented(_bash_values(commands))}
    esac
    local words=""
    case "$command" in
{_indented(_bash_words(commands))}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current"))
}}
complete -o filenames -F _edgellm edgellm
"""


def _bash_groups(commands: tuple[Completed, ...]) -> Iterator[str]:
    for command in commands:
        if command.parts:
            yield f'"{command.name} "*) [ "$COMP_CWORD" -gt 2 ] && command="$command ${{COMP_WORDS[2]}}" ;;'


def _bash_values(commands: tuple[Completed, ...]) -> Iterator[str]:
    for command in _flat(commands):
        for option in command.options:
            if option.takes == "value":
                reply = f'COMPREPLY=($(compgen -W "{" ".join(option.values)}" -- "$current"))'
            elif option.takes == "file":
                reply = 'COMPREPLY=($(compgen -f -- "$current"))'
            elif option.takes:
                reply = "COMPREPLY=()"
            else:
                continue
            yield f'"{command.name} {option.name}") {reply}; return ;;'


def _bash_words(commands: tuple[Completed, ...]) -> Iterator[str]:
    for command in _flat(commands):
        words = [option.name for option in command.options] + list(command.values)
        yield f'"{command.name}") words="{" ".join(words)}" ;;'


def zsh(commands: tuple[Completed, ...]) -> str:
    """The script for zsh: `source <(edgellm completion zsh)` after `compinit`."""
    return f"""#compdef edgellm
# zsh completion for edgellm. Use: source <(edgellm completion zsh)
_edgellm() {{
    local -a commands=(
{_indented(map(_zsh_described, commands))}
    )
    if (( CURRENT == 2 )); then
        _describe 'command' commands
        return
    fi
    local command="$words[2]"
    shift words
    (( CURRENT-- ))
    local -a actions=()
    case "$command" in
{_indented(_zsh_actions(command) for command in commands if command.parts)}
    esac
    if (( $#actions )) && [[ "$words[2]" != -* ]]; then
        if (( CURRENT == 2 )); then
            _describe 'action' actions
            return
        fi
        command="$command $words[2]"
        shift words
        (( CURRENT-- ))
    fi
    case "$command" in
{_indented(map(_zsh_case, _flat(commands)))}
    esac
}}
compdef _edgellm edgellm
"""


def _zsh_described(command: Completed) -> str:
    return shlex.quote(f"{command.word}:{command.help}")


def _zsh_actions(command: Completed) -> str:
    return f"{command.name}) actions=({' '.join(map(_zsh_described, command.parts))}) ;;"


def _zsh_case(command: Completed) -> str:
    specs = [shlex.quote(_zsh_option(option)) for option in command.options]
    argument = f"*:value:({' '.join(command.values)})" if command.values else "*:file:_files"
    return f'"{command.name}") _arguments {" ".join([*specs, shlex.quote(argument)])} ;;'


def _zsh_option(option: Option) -> str:
    text = option.help.replace("[", "(").replace("]", ")").replace(":", " -")
    kinds = {"": "", "free": ":value: ", "file": ":file:_files", "value": f":value:({' '.join(option.values)})"}
    return f"{option.name}[{text}]{kinds[option.takes]}"


def fish(commands: tuple[Completed, ...]) -> str:
    """The script for fish: `edgellm completion fish | source`."""
    return (
        "\n".join(["# fish completion for edgellm. Use: edgellm completion fish | source", *_fish_lines(commands)])
        + "\n"
    )


def _fish_lines(commands: tuple[Completed, ...]) -> Iterator[str]:
    for command in commands:
        yield f"complete -c edgellm -n __fish_use_subcommand -f -a {command.name} -d {_fish(command.help)}"
    for command in commands:
        seen = f"__fish_seen_subcommand_from {command.name}"
        within = f"{seen}; and not __fish_seen_subcommand_from {' '.join(part.word for part in command.parts)}"
        yield from _fish_command(command, within if command.parts else seen)
        for part in command.parts:
            yield from _fish_command(part, f"{seen}; and __fish_seen_subcommand_from {part.word}")


def _fish_command(command: Completed, seen: str) -> Iterator[str]:
    start = f"complete -c edgellm -n '{seen}'"
    for part in command.parts:
        yield f"{start} -f -a {part.word} -d {_fish(part.help)}"
    if command.values and not command.parts:
        yield f"{start} -f -a {_fish(' '.join(command.values))}"
    for option in command.options:
        yield f"{start} -l {option.name.lstrip('-')}{_fish_takes(option)} -d {_fish(option.help)}"


def _fish_takes(option: Option) -> str:
    kinds = {"": "", "free": " -x", "file": " -r -F", "value": f" -x -a {_fish(' '.join(option.values))}"}
    return kinds[option.takes]


def _fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(f"        {line}" for line in lines)


SHELLS: Mapping[str, Writer] = MappingProxyType({"bash": bash, "zsh": zsh, "fish": fish})

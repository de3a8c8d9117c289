"""A command line and an environment, as Go's flag package and etcd read them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from etcdcore.config import ConfigError
from etcdcore.flags.settings import is_switch, parse_flag
from etcdcore.flags.table import FLAGS, Flag
from etcdcore.flags.values import SWITCH, Value

PREFIX: Final = "ETCD_"
CONFIG_FILE: Final = Flag("config-file", "string", "", "A YAML or JSON file; flags and environment are ignored then.")
VERSION: Final = Flag("version", SWITCH, "false", "Print the version.")
_VERSION_VARIABLE: Final = "ETCDVERSION"


class UsageError(ConfigError):
    """A command line that cannot be read: exit code 2."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """`values` by flag name, only those that were given."""

    values: Mapping[str, Value]
    config_file: str
    wants_help: bool
    wants_version: bool


def parse_command_line(arguments: Sequence[str]) -> CommandLine:
    """`-name value`, `--name=value`, booleans without a value. Raises UsageError, and ConfigError for stray words."""
    values: dict[str, Value] = {}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            break
        if len(word) < 2 or word[0] != "-":
            rest.insert(0, word)
            break
        name, equals, text = word[2 if word.startswith("--") else 1 :].partition("=")
        if not name or name[0] in "-=":
            raise UsageError(f"bad flag syntax: {word}")
        if name in ("h", "help"):
            return CommandLine(values, "", True, False)
        flag = CONFIG_FILE if name == "config-file" else VERSION if name == "version" else FLAGS.get(name)
        if flag is None:
            raise UsageError(f"flag provided but not defined: -{name}")
        if not equals:
            if is_switch(flag):
                text = "true"
            elif rest:
                text = rest.pop(0)
            else:
                raise UsageError(f"flag needs an argument: -{name}")
        try:
            values[name] = parse_flag(flag, text, f"flag -{name}")
        except ConfigError as error:
            raise UsageError(str(error)) from error
    if rest:
        raise ConfigError(f"{rest[0]!r} is not a valid flag; see --help")
    wants_version = bool(values.pop("version", False))
    return CommandLine(values, str(values.pop("config-file", "")), False, wants_version)


def merge_environment(line: CommandLine, environment: Mapping[str, str], notes: list[str]) -> dict[str, Value]:
    """The command line's values and those of the environment. Raises ConfigError if both name one flag."""
    values = dict(line.values)
    by_variable = {flag.variable: flag for flag in FLAGS.values()}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX):
            continue
        flag = by_variable.get(variable)
        if variable == _VERSION_VARIABLE:
            notes.append(f"cannot set special environment variable {variable}={text}")
        elif flag is None:
            if variable != CONFIG_FILE.variable:
                notes.append(f"unrecognized environment variable {variable}={text}")
        elif flag.name in line.values:
            raise ConfigError(
                f"conflicting environment variable {variable} is shadowed by corresponding command-line flag "
                f"--{flag.name} (either unset environment variable or disable flag)"
            )
        elif text:
            values[flag.name] = parse_flag(flag, text, variable)
            notes.append(f"recognized and used environment variable {variable}={_shown(flag, text)}")
    return values


def config_file_of(line: CommandLine, environment: Mapping[str, str]) -> str:
    """The file to read instead of everything else; empty for none."""
    return line.config_file or environment.get(CONFIG_FILE.variable, "")


def _shown(flag: Flag, text: str) -> str:
    return "…" if "password" in flag.name else text

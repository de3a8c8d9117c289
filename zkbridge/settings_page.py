"""docs/settings.md, made from the tables of flags and of keys.

`python -m zkbridge.settings_page > docs/settings.md` writes it anew; a test keeps the two equal.
"""

from collections.abc import Iterator

from zkbridge.config_check import report_of
from zkbridge.flags import FLAGS, Flag
from zkbridge.zoo_cfg import read_zoo_cfg
from zkbridge.zoo_keys import KEYS, Outcome, ZooKey

_SAMPLE = """tickTime=2000
initLimit=5
dataDir=data
server.1=localhost:2888:3888;2181
autopurge.purgeInterval=1"""

_HEAD = """# Settings

A setting comes from the command line, else from the environment, else from the zoo.cfg that `--config` names, else it
has its default. With a zoo.cfg, a key that is absent has ZooKeeper's default; without one, the defaults are friendlier.

This page is made from the code (`python -m zkbridge.settings_page`).

## Flags and environment

`zkbridge serve` takes these; `zkbridge serve --help` has them in groups.

| flag | environment | key in a zoo.cfg | default | meaning |
|---|---|---|---|---|
"""

_KEYS_HEAD = """
## A zoo.cfg

`zkbridge serve --config zoo.cfg` takes a ZooKeeper server's file as it is. What becomes of each of its lines is said by
`zkbridge config check`, which starts nothing and ends with status 0 if a server would start:

<!-- file: zoo.cfg -->
```text
{sample}
```

```sh
zkbridge config check zoo.cfg
```

```text
{report}
```

Each key of ZooKeeper 3.9's administrator's guide, and each system property that its server reads, is in one of the
tables below. A key may stand with or without `zookeeper.` in front, which ZooKeeper takes on the command line of Java
only. A key that is in none of them is passed over with a warning. Values are read as ZooKeeper reads them, and refused
where it refuses them; what kind a value has is in the second column:

- *whole number* (of 32 or 64 bits), *true or false*: anything else ends the start;
- *whole number or the default*: decimal, 0x for hexadecimal, a leading 0 for octal; anything else is the default;
- *true, or else false* and *yes, or else no*: exactly this word says yes.

One `server.N` line is one member, with its client address in the line or in `clientPort`. If the file `myid` in the
data directory names another server, the line's client address is not this server's. With `standaloneEnabled=false`
the server shows itself as a leader in `srvr`, `conf` and `/zookeeper/config`. Two and more members are refused until
there is an ensemble. A `dynamicConfigFile` is read, and no file of yours is ever written.

### Keys that work

| key | value | default in a file | meaning |
|---|---|---|---|
"""

_NO_EFFECT_HEAD = """
### Keys without an effect

The start says so, one line for each reason.

| keys | why |
|---|---|
"""

_REFUSED_HEAD = """
### Keys that end the start

They promise what is not done yet. A server without TLS, say, is worse than none where somebody counts on it.

| keys | why | taken all the same |
|---|---|---|
"""


def settings_page() -> str:
    """The whole page."""
    report = report_of(read_zoo_cfg(_SAMPLE), "zoo.cfg", {}, None).text()
    parts = [_HEAD, *(_flag_row(flag) for flag in FLAGS), _KEYS_HEAD.format(sample=_SAMPLE, report=report)]
    parts += [_working_row(key) for key in KEYS if key.outcome is Outcome.WORKS]
    parts += [_NO_EFFECT_HEAD, *_rows_by_reason(Outcome.NO_EFFECT)]
    parts += [_REFUSED_HEAD, *_rows_by_reason(Outcome.REFUSED)]
    return "".join(parts)


def _flag_row(flag: Flag) -> str:
    name = f"`--{flag.name}`" + (f" {_cell(flag.metavar)}" if flag.metavar else f", `--no-{flag.name}`")
    default = flag.default + (f"; with a file {flag.file_default}" if flag.file_default else "")
    keys = ", ".join(f"`{key}`" for key in flag.zoo_keys)
    return f"| {name} | `{flag.variable}` | {keys} | {_cell(default)} | {_cell(flag.meaning)} |\n"


def _working_row(key: ZooKey) -> str:
    kind = " or ".join(f"`{choice}`" for choice in key.choices) or key.kind.value
    return f"| `{key.name}` | {kind} | {_cell(key.default)} | {_cell(key.text)} |\n"


def _rows_by_reason(outcome: Outcome) -> Iterator[str]:
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for key in KEYS:
        if key.outcome is outcome:
            groups.setdefault((key.text, key.unless), []).append(f"`{key.name}`")
    for (reason, unless), names in groups.items():
        taken = ", ".join(f"`{value}`" for value in unless)
        yield f"| {', '.join(names)} | {_cell(reason)} |" + (f" {taken} |\n" if outcome is Outcome.REFUSED else "\n")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*") if "`" not in text else text


if __name__ == "__main__":
    print(settings_page(), end="")

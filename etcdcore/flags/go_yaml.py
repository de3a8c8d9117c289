"""YAML as Go's library reads it, which etcd's configuration files are written for. Imported when there is a file.

Where PyYAML differs: a tab may stand between tokens; the first of several documents counts; a tag that nobody knows is
no error; 2020-01-01 and 12:30 are text; 1e3 is a number. Source: go-yaml v2, resolve.go and scannerc.go.
"""

import re
from typing import Any, Final

import yaml

_TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"
_INT: Final = "tag:yaml.org,2002:int"
_FLOAT: Final = "tag:yaml.org,2002:float"
_INT_FORM: Final = re.compile(r"^[-+]?(?:0b[01_]+|0o?[0-7_]+|(?:0|[1-9][0-9_]*)|0x[0-9a-fA-F_]+)$")
_FLOAT_FORM: Final = re.compile(
    r"^(?:[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)


class YamlError(ValueError):
    """The text is no YAML; the message says where."""


class _Loader(yaml.SafeLoader):
    def scan_to_next_token(self) -> None:
        super().scan_to_next_token()
        # At the start of a line a tab would be indentation, which YAML forbids.
        while self.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
            while self.peek() == "\t":
                self.forward()
            super().scan_to_next_token()

    def construct_unknown(self, _suffix: str, node: yaml.Node) -> object:
        """As if there were no tag."""
        if isinstance(node, yaml.MappingNode):
            return self.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return self.construct_sequence(node, deep=True)
        assert isinstance(node, yaml.ScalarNode), f"a third kind of node: {node!r}"
        return self.construct_scalar(node)

    def construct_octal_too(self, node: yaml.ScalarNode) -> int:
        text = str(self.construct_scalar(node)).replace("_", "")
        return int(text, 8 if re.fullmatch(r"[-+]?0[0-7]+", text) else 0)


def _prepare() -> None:
    resolvers: dict[str, list[tuple[str, Any]]] = {}  # Any: PyYAML's patterns
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items():
        resolvers[first] = [pair for pair in pairs if pair[0] not in (_TIMESTAMP, _INT, _FLOAT)]
    _Loader.yaml_implicit_resolvers = resolvers
    _Loader.add_implicit_resolver(_INT, _INT_FORM, list("-+0123456789"))
    _Loader.add_implicit_resolver(_FLOAT, _FLOAT_FORM, list("-+0123456789."))
    _Loader.add_constructor(_INT, _Loader.construct_octal_too)
    _Loader.add_multi_constructor("", _Loader.construct_unknown)


_prepare()


def read_yaml(text: str) -> object:
    """The first document; None if there is none. Raises YamlError."""
    try:
        loader = _Loader(text.removeprefix("\ufeff"))
        document: object = loader.get_data() if loader.check_data() else None  # type: ignore[no-untyped-call]
        return document
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise YamlError(" ".join(str(error).split())) from error

"""What a step's expressions come to: pure.

Takes the step and where its inputs and outputs are, gives the command and the variables that its
process gets.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from amlocal.errors import Problem, SpecError
from amlocal.local.quoting import Quoting
from amlocal.plan import Scalar
from amlocal.plan.expression import Optional, Reference, Text, parse


@dataclass(frozen=True, slots=True)
class BoundInput:
    """An input as the step gets it.

    Attributes:
        type: A data type or a literal type.
        text: What stands for it in the command: the literal as text, a path, or an address.
        literal: The value where it is one.
        digest: SHA-256 of the data's content; empty for a literal.
        mode: How the data arrives; empty for a literal.
    """

    type: str
    text: str
    literal: Scalar | None = None
    digest: str = ""
    mode: str = ""


def literal_text(value: Scalar, kind: str) -> str:
    """Return a literal as a command line gets it.

    Azure writes booleans as Python does (`True`), integers without a fraction, and numbers in
    their shortest form that reads back as the same value.
    """
    if isinstance(value, bool):
        return str(value)
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def render(command: str, inputs: Mapping[str, BoundInput], outputs: Mapping[str, str]) -> str:
    """Return a command with its expressions replaced by quoted values.

    Args:
        command: The command of a component.
        inputs: The inputs that have a value.
        outputs: The path of each output.

    Returns:
        A shell command.

    Raises:
        SpecError: An expression outside `$[[...]]` names an input without a value, or something
            that does not exist.
    """
    quoting = Quoting()
    return "".join(
        quoting.text(piece.text)
        if isinstance(piece, Text)
        else quoting.value(_required(piece, inputs, outputs))
        for piece in _present(command, inputs, outputs)
    )


def arguments(line: str, inputs: Mapping[str, BoundInput], outputs: Mapping[str, str]) -> list[str]:
    """Return the arguments of a line that no shell reads, its expressions replaced by values.

    A value is part of the argument that it stands in, whatever it holds.

    Args:
        line: Arguments, quoted as for a shell.
        inputs: The inputs that have a value.
        outputs: The path of each output.

    Raises:
        SpecError: An expression names what has no value, or a quote is not closed.
    """
    values: list[str] = []
    text = ""
    for piece in _present(line, inputs, outputs):
        if isinstance(piece, Text):
            text += piece.text
        else:
            text += f"\ue000{len(values)}\ue001"  # of Unicode's private use: no text has them
            values.append(_required(piece, inputs, outputs))
    try:
        words = shlex.split(text)
    except ValueError as error:
        message = f"the arguments {line!r} cannot be told apart: {error}"
        raise SpecError([Problem(message, "close the quote")]) from None
    return [_PLACE.sub(lambda found: values[int(found[1])], word) for word in words]


def substituted(text: str, inputs: Mapping[str, BoundInput], outputs: Mapping[str, str]) -> str:
    """Return a text with its expressions replaced by values as they are; raises SpecError."""
    return "".join(
        piece.text if isinstance(piece, Text) else _required(piece, inputs, outputs)
        for piece in _present(text, inputs, outputs)
    )


_PLACE = re.compile("\ue000([0-9]+)\ue001")


def _present(
    text: str, inputs: Mapping[str, BoundInput], outputs: Mapping[str, str]
) -> Iterator[Text | Reference]:
    """Yield the parts of a text, without the optional ones that have no value."""
    for part in parse(text):
        if not isinstance(part, Optional):
            yield part
            continue
        named = [p for p in part.parts if isinstance(p, Reference)]
        if all(_value(p, inputs, outputs) is not None for p in named):
            yield from part.parts


def _required(
    piece: Reference, inputs: Mapping[str, BoundInput], outputs: Mapping[str, str]
) -> str:
    value = _value(piece, inputs, outputs)
    if value is None:
        hint = "give the input, or put the argument into $[[ ]] where it is optional"
        raise SpecError([Problem(f"{piece} has no value", hint)])
    return value


def _value(
    reference: Reference, inputs: Mapping[str, BoundInput], outputs: Mapping[str, str]
) -> str | None:
    scope, *rest = reference.path
    name = ".".join(rest)
    if scope in {"inputs", "search_space"}:
        # `${{inputs.x.path}}` is the older form of `${{inputs.x}}`.
        bound = inputs.get(name) or inputs.get(name.removesuffix(".path"))
        return bound.text if bound else None
    return outputs.get(name) if scope == "outputs" else None


def output_path(template: str, *, job: str, output: str, datastore: str) -> str:
    """Return where an output goes: the `${{...}}` that Azure allows in output paths replaced.

    Args:
        template: The path as the file gives it.
        job: Name of the job that writes it.
        output: Name of the output.
        datastore: The default datastore.

    Raises:
        SpecError: It holds another expression.
    """
    values = {("name",): job, ("output_name",): output, ("default_datastore",): datastore}
    pieces = []
    for part in parse(template):
        if isinstance(part, Text):
            pieces.append(part.text)
        elif isinstance(part, Reference) and part.path in values:
            pieces.append(values[part.path])
        else:
            raise SpecError(
                [
                    Problem(
                        f"{part} cannot stand in the path of the output {output!r}",
                        "known: ${{name}}, ${{output_name}}, ${{default_datastore}}",
                    )
                ]
            )
    return "".join(pieces)


def input_variables(inputs: Mapping[str, BoundInput], outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the `AZURE_ML_INPUT_<name>` and `AZURE_ML_OUTPUT_<name>` variables."""
    given = {f"AZURE_ML_INPUT_{name}": bound.text for name, bound in inputs.items()}
    return given | {f"AZURE_ML_OUTPUT_{name}": path for name, path in outputs.items()}

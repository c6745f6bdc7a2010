"""The contract of every emotion model: inputs, outputs, metadata; and its check.

Input `faces` float32 [N,1,H,W], grey 0..255, N free. Outputs `probabilities` float32 [N,K] and
`saliency` float32 [N,K,h,w], class evidence maps, of the K labels that the metadata names: the
challenge's seven, in any order, with or without contempt.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import onnx

from .decision import KEY as DECISION
from .decision import read_decision
from .errors import UserError
from .labels import INPUT_SIZE_PX, KNOWN_LABELS, LABELS

CONTRACT_VERSION = "1"
OPSET = 17
# IR 8 came with opset 17; every runtime that knows the opset reads it.
IR_VERSION = 8
INPUT, PROBABILITIES, SALIENCY = "faces", "probabilities", "saliency"
METADATA_KEYS = (
    "rapport_contract",
    "labels",
    "input_size",
    "colour",
    "data",
    "recipe",
    "scores",
    DECISION,
    "licence",
    "notes",
)
# Of the labels, where the model brings its own: the robot reads them, nothing here does.
AFFECT_KEYS = ("valence", "arousal", "affect_source")
# A model without a decision rule reports its most probable label.
OPTIONAL_KEYS = (DECISION, *AFFECT_KEYS)


def set_metadata(model: onnx.ModelProto, values: dict[str, str]) -> None:
    """Replaces the model's metadata by `values`, in the order of the keys above."""
    del model.metadata_props[:]
    for key in (*METADATA_KEYS, *AFFECT_KEYS):
        if key in values or key not in OPTIONAL_KEYS:
            model.metadata_props.add(key=key, value=values[key])


def read_metadata(model: onnx.ModelProto) -> dict[str, str]:
    """The model's metadata."""
    return {entry.key: entry.value for entry in model.metadata_props}


def read_labels(text: str, where: str) -> tuple[str, ...]:
    """The labels of metadata `labels`, in output order. `where` begins a `UserError`'s message."""
    labels = tuple(text.split(","))
    if len(set(labels)) < len(labels) or not set(LABELS) <= set(labels) <= set(KNOWN_LABELS):
        raise UserError(
            f"{where}: metadata `labels` is {text}, expected each of {','.join(LABELS)} once, "
            f"in any order, with or without {','.join(KNOWN_LABELS[len(LABELS) :])}"
        )
    return labels


def fixed_metadata(labels: Sequence[str] = LABELS) -> dict[str, str]:
    """The keys that do not depend on a run, for a network with these labels."""
    return {
        "rapport_contract": CONTRACT_VERSION,
        "labels": ",".join(labels),
        "input_size": f"{INPUT_SIZE_PX}x{INPUT_SIZE_PX}",
        "colour": "grey 0..255",
        "licence": "Apache-2.0 (weights); the training images are the web's, for research",
    }


def _shape(value: onnx.ValueInfoProto) -> list[int | str]:
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


def check(path: Path) -> None:
    """Raises `UserError` naming the first breach of the contract."""
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # onnx, protobuf and file errors share no base
        raise UserError(f"{path}: not a valid ONNX file ({error})") from error

    def expect(what: str, found: object, expected: object) -> None:
        if found != expected:
            raise UserError(f"{path}: {what} is {found}, expected {expected}")

    opsets = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
    expect("opset", opsets.get("ai.onnx"), OPSET)
    expect("IR version", model.ir_version, IR_VERSION)
    expect("inputs", [value.name for value in model.graph.input], [INPUT])
    expect("outputs", [value.name for value in model.graph.output], [PROBABILITIES, SALIENCY])
    values = [*model.graph.input, *model.graph.output]
    floats = [value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT for value in values]
    expect("every type float32", all(floats), True)
    faces, probabilities, saliency = (_shape(value) for value in values)
    expect("N of faces free", isinstance(faces[0], str), True)
    expect("shape of faces", faces[1:], [1, INPUT_SIZE_PX, INPUT_SIZE_PX])
    metadata = read_metadata(model)
    found = [key for key in metadata if key not in OPTIONAL_KEYS]
    expect("metadata keys", sorted(found), sorted(set(METADATA_KEYS) - set(OPTIONAL_KEYS)))
    labels = read_labels(metadata["labels"], str(path))
    expect("shape of probabilities", probabilities[1:], [len(labels)])
    expect("classes of saliency", saliency[1:2], [len(labels)])
    for key, value in fixed_metadata().items():
        if key in ("rapport_contract", "input_size", "colour"):
            expect(f"metadata `{key}`", metadata[key], value)
    read_decision(metadata.get(DECISION), labels, str(path))
    try:
        json.loads(metadata["scores"])
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: metadata `scores` is no JSON ({error})") from error

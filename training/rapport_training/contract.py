"""The contract of every emotion model: inputs, outputs, metadata; and its check.

Input `faces` float32 [N,1,H,W], grey 0..255, N free. Outputs `probabilities` float32 [N,7] in
`LABELS` order and `saliency` float32 [N,7,h,w], class evidence maps.
"""

import json
from pathlib import Path

import onnx

from .errors import UserError
from .labels import INPUT_SIZE_PX, LABELS

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
    "licence",
    "notes",
)


def set_metadata(model: onnx.ModelProto, values: dict[str, str]) -> None:
    """Replaces the model's metadata by `values`, in `METADATA_KEYS` order."""
    del model.metadata_props[:]
    for key in METADATA_KEYS:
        model.metadata_props.add(key=key, value=values[key])


def fixed_metadata() -> dict[str, str]:
    """The keys that do not depend on a run."""
    return {
        "rapport_contract": CONTRACT_VERSION,
        "labels": ",".join(LABELS),
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
    expect("shape of probabilities", probabilities[1:], [len(LABELS)])
    expect("classes of saliency", saliency[1:2], [len(LABELS)])
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    expect("metadata keys", sorted(metadata), sorted(METADATA_KEYS))
    for key, value in fixed_metadata().items():
        if key in ("rapport_contract", "labels", "input_size", "colour"):
            expect(f"metadata `{key}`", metadata[key], value)
    try:
        json.loads(metadata["scores"])
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: metadata `scores` is no JSON ({error})") from error

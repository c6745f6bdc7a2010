"""How `models/emotion.onnx` came to be: data, training, export, evaluation.

Layout, in the order data flows:

- `labels`: the seven expressions, their order, and the FER2013 numbers.
- `data`: read and check the FER2013 CSV and the FER+ votes.
- `targets`: soft targets from the challenge's labels and the taggers' votes.
- `augment`: random shift, scale, rotation, light and occlusion, per batch.
- `network`: the residual network and its class evidence maps.
- `train`: the schedule, checkpoints, weight averaging.
- `export`, `quantise`, `contract`: ONNX, int8, metadata, and the checks on them.
- `metrics`, `evaluate`: what the shipped file scores.
- `landmark_template`: where the five landmarks lie in a FER2013 image.
"""

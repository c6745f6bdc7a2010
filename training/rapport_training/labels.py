"""The seven expressions: names and order of every model of this project."""

LABELS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")

# FER2013 numbers its classes angry, disgust, fear, happy, sad, surprise, neutral.
FER2013_TO_LABEL = tuple(
    LABELS.index(name)
    for name in ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
)

# Columns of the FER+ votes, in file order.
VOTE_COLUMNS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)

# Side of a FER2013 image and of the network's input, in pixels.
INPUT_SIZE_PX = 48

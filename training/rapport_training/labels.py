"""The expressions: names that a model's labels are made of, and the challenge's order."""

# The challenge's seven classes, in the order of this project.
LABELS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
# What a model may have beside them: taggers were given it as an eighth answer.
CONTEMPT = "contempt"
KNOWN_LABELS = (*LABELS, CONTEMPT)
# Read where people see a neutral face, these are what offends.
NEGATIVE_LABELS = ("angry", "disgust", "fear", "sad")

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

# The first eight of them in this project's words; `unknown` and `NF` (no face) have none.
VOTE_LABELS = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", CONTEMPT)

# Side of a FER2013 image and of the network's input, in pixels.
INPUT_SIZE_PX = 48

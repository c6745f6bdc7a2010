#!/usr/bin/env python3
"""perception_node as one would write it in Python: rclpy, OpenCV and ONNX Runtime's Python API, the
same networks and the same work, for `benches/against_python.py` to compare with.

The image is read where rclpy has put it; grids are laid out once; boxes are decoded, overlaps
suppressed and faces cut out by numpy and OpenCV; a queue of one image leaves stale ones out.
"""

import math
import time
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import rclpy
from rapport.msg import FaceEmotion, FaceEmotionArray
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image, RegionOfInterest

MODELS = Path(__file__).resolve().parent.parent / "models"
# Those of models/emotion.onnx.
LABELS = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise", "contempt"]
AFFECT = np.array(
    [
        (-0.51, 0.59),
        (-0.60, 0.35),
        (-0.64, 0.60),
        (0.81, 0.51),
        (0.0, 0.0),
        (-0.63, -0.27),
        (0.40, 0.67),
        (-0.60, 0.35),
    ],
    np.float32,
)
AFFECT_SOURCE = "Russell & Mehrabian 1977, doi:10.1016/0092-6566(77)90037-X"

WORKING_SIZE_PX = (480, 360)
MIN_SCORE = 0.5
MAX_OVERLAP = 0.45
MIN_FACE_PROBABILITY = 0.7
ONET_SIDE_PX = 48
CONFIRM_HITS = 2
HOLD_SECS = 1.0
SMOOTHING_SECS = 0.25
SWITCH_MARGIN = 0.2
SWITCH_SECS = 0.28
# The decision rule in the metadata of models/emotion.onnx.
WEIGHTS = np.array([1, 1, 0.95, 1, 1, 0.9, 1, 1], np.float32)
MIN_CONFIDENCE = 0.65

# Eyes, nose and mouth corners in a 48 px crop.
CROP_SIDE_PX = 48
TEMPLATE = np.array(
    [15.13 + 17.88j, 32.87 + 17.88j, 24.00 + 28.33j, 16.48 + 37.51j, 31.52 + 37.51j]
)


class Network:
    """A session on one thread, and the time spent in it."""

    def __init__(self, name, *outputs):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(
            MODELS / name, options, providers=["CPUExecutionProvider"]
        )
        self.input = self.session.get_inputs()[0].name
        self.outputs = list(outputs)
        self.busy_secs = 0.0

    def run(self, tensor):
        start = time.perf_counter()
        outputs = self.session.run(self.outputs, {self.input: tensor})
        self.busy_secs += time.perf_counter() - start
        return outputs


class Grid:
    """Where the cells of YuNet's outputs lie in an image of this size, and how large they are."""

    def __init__(self, width, height):
        corners, units = [], []
        for stride in (8, 16, 32):
            rows, columns = np.mgrid[: height // stride, : width // stride]
            corners.append(np.stack([columns.ravel(), rows.ravel()]))
            units.append(np.full(rows.size, stride))
        self.corner = np.concatenate(corners, axis=1).astype(np.float32)
        self.unit = np.concatenate(units).astype(np.float32)


class Track:
    def __init__(self, number, box, stamp):
        self.id = f"face_{number}"
        self.box, self.last_seen, self.hits = box, stamp, 1
        self.vx = self.vy = 0.0
        self.probabilities = self.label = self.smoothed_at = self.leading = None

    def expected(self, stamp):
        secs = min(stamp - self.last_seen, 0.25)
        x, y, w, h = self.box
        return x + self.vx * secs, y + self.vy * secs, w, h

    def follow(self, box, stamp):
        secs = stamp - self.last_seen
        if secs > 0:
            (x0, y0, w0, h0), (x1, y1, w1, h1) = self.box, box
            self.vx += 0.5 * ((x1 + w1 / 2 - x0 - w0 / 2) / secs - self.vx)
            self.vy += 0.5 * ((y1 + h1 / 2 - y0 - h0 / 2) / secs - self.vy)
        self.box, self.last_seen = box, stamp
        self.hits += 1

    def smooth(self, seen, stamp):
        if self.probabilities is None:
            self.probabilities, self.label = seen.copy(), int((seen * WEIGHTS).argmax())
        else:
            weight = 1 - math.exp(-(stamp - self.smoothed_at) / SMOOTHING_SECS)
            self.probabilities += np.float32(weight) * (seen - self.probabilities)
        before, self.smoothed_at = self.smoothed_at or stamp, stamp
        weighted = self.probabilities * WEIGHTS
        top = int(weighted.argmax())
        if weighted[top] - weighted[self.label] <= SWITCH_MARGIN:
            self.leading = None
        else:
            if self.leading is None or self.leading[0] != top:
                self.leading = (top, before)
            if stamp - self.leading[1] >= SWITCH_SECS:
                self.label, self.leading = top, None


def buffered_overlap(a, b):
    """Intersection over union of two boxes, each enlarged by half."""
    (ax, ay, aw, ah), (bx, by, bw, bh) = a, b
    ax, ay, aw, ah = ax - aw / 4, ay - ah / 4, 1.5 * aw, 1.5 * ah
    bx, by, bw, bh = bx - bw / 4, by - bh / 4, 1.5 * bw, 1.5 * bh
    width = max(min(ax + aw, bx + bw) - max(ax, bx), 0.0)
    height = max(min(ay + ah, by + bh) - max(ay, by), 0.0)
    union = aw * ah + bw * bh - width * height
    return width * height / union if union > 0 else 0.0


class Tracker:
    def __init__(self):
        self.tracks, self.count, self.last_stamp = [], 0, 0.0

    def update(self, boxes, stamp):
        """The confirmed tracks of this image, each with the index of its box."""
        if stamp < self.last_stamp:
            self.tracks.clear()
        self.last_stamp = stamp
        self.tracks = [t for t in self.tracks if stamp - t.last_seen <= HOLD_SECS]
        overlaps = sorted(
            (
                (overlap, t, b)
                for t, track in enumerate(self.tracks)
                for b, box in enumerate(boxes)
                if (overlap := buffered_overlap(track.expected(stamp), box)) >= 0.15
            ),
            reverse=True,
        )
        of_track, taken = {}, set()
        for _, t, b in overlaps:
            if t not in of_track and b not in taken:
                of_track[t] = b
                taken.add(b)
                self.tracks[t].follow(boxes[b], stamp)
        for b, box in enumerate(boxes):
            if b not in taken:
                self.count += 1
                of_track[len(self.tracks)] = b
                self.tracks.append(Track(self.count, box, stamp))
        return [
            (track, of_track[t])
            for t, track in enumerate(self.tracks)
            if t in of_track and track.hits >= CONFIRM_HITS
        ]


def cut_out(rgb, turn, shift, side):
    """A square of `side` pixels: its point p (complex) lies at turn * p + shift in the image."""
    # Large faces are sampled about once an image pixel and averaged.
    samples = min(max(round(abs(turn)), 1), 8)
    turn /= samples
    # OpenCV counts from pixel centres.
    shift = shift + turn * (0.5 + 0.5j) - (0.5 + 0.5j)
    matrix = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    square = cv2.warpAffine(
        rgb,
        matrix,
        (side * samples, side * samples),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return (
        square if samples == 1 else cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA)
    )


def align(box, landmarks):
    """Turn and shift of the crop that has the landmarks where the training images have them."""
    x, y, w, h = box
    longer = max(w, h)
    from_mean, to_mean = TEMPLATE.mean(), landmarks.mean()
    centred = TEMPLATE - from_mean
    turn = np.vdot(centred, landmarks - to_mean) / np.vdot(centred, centred).real
    if not 0.5 <= abs(turn) * CROP_SIDE_PX / longer <= 2.0:
        side = 1.05 * longer
        return complex(side / CROP_SIDE_PX), complex(x + (w - side) / 2, y + (h - side) / 2)
    return complex(turn), complex(to_mean - turn * from_mean)


class PythonNode(Node):
    def __init__(self):
        super().__init__("python_node")
        self.yunet = Network("yunet.onnx", "scores", "boxes")
        self.onet = Network("onet.onnx", "probability", "landmarks")
        self.emotion = Network("emotion.onnx", "probabilities")
        self.networks = (self.yunet, self.onet, self.emotion)
        self.tracker = Tracker()
        self.grids = {}
        self.publisher = self.create_publisher(FaceEmotionArray, "emotions", 10)
        newest = QoSProfile(
            depth=1, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.BEST_EFFORT
        )
        self.create_subscription(Image, "image", self.answer, newest)

    def answer(self, image):
        start = time.perf_counter()
        busy = sum(network.busy_secs for network in self.networks)
        rgb = np.frombuffer(image.data, np.uint8).reshape(image.height, image.step)
        rgb = rgb[:, : 3 * image.width].reshape(image.height, image.width, 3)
        stamp = image.header.stamp.sec + image.header.stamp.nanosec * 1e-9
        boxes, scores = self.find(rgb)
        boxes, scores, landmarks = self.confirm(rgb, boxes, scores)
        tracked = self.tracker.update(boxes, stamp)
        self.classify(rgb, tracked, landmarks, stamp)
        message = FaceEmotionArray(
            header=image.header,
            image_width=image.width,
            image_height=image.height,
            labels=LABELS,
            affect_source=AFFECT_SOURCE,
            model="emotion",
        )
        message.faces = [self.face(track, scores[b], image) for track, b in tracked]
        total_ms = (time.perf_counter() - start) * 1e3
        self.publisher.publish(message)
        inference_ms = (sum(network.busy_secs for network in self.networks) - busy) * 1e3
        self.get_logger().debug(f"frame: total_ms={total_ms:.3f} inference_ms={inference_ms:.3f}")

    def find(self, rgb):
        """Boxes (left, top, width, height in image pixels) and scores, best first."""
        height, width = rgb.shape[:2]
        scale = min(WORKING_SIZE_PX[0] / width, WORKING_SIZE_PX[1] / height, 1.0)
        w, h = round(width * scale), round(height * scale)
        # Below half the size, linear interpolation would skip pixels.
        how = cv2.INTER_LINEAR if scale > 0.5 else cv2.INTER_AREA
        scaled = cv2.resize(rgb, (w, h), interpolation=how) if scale < 1 else rgb
        padded = cv2.copyMakeBorder(scaled, 0, -h % 32, 0, -w % 32, cv2.BORDER_CONSTANT)
        scores, boxes = self.yunet.run(cv2.dnn.blobFromImage(padded, swapRB=True))
        size = (padded.shape[1], padded.shape[0])
        grid = self.grids.get(size) or self.grids.setdefault(size, Grid(*size))
        cells = np.flatnonzero(scores[0, 0] >= MIN_SCORE)
        if not cells.size:
            return [], []
        boxes, scores, unit = boxes[0][:, cells], scores[0, 0, cells], grid.unit[cells]
        center = (grid.corner[:, cells] + boxes[:2]) * unit
        extent = np.exp(boxes[2:]) * unit
        to_image = np.array([[width / w], [height / h]], np.float32)
        found = np.concatenate([(center - extent / 2) * to_image, extent * to_image]).T
        kept = cv2.dnn.NMSBoxes(found.tolist(), scores.tolist(), MIN_SCORE, MAX_OVERLAP, top_k=1000)
        return found[kept].tolist(), scores[kept].tolist()

    def confirm(self, rgb, boxes, scores):
        """Those that the face classifier takes for faces, with landmarks as complex numbers."""
        if not boxes:
            return [], [], []
        squares, crops = [], []
        for x, y, w, h in boxes:
            side = max(w, h)
            squares.append((complex(x + (w - side) / 2, y + (h - side) / 2), side))
            crops.append(cut_out(rgb, complex(side / ONET_SIDE_PX), squares[-1][0], ONET_SIDE_PX))
        probability, landmarks = self.onet.run(cv2.dnn.blobFromImages(crops))
        confirmed = np.flatnonzero(probability[:, 0] >= MIN_FACE_PROBABILITY)
        points = [
            squares[i][0] + squares[i][1] * (landmarks[i, :5] + 1j * landmarks[i, 5:])
            for i in confirmed
        ]
        return [boxes[i] for i in confirmed], [scores[i] for i in confirmed], points

    def classify(self, rgb, tracked, landmarks, stamp):
        if not tracked:
            return
        crops = [
            cv2.cvtColor(
                cut_out(rgb, *align(track.box, landmarks[b]), CROP_SIDE_PX), cv2.COLOR_RGB2GRAY
            )
            for track, b in tracked
        ]
        (self.seen,) = self.emotion.run(np.stack(crops)[:, None].astype(np.float32))
        for (track, _), seen in zip(tracked, self.seen, strict=True):
            track.instant = seen
            track.smooth(seen, stamp)

    def face(self, track, score, image):
        x, y, w, h = track.box
        left, right = (min(max(round(v), 0), image.width) for v in (x, x + w))
        top, bottom = (min(max(round(v), 0), image.height) for v in (y, y + h))
        confidence = float(track.probabilities[track.label])
        valence, arousal = (track.probabilities @ AFFECT).tolist()
        return FaceEmotion(
            face_id=track.id,
            roi=RegionOfInterest(
                x_offset=left, y_offset=top, width=right - left, height=bottom - top
            ),
            detection_confidence=score,
            label=LABELS[track.label],
            confidence=confidence,
            sure=confidence >= MIN_CONFIDENCE,
            probabilities=track.probabilities.tolist(),
            instant_probabilities=track.instant.tolist(),
            valence=valence,
            arousal=arousal,
        )


def main():
    cv2.setNumThreads(1)
    rclpy.init()
    try:
        rclpy.spin(PythonNode())
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()

"""A person who shows expressions to behavior_node, and a robot that hears what it says."""

import time

from builtin_interfaces.msg import Time
from rapport.msg import FaceEmotion, FaceEmotionArray, Response
from std_msgs.msg import ColorRGBA, String

# Of the model that the messages come from.
LABELS = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]

POLICY = """\
version: 1
pause_secs: 0
gap_secs: 0.5
rest:
  light: {color: "#0000ff", opacity: 0.5}
  expression: neutral
rules:
  - name: smile-back
    when: {emotion: happy, confidence: 0.6, for_secs: 1.0}
    cooldown_secs: 20
    answer:
      say: Hello.
      gesture: nod
      light: {color: "#ff0000", opacity: 1}
      expression: happy
      intensity: 0.25
      duration_secs: 1.5
"""


class Person:
    """Publishes what one person shows, ten times a second by the stamps."""

    def __init__(self, client):
        self.client = client
        self.emotions = client.publisher(FaceEmotionArray, "emotions")
        self.now_ns = 2_000_000_000_000
        self.labels = LABELS
        # Left, top, width and height in pixels; none: the face is nowhere.
        self.box = None

    def message(self, label, confidence, face_id, stamp_ns):
        sec, nanosec = divmod(stamp_ns, 10**9)
        message = FaceEmotionArray(image_width=640, image_height=480, labels=self.labels)
        message.header.stamp = Time(sec=sec, nanosec=nanosec)
        message.header.frame_id = "camera_optical_frame"
        face = FaceEmotion(face_id=face_id, label=label, confidence=confidence)
        if self.box:
            roi = face.roi
            roi.x_offset, roi.y_offset, roi.width, roi.height = self.box
        message.faces = [face]
        return message

    def show(self, label, secs, confidence=0.9, face_id="face_1"):
        stamps = []
        for _ in range(round(secs / 0.1)):
            self.now_ns += 10**8
            self.emotions.publish(self.message(label, confidence, face_id, self.now_ns))
            stamps.append(self.now_ns)
            self.client.spin_for(0.01)
        return stamps

    def smile_until(self, condition, stamp_ns, timeout_secs=30.0):
        """Smiles twenty times a second, stamped by a function of the time now in nanoseconds."""

        def holds():
            message = self.message("happy", 0.9, "face_1", stamp_ns(time.time_ns()))
            self.emotions.publish(message)
            return self.client.spin_until(condition, 0.05)

        return self.client.spin_until(holds, timeout_secs)


class Robot:
    """What a robot would hear."""

    def __init__(self, client):
        self.responses = client.collect(Response, "responses")
        self.speech = client.collect(String, "speech")
        self.gesture = client.collect(String, "gesture")
        self.light = client.collect(ColorRGBA, "light")
        self.expression = client.collect(String, "expression")
        self.all = [
            self.responses,
            self.speech,
            self.gesture,
            self.light,
            self.expression,
        ]

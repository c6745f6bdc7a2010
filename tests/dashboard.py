"""What a viewer of dashboard_node has, HTTP requests and a WebSocket without a browser, and a camera that
goes on while that is looked at."""

import io
import json
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from PIL import Image as Picture
from sensor_msgs.msg import CompressedImage, Image
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from graph import PATIENCE_SECS, Camera, Client


def wait_until(condition, what, timeout_secs=PATIENCE_SECS):
    """Waits until the condition holds and returns its value."""
    end = time.monotonic() + timeout_secs
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, what
        time.sleep(0.05)


def address_of(node):
    """The address that a dashboard_node logs."""

    def found():
        assert node.alive, node.text
        return re.search(r"Rapport is at (https?://[^/\s]+)/", node.text)

    return wait_until(found, "no address was logged")[1]


def ask(address, path, content=None, timeout_secs=PATIENCE_SECS):
    """Status and JSON of a request to the API."""
    data = None if content is None else json.dumps(content).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{address}/api/v1/{path}", data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout_secs) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def pause(address, robot, paused):
    name = urllib.parse.quote(robot.removeprefix("/"), safe="") or "-"
    return ask(address, f"robots/{name}/pause", {"paused": paused})


def robots(address):
    """The states of the robots by name."""
    _, found = ask(address, "robots")
    return {robot["robot"]: robot["state"] for robot in found}


class Viewer:
    """A page of the dashboard: what the WebSocket `watch` tells, newest last."""

    def __init__(self, address):
        self.messages = []
        self.pictures = []
        self.socket = connect(f"ws{address.removeprefix('http')}/api/v1/watch")
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self):
        about = None
        try:
            for message in self.socket:
                if isinstance(message, bytes):
                    self.pictures.append((about, message))
                    self._send(type="ready")
                    continue
                message = json.loads(message)
                if message["type"] == "picture":
                    about = message
                self.messages.append(message)
        except ConnectionClosed:
            pass

    def _send(self, **message):
        self.socket.send(json.dumps(message))

    def look(self, robot, pictures=True):
        self._send(type="look", robot=robot, pictures=pictures)

    def of_type(self, kind, robot):
        return [m for m in list(self.messages) if m["type"] == kind and m.get("robot") == robot]

    def close(self):
        self.socket.close()
        self.thread.join()


class Stream(threading.Thread):
    """A camera that goes on by itself: `image` at ten images a second, on a client of its own."""

    def __init__(self, namespace, picture, topic="image", kind=Image):
        super().__init__(daemon=True)
        self.client = Client(namespace)
        self.publisher = self.client.publisher(kind, topic, "sensor")
        self.topic = self.client.node.resolve_topic_name(topic)
        self.make = Camera(self.client, None, topic="unused").image
        self.picture, self.kind = picture, kind
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.1):
            message = self.make(self.picture, after_secs=0.1)
            if self.kind is CompressedImage:
                message = compressed(self.picture, message.header)
            self.publisher.publish(message)

    def close(self):
        self.over.set()
        self.join()
        self.client.close()


def compressed(picture, header):
    jpeg = io.BytesIO()
    Picture.fromarray(picture).save(jpeg, "JPEG")
    return CompressedImage(header=header, format="jpeg", data=jpeg.getvalue())

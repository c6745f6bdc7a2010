"""What happens to a robot all day: processes die, cameras vanish, streams and clocks change."""

import array
import signal

import pytest
from rapport.msg import Response
from sensor_msgs.msg import CompressedImage

from graph import Camera
from scenes import box, grey, is_the_smiling_face, nobody, photograph, smiling_face


def only_the_smiling_face(message, scale=1.0):
    """The one face in a message, seen to be that of `smiling_face()`."""
    (face,) = message.faces
    assert is_the_smiling_face(face, scale), (face.label, box(face))
    return face


def wait_for_a_response_to_a_smile(client, camera, responses):
    """Keeps smiling until the robot responds to that face; nodes find each other meanwhile."""
    shown = []

    def has_responded():
        shown.extend(face.face_id for face in camera.ask(smiling_face(), after_secs=0.1).faces)
        client.spin_for(0.05)
        return len(responses)

    assert client.spin_until(has_responded)
    response = responses.messages[-1]
    assert (response.rule, response.face_id) == ("answer-a-smile", shown[-1])
    only_the_smiling_face(camera.emotions.messages[-1])


def test_perception_killed_and_started_again(start, client, camera, emotions):
    node = start("perception_node")
    camera.wait_until_connected()
    node.process.send_signal(signal.SIGKILL)
    node.wait()
    again = start("perception_node")
    camera.wait_until_connected()
    camera.ask(smiling_face())
    only_the_smiling_face(camera.ask(smiling_face()))
    assert again.alive and not again.errors


def test_behavior_goes_on_when_perception_is_killed(start, client, camera, emotions):
    responses = client.collect(Response, "responses")
    behavior = start("behavior_node")
    node = start("perception_node")
    camera.wait_until_connected()
    camera.ask(smiling_face())
    node.process.send_signal(signal.SIGKILL)
    node.wait()
    start("perception_node")
    camera.wait_until_connected()
    wait_for_a_response_to_a_smile(client, camera, responses)
    assert behavior.alive and not behavior.errors


def test_behavior_killed_and_started_again(start, client, perception, camera):
    behavior = start("behavior_node")
    behavior.process.send_signal(signal.SIGKILL)
    behavior.wait()
    responses = client.collect(Response, "responses")
    start("behavior_node")
    client.wait_for_publisher_of(responses)
    topic = client.node.resolve_topic_name("emotions")
    assert client.spin_until(lambda: client.node.count_subscribers(topic) == 2)
    wait_for_a_response_to_a_smile(client, camera, responses)


def test_a_camera_that_vanishes_and_returns(perception, client, camera, emotions):
    camera.ask(smiling_face())
    before = only_the_smiling_face(camera.ask(smiling_face()))
    client.node.destroy_publisher(camera.images)
    assert client.spin_until(lambda: perception.lines("[WARN]", "no image on"), 20.0)
    assert "it has no publisher" in perception.lines("[WARN]", "no image on")[0]
    back = Camera(client, emotions)
    back.now_ns = camera.now_ns + 20_000_000_000
    back.wait_until_connected()
    back.ask(smiling_face())
    after = only_the_smiling_face(back.ask(smiling_face()))
    assert after.face_id != before.face_id, "it was away for longer than a face is held"
    assert perception.lines("[INFO]", "images come on")
    assert not perception.errors


def test_a_stream_that_changes_size_and_encoding(perception, camera):
    small = photograph("astronaut_face_60px.png", 320, 240)
    large = photograph("astronaut_face_60px.png", 1280, 960)
    first = smiling_face()
    for scale, picture in (
        (1, first),
        (2, large),
        (1, grey(first)),
        (0.5, small),
        (2, grey(large)),
    ):
        # Where a face jumps it is another one, and needs a second image to be confirmed.
        for _ in range(2):
            message = camera.ask(picture)
            assert (message.image_height, message.image_width) == picture.shape[:2]
        found = [face for face in message.faces if is_the_smiling_face(face, scale)]
        assert len(found) == 1, (scale, [(face.label, box(face)) for face in message.faces])
        assert not camera.ask(nobody()).faces
    assert perception.alive and not perception.errors


@pytest.mark.parametrize(("back_secs", "keeps_id"), [(0.05, True), (500.0, False)])
def test_a_clock_that_jumps_back(perception, camera, back_secs, keeps_id):
    camera.ask(smiling_face())
    before = only_the_smiling_face(camera.ask(smiling_face()))
    camera.ask(smiling_face(), after_secs=-back_secs)
    # After a long jump whoever is in view is found anew: nothing hangs on the time before.
    after = only_the_smiling_face(camera.ask(smiling_face()))
    assert (after.face_id == before.face_id) == keeps_id
    resets = perception.lines("[WARN]", "all tracks are reset")
    assert perception.alive and not perception.errors and len(resets) == (not keeps_id)


def jpeg(picture):
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
    return cv2.imencode(".jpg", picture[:, :, ::-1])[1]


def test_compressed_images(start, client, emotions):
    node = start("perception_node", {"image_transport": "compressed"})
    images = client.publisher(CompressedImage, "image/compressed", "sensor")
    client.wait_for_subscriber_of(images)
    client.wait_for_publisher_of(emotions)
    data = jpeg(smiling_face()).tobytes()

    def ask(data, condition):
        def answered():
            message = CompressedImage(format="rgb8; jpeg compressed bgr8")
            message.data = array.array("B", data)
            images.publish(message)
            client.spin_for(0.1)
            return condition()

        assert client.spin_until(answered)

    ask(data, lambda: len(emotions) and emotions.messages[-1].faces)
    message = emotions.messages[-1]
    assert (message.image_width, message.image_height) == (640, 480)
    only_the_smiling_face(message)
    ask(data[: len(data) // 2], lambda: node.lines("[ERROR]", "JPEG", "not decoded"))
    ask(b"no image", lambda: node.lines("[ERROR]", "expected JPEG"))
    # All pixels are there: it is used, and the decoder's doubt is told.
    odd = data[:-2] + bytes(70) + data[-2:]
    ask(odd, lambda: node.lines("[WARN]", "image used", "extraneous bytes"))
    emotions.clear()
    ask(data, lambda: len(emotions) and emotions.messages[-1].faces)
    only_the_smiling_face(emotions.messages[-1])
    assert node.alive


def test_the_time_of_a_simulator(start, client, namespace):
    from diagnostic_msgs.msg import DiagnosticArray
    from rosgraph_msgs.msg import Clock

    diagnostics = client.collect(DiagnosticArray, "/diagnostics")
    start("perception_node", {"use_sim_time": "true"})
    clock = client.publisher(Clock, "/clock", "sensor")
    now = Clock()
    now.clock.sec = 1234

    def is_followed():
        clock.publish(now)
        client.spin_for(0.1)
        mine = [m for m in diagnostics.messages if m.status[0].name.startswith(namespace[1:])]
        return mine and mine[-1].header.stamp.sec == 1234

    assert client.spin_until(is_followed)

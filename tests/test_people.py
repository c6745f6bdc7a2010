"""Where people are and what is new about them: camera_info, pose, TF, attention, events, look_at, zones."""

import math

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PointStamped
from rapport.msg import FaceEmotion, PersonEvent
from rcl_interfaces.msg import Log
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient
from sensor_msgs.msg import CameraInfo, Image
from std_srvs.srv import SetBool

from graph import stamp_ns
from scenes import smiling_face, two_people

WIDE_DEG = 60.0


def focal_px(degrees, width=640):
    return width / 2 / math.tan(math.radians(degrees) / 2)


def camera_info(degrees=WIDE_DEG, **fields):
    focal = focal_px(degrees)
    info = CameraInfo(width=640, height=480, distortion_model="plumb_bob")
    info.k = [focal, 0.0, 319.5, 0.0, focal, 239.5, 0.0, 0.0, 1.0]
    info.p = [focal, 0.0, 319.5, 0.0, 0.0, focal, 239.5, 0.0, 0.0, 0.0, 1.0, 0.0]
    info.d = [0.0] * 5
    for name, value in fields.items():
        setattr(info, name, value)
    return info


def distance(face):
    position = face.pose.position
    return math.hypot(position.x, position.y, position.z)


def is_unknown(face):
    position, turn = face.pose.position, face.pose.orientation
    values = [position.x, position.y, position.z, turn.x, turn.y, turn.z, turn.w]
    return all(math.isnan(value) for value in [*values, face.distance_std_m])


def out_of_the_face(turn):
    """The head's x axis in the camera's frame, by the definition of a quaternion."""
    x, y, z, w = turn.x, turn.y, turn.z, turn.w
    return [1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)]


def look(camera, picture, secs, after_secs=0.1):
    """Shows a picture for so long, and returns the last message."""
    for _ in range(round(secs / after_secs)):
        answer = camera.ask(picture, after_secs)
    return answer


def given(start, camera, parameters, *arguments):
    node = start("perception_node", parameters, *arguments)
    camera.wait_until_connected()
    return node


def test_without_a_camera_the_place_is_unknown_and_never_zero(perception, camera):
    camera.ask(smiling_face())
    (face,) = camera.ask(smiling_face()).faces
    assert is_unknown(face)
    assert face.first_seen.sec > 0 and not math.isnan(face.landmarks[0].x)


def test_the_field_of_view_gives_the_place(start, camera):
    given(start, camera, {"horizontal_fov_deg": str(WIDE_DEG)})
    face = look(camera, smiling_face(), 1.0).faces[0]
    # By hand: eyes so many pixels apart are 63 mm apart.
    left, right = face.landmarks[:2]
    eyes_px = math.hypot(right.x - left.x, right.y - left.y)
    assert distance(face) == pytest.approx(0.063 * focal_px(WIDE_DEG) / eyes_px, rel=0.15)
    assert 0.05 * distance(face) < face.distance_std_m < 0.2 * distance(face)
    # Where it is seen: right of the middle and above it.
    middle = (left.x + right.x) / 2, (left.y + right.y) / 2
    position = face.pose.position
    expected = [(middle[0] - 320) / focal_px(WIDE_DEG), (middle[1] - 240) / focal_px(WIDE_DEG)]
    assert [position.x / position.z, position.y / position.z] == pytest.approx(expected, abs=0.02)
    # It looks into the camera, more or less: the face points towards it.
    x, y, z = out_of_the_face(face.pose.orientation)
    assert z < -0.8 and abs(math.hypot(x, y, z) - 1) < 1e-6


def test_the_calibration_beside_the_images_wins_and_an_uncalibrated_one_does_not(
    start, client, camera
):
    node = given(start, camera, {"horizontal_fov_deg": str(WIDE_DEG)})
    near = distance(look(camera, smiling_face(), 1.0).faces[0])
    infos = client.publisher(CameraInfo, "camera_info", "sensor")
    client.wait_for_subscriber_of(infos)

    def shown(info, *words):
        return client.publish_until(infos, info, lambda: node.lines("camera_info", *words))

    # A lens that makes things look twice as near puts them twice as far.
    narrow = 2 * math.degrees(math.atan(math.tan(math.radians(WIDE_DEG) / 2) / 2))
    assert shown(camera_info(narrow), "degrees wide")
    far = distance(look(camera, smiling_face(), 3.0).faces[0])
    assert far / near == pytest.approx(2.0, rel=0.05)
    # Not calibrated: the parameter counts again, and the log says why.
    assert shown(CameraInfo(width=640, height=480), "[WARN]", "not calibrated")
    again = distance(look(camera, smiling_face(), 3.0).faces[0])
    assert again == pytest.approx(near, rel=0.02)
    assert node.alive and not node.errors


def test_camera_info_is_beside_the_image_and_can_be_remapped(start, client, namespace):
    start("perception_node", None, "-r", "image:=front/image_raw")
    at = client.node.resolve_topic_name("front/camera_info")
    assert client.spin_until(lambda: client.node.count_subscribers(at) == 1)
    start("perception_node", None, "-r", "camera_info:=other/info", "-r", "__node:=second")
    other = client.node.resolve_topic_name("other/info")
    assert client.spin_until(lambda: client.node.count_subscribers(other) == 1)


def test_a_mirrored_image_mirrors_the_turn(start, camera):
    given(start, camera, {"horizontal_fov_deg": str(WIDE_DEG)})
    face = look(camera, smiling_face(), 1.0).faces[0]
    mirrored = np.ascontiguousarray(smiling_face()[:, ::-1])
    look(camera, np.zeros_like(mirrored), 2.0)
    other = look(camera, mirrored, 1.0).faces[0]
    one, two = (out_of_the_face(f.pose.orientation) for f in (face, other))
    # Landmarks of a mirrored picture are not mirrored to the pixel.
    assert one[0] == pytest.approx(-two[0], abs=0.12) and one[1] == pytest.approx(two[1], abs=0.12)
    assert distance(face) == pytest.approx(distance(other), rel=0.08)


def test_a_face_that_is_turned_away_is_not_sure(start, client, camera, namespace):
    given(start, camera, {"max_yaw_deg": "0.0"})
    assert not look(camera, smiling_face(), 0.5).faces[0].sure
    parameters = AsyncParameterClient(client.node, f"{namespace}/perception_node")
    assert client.spin_until(parameters.services_are_ready)
    set_one(client, parameters, "max_yaw_deg", 45.0)
    assert look(camera, smiling_face(), 0.5).faces[0].sure


def set_one(client, parameters, name, value):
    result = client.call(parameters.set_parameters([Parameter(name, value=value)])).results[0]
    assert result.successful, result.reason


def events_of(collector, stamp=0):
    return [m.event for m in collector.messages if stamp_ns(m.header) >= stamp]


def test_a_visit_is_told_by_events_and_looked_at(start, client, camera):
    events = client.collect(PersonEvent, "person_events")
    points = client.collect(PointStamped, "look_at")
    node = given(
        start,
        camera,
        {
            "horizontal_fov_deg": str(WIDE_DEG),
            "engagement_window_secs": "2.0",
            # The picture's face is near the edge and small, so it is far away.
            "engagement_score": "0.2",
            "near_distance_m": "3.0",
        },
    )
    client.wait_for_publisher_of(events)
    client.wait_for_publisher_of(points)
    answer = look(camera, smiling_face(), 4.0)
    (face,) = answer.faces
    assert face.engagement == FaceEmotion.ENGAGED
    assert client.spin_until(lambda: "engaged" in events_of(events))
    assert events_of(events) == ["appeared", "came_near", "engaged"]
    appeared, near, engaged = events.messages
    assert {m.face_id for m in events.messages} == {face.face_id}
    assert appeared.label == "happy" and not appeared.previous_label
    assert near.distance_m == pytest.approx(distance(face), rel=0.1)
    assert 1.0 <= engaged.in_view_secs <= 2.0
    assert engaged.header.frame_id == camera.FRAME_ID
    assert client.spin_until(lambda: stamp_ns(points.messages[-1].header) == camera.now_ns)
    point = points.messages[-1].point
    position = face.pose.position
    assert (point.x, point.y, point.z) == (position.x, position.y, position.z)
    assert points.messages[-1].header.frame_id == camera.FRAME_ID

    # The person leaves: told once they could not come back, and nobody is looked at.
    events.clear()
    points.clear()
    look(camera, np.zeros((480, 640, 3), np.uint8), 2.0)
    assert client.spin_until(lambda: events_of(events) == ["lost"])
    assert not points.messages
    assert node.alive and not node.errors


def test_disabling_tells_who_is_lost(start, client, camera):
    events = client.collect(PersonEvent, "person_events")
    node = given(start, camera, {})
    client.wait_for_publisher_of(events)
    (face,) = look(camera, smiling_face(), 0.5).faces
    assert client.spin_until(lambda: events_of(events) == ["appeared"])
    assert math.isnan(events.messages[0].distance_m)
    assert client.ask(SetBool, "perception_node/enable", data=False).success
    assert client.spin_until(lambda: events_of(events) == ["appeared", "lost"])
    assert events.messages[1].face_id == face.face_id
    assert not node.errors


def test_of_two_the_nearer_is_looked_at(start, client, camera):
    points = client.collect(PointStamped, "look_at")
    given(start, camera, {"horizontal_fov_deg": str(WIDE_DEG)})
    client.wait_for_publisher_of(points)
    answer = look(camera, two_people(), 2.5)
    nearer = min(answer.faces, key=distance)
    assert client.spin_until(
        lambda: points.messages and stamp_ns(points.messages[-1].header) == camera.now_ns
    )
    assert points.messages[-1].point.x == nearer.pose.position.x


def test_nobody_near_is_silence(start, client, camera):
    points = client.collect(PointStamped, "look_at")
    given(start, camera, {"horizontal_fov_deg": str(WIDE_DEG), "look_at_distance_m": "0.3"})
    client.wait_for_publisher_of(points)
    look(camera, smiling_face(), 1.0)
    client.spin_for(0.3)
    assert not points.messages


def optional_package(node, package):
    if node.lines("[ERROR]", "this build is without", package):
        pytest.skip(f"the node was built without {package}")


def test_heads_have_frames_on_tf(start, client, camera):
    tf2 = pytest.importorskip("tf2_msgs.msg", reason="tf2_msgs is not installed")
    transforms = client.collect(tf2.TFMessage, "/tf")
    node = start("perception_node", {"publish_tf": "true", "horizontal_fov_deg": str(WIDE_DEG)})
    optional_package(node, "tf2_msgs")
    camera.wait_until_connected()
    client.wait_for_publisher_of(transforms)
    (face,) = look(camera, smiling_face(), 0.5).faces
    assert client.spin_until(
        lambda: (
            transforms.messages
            and stamp_ns(transforms.messages[-1].transforms[0].header) == camera.now_ns
        )
    )
    head, gaze = transforms.messages[-1].transforms
    assert (head.header.frame_id, head.child_frame_id) == (
        camera.FRAME_ID,
        f"face_{face.face_id}",
    )
    assert gaze.header.frame_id == head.child_frame_id
    assert gaze.child_frame_id == f"gaze_{face.face_id}"
    at, position = head.transform.translation, face.pose.position
    assert (at.x, at.y, at.z) == (position.x, position.y, position.z)
    assert head.transform.rotation == face.pose.orientation
    # The gaze's z leads out of the face (its x), its y down (the face's -z).
    q = gaze.transform.rotation
    x, y, z, w = q.x, q.y, q.z, q.w
    along_z = [2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y)]
    along_y = [2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w)]
    assert along_z == pytest.approx([1, 0, 0]) and along_y == pytest.approx([0, 0, -1])


def test_attention_is_published_as_rep_155_has_it(start, client, camera):
    hri = pytest.importorskip("hri_msgs.msg", reason="hri_msgs is not installed")
    node = start(
        "perception_node",
        {
            "publish_engagement": "true",
            "horizontal_fov_deg": str(WIDE_DEG),
            "engagement_window_secs": "1.0",
            "engagement_score": "0.1",
        },
    )
    optional_package(node, "hri_msgs")
    camera.wait_until_connected()
    (face,) = look(camera, smiling_face(), 0.3).faces
    topic = f"/humans/persons/{face.face_id}/engagement_status"
    levels = client.collect(hri.EngagementLevel, topic)
    client.wait_for_publisher_of(levels)
    (face,) = look(camera, smiling_face(), 2.0).faces
    assert face.engagement == FaceEmotion.ENGAGED
    assert client.spin_until(
        lambda: levels.messages and levels.messages[-1].level == hri.EngagementLevel.ENGAGED
    )
    look(camera, np.zeros((480, 640, 3), np.uint8), 2.0)
    assert client.spin_until(lambda: client.node.count_publishers(topic) == 0)
    assert not node.errors


def test_views_of_other_tools(start, client, camera):
    vision = pytest.importorskip("vision_msgs.msg", reason="vision_msgs is not installed")
    foxglove = pytest.importorskip("foxglove_msgs.msg", reason="foxglove_msgs is not installed")
    detections = client.collect(vision.Detection2DArray, "detections")
    annotations = client.collect(foxglove.ImageAnnotations, "annotations")
    node = start("perception_node", {"publish_detections": "true", "publish_annotations": "true"})
    optional_package(node, "")
    camera.wait_until_connected()
    client.wait_for_publisher_of(detections)
    client.wait_for_publisher_of(annotations)

    def both():
        look(camera, smiling_face(), 0.3)
        return (
            detections.messages
            and detections.messages[-1].detections
            and annotations.messages
            and annotations.messages[-1].points
        )

    assert client.spin_until(both)
    (face,) = look(camera, smiling_face(), 0.1).faces
    one = detections.messages[-1].detections[0]
    assert one.id == face.face_id and one.results[0].hypothesis.class_id == face.label
    assert one.bbox.size_x == pytest.approx(face.roi.width, abs=2)
    assert one.bbox.center.position.x == pytest.approx(
        face.roi.x_offset + face.roi.width / 2, abs=2
    )
    drawn = annotations.messages[-1]
    assert len(drawn.points[0].points) == 4 and face.face_id in drawn.texts[0].text
    assert not node.errors


def test_nothing_in_a_zone_is_found_shown_or_counted(start, client, camera, namespace):
    log = client.collect(Log, "/rosout")
    node = given(start, camera, {})
    parameters = AsyncParameterClient(client.node, f"{namespace}/perception_node")
    assert client.spin_until(parameters.services_are_ready)
    annotated = client.collect(Image, "annotated_image")
    assert len(look(camera, two_people(), 0.5).faces) == 2
    right_half = "0.5,0 1,0 1,1 0.5,1"
    set_one(client, parameters, "ignore_zones", [right_half])
    answer = look(camera, two_people(), 0.5)
    (face,) = answer.faces
    assert face.roi.x_offset + face.roi.width / 2 < 320
    assert client.spin_until(
        lambda: annotated.messages and stamp_ns(annotated.messages[-1].header) == camera.now_ns
    )
    pixels = np.frombuffer(annotated.messages[-1].data, np.uint8).reshape(480, 640, 3)
    # A caption of the face beside it may reach in.
    assert (pixels[300:, 320:] == 0).all() and pixels[300:, :320].any()
    assert client.spin_until(
        lambda: [m for m in log.messages if "parts of the image that are not looked at: 1" in m.msg]
    )
    # A wrong one is refused, and the present one holds.
    wrong = Parameter("ignore_zones", value=["0,0 2,0 1,1"])
    result = client.call(parameters.set_parameters([wrong])).results[0]
    assert not result.successful and "corner 2" in result.reason and "0 to 1" in result.reason
    assert len(look(camera, two_people(), 0.3).faces) == 1
    set_one(client, parameters, "ignore_zones", [])
    assert len(look(camera, two_people(), 0.5).faces) == 2
    assert node.alive and not node.errors


def test_a_wrong_zone_at_start_is_named(start):
    node = start("perception_node", {"ignore_zones": "['0,0 1,1']"})
    assert node.wait() == 1
    assert node.lines("ignore_zones", "has 2 corners, expected 3 to 64"), node.text


def test_switches_say_by_what_and_when(perception, client, camera, namespace):
    topic = client.collect(DiagnosticArray, "/diagnostics")
    log = client.collect(Log, "/rosout")

    def last_switch():
        name = f"{namespace[1:]}/perception_node: expressions"
        statuses = [s for m in topic.messages for s in m.status if s.name == name]
        return {v.key: v.value for v in statuses[-1].values}.get("last switch") if statuses else ""

    assert client.spin_until(lambda: "activate: now active (by its parameter" in last_switch())
    assert client.ask(SetBool, "perception_node/enable", data=False).success
    line = f"disabled; no images are taken (by the service {namespace}/perception_node/enable)"
    assert client.spin_until(lambda: last_switch().endswith(f"Z {line}"))
    assert client.spin_until(lambda: line in [m.msg for m in log.messages])

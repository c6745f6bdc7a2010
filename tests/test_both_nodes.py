"""Both nodes together: a person smiles at the camera, and the robot says a word."""

from rapport.msg import Response
from std_msgs.msg import String

from graph import stamp_ns
from scenes import nobody, smiling_face


def test_pictures_in_speech_out(start, client, camera):
    speech = client.collect(String, "speech")
    responses = client.collect(Response, "responses")
    nodes = [start("perception_node"), start("behavior_node")]
    camera.wait_until_connected()
    for collector in (speech, responses):
        client.wait_for_publisher_of(collector)
    topic = client.node.resolve_topic_name("emotions")
    # This client and the behavior node.
    assert client.spin_until(lambda: client.node.count_subscribers(topic) == 2)
    client.spin_for(0.5)  # until the nodes have found each other as this client has

    for _ in range(5):
        camera.ask(nobody(), after_secs=0.1)
    first_ns = camera.now_ns
    for _ in range(30):
        camera.ask(smiling_face(), after_secs=0.1)
    last_ns = camera.now_ns

    # The person leaves and somebody else smiles: what came before that response is all that came.
    camera.ask(nobody(), after_secs=50.0)
    later_ns = camera.now_ns

    def has_responded_again():
        camera.ask(smiling_face(), after_secs=0.1)
        return any(stamp_ns(response.header) > later_ns for response in responses.messages)

    assert client.spin_until(has_responded_again)
    assert client.spin_until(lambda: len(speech) == 2, 10.0)
    assert len(responses) == 2
    response = responses.messages[0]
    assert response.rule == "answer-a-smile"
    assert response.speech == speech.messages[0].data
    assert first_ns + 10**9 <= stamp_ns(response.header) <= last_ns
    faces = [m.faces for m in camera.emotions.messages if m.header == response.header]
    assert [face.face_id for face in faces[0]] == [response.face_id]
    assert all(node.alive and not node.errors for node in nodes)

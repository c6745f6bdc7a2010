"""perception_node as a managed node: what `ros2 lifecycle` and launch_ros' LifecycleNode ask."""

import numpy as np
import pytest
from lifecycle_msgs.msg import State, Transition, TransitionEvent
from lifecycle_msgs.srv import ChangeState, GetAvailableStates, GetAvailableTransitions, GetState
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient

from graph import ROOT
from scenes import smiling_face


class Manager:
    """Speaks to the lifecycle services of a node, and listens to its transitions."""

    def __init__(self, client, node="perception_node"):
        self.client = client
        self.node = node
        self.events = client.collect(TransitionEvent, f"{node}/transition_event")

    def ask(self, kind, service, **fields):
        return self.client.ask(kind, f"{self.node}/{service}", **fields)

    def change(self, transition_id=0, label=""):
        transition = Transition(id=transition_id, label=label)
        return self.ask(ChangeState, "change_state", transition=transition).success

    @property
    def state(self):
        state = self.ask(GetState, "get_state").current_state
        return state.id, state.label

    def available(self, service="get_available_transitions"):
        transitions = self.ask(GetAvailableTransitions, service).available_transitions
        return [(edge.transition.id, edge.transition.label) for edge in transitions]

    def wait_for(self, state_id):
        assert self.client.spin_until(lambda: self.state[0] == state_id), self.state


@pytest.fixture
def manager(client):
    return Manager(client)


def test_it_configures_and_activates_itself(perception, manager):
    manager.wait_for(State.PRIMARY_STATE_ACTIVE)
    assert manager.state == (3, "active")
    assert manager.available() == [(4, "deactivate"), (7, "shutdown")]


def test_a_manager_leads_it_through_its_life(start, client, camera, manager):
    node = start("perception_node", {"autostart": "false"})
    assert manager.state == (1, "unconfigured")
    assert not manager.change(Transition.TRANSITION_ACTIVATE), "not from here"
    assert node.lines("[ERROR]", "transition 3", "unconfigured", "one of configure, shutdown")
    topic = client.node.resolve_topic_name("image")

    assert manager.change(Transition.TRANSITION_CONFIGURE)
    assert manager.state == (2, "inactive")
    assert client.node.count_subscribers(topic) == 0, "an inactive node takes no images"

    # By label alone, as some clients ask.
    assert manager.change(label="activate")
    camera.wait_until_connected()
    camera.ask(smiling_face())
    assert camera.ask(smiling_face()).faces

    assert manager.change(Transition.TRANSITION_DEACTIVATE)
    camera.emotions.clear()
    while_inactive = []
    # The subscription ends with the next image.
    assert client.spin_until(
        lambda: (
            while_inactive.append(camera.send(smiling_face()))
            or client.node.count_subscribers(topic) == 0
        )
    )

    assert manager.change(Transition.TRANSITION_ACTIVATE)
    camera.wait_until_connected()
    assert camera.ask(smiling_face())
    (before,) = camera.ask(smiling_face()).faces
    # What was published about an image of before would have come before these.
    assert not set(while_inactive) & set(camera.processed_stamps())

    # Other networks are other ids: whoever remembers face_1 does not take a new one for it.
    for transition in ("deactivate", "cleanup", "configure", "activate"):
        assert manager.change(label=transition)
    camera.wait_until_connected()
    camera.ask(smiling_face())
    (after,) = camera.ask(smiling_face()).faces
    assert after.face_id != before.face_id

    assert manager.change(Transition.TRANSITION_DEACTIVATE)
    assert manager.change(Transition.TRANSITION_CLEANUP)
    assert manager.state == (1, "unconfigured")
    emotions = client.node.resolve_topic_name("emotions")
    assert client.spin_until(lambda: client.node.count_publishers(emotions) == 0)
    assert manager.change(Transition.TRANSITION_UNCONFIGURED_SHUTDOWN)
    assert manager.state == (4, "finalized")
    assert node.alive

    assert client.spin_until(lambda: len(manager.events) >= 22)
    steps = [(e.start_state.label, e.goal_state.label) for e in manager.events.messages]
    assert steps[:4] == [
        ("unconfigured", "configuring"),
        ("configuring", "inactive"),
        ("inactive", "activating"),
        ("activating", "active"),
    ]
    assert steps[-2:] == [("unconfigured", "shuttingdown"), ("shuttingdown", "finalized")]


def test_shutdown_from_active_ends_the_work(perception, client, camera, manager):
    manager.wait_for(State.PRIMARY_STATE_ACTIVE)
    assert manager.change(label="shutdown")
    assert manager.state == (4, "finalized")
    camera.emotions.clear()
    camera.send(np.zeros((48, 64), np.uint8))
    # Once its publisher is gone, nothing more can come.
    topic = camera.emotions.subscription.topic_name
    assert client.spin_until(lambda: client.node.count_publishers(topic) == 0)
    assert not len(camera.emotions)
    assert perception.stop()[0] == 0


def test_a_wrong_model_can_be_put_right(start, client, namespace, camera, manager):
    node = start("perception_node", {"emotion_model": "/no/such.onnx"})
    assert client.spin_until(lambda: node.errors)
    assert manager.state == (1, "unconfigured")
    assert not manager.change(Transition.TRANSITION_CONFIGURE), "still wrong"
    assert len(node.lines("[ERROR]", "configure failed", "/no/such.onnx")) == 2

    parameters = AsyncParameterClient(client.node, f"{namespace}/perception_node")
    assert client.spin_until(parameters.services_are_ready)
    model = Parameter("emotion_model", value=str(ROOT / "models" / "emotion.onnx"))
    assert client.call(parameters.set_parameters([model])).results[0].successful
    assert manager.change(Transition.TRANSITION_CONFIGURE)
    assert manager.change(Transition.TRANSITION_ACTIVATE)
    camera.wait_until_connected()
    refused = client.call(parameters.set_parameters([Parameter("emotion_model", value="")]))
    assert "while the node is configured" in refused.results[0].reason


def test_states_and_transitions_are_listed(perception, manager):
    states = manager.ask(GetAvailableStates, "get_available_states").available_states
    assert {(1, "unconfigured"), (2, "inactive"), (3, "active"), (4, "finalized")} <= {
        (state.id, state.label) for state in states
    }
    graph = manager.available("get_transition_graph")
    assert {(1, "configure"), (2, "cleanup"), (3, "activate"), (4, "deactivate")} <= set(graph)
    assert {(5, "shutdown"), (6, "shutdown"), (7, "shutdown")} <= set(graph)

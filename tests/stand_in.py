"""Stand-in robots: nodes that offer a robot's interfaces, with their real definitions, and do as a test
says: accept at once or late, reject, or never come to an end."""

import threading
import time

from audio_common_msgs.action import TTS
from communication_skills.action import Say
from naoqi_bridge_msgs.srv import SetString
from qtrobot_interfaces.srv import FaceEmotionShow, GestureFilePlay, TtsEngineSayText
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

FOREVER = 1e9


class Turn:
    """`await Turn()` lets the other callbacks of the executor have theirs."""

    def __await__(self):
        yield


class StandIn:
    """Offers actions and services in one thread of its own: an action server of rclpy that several threads
    work with crashes the process now and then. So what takes time is a coroutine.

    `takes_secs`: how long each goal and call takes. `rejects`: whether goals are rejected and calls
    answered with false. `aborts`: whether goals are aborted. `accepts_after_secs`: how long a goal
    waits to be accepted.
    """

    def __init__(self, takes_secs=0.0, rejects=False, aborts=False, accepts_after_secs=0.0):
        self.accepts_after_secs = accepts_after_secs
        self.takes_secs, self.rejects, self.aborts = takes_secs, rejects, aborts
        self.goals, self.calls, self.cancelled = [], [], []
        # When each goal came, nanoseconds since 1970.
        self.came_ns = []
        self.ends = threading.Event()
        self.waiting = 0
        self.node = Node("robot")
        self.group = ReentrantCallbackGroup()
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.offers = []
        self.offer()
        self.thread = threading.Thread(target=self.spin, daemon=True)
        self.thread.start()

    def spin(self):
        while not self.ends.is_set() or self.waiting:
            # Also how often a coroutine that waits is asked.
            self.executor.spin_once(timeout_sec=0.01)

    def offer(self):
        """Advertises what the robot has."""
        raise NotImplementedError

    def action(self, kind, name, result):
        async def take(goal):
            self.came_ns.append(time.time_ns())
            accepts = time.monotonic() + self.accepts_after_secs
            await self.wait_while(lambda: time.monotonic() < accepts)
            return GoalResponse.REJECT if self.rejects else GoalResponse.ACCEPT

        async def execute(handle):
            self.goals.append(handle.request)
            began = time.monotonic()
            await self.wait_while(
                lambda: self.is_busy_since(began) and not handle.is_cancel_requested
            )
            if handle.is_cancel_requested:
                handle.canceled()
                self.cancelled.append(handle.request)
                return kind.Result()
            if self.aborts:
                handle.abort()
            else:
                handle.succeed()
            return result(handle.request)

        server = ActionServer(
            self.node,
            kind,
            name,
            execute,
            goal_callback=take,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
            callback_group=self.group,
        )
        self.offers.append(server)

    def is_busy_since(self, began):
        """Whether what began then goes on. `takes_secs` may change meanwhile."""
        return time.monotonic() < began + self.takes_secs

    async def wait_while(self, goes_on):
        """The end of the robot ends it too."""
        self.waiting += 1
        while goes_on() and not self.ends.is_set():
            await Turn()
        self.waiting -= 1

    def service(self, kind, name, answer):
        async def call(request, response):
            self.calls.append(request)
            began = time.monotonic()
            await self.wait_while(lambda: self.is_busy_since(began))
            answer(response, not self.rejects)
            return response

        self.node.create_service(kind, name, call, callback_group=self.group)

    def close(self):
        self.ends.set()
        # What is destroyed while a thread still works with it fails now and then.
        self.thread.join()
        self.executor.shutdown()
        for server in self.offers:
            server.destroy()
        self.node.destroy_node()


class Ros4HriRobot(StandIn):
    """/skill/say; expressions and intents are topics. `error_code`: of the results of the skill."""

    error_code = 0

    def offer(self):
        def result(_):
            result = Say.Result()
            result.result.error_code = self.error_code
            return result

        self.action(Say, "/skill/say", result)


class SpeakingRobot(StandIn):
    """A text to speech by the action /say."""

    def offer(self):
        self.action(TTS, "/say", lambda _: TTS.Result())


class NaoqiRobot(StandIn):
    """naoqi_driver2's service for the language; what is said is a topic."""

    def offer(self):
        def answer(response, success):
            response.success = success

        self.service(SetString, "/naoqi_driver/set_language", answer)


class QtRobot(StandIn):
    """QTrobot's three services."""

    def offer(self):
        def answer(response, success):
            response.status = response.result = success

        self.service(TtsEngineSayText, "/qtrobot/tts/engine/say/text", answer)
        self.service(GestureFilePlay, "/qtrobot/gesture/file/play", answer)
        self.service(FaceEmotionShow, "/qtrobot/face/emotion/show", answer)

    def said(self):
        """The calls that say something."""
        return [call for call in self.calls if hasattr(call, "lang")]

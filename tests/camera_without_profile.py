"""`python camera_without_profile.py TOPIC WIDTH HEIGHT IMAGES`: a camera as its driver starts it.

Publishes blank colour images best effort, 30 a second, once somebody subscribes.
"""

import array
import sys
import time

import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

topic, width, height, images = sys.argv[1], *(int(number) for number in sys.argv[2:])
rclpy.init()
node = rclpy.create_node("camera_driver")
publisher = node.create_publisher(Image, topic, qos_profile_sensor_data)
while publisher.get_subscription_count() == 0:
    time.sleep(0.1)
time.sleep(1.0)  # until the subscriber knows this one too
image = Image(encoding="rgb8", width=width, height=height, step=3 * width)
image.data = array.array("B", bytes(3 * width * height))
begin = time.monotonic()
for number in range(images):
    time.sleep(max(begin + number / 30 - time.monotonic(), 0))
    image.header.stamp.sec, image.header.stamp.nanosec = divmod(time.time_ns(), 10**9)
    publisher.publish(image)
time.sleep(1.0)

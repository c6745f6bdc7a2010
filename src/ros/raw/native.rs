//! Messages left in the memory they were received into, for images too large to copy for nothing.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use r2r::sensor_msgs::msg::Image;
use r2r::std_msgs::msg::Header;
use r2r::{NativeMsg, Node, QosProfile, WrappedTypesupport};

/// A message as the C library filled it in.
pub struct Native<T: WrappedTypesupport>(NativeMsg<T>);

// SAFETY: the message is one owned block of C heap memory without ties to a thread; nobody else
// refers to it. (Messages on loan from the middleware would be bound to their subscription;
// `NativeStream` lets none pass.)
unsafe impl<T: WrappedTypesupport> Send for Native<T> {}

/// The messages of a topic. Dropping it ends the subscription with the next message.
pub struct NativeStream<T: WrappedTypesupport>(Pin<Box<dyn Stream<Item = NativeMsg<T>> + 'static>>);

// SAFETY: inside is the receiving end of a channel, which is as `Send` as its messages are.
unsafe impl<T: WrappedTypesupport> Send for NativeStream<T> {}

impl<T: WrappedTypesupport + 'static> NativeStream<T> {
    /// Subscribes a topic.
    ///
    /// # Errors
    /// If the name or the QoS is refused.
    pub fn subscribe(node: &mut Node, topic: &str, qos: QosProfile) -> r2r::Result<Self> {
        Ok(Self(Box::pin(node.subscribe_native::<T>(topic, qos)?)))
    }
}

impl<T: WrappedTypesupport> Stream for NativeStream<T> {
    type Item = Native<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Native<T>>> {
        loop {
            match self.0.as_mut().poll_next(context) {
                // No middleware lends messages with strings and lists in them, as images are.
                Poll::Ready(Some(message)) if message.is_loaned => {}
                other => return other.map(|message| message.map(Native)),
            }
        }
    }
}

impl Native<Image> {
    /// A copy of the header.
    pub fn header(&self) -> Header {
        let header = &self.0.header;
        Header {
            stamp: r2r::builtin_interfaces::msg::Time {
                sec: header.stamp.sec,
                nanosec: header.stamp.nanosec,
            },
            frame_id: self.text(header.frame_id.data.cast(), header.frame_id.size),
        }
    }

    /// The stamp alone.
    pub fn stamp(&self) -> r2r::builtin_interfaces::msg::Time {
        let stamp = &self.0.header.stamp;
        r2r::builtin_interfaces::msg::Time { sec: stamp.sec, nanosec: stamp.nanosec }
    }

    /// Width and height in pixels and bytes a row, as the header says.
    pub fn size(&self) -> (u32, u32, u32) {
        (self.0.width, self.0.height, self.0.step)
    }

    /// The name of the encoding.
    pub fn encoding(&self) -> String {
        self.text(self.0.encoding.data.cast(), self.0.encoding.size)
    }

    /// Whether numbers of several bytes have their greatest byte first.
    pub fn is_bigendian(&self) -> bool {
        self.0.is_bigendian != 0
    }

    /// The pixels.
    pub fn data(&self) -> &[u8] {
        let data = &self.0.data;
        self.bytes(data.data.cast_const(), data.size)
    }

    fn text(&self, data: *const u8, size: usize) -> String {
        String::from_utf8_lossy(self.bytes(data, size)).into_owned()
    }

    fn bytes(&self, data: *const u8, size: usize) -> &[u8] {
        if data.is_null() {
            return &[];
        }
        // SAFETY: strings and lists of a message hold `size` bytes from `data` on, and live as
        // long as the message.
        unsafe { std::slice::from_raw_parts(data, size) }
    }
}

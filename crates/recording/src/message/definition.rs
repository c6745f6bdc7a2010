//! The definitions of the messages that are written, for readers that know no ROS packages.

/// A message type and its text, as rosbag2 stores it in MCAP schemas: `ros2msg`, the definitions
/// of all nested types after its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// For example `rapport/msg/FaceEmotionArray`.
    pub type_name: &'static str,
    /// Its own definition and each nested type's, with the type's name.
    parts: &'static [(&'static str, &'static str)],
}

const TIME: (&str, &str) = ("builtin_interfaces/Time", "int32 sec\nuint32 nanosec\n");
const HEADER: (&str, &str) =
    ("std_msgs/Header", "builtin_interfaces/Time stamp\nstring frame_id\n");

impl Definition {
    /// rapport/msg/FaceEmotionArray.
    pub const EMOTIONS: Self = Self {
        type_name: "rapport/msg/FaceEmotionArray",
        parts: &[
            ("", include_str!("../../../../msg/FaceEmotionArray.msg")),
            HEADER,
            TIME,
            ("rapport/FaceEmotion", include_str!("../../../../msg/FaceEmotion.msg")),
            (
                "sensor_msgs/RegionOfInterest",
                "uint32 x_offset\nuint32 y_offset\nuint32 height\nuint32 width\nbool do_rectify\n",
            ),
        ],
    };

    /// sensor_msgs/msg/CompressedImage.
    pub const COMPRESSED_IMAGE: Self = Self {
        type_name: "sensor_msgs/msg/CompressedImage",
        parts: &[("", "std_msgs/Header header\nstring format\nuint8[] data\n"), HEADER, TIME],
    };

    /// The text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (name, definition) in self.parts {
            if !name.is_empty() {
                text += &format!("{}\nMSG: {name}\n", "=".repeat(80));
            }
            text += definition;
        }
        text
    }
}

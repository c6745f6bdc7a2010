//! The definitions of the messages that are written, for readers that know no ROS packages, and of
//! those that are read, to compare with what a recording says.

use super::layout::Layout;

/// A message type and its text, as rosbag2 stores it in MCAP schemas: `ros2msg`, the definitions
/// of all nested types after its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// For example `rapport/msg/FaceEmotionArray`.
    pub type_name: &'static str,
    /// The hash by which ROS 2 tells whether two programs mean the same type (REP-2011). A test
    /// compares it with that of the installed type.
    pub type_hash: &'static str,
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
        type_hash: "RIHS01_4fc48b01b824e8f7c74865d82b4e93db602f5656f473321c1f1fa4b00c405e5e",
        parts: &[
            ("", include_str!("../../../../msg/FaceEmotionArray.msg")),
            HEADER,
            TIME,
            ("rapport/FaceEmotion", include_str!("../../../../msg/FaceEmotion.msg")),
            (
                "sensor_msgs/RegionOfInterest",
                "uint32 x_offset\nuint32 y_offset\nuint32 height\nuint32 width\nbool do_rectify\n",
            ),
            ("geometry_msgs/Point32", "float32 x\nfloat32 y\nfloat32 z\n"),
            ("geometry_msgs/Pose", "Point position\nQuaternion orientation\n"),
            ("geometry_msgs/Point", "float64 x\nfloat64 y\nfloat64 z\n"),
            ("geometry_msgs/Quaternion", "float64 x 0\nfloat64 y 0\nfloat64 z 0\nfloat64 w 1\n"),
        ],
    };

    /// sensor_msgs/msg/Image.
    pub const IMAGE: Self = Self {
        type_name: "sensor_msgs/msg/Image",
        type_hash: "RIHS01_d31d41a9a4c4bc8eae9be757b0beed306564f7526c88ea6a4588fb9582527d47",
        parts: &[
            (
                "",
                "std_msgs/Header header\nuint32 height\nuint32 width\nstring encoding\n\
                 uint8 is_bigendian\nuint32 step\nuint8[] data\n",
            ),
            HEADER,
            TIME,
        ],
    };

    /// std_msgs/msg/String.
    pub const STRING: Self = Self {
        type_name: "std_msgs/msg/String",
        type_hash: "RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18",
        parts: &[("", "string data\n")],
    };

    /// sensor_msgs/msg/CompressedImage.
    pub const COMPRESSED_IMAGE: Self = Self {
        type_name: "sensor_msgs/msg/CompressedImage",
        type_hash: "RIHS01_15640771531571185e2efc8a100baf923961a4d15d5569652e6cb6691e8e371a",
        parts: &[("", "std_msgs/Header header\nstring format\nuint8[] data\n"), HEADER, TIME],
    };

    /// The definition of a type that is read or written here.
    pub fn of(type_name: &str) -> Option<Self> {
        let all = [Self::EMOTIONS, Self::IMAGE, Self::COMPRESSED_IMAGE, Self::STRING];
        all.into_iter().find(|definition| definition.type_name == type_name)
    }

    /// What a reader by this definition would misread in messages that were recorded by another:
    /// a sentence for each type. Empty where both are laid out alike, and where `recorded`, in the
    /// language `ros2msg`, is no definition, so that there is nothing to compare.
    pub fn differences(&self, recorded: &str) -> Vec<String> {
        let layouts = Layout::parse(self.type_name, recorded)
            .zip(Layout::parse(self.type_name, &self.text()));
        layouts.map(|(recorded, own)| recorded.differences(&own)).unwrap_or_default()
    }

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
